/**
 * `hactl pause` and a planned restart of the daemon: the addresses stay although nobody renews them, for a bounded time
 * (design.md section 6). A lifetime beyond authority rests on a promise of the peer: this node states in each packet how
 * long its addresses may outlast that packet, and only what the peer has confirmed counts, and has on its disk, for its
 * next daemon must keep it too; the peer takes nothing by silence or by a grant until then. As soon as it may, every lifetime is raised (lease-shortening.ts), and `hactl pause` is not
 * answered, nor the daemon ended during it, before the kernel has it. When the pause ends, lifetimes are set back first (lease-shortening.ts), and only then is
 * nothing stated any more.
 */
import { peerIsClassic, peerIsHeard } from './contact.ts'
import { finalShare } from './lease-arithmetic.ts'
import type { Facts, Packet } from './packet.ts'
import type { GroupState, NodeState, StageState } from './state.ts'
import type { Millis } from './time.ts'
import { setContact, type Turn } from './turn.ts'

/** With the peer gone and no third party, nobody is left who could promise, or take, anything. */
function needsNoPromise({ config, contact }: NodeState): boolean {
  return (contact.status === 'dead' || contact.status === 'left') && config.witness === undefined && config.fencing === undefined
}

function isRaised(state: NodeState): boolean {
  const { raising, contact } = state
  if (raising === undefined || raising.ending) return false
  if (needsNoPromise(state)) return true
  return (contact.confirmed?.sequence ?? -1) >= raising.firstSequence && contact.facts?.promisedForMs !== undefined
}

/** How long lifetimes may be at most while they are raised, in seconds; undefined: they are not. */
export function raisedSeconds(state: NodeState): number | undefined {
  return isRaised(state) ? Math.floor(state.config.pauseLimitMs / 1_000) : undefined
}

/** Until when the peer's promise covers addresses here. */
export function raisedUntilMs(state: NodeState): Millis {
  if (!isRaised(state) || needsNoPromise(state)) return -Infinity
  const { confirmed, facts } = state.contact
  return (confirmed?.sentMs ?? -Infinity) + finalShare * Math.min(state.config.pauseLimitMs, facts?.promisedForMs ?? 0)
}

/** Of addresses that this node holds with a lifetime: how far `hactl pause` has come with them. */
export interface Raising {
  /** `cannot`: nobody is heard who could promise to leave them here. */
  readonly status: 'raised' | 'waits' | 'cannot'
  /** Those whose lifetime ends with the daemon, by the names of their stages. */
  readonly short: readonly string[]
}

export function raisingOf(state: NodeState, nowMs: Millis): Raising {
  const groups = state.groups.filter((group) => group.hold !== undefined && state.config.lease !== 'off')
  const short = groups.flatMap((group) => group.stages.filter((stage, index) => isShort(state, group, stage, index, nowMs)))
  if (short.length === 0) return { status: 'raised', short: [] }
  return { status: couldPromise(state) ? 'waits' : 'cannot', short: short.map(({ what }) => what.name) }
}

/** A raised lifetime is renewed all the time, so it never falls to half of what it may be. */
function isShort(state: NodeState, { operation }: GroupState, { what, status, lease, addAgain }: StageState, index: number, nowMs: Millis): boolean {
  if (what.kind !== 'addresses') return false
  if (addAgain === true || (operation?.stage === index && operation.action === 'start')) return true
  if (status !== 'running' || lease === undefined) return false
  const seconds = raisedSeconds(state)
  const promisedMs = needsNoPromise(state) ? Infinity : raisedUntilMs(state) - nowMs
  return seconds === undefined || lease.untilMs - nowMs < 0.5 * Math.min(seconds * 1_000, promisedMs)
}

/** A peer that is waited for yet may; a real Heartbeat promises nothing. */
function couldPromise(state: NodeState): boolean {
  if (needsNoPromise(state) || state.contact.status === 'unknown') return true
  return peerIsHeard(state) && !peerIsClassic(state)
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

/** What is on the disk here of the peer's addresses: a full disk promises nothing, though the daemon of today would keep it. */
export function promiseOf({ contact, persisted, wallOffsetMs }: NodeState, nowMs: Millis): Pick<Facts, 'promisedForMs'> {
  if (contact.peerRaisedUntilMs === undefined || persisted.peerRaisedUntilWallMs === undefined) return {}
  return { promisedForMs: Math.max(0, Math.round(persisted.peerRaisedUntilWallMs - wallOffsetMs - nowMs)) }
}

/** The peer may be without a daemon, and its addresses stand all the same. */
export function peerIsRaised({ contact }: NodeState, nowMs: Millis): boolean {
  return contact.peerRaisedUntilMs !== undefined && nowMs < contact.peerRaisedUntilMs
}
