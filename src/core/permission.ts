/**
 * May this node start a group? Theory of operation (design.md section 5): placement says where a group should be, this
 * module what proof there is that nobody else has it. A group starts only with one of these proofs, which is named in
 * its records:
 *
 *   consent         the peer is heard and has answered this claim (`consents`)
 *   peer-left       the peer said goodbye after stopping everything: the last consent of its generation
 *   deadtime-alone  the peer is dead, and neither fencing nor a witness is configured (Heartbeat's rule, promise P2)
 *   will, fenced, witness   come with their own configuration
 *
 * Against a peer last heard as unclean for the group there is no proof but an administrator's word.
 */
import { holdingDeadtimeMs, judgingDeadtimeMs, peerIsHeard } from './contact.ts'
import { peerGroup } from './group-view.ts'
import type { Claim, GroupState, NodeState, Permission } from './state.ts'
import type { Millis } from './time.ts'

export type Ruling =
  | { readonly permission: Permission }
  /** The peer is heard: only its answer to a claim permits a start. */
  | { readonly needs: 'consent' }
  | { readonly refused: 'peer-unclean' | 'listening' }

export function rulingFor(state: NodeState, group: GroupState, nowMs: Millis): Ruling {
  if (peerIsHeard(state)) return { needs: 'consent' }
  const last = peerGroup(state, group.name)
  if (last?.state === 'unclean' && !group.peerCleared) return { refused: 'peer-unclean' }
  switch (state.contact.status) {
    case 'left':
      return { permission: 'peer-left' }
    case 'dead':
      return { permission: 'deadtime-alone' }
    case 'unknown':
    case 'alive':
    case 'late':
      return nowMs >= adoptionMs(state, group) ? { permission: 'deadtime-alone' } : { refused: 'listening' }
  }
}

/** A daemon restarted on a running kernel adopts what it finds after listening for deadtime; there is no booting network to wait for. */
export function adoptionMs(state: NodeState, group: GroupState): Millis {
  if (!group.found || !state.sameBoot || state.contact.status !== 'unknown') return Infinity
  return Math.max(state.startedMs, state.contact.listenFromMs) + judgingDeadtimeMs(state)
}

/** The peer's newest packet answers this claim: it has heard it, and it neither has the group nor wants it. */
export function consents(state: NodeState, group: GroupState, claim: Claim): boolean {
  const { facts } = state.contact
  if (facts === undefined || !peerIsHeard(state)) return false
  const { confirms } = facts
  if (confirms === undefined || confirms.generation !== state.generation || confirms.sequence < claim.firstSequence) return false
  const peer = peerGroup(state, group.name)
  return peer === undefined || (peer.state === 'stopped' && !peer.claiming)
}

/** Between two claims, and between two holders: the higher number, then the preferred node. */
export function outranks(mine: number, theirs: number, iAmPreferred: boolean): boolean {
  return mine === theirs ? iAmPreferred : mine > theirs
}

/**
 * The peer talks but does not hear us: it will count us dead and start, so a holder without witness or fencing must
 * release first. Heard continuously for 0.3 deadtime, and still heard, and not confirmed since 0.8 deadtime (F8). A peer
 * that has fallen silent as well is a full partition, where this rule would only leave the group with nobody.
 */
export function unheardReleaseMs(state: NodeState): Millis | undefined {
  const { contact } = state
  if (!peerIsHeard(state) || contact.facts === undefined || contact.heardSinceMs === undefined || contact.lastHeardMs === undefined) return undefined
  const deadtimeMs = holdingDeadtimeMs(state)
  const limitMs = Math.max(contact.heardSinceMs + 0.3 * deadtimeMs, (contact.confirmed?.sentMs ?? -Infinity) + 0.8 * deadtimeMs)
  return limitMs <= contact.lastHeardMs + 0.3 * deadtimeMs ? limitMs : undefined
}
