/** When a waiting request is done, has failed, or is out of time; and what it says about each group that moved. */
import type { AdminMove } from './admin.ts'
import type { GroupName } from './config.ts'
import { peerIsClassic, peerIsHeard } from './contact.ts'
import { configuredLeaseSeconds, kernelTimerMs } from './lease-arithmetic.ts'
import { raisingOf } from './raised.ts'
import { afterGivingUp, giveUpIfHopeless, missingOf } from './giving-up.ts'
import { isUnclean, mayRun, peerGroup, runsHere } from './group-view.ts'
import { isSame } from './same.ts'
import { coveredGroups, reply } from './requests.ts'
import type { GroupState, NodeState, PendingRequest } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, inMs, setGroup, setState, type Turn } from './turn.ts'
import { persistentStateOf } from './persistence.ts'

export function settleRequests(turn: Turn): void {
  for (const request of turn.state.requests) {
    const seen = giveUpIfHopeless(turn, noteMoves(turn, request))
    const verdict = verdictOf(turn, seen)
    if (verdict === undefined) continue
    if (verdict.result === 'timed-out' && seen.command.type === 'standby' && !seen.command.once) watchOn(turn, seen)
    else finish(turn, seen)
    if (seen.answered === undefined) reply(turn, seen.requestId, verdict.result, verdict.message, seen.moves)
  }
}

/** The command is answered, the move goes on: should the target fail after all, the group still returns. */
function watchOn(turn: Turn, request: PendingRequest): void {
  setState(turn, { requests: turn.state.requests.map((one) => (one.requestId === request.requestId ? { ...one, answered: true as const } : one)) })
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
  if (request.command.type === 'clear') return isConfirmed(state, request.requestId) ? { group: name } : undefined
  if (request.command.type === 'cleanup') return peerGroup(state, name)?.state === 'unclean' ? undefined : { group: name }
  const toSelf = request.command.type === 'takeover' || request.command.type === 'online'
  if (toSelf) {
    const { hold } = group
    return hold?.heldSinceMs === undefined ? undefined : { group: name, holder: state.self, unheldMs: hold.heldSinceMs - (group.peerStoppedMs ?? hold.sinceMs) }
  }
  if (group.hold !== undefined || peerGroup(state, name)?.state !== 'held') return undefined
  return { group: name, holder: state.peer, ...(group.gaveSinceMs === undefined ? {} : { unheldMs: nowMs - group.gaveSinceMs }) }
}

/** The peer has heard what this node asks of it. */
function isConfirmed({ peerRequests, contact }: NodeState, requestId: number): boolean {
  const asked = peerRequests.find((one) => one.requestId === requestId)
  return asked === undefined || (contact.confirmed?.sequence ?? -1) >= asked.firstSequence
}

interface Verdict { readonly result: 'done' | 'failed' | 'timed-out'; readonly message: string }

function verdictOf(turn: Turn, request: PendingRequest): Verdict | undefined {
  const { state } = turn
  const failure = request.groups.map((name) => failureOf(state, request, name)).find((message) => message !== undefined)
  if (failure !== undefined) return { result: 'failed', message: failure }
  const { givenUp } = request
  const place = givenUp === undefined ? undefined : afterGivingUp(state, request)
  if (givenUp !== undefined && place !== undefined) return { result: 'failed', message: `${givenUp}. Standby was given up: ${place}` }
  const missing = missingOf(request)
  const waitsFor = missing.length > 0 ? missing.join(', ') : unsettled(state, request)
  if (request.command.type === 'pause') return verdictOfPause(turn, request, waitsFor)
  if (waitsFor === undefined) return { result: 'done', message: doneMessage(state, request) }
  if (turn.nowMs < request.deadlineMs || request.answered !== undefined) return undefined
  return { result: 'timed-out', message: `${givenUp === undefined ? '' : `${givenUp}. Standby was given up; `}still waiting for ${waitsFor}; ${outlook(request)} (hactl status)` }
}

/** Whoever paused the pair may end this daemon next: the answer is no "done" before the addresses here outlast it. */
function verdictOfPause({ state, nowMs }: Turn, request: PendingRequest, waitsFor: string | undefined): Verdict | undefined {
  if (!state.pause.paused) return { result: 'failed', message: `the pair is not paused: somebody typed hactl resume meanwhile, on ${state.self} or on ${state.peer}` }
  const { status, short } = raisingOf(state, nowMs)
  if (waitsFor === undefined && status === 'raised') return { result: 'done', message: doneMessage(state, request) }
  if (status === 'cannot') return { result: 'failed', message: unraised(state, short) }
  if (nowMs < request.deadlineMs) return undefined
  return { result: 'timed-out', message: waitsFor === undefined ? unraised(state, short) : `still waiting for ${waitsFor}; ${outlook(request)} (hactl status)` }
}

