/**
 * May this node start a group? Theory of operation (design.md section 5): placement says where a group should be, this
 * module what proof there is that nobody else has it. A group starts only with one of these proofs, which is named in
 * its records:
 *
 *   consent         the peer is heard and has answered this claim (`consents`)
 *   peer-left       the peer said goodbye after stopping everything: the last consent of its generation
 *   will            the peer's daemon died, and its guard says that the group is gone there (wills.ts)
 *   witness         the peer is dead and the witness has granted the group's key to this node (witness.ts)
 *   fenced          the peer is dead and fencing has confirmed that it is off (fencing.ts)
 *   vouched         an administrator has checked that nothing of it runs on the dead peer (hactl cleanup)
 *   deadtime-alone  the peer is dead, and neither fencing nor a witness is configured (Heartbeat's rule, promise P2)
 *
 * Against a peer last heard as unclean for the group only fencing or an administrator's word is a proof. A peer that
 * stated that its addresses outlast it (`hactl pause`) keeps its group against silence and grants alike. Where both
 * witness and fencing are configured, the grant comes first, so that only one side fences, and a group with scripts that
 * may not run twice waits for the fencing as well (P6).
 */
import { contactAuthority, restsOnWitness } from './authority.ts'
import { holdingDeadtimeMs, judgingDeadtimeMs, peerIsClassic, peerIsHeard } from './contact.ts'
import { canFence, canFenceDead, isFenced } from './fenced.ts'
import { peerGroup } from './group-view.ts'
import { orderlyShare } from './lease-arithmetic.ts'
import { isUnconnected, seesAnyPingNode } from './pings.ts'
import { peerIsRaised } from './raised.ts'
import { isWarm } from './stage.ts'
import type { Claim, GroupState, NodeState, Permission } from './state.ts'
import type { Millis } from './time.ts'
import { isDeadByWill, willCovers } from './wills.ts'

export type Ruling =
  | { readonly permission: Permission }
  /** `consent`: the peer is heard, only its answer to a claim permits a start. The others: what is asked for meanwhile. */
  | { readonly needs: 'consent' | 'grant' | 'fencing' }
  | { readonly refused: 'peer-unclean' | 'listening' | 'no-ping-node' | 'peer-raised' | 'peer-busy' }

export function rulingFor(state: NodeState, group: GroupState, nowMs: Millis): Ruling {
  if (peerIsHeard(state)) return { needs: 'consent' }
  const gone = state.contact.status === 'dead' || state.contact.status === 'left'
  if (!gone && nowMs < adoptionMs(state, group)) return { refused: 'listening' }
  if (isUnconnected(state)) return { refused: 'no-ping-node' }
  if (gone && group.peerCleared) return restsOnWitness(state) ? rulingByWitness(state, group, nowMs) : { permission: 'vouched' }
  if (isFenced(state)) return restsOnWitness(state) ? rulingByWitness(state, group, nowMs) : { permission: 'fenced' }
  if (isUncleanThere(state, group)) return !canFenceDead(state) ? { refused: 'peer-unclean' } : restsOnWitness(state) ? rulingByWitness(state, group, nowMs) : { needs: 'fencing' }
  if (willCovers(state, group, nowMs)) return hasAuthority(state, group, nowMs) ? { permission: 'will' } : { needs: 'grant' }
  if (peerIsRaised(state, nowMs)) return state.config.fencing !== undefined && canFence(state) ? { needs: 'fencing' } : { refused: 'peer-raised' }
  if (state.contact.status === 'left') return hasAuthority(state, group, nowMs) ? { permission: 'peer-left' } : { needs: 'grant' }
  if (stillHasIt(state, group)) return { refused: 'peer-busy' }
  if (state.config.fencing !== undefined && !restsOnWitness(state)) return { needs: 'fencing' }
  // A will that does not cover the group may mean that its addresses could not be removed: the lease of that daemon must end first.
  if (isDeadByWill(state)) return { refused: 'listening' }
  if (restsOnWitness(state)) return rulingByWitness(state, group, nowMs)
  if (!seesAnyPingNode(state)) return { refused: 'no-ping-node' }
  return { permission: 'deadtime-alone' }
}

/** A grant in force, and for scripts that may not run twice the fencing of a peer that can be fenced. */
function rulingByWitness(state: NodeState, group: GroupState, nowMs: Millis): Ruling {
  const { grant } = group
  if (grant === undefined || grant.ending === true || nowMs >= grant.sentMs + orderlyShare * grant.lifeMs) return { needs: 'grant' }
  const saysStopped = state.contact.deaf === true && peerGroup(state, group.name)?.state === 'stopped'
  const mustFence = !saysStopped && !isFenced(state) && !group.peerCleared && canFenceDead(state) && (hasColdScripts(group) || isUncleanThere(state, group))
  return mustFence ? { needs: 'fencing' } : { permission: 'witness' }
}

/** A peer that does not hear us still tells what it has. Its late packets may confirm what we never learn of, so it goes by its word alone. */
function stillHasIt(state: NodeState, group: GroupState): boolean {
  if (state.contact.deaf !== true) return false
  const theirs = peerGroup(state, group.name)
  return theirs === undefined || theirs.state !== 'stopped' || theirs.claiming
}

function isUncleanThere(state: NodeState, group: GroupState): boolean {
  return peerGroup(state, group.name)?.state === 'unclean'
}

function hasColdScripts(group: GroupState): boolean {
  return group.stages.some(({ what }) => what.kind === 'script' && !isWarm(what))
}

/** What was known in contact still covers a start: the peer's next daemon cannot have acquired anything. */
function hasAuthority(state: NodeState, group: GroupState, nowMs: Millis): boolean {
  if (!restsOnWitness(state)) return true
  const { grant } = group
  const byGrant = grant !== undefined && grant.ending === undefined && nowMs < grant.sentMs + orderlyShare * grant.lifeMs
  return byGrant || nowMs < contactAuthority(state).orderlyMs
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
  const { contact, config } = state
  // With a witness the grant decides, with fencing the peer starts only after this node is off (F9).
  if (restsOnWitness(state) || config.fencing !== undefined) return undefined
  // A real Heartbeat never says whom it hears.
  if (!peerIsHeard(state) || peerIsClassic(state) || contact.heardSinceMs === undefined || contact.lastHeardMs === undefined) return undefined
  const deadtimeMs = holdingDeadtimeMs(state)
  const limitMs = Math.max(contact.heardSinceMs + 0.3 * deadtimeMs, (contact.confirmed?.sentMs ?? -Infinity) + orderlyShare * deadtimeMs)
  return limitMs <= contact.lastHeardMs + 0.3 * deadtimeMs ? limitMs : undefined
}
