/** The questions that placement asks, answered from the state (placement.ts). */
import type { AutoFailback, GroupConfig, NodeName } from './config.ts'
import { peerIsHeard } from './contact.ts'
import { canFenceDead } from './fenced.ts'
import { isFlapHeld } from './flaps.ts'
import { goesFirst, isUnclean, peerGroup, runsHere } from './group-view.ts'
import type { Scope } from './packet.ts'
import { seesMore } from './pings.ts'
import { placementOf, type Placement, type PlacementView } from './placement.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { configOf } from './turn.ts'

/** `local` and `foreign` are seen from `node`, as in `hb_standby`. */
export function covers(scope: Scope | undefined, node: NodeName, group: GroupConfig): boolean {
  if (scope === undefined) return false
  return scope === 'all' || (scope === 'local') === (group.preferredNode === node)
}

export function failbackPolicy(state: NodeState, group: GroupConfig): AutoFailback {
  return group.autoFailback ?? state.config.autoFailback
}

/** When `auto_failback: {after}` is met, if the peer stays as it is. */
export function failbackMs(state: NodeState, group: GroupConfig): Millis | undefined {
  const policy = failbackPolicy(state, group)
  if (typeof policy === 'string' || !('afterMs' in policy) || !peerIsHeard(state)) return undefined
  return state.contact.sinceMs + policy.afterMs
}

function failbackNow(state: NodeState, group: GroupState, config: GroupConfig, nowMs: Millis): PlacementView['failback'] {
  const policy = failbackPolicy(state, config)
  if (policy === 'off') return 'off'
  if (policy === 'on') return 'due'
  if ('at' in policy) return group.failbackDue ? 'due' : 'waits'
  return nowMs >= (failbackMs(state, config) ?? Infinity) ? 'due' : 'waits'
}

function hereOf(group: GroupState): PlacementView['here'] {
  if (isUnclean(group)) return 'unclean'
  if (group.hold !== undefined) return 'serves'
  if (group.found) return 'found'
  return runsHere(group) ? 'stopping' : 'nothing'
}

function thereOf(state: NodeState, group: GroupState): PlacementView['there'] {
  const peer = peerGroup(state, group.name)
  if (peer === undefined) return 'nothing'
  // A dead peer that can be fenced is no obstacle to the wish; the start waits for the fencing (permission.ts).
  if (peer.state === 'unclean') return (group.peerCleared || canFenceDead(state)) && !peerIsHeard(state) ? 'nothing' : 'unclean'
  if (!peerIsHeard(state)) return 'nothing'
  switch (peer.state) {
    case 'held':
    case 'starting':
      return 'serves'
    case 'unknown':
      return 'unknown'
    case 'stopping':
      return 'stopping'
    case 'stopped':
      return 'nothing'
  }
}

const peerStatuses = { unknown: 'unknown', alive: 'heard', late: 'heard', dead: 'dead', left: 'left' } as const

export function viewOf(state: NodeState, group: GroupState, nowMs: Millis): PlacementView {
  const config = configOf(state, group.name) ?? { name: group.name, preferredNode: state.self, resources: [] }
  const peer = peerGroup(state, group.name)
  const heard = peerIsHeard(state)
  const { facts } = state.contact
  return {
    self: state.self,
    peer: state.peer,
    phase: state.phase,
    paused: state.pause.paused,
    preferred: config.preferredNode === state.self ? 'self' : 'peer',
    first: goesFirst(state, group.name) ? 'self' : 'peer',
    here: hereOf(group),
    peerStatus: peerStatuses[state.contact.status],
    there: thereOf(state, group),
    selfStandby: covers(state.standby, state.self, config) && group.adminTakes === undefined,
    peerStandby: heard && covers(facts?.standby, state.peer, config),
    selfFailed: group.failed !== undefined && group.adminTakes === undefined,
    peerLeaving: heard && facts?.leaving === true,
    peerHasIt: facts === undefined || peer !== undefined,
    peerFailed: heard && (peer?.failed ?? false),
    adminTakes: group.adminTakes !== undefined,
    adminGives: group.adminGives !== undefined,
    peerOffer: heard ? peer?.offer : undefined,
    peerClaims: heard && (peer?.claiming ?? false),
    claims: group.claim !== undefined,
    pinned: group.pinned,
    failback: failbackNow(state, group, config, nowMs),
    flapHeld: isFlapHeld(group, nowMs),
    seesMore: seesMore(state),
  }
}

export function placementAt(state: NodeState, group: GroupState, nowMs: Millis): Placement {
  return placementOf(viewOf(state, group, nowMs))
}
