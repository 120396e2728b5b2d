/** Defaults of the four times and the relations between them (heartbeat-3.md section 7.2, design.md section 5). */
import type { Timing } from '../core/config.ts'
import type { Draft } from './draft.ts'
import { timeText } from './durations.ts'
import type { Findings } from './findings.ts'

const defaultKeepaliveMs = 1_000
const defaultDeadtimeMs = 30_000

/** A round trip between two hosts of one network, with the loops of both. */
const roundTripMs = 50

export function timingOf({ timing }: Draft): Timing {
  const keepaliveMs = timing.keepaliveMs?.value ?? defaultKeepaliveMs
  const deadtimeMs = timing.deadtimeMs?.value ?? defaultDeadtimeMs
  return {
    keepaliveMs,
    deadtimeMs,
    warntimeMs: timing.warntimeMs?.value ?? Math.floor(deadtimeMs / 2),
    initdeadMs: timing.initdeadMs?.value ?? defaultInitdeadMs(deadtimeMs),
  }
}

/** Heartbeat accepts a warntime that no heartbeat can reach; the core then works with the latest that one can. */
export function withReachableWarntime(timing: Timing): Timing {
  return { ...timing, warntimeMs: Math.min(timing.warntimeMs, Math.max(0, timing.deadtimeMs - 1)) }
}

function defaultInitdeadMs(deadtimeMs: number): number {
  if (deadtimeMs > 10_000) return deadtimeMs
  return deadtimeMs < 6_000 ? 12_000 : 2 * deadtimeMs
}

export function checkTiming(draft: Draft, { keepaliveMs, deadtimeMs, initdeadMs }: Timing, findings: Findings): void {
  const placeOf = (key: keyof Timing) => draft.timing[key]?.place ?? draft.timingPlace
  const keepalive = timeText(keepaliveMs)
  const deadtime = timeText(deadtimeMs)
  if (keepaliveMs <= 0) {
    findings.error(placeOf('keepaliveMs'), 'keepalive-invalid',
      'keepalive is 0: it is the time between two heartbeats. Write 1 for one second, or 200ms.')
  } else if (deadtimeMs <= 2 * keepaliveMs) {
    findings.error(placeOf('deadtimeMs'), 'deadtime-small',
      `deadtime is ${deadtime}; it must be more than twice keepalive (${keepalive}), or one late packet looks like a death. Write at ` +
      `least ${timeText(10 * keepaliveMs)}.`)
  } else if (3 * deadtimeMs <= 10 * (2 * keepaliveMs + roundTripMs)) {
    const enoughMs = Math.ceil((10 * (2 * keepaliveMs + roundTripMs) + 1) / 3)
    findings.warning(placeOf('deadtimeMs'), 'deadtime-tight',
      `deadtime ${deadtime} with keepalive ${keepalive}: when a partition heals, both nodes may release before they agree, which takes ` +
      `2 x keepalive and ${roundTripMs} ms of 0.3 x deadtime. ` +
      `Write a deadtime of ${timeText(enoughMs > 2_000 ? Math.ceil(enoughMs / 1_000) * 1_000 : Math.ceil(enoughMs / 100) * 100)}, or a ` +
      `shorter keepalive.`)
  }
  checkWarntime(draft, { keepaliveMs, deadtimeMs }, findings)
  if (initdeadMs < deadtimeMs) {
    findings.error(placeOf('initdeadMs'), 'initdead-small',
      `initdead is ${timeText(initdeadMs)}; it must be at least deadtime (${deadtime}): it is how long a starting node waits for the ` +
      `peer. Write ${timeText(Math.max(2 * deadtimeMs, 10_000))}.`)
  } else if (initdeadMs < 10_000 && draft.timing.initdeadMs !== undefined) {
    findings.warning(placeOf('initdeadMs'), 'initdead-short',
      `initdead is ${timeText(initdeadMs)}: where a network takes longer to come up, a starting node takes the peer for dead and both ` +
      `hold the addresses. Write at least 10 s.`)
  }
}

function checkWarntime(
  { timing }: Draft, { keepaliveMs, deadtimeMs }: { keepaliveMs: number; deadtimeMs: number }, findings: Findings,
): void {
  if (timing.warntimeMs === undefined) return
  const { value, place } = timing.warntimeMs
  const rule = `it is a time between keepalive (${timeText(keepaliveMs)}) and deadtime (${timeText(deadtimeMs)})`
  if (value >= deadtimeMs) {
    findings.warning(place, 'warntime-order',
      `warntime is ${timeText(value)}: the peer is dead before it is late, so that nothing warns; ${rule}. Write ` +
      `${timeText(Math.floor(deadtimeMs / 2))}.`)
  } else if (value <= keepaliveMs) {
    findings.warning(place, 'warntime-order',
      `warntime is ${timeText(value)}: every heartbeat would be late; ${rule}. Write ${timeText(Math.floor(deadtimeMs / 2))}.`)
  }
}
