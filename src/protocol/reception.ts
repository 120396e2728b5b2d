/** All that happens to a datagram before the core hears of it, in one place: read, verify, judge its order, count what is dropped. */
import type { NodeName } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { decodeDatagram, type Decoded } from './datagram.ts'
import { countDrop, noDrops, type DropCounters } from './drops.ts'
import type { RefusalCause } from './refusals.ts'
import type { Keyring } from './signature.ts'
import { afterPacket, initialSigning, isMethodAccepted, type SigningState } from './signing.ts'
import { accept, emptyWindow, type Sender, type Window } from './window.ts'

/** Begins anew with each start of the daemon: nothing of it is persisted. */
export interface Reception { readonly window: Window; readonly signing: SigningState; readonly drops: DropCounters }

export const emptyReception: Reception = { window: emptyWindow, signing: initialSigning, drops: noDrops }

export interface Receiver {
  readonly self: Sender
  readonly peer: NodeName
  readonly keyring: Keyring
  /** The peer's packets of a lower generation are old, even before it was heard anew (`PersistentState.peerGeneration`). */
  readonly floorGeneration?: number
}

export type Received =
  | { readonly verdict: 'new'; readonly reception: Reception; readonly packet: Packet }
  | { readonly verdict: 'duplicate'; readonly reception: Reception }
  /** Of a real Heartbeat, and of no generation that has ended: whether it is new is for its delivery to say (classic/delivery.ts). */
  | { readonly verdict: 'classic'; readonly reception: Reception; readonly decoded: Decoded }
  | Dropped

export interface Dropped { readonly verdict: 'dropped'; readonly reception: Reception; readonly cause: RefusalCause; readonly logLine?: string }

/** `origin`: sender's address and link, for the line in the log. */
export function receive(reception: Reception, bytes: Uint8Array, receiver: Receiver, nowMs: Millis, origin: string): Received {
  const { self, peer, keyring } = receiver
  const decoded = decodeDatagram(bytes, keyring)
  if (decoded.result === 'refused') return drop(reception, decoded.cause, nowMs, origin)
  if (decoded.result === 'unsequenced') {
    if (decoded.from === peer) return { verdict: 'classic', reception, decoded }
    return drop(reception, decoded.from === self.name ? 'own-packet' : 'foreign-node', nowMs, origin)
  }
  const { packet, method } = decoded
  const { window, verdict } = accept(reception.window, self, peer, packet, receiver.floorGeneration)
  const late = verdict === 'stale' && isClassic(packet)
  if (verdict !== 'new' && verdict !== 'duplicate' && !late) return drop(reception, verdict, nowMs, origin)
  if (!isMethodAccepted(reception.signing, packet, method)) return drop(reception, 'method-refused', nowMs, origin)
  if (isClassic(packet)) {
    const signing = verdict === 'new' ? afterPacket(reception.signing, decoded, self.generation) : reception.signing
    return { verdict: 'classic', decoded, reception: { ...reception, window, signing } }
  }
  if (verdict === 'duplicate') return { verdict, reception }
  return { verdict: 'new', packet, reception: { ...reception, window, signing: afterPacket(reception.signing, decoded, self.generation) } }
}

function isClassic({ kind, facts }: Packet): boolean {
  return kind !== 'will' && facts === undefined
}

/** Counted, and told in the log now and then. Exported for what only a later stage finds out. */
export function drop(reception: Reception, cause: RefusalCause, nowMs: Millis, origin: string): Dropped {
  const { counters, logLine } = countDrop(reception.drops, cause, nowMs, origin)
  return { verdict: 'dropped', cause, reception: { ...reception, drops: counters }, ...(logLine === undefined ? {} : { logLine }) }
}
