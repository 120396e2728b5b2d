/** When a waiting request is done, has failed, or is out of time; and what it says about each group that moved. */
import type { AdminMove } from './admin.ts'
import type { GroupName } from './config.ts'
import { isUnclean, peerGroup, runsHere } from './group-view.ts'
import { reply } from './requests.ts'
import type { GroupState, NodeState, PendingRequest } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, inMs, record, setGroup, setState, type Turn } from './turn.ts'
import { persistentStateOf } from './persistence.ts'

export function settleRequests(turn: Turn): void {
  for (const request of turn.state.requests) {
    const seen = noteMoves(turn, request)
    const verdict = verdictOf(turn, seen)
    if (verdict === undefined) continue
    finish(turn, seen)
    reply(turn, seen.requestId, verdict.result, verdict.message, seen.moves)
  }
}

/** Tells about each group once, when it has arrived. */
function noteMoves(turn: Turn, request: PendingRequest): PendingRequest {
  const arrived = request.groups.filter((name) => !request.moves.some((move) => move.group === name)).map((name) => arrival(turn.state, request, name, turn.nowMs)).filter((move) => move !== undefined)
  if (arrived.length === 0) return request
  for (const move of arrived) {
    if (move.holder === undefined) continue
    const gap = move.unheldMs === undefined ? '' : `; nobody held it for at most ${inMs(move.unheldMs)}`
    turn.effects.push({ type: 'report-progress', requestId: request.requestId, progress: { group: move.group, message: `${move.group} is on ${move.holder}${gap}` } })
  }
  const next = { ...request, moves: [...request.moves, ...arrived] }
  setState(turn, { requests: turn.state.requests.map((one) => (one.requestId === next.requestId ? next : one)) })
  return next
}

function arrival(state: NodeState, request: PendingRequest, name: GroupName, nowMs: Millis): AdminMove | undefined {
  const group = groupNamed(state, name)
  if (group === undefined) return { group: name }
  if (request.command.type === 'cleanup') return peerGroup(state, name)?.state === 'unclean' ? undefined : { group: name }
  const toSelf = request.command.type === 'takeover' || request.command.type === 'online'
  if (toSelf) {
    const { hold } = group
    return hold?.heldSinceMs === undefined ? undefined : { group: name, holder: state.self, unheldMs: hold.heldSinceMs - (group.peerStoppedMs ?? hold.sinceMs) }
  }
  if (group.hold !== undefined || peerGroup(state, name)?.state !== 'held') return undefined
  return { group: name, holder: state.peer, ...(group.gaveSinceMs === undefined ? {} : { unheldMs: nowMs - group.gaveSinceMs }) }
}

interface Verdict { readonly result: 'done' | 'failed' | 'timed-out'; readonly message: string }

function verdictOf(turn: Turn, request: PendingRequest): Verdict | undefined {
  const { state } = turn
  const failure = request.groups.map((name) => failureOf(state, request, name)).find((message) => message !== undefined)
  if (failure !== undefined) return { result: 'failed', message: failure }
  const missing = request.groups.filter((name) => !request.moves.some((move) => move.group === name))
  if (missing.length === 0 && settled(turn, request)) return { result: 'done', message: doneMessage(state, request) }
  if (turn.nowMs < request.deadlineMs) return undefined
  const pending = missing.length === 0 ? 'the state could not be written yet' : `still waiting for ${missing.join(', ')}`
  return { result: 'timed-out', message: `${pending}; it goes on in the background (hactl status)` }
}

/** Everything else the request asked for: warm resources stopped, the state on disk, the peer's answer. */
function settled(turn: Turn, request: PendingRequest): boolean {
  const { state } = turn
  const written = state.persistError !== undefined || JSON.stringify(persistentStateOf(state)) === JSON.stringify(state.persisted)
  return request.command.type === 'takeover' || request.command.type === 'cleanup' || written
}

function failureOf(state: NodeState, request: PendingRequest, name: GroupName): string | undefined {
  const group = groupNamed(state, name)
  if (group === undefined || request.moves.some((move) => move.group === name)) return undefined
  const { command } = request
  if (command.type === 'standby') {
    if (isUnclean(group)) return `a stop failed, so ${name} is unclean on ${state.self} and held by nobody: ${uncleanMessage(group)}`
    if (peerGroup(state, name)?.failed === true) return `${name} failed on ${state.peer} and returns to ${state.self} (on ${state.peer} type: hactl why ${name}); standby was given up`
    return undefined
  }
  if (command.type !== 'takeover' && command.type !== 'online') return undefined
  if (group.failed !== undefined) return `${name} failed on ${state.self}: ${group.failed.message}`
  const theirs = peerGroup(state, name)
  return theirs?.state === 'unclean' && !group.peerCleared ? `a stop failed on ${state.peer}, so ${name} is unclean there and held by nobody (hactl cleanup ${name} --i-have-checked)` : undefined
}