function whyUnpromised(state: NodeState): string {
  const { contact, self, peer } = state
  if (contact.deaf === true) return `${peer} does not hear ${self}`
  if (!peerIsHeard(state)) return `${peer} is not heard`
  if (peerIsClassic(state)) return `${peer} runs Heartbeat, not hactl`
  const heardIt = (contact.confirmed?.sequence ?? -1) >= (state.raising?.firstSequence ?? Infinity)
  return heardIt ? `${peer} has it not on its disk (hactl status there)` : `${peer} has not confirmed it`
}

/** Paused all the same; what is missing, what follows from it, and what to type. */
function unraised(state: NodeState, short: readonly string[]): string {
  const { peer, self, config } = state
  const seconds = (configuredLeaseSeconds(config.timing, config.lease) ?? 0) + kernelTimerMs / 1_000
  const why = whyUnpromised(state)
  return `the pair is paused, but ${short.join(', ')} would not outlast this daemon: ${why}, so nobody has promised to leave it to ${self} meanwhile. ` +
    `Do not stop or restart hactl on ${self} now: within ${seconds} s the kernel would remove it. Type hactl pause again when ${peer} answers (hactl status), or end the pause: hactl resume`
}

/** What becomes of a request that is out of time. */
function outlook({ command }: PendingRequest): string {
  const ends = command.type === 'cleanup' || command.type === 'clear' || (command.type === 'standby' && command.once)
  return ends ? 'what has not begun by now is not tried any more' : 'it goes on in the background'
}

/** What else the request asked for and is not done yet: the state on disk, the peer's answer, warm resources stopped. */
function unsettled(state: NodeState, { command }: PendingRequest): string | undefined {
  if (command.type === 'takeover' || command.type === 'cleanup' || command.type === 'clear') return undefined
  if (state.persistError === undefined && !isSame(persistentStateOf(state), state.persisted)) return 'the disk to take the state'
  const theirs = peerIsHeard(state) ? state.contact.facts?.pause : undefined
  if ((command.type === 'pause' || command.type === 'resume') && theirs !== undefined && theirs.number < state.pause.number) return `${state.peer} to confirm it`
  if (command.type !== 'standby' || command.once) return undefined
  const stopping = coveredGroups(state, command.scope).filter((group) => group.hold === undefined && !isUnclean(group) && group.stages.some(mayRun))
  return stopping.length === 0 ? undefined : `the rest of ${stopping.map((group) => group.name).join(', ')} to stop on ${state.self}`
}

function failureOf(state: NodeState, request: PendingRequest, name: GroupName): string | undefined {
  const group = groupNamed(state, name)
  if (group === undefined || request.moves.some((move) => move.group === name)) return undefined
  const { command } = request
  if (command.type === 'standby') {
    if (isUnclean(group)) return `a stop failed, so ${name} is unclean on ${state.self} and held by nobody: ${uncleanMessage(group)}`
    return undefined
  }
  if (command.type !== 'takeover' && command.type !== 'online') return undefined
  if (command.type === 'takeover' && group.adminTakes === undefined) return `${name} was taken back by a newer command, on ${state.self} or on ${state.peer} (hactl status)`
  if (group.failed !== undefined) return `${name} failed on ${state.self}: ${group.failed.message}`
  const theirs = peerGroup(state, name)
  return theirs?.state === 'unclean' && !group.peerCleared ? `a stop failed on ${state.peer}, so ${name} is unclean there and held by nobody (hactl cleanup ${name} --i-have-checked)` : undefined
}

function uncleanMessage(group: GroupState): string {
  return group.stages.find((stage) => stage.status === 'unclean')?.message ?? ''
}

/** The peer is gone, and has said during the pause that its addresses outlast it. */
function standingThere(state: NodeState): string {
  if (peerIsHeard(state) || state.contact.peerRaisedUntilMs === undefined) return ''
  const waiting = state.groups.filter((group) => group.hold === undefined).map(({ name }) => `hactl cleanup ${name} --i-have-checked`)
  return waiting.length === 0 ? '' : `. ${state.peer} is not heard, and its addresses may stand there for up to ${Math.ceil(state.config.pauseLimitMs / 60_000)} minutes: nothing of it is taken meanwhile. If you have seen that it is off: ${waiting.join(', ')}`
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
      return `the pair is no longer paused${disk}${standingThere(state)}`
    case 'clear':
      return `${request.command.group} is no longer held by the flap guard`
    case 'cleanup':
      return `${request.command.group} counts as stopped on ${state.peer}`
  }
}

/** Takes back the wishes of a request that is over. */
function finish(turn: Turn, request: PendingRequest): void {
  const { requestId } = request
  setState(turn, {
    requests: turn.state.requests.filter((one) => one.requestId !== requestId),
    peerRequests: turn.state.peerRequests.filter((one) => one.requestId !== requestId),
  })
  for (const group of turn.state.groups) {
    if (group.adminTakes === requestId) setGroup(turn, group.name, { adminTakes: undefined })
    if (group.adminGives === requestId) setGroup(turn, group.name, { adminGives: undefined })
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
