/**
 * Until when may this node hold a group without hearing anything more? (design.md section 5 "Mutual contact and
 * authority"). The peer cannot declare this node dead before `s + deadtime`, where `s` is when this node sent the newest
 * packet that the peer has confirmed; and it gets no grant of the witness while ours lasts, which counts from `q`, when
 * the request that was answered left. So with a witness authority has two marks:
 *
 *   orderly  max(s + 0.8 deadtime, q + 0.8 T)    the group is released, addresses first
 *   end      max(s + 0.98 deadtime, q + 0.98 T)  nothing may be here any more; only the kernel may reach it (lease.ts)
 *
 * 0.98 leaves room for clocks that drift by 1 % each. Without a witness authority has no end for lack of contact: with
 * fencing the peer starts only after this node is off (F9); with neither, the rule of permission.ts for a holder that is
 * not heard is all there is (F8, promise P2).
 */
import { holdingDeadtimeMs, isSuspended, peerIsClassic } from './contact.ts'
import { askingShare, finalShare, orderlyShare } from './lease-arithmetic.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'

export interface Authority { readonly orderlyMs: Millis; readonly endMs: Millis }

const endless: Authority = { orderlyMs: Infinity, endMs: Infinity }

/** A real Heartbeat confirms nothing and asks no witness: with it as the peer, promise P1 falls back to P2. */
export function restsOnWitness(state: NodeState): boolean {
  return state.config.witness !== undefined && !peerIsClassic(state)
}

/** What contact alone allows. */
export function contactAuthority(state: NodeState): Authority {
  const sentMs = state.contact.confirmed?.sentMs ?? -Infinity
  const deadtimeMs = holdingDeadtimeMs(state)
  return { orderlyMs: sentMs + orderlyShare * deadtimeMs, endMs: sentMs + finalShare * deadtimeMs }
}

/** A grant that is being given back counts no more (F5). */
export function authorityOf(state: NodeState, group: GroupState): Authority {
  if (!restsOnWitness(state)) return endless
  // A will, or a goodbye, was good by the contact of its time; a grant was not.
  const counts = isStated(state, group) || group.hold?.permission !== 'witness'
  const contact = counts ? contactAuthority(state) : { orderlyMs: -Infinity, endMs: -Infinity }
  const { grant } = group
  if (grant === undefined || grant.ending === true) return contact
  return {
    orderlyMs: Math.max(contact.orderlyMs, grant.sentMs + orderlyShare * grant.lifeMs),
    endMs: Math.max(contact.endMs, grant.sentMs + finalShare * grant.lifeMs),
  }
}

/**
 * What was taken without the peer's consent rests on contact only once the peer has confirmed a packet that says so: one
 * that has heard nothing of it may ask the witness, and go by an older packet that says "stopped".
 */
export function isStated({ contact }: NodeState, { hold }: GroupState): boolean {
  return hold === undefined || hold.permission === 'consent' || (contact.confirmed?.sentMs ?? -Infinity) >= hold.sinceMs
}

/** A start, or an address, needs authority at the moment it is begun, not only when it was decided (F2). */
export function mayStart(state: NodeState, group: GroupState, nowMs: Millis): boolean {
  return !isSuspended(state) && nowMs < authorityOf(state, group).orderlyMs
}

/** Contact is lost as far as the witness is concerned: it is asked from here on. */
export function contactLostMs(state: NodeState, group: GroupState): Millis {
  if (!isStated(state, group)) return -Infinity
  const { status, confirmed } = state.contact
  if (status === 'dead' || status === 'left') return -Infinity
  return (confirmed?.sentMs ?? -Infinity) + askingShare * holdingDeadtimeMs(state)
}
