/**
 * A `standby` whose groups cannot arrive: the target failed, died, shuts down, went into standby itself. The wish is taken
 * back, so that the group returns, and only then is the request answered (design.md section 7, promise P5).
 */
import type { GroupName } from './config.ts'
import { isUnclean, peerGroup, runsHere } from './group-view.ts'
import { peerRefusal } from './requests.ts'
import type { GroupState, NodeState, PendingRequest } from './state.ts'
import { groupNamed, record, setGroup, setState, type Turn } from './turn.ts'

export function giveUpIfHopeless(turn: Turn, request: PendingRequest): PendingRequest {
  if (request.command.type !== 'standby' || request.givenUp !== undefined) return request
  const why = missingOf(request).map((name) => hopeless(turn.state, request, name)).find((reason) => reason !== undefined)
  if (why === undefined) return request
  const next = { ...request, givenUp: why }
  setState(turn, { requests: turn.state.requests.map((one) => (one.requestId === request.requestId ? next : one)) })
  for (const group of turn.state.groups) if (group.adminGives === request.requestId) setGroup(turn, group.name, { adminGives: undefined })
  if (isReplaced(turn.state, request) || request.command.once) return next
  setState(turn, { standby: undefined })
  record(turn, 'warning', 'standby-off', `${turn.state.self} gives up standby: ${why}`)
  return next
}

export function missingOf(request: PendingRequest): readonly GroupName[] {
  return request.groups.filter((name) => !request.moves.some((move) => move.group === name))
}

function hopeless(state: NodeState, request: PendingRequest, name: GroupName): string | undefined {
  const group = groupNamed(state, name)
  if (group === undefined || isUnclean(group) || request.command.type !== 'standby') return undefined
  if (isReplaced(state, request)) return `a newer command on ${state.self} took its place`
  // A daemon that was just started says soon what it can take.
  return peerGroup(state, name)?.state === 'unknown' && state.contact.status !== 'dead' ? undefined : peerRefusal(state, group)
}

/** Somebody typed `online`, or `standby` with another scope, meanwhile. */
function isReplaced(state: NodeState, { command }: PendingRequest): boolean {
  return command.type === 'standby' && !command.once && state.standby !== command.scope
}

/** Where the groups of a request that was given up are by now, in words; undefined while they are on their way. */
export function afterGivingUp(state: NodeState, request: PendingRequest): string | undefined {
  const places = missingOf(request).map((name) => placeOf(state, name))
  if (places.length === 0) return `all has arrived on ${state.peer} even so`
  return places.some((place) => place === undefined) ? undefined : places.join(', ')
}

function placeOf(state: NodeState, name: GroupName): string | undefined {
  const group = groupNamed(state, name)
  if (group === undefined) return `${name} is no longer configured`
  if (group.hold?.heldSinceMs !== undefined) return `${name} is on ${state.self}`
  const unclean = isUnclean(group) ? state.self : peerGroup(state, name)?.state === 'unclean' && !group.peerCleared ? state.peer : undefined
  if (unclean !== undefined) return `${name} is unclean on ${unclean} and held by nobody (hactl cleanup ${name} --i-have-checked)`
  return hasFailed(group) ? `${name} failed on ${state.self} as well and is held by nobody: ${group.failed?.message ?? ''}` : undefined
}

function hasFailed(group: GroupState): boolean {
  return group.failed !== undefined && group.hold === undefined && !runsHere(group)
}
