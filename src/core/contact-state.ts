/** What a node knows of its peer: data only, changed by contact.ts, wills.ts and raised.ts. */
import type { GroupName } from './config.ts'
import type { Facts, PacketId } from './packet.ts'
import type { Millis } from './time.ts'

/** What this node believes of its peer, from packets alone. Silence is counted from the later of `listenFromMs` and `lastHeardMs`. */
export interface Contact {
  readonly status: 'unknown' | 'alive' | 'late' | 'dead' | 'left'
  readonly sinceMs: Millis
  readonly listenFromMs: Millis
  readonly lastHeardMs?: Millis
  /** Start of the present stretch of hearing the peer without a gap of half of deadtime (design.md section 5, F8). */
  readonly heardSinceMs?: Millis
  readonly newest?: PacketId
  readonly facts?: Facts
  readonly peerDeadtimeMs?: Millis
  /** Packets sent and not confirmed yet, oldest first, to find the send time of a confirmed one. */
  readonly sent: readonly { readonly sequence: number; readonly sentMs: Millis }[]
  /** The newest of my packets that the peer has confirmed, with its send time (`s` of design.md section 5) and the generation of the peer that did. */
  readonly confirmed?: { readonly sequence: number; readonly sentMs: Millis; readonly by: number }
  /** Dead although it is heard: it has confirmed nothing of ours for deadtime, so it goes by no contact any more (witness only). */
  readonly deaf?: true
  /** This node stood still until then, and has since neither been confirmed afresh nor judged the peer afresh (`isSuspended`). */
  readonly wokeMs?: Millis
  /** What the peer's guard has said after its daemon's death (wills.ts). */
  readonly wills?: WillsHeard
  /** The peer's addresses may stay until then without a word of it (`hactl pause`; raised.ts). */
  readonly peerRaisedUntilMs?: Millis
  readonly nextAskMs?: Millis
  /** A longer deadtime that the peer may still count on, until it confirms a packet of at least this sequence, and that long after: a lifetime from before may still run (F7). */
  readonly formerDeadtime?: { readonly deadtimeMs: Millis; readonly untilSequence: number; readonly untilMs?: Millis }
}

/** `stopped` covers `addressesGone` as well. */
export interface WillsHeard { readonly generation: number; readonly addressesGone: readonly GroupName[]; readonly stopped: readonly GroupName[] }
