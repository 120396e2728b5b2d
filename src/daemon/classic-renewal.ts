/**
 * When this node takes up another generation towards a real Heartbeat: once in each silence that may have been taken for death, so that
 * the Heartbeat never hears the generation of a dead node again. It would take that for the end of a partition, stop everything that it
 * holds and restart itself (heartbeat-3.md section 4.6).
 */
import type { Millis } from '../core/time.ts'

export interface Renewal {
  /** On disk; the next one to be taken up. */
  spare?: number
  reserving: boolean
  heardMs: Millis
  spokenMs: Millis
  /** Of the last renewal for the peer's silence. */
  renewedMs: Millis
  /** Of this node: by it the peer judges us, and since it cannot hear us when we cannot hear it, we count the same time. */
  deadtimeMs: Millis
}

/** Before the peer does. */
const silentShare = 0.9

export function newRenewal(): Renewal {
  return { reserving: false, heardMs: -Infinity, spokenMs: -Infinity, renewedMs: -Infinity, deadtimeMs: Infinity }
}

export function heardPeer(renewal: Renewal, nowMs: Millis): void {
  renewal.heardMs = nowMs
}

/** True where this node itself was silent for too long before. */
export function spokeToPeer(renewal: Renewal, deadtimeMs: Millis, nowMs: Millis): boolean {
  const silentMs = nowMs - renewal.spokenMs
  renewal.spokenMs = nowMs
  renewal.deadtimeMs = deadtimeMs
  return Number.isFinite(silentMs) && silentMs >= silentShare * deadtimeMs
}

/** For the peer's silence; once until it is heard again. */
export function renewalDueMs({ heardMs, renewedMs, deadtimeMs }: Renewal): Millis | undefined {
  return renewedMs > heardMs || heardMs === -Infinity || deadtimeMs === Infinity ? undefined : heardMs + silentShare * deadtimeMs
}
