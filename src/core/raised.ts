/**
 * `hactl pause` and a planned restart of the daemon: the addresses stay although nobody renews them, for a bounded time
 * (design.md section 6). A lifetime beyond authority rests on a promise of the peer: this node states in each packet how
 * long its addresses may outlast that packet, and only what the peer has confirmed counts; the peer takes nothing by silence
 * or by a grant until then. When the pause ends, lifetimes are set back first (lease-shortening.ts), and only then is
 * nothing stated any more.
 */
import { finalShare } from './lease-arithmetic.ts'
import type { Packet } from './packet.ts'
import type { NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { setContact, type Turn } from './turn.ts'

/** With the peer gone and no third party, nobody is left who could promise, or take, anything. */
function needsNoPromise({ config, contact }: NodeState): boolean {
  return (contact.status === 'dead' || contact.status === 'left') && config.witness === undefined && config.fencing === undefined
}

function isRaised(state: NodeState): boolean {
  const { raising, contact } = state
  return raising !== undefined && !raising.ending && (needsNoPromise(state) || (contact.confirmed?.sequence ?? -1) >= raising.firstSequence)
}

/** How long lifetimes may be at most while they are raised, in seconds; undefined: they are not. */
export function raisedSeconds(state: NodeState): number | undefined {
  return isRaised(state) ? Math.floor(state.config.pauseLimitMs / 1_000) : undefined
}

/** Until when the peer's promise covers addresses here. */
export function raisedUntilMs(state: NodeState): Millis {
  if (!isRaised(state) || needsNoPromise(state)) return -Infinity
  return (state.contact.confirmed?.sentMs ?? -Infinity) + finalShare * state.config.pauseLimitMs
}

/** What the peer's packet says of its own addresses; a newer packet without a word ends it. */
export function hearRaised(turn: Turn, packet: Packet): void {
  if (packet.kind !== 'status' || packet.facts === undefined) return
  const { raisedForMs } = packet.facts
  const untilMs = raisedForMs === undefined ? undefined : turn.nowMs + raisedForMs
  // A packet that confirms none of this daemon's may be older than what the last daemon was told (late, or replayed).
  const isFresh = packet.facts.confirms?.generation === turn.state.generation
  const { peerRaisedUntilMs } = turn.state.contact
  if (!isFresh && peerRaisedUntilMs !== undefined && (untilMs ?? -Infinity) < peerRaisedUntilMs) return
  setContact(turn, { peerRaisedUntilMs: untilMs })
}

/** The peer may be without a daemon, and its addresses stand all the same. */
export function peerIsRaised({ contact }: NodeState, nowMs: Millis): boolean {
  return contact.peerRaisedUntilMs !== undefined && nowMs < contact.peerRaisedUntilMs
}