function uncleanMessage(group: GroupState): string {
  return group.stages.find((stage) => stage.status === 'unclean')?.message ?? ''
}

function doneMessage(state: NodeState, request: PendingRequest): string {
  const moved = request.groups.length === 0 ? 'nothing had to move' : `${request.groups.join(', ')} moved`
  const disk = state.persistError === undefined ? '' : `; but the state cannot be written (${state.persistError}), so it would not survive a restart of the daemon`
  switch (request.command.type) {
    case 'standby':
      return request.command.once ? moved : `${state.self} is in standby (${request.command.scope}): ${moved}${disk}`
    case 'online':
      return `${state.self} is online${request.groups.length === 0 ? '' : `: ${moved}`}${disk}`
    case 'takeover':
      return request.groups.length === 0 ? `${state.self} holds it already` : moved
    case 'pause':
      return `the pair is paused: no automatic moves until somebody types hactl resume${disk}`
    case 'resume':
      return `the pair is no longer paused${disk}`
    case 'cleanup':
      return `${request.command.group} counts as stopped on ${state.peer}`
  }
}

/** Takes back the wishes of a request that is over; a standby whose target failed is given up (design.md section 7). */
function finish(turn: Turn, request: PendingRequest): void {
  const { command, requestId } = request
  const failed = request.moves.length < request.groups.length
  setState(turn, {
    requests: turn.state.requests.filter((one) => one.requestId !== requestId),
    peerRequests: turn.state.peerRequests.filter((one) => one.requestId !== requestId),
  })
  for (const group of turn.state.groups) {
    if (group.adminTakes === requestId) setGroup(turn, group.name, { adminTakes: undefined })
    if (group.adminGives === requestId) setGroup(turn, group.name, { adminGives: undefined })
  }
  const peerFailed = request.groups.some((name) => peerGroup(turn.state, name)?.failed === true)
  if (command.type === 'standby' && !command.once && failed && peerFailed && turn.nowMs < request.deadlineMs) {
    setState(turn, { standby: undefined })
    record(turn, 'warning', 'standby-off', `${turn.state.self} gives up standby: the peer could not run what it was given`)
  }
}

/** The last move that people are shown is the pair's, not only this node's. */
export function notePeerMoves(turn: Turn): void {
  const { lastMove, self, peer } = turn.state
  if (lastMove === undefined || lastMove.holder !== self) return
  const group = groupNamed(turn.state, lastMove.group)
  const theirs = peerGroup(turn.state, lastMove.group)
  if (group === undefined || group.hold !== undefined || theirs?.state !== 'held') return
  setState(turn, {
    lastMove: {
      group: group.name, move: `${group.name}#${theirs.claimNumber}`, holder: peer, reason: 'peer-holds', explanation: `${self} gave it to ${peer}`, wallMs: turn.wallMs,
      ...(group.gaveSinceMs === undefined ? {} : { durationMs: turn.nowMs - group.gaveSinceMs }),
    },
  })
}

/** For what clients noticed: when this node, or the peer by its own word, stopped serving a group. */
export function noteGaps(turn: Turn): void {
  for (const group of turn.state.groups) {
    const theirs = peerGroup(turn.state, group.name)?.state
    if (theirs === 'stopping' && group.peerStoppedMs === undefined) setGroup(turn, group.name, { peerStoppedMs: turn.nowMs })
    if (theirs === 'stopped' && group.peerStoppedMs === undefined && group.hold === undefined && group.claim !== undefined) setGroup(turn, group.name, { peerStoppedMs: turn.nowMs })
    if ((theirs === 'held' || theirs === 'starting') && group.peerStoppedMs !== undefined) setGroup(turn, group.name, { peerStoppedMs: undefined })
    if (group.releasingSinceMs !== undefined && runsHere(group) && group.gaveSinceMs === undefined) setGroup(turn, group.name, { gaveSinceMs: turn.nowMs })
    if (group.hold !== undefined && group.gaveSinceMs !== undefined) setGroup(turn, group.name, { gaveSinceMs: undefined })
  }
}
