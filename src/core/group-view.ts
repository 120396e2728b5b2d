/** What a group's stages, hold and operation amount to. Derived on every look, so that no second copy can be wrong. */
import type { AdvertisedGroup, AdvertisedState } from './packet.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState, StageState } from './state.ts'
import { configOf } from './turn.ts'

/** Something of the stage is, or may be, running here. */
export function mayRun(stage: StageState): boolean {
  return stage.status === 'running' || stage.status === 'suspect' || stage.status === 'unclean'
}

/** Warm resources may run on both nodes; only the others make a node a holder. */
export function runsHere(group: GroupState): boolean {
  return group.stages.some((stage) => !isWarm(stage.what) && mayRun(stage))
}

export function isUnclean(group: GroupState): boolean {
  return group.stages.some((stage) => stage.status === 'unclean')
}

export function allRunning(group: GroupState): boolean {
  return group.stages.every((stage) => stage.status === 'running')
}

export function stateOf(group: GroupState): AdvertisedState {
  if (!group.looked) return 'unknown'
  if (isUnclean(group)) return 'unclean'
  if (group.found && group.hold === undefined) return 'unknown'
  const { operation } = group
  if (group.hold !== undefined) return group.hold.heldSinceMs === undefined ? 'starting' : 'held'
  const busy = operation !== undefined && operation.action !== 'status' && !stageIsWarm(group, operation.stage)
  return busy || runsHere(group) ? 'stopping' : 'stopped'
}

export function stageIsWarm(group: GroupState, index: number): boolean {
  const stage = group.stages[index]
  return stage !== undefined && isWarm(stage.what)
}

/** The peer's newest word on a group. A group that the peer does not list is unknown to it, so it holds nothing of it. */
export function peerGroup(state: NodeState, name: string): AdvertisedGroup | undefined {
  for (const group of state.contact.facts?.groups ?? []) if (group.name === name) return group
  return undefined
}

/**
 * Which node goes first where claim numbers do not decide: the preferred one. Nodes whose files differ may each take
 * itself, or the other, for that: then the name decides, which is the same on both.
 */
export function goesFirst(state: NodeState, name: string): boolean {
  if (state.configDifferences.includes('groups')) return state.self < state.peer
  return configOf(state, name)?.preferredNode === state.self
}

/** By its newest word the peer has something of the group, or may have. */
export function peerMayRun(state: NodeState, name: string): boolean {
  const peer = peerGroup(state, name)
  return peer !== undefined && peer.state !== 'stopped'
}

/** The peer claims to be the one that serves the group. */
export function peerServes(state: NodeState, name: string): boolean {
  const peer = peerGroup(state, name)
  return peer?.state === 'starting' || peer?.state === 'held'
}
