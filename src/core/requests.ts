/**
 * What administrators ask (design.md section 7). A request changes wishes (standby, pins, what is to be taken or given);
 * placement and claims do the rest, and the request is answered when the groups it named have moved, have come back, or
 * its time is over. Each request gets exactly one reply (S7).
 */
import type { AdminCommand, AdminMove, AdminReply } from './admin.ts'
import type { GroupName } from './config.ts'
import { peerIsClassic, peerIsHeard } from './contact.ts'
import { clearFlaps } from './flaps.ts'
import { isUnclean, peerGroup, peerServes } from './group-view.ts'
import type { Scope } from './packet.ts'
import { peerIsRaised } from './raised.ts'
import { changed, copyOperation } from './shape.ts'
import type { GroupState, NodeState } from './state.ts'
import { configOf, groupNamed, record, setGroup, setStage, setState, type Turn } from './turn.ts'
import { covers } from './view.ts'

/** A command that changes one thing at once is answered when the disk has it, or after this long. */
const shortMs = 10_000

export function takeRequest(turn: Turn, requestId: number, command: AdminCommand): void {
  record(turn, 'info', 'admin-requested', `an administrator typed: ${wordsOf(command)}`)
  if (turn.state.phase === 'leaving' || turn.state.leaveByMs !== undefined) return reply(turn, requestId, 'refused', `${turn.state.self} is shutting down. Nothing was changed`)
  switch (command.type) {
    case 'standby':
      return takeStandby(turn, requestId, command)
    case 'online':
      return takeOnline(turn, requestId, command)
    case 'takeover':
      return takeTakeover(turn, requestId, command)
    case 'pause':
    case 'resume':
      return takePause(turn, requestId, command)
    case 'cleanup':
      return takeCleanup(turn, requestId, command)
    case 'clear':
      return takeClear(turn, requestId, command)
  }
}

function wordsOf(command: AdminCommand): string {
  switch (command.type) {
    case 'standby':
      return `standby ${command.scope}${command.once ? ' --once' : ''}`
    case 'takeover':
      return `takeover ${typeof command.target === 'string' ? command.target : command.target.group}${command.force ? ' --force' : ''}`
    case 'cleanup':
      return `cleanup ${command.group} --i-have-checked`
    case 'clear':
      return `clear ${command.group}`
    case 'online':
    case 'pause':
    case 'resume':
      return command.type
  }
}

export function reply(turn: Turn, requestId: number, result: AdminReply['result'], message: string, moves: readonly AdminMove[] = []): void {
  record(turn, result === 'done' ? 'info' : 'warning', 'admin-replied', `${result}: ${message}`)
  turn.effects.push({ type: 'reply-admin', requestId, reply: { result, message, moves } })
}

function wait(turn: Turn, requestId: number, command: AdminCommand, groups: readonly GroupName[]): void {
  const timeoutMs = 'timeoutMs' in command ? command.timeoutMs : shortMs
  // A newer word takes the place of what goes on in the background.
  const before = turn.state.requests.filter((one) => one.answered === undefined || command.type === 'cleanup' || command.type === 'clear' || command.type === 'pause' || command.type === 'resume')
  setState(turn, { requests: [...before, { requestId, command, deadlineMs: turn.nowMs + timeoutMs, groups, moves: [] }] })
}

export function coveredGroups(state: NodeState, scope: Scope): readonly GroupState[] {
  return state.groups.filter((group) => {
    const config = configOf(state, group.name)
    return config !== undefined && covers(scope, state.self, config)
  })
}

/** Why the peer cannot take a group, in words, or undefined. */
export function peerRefusal(state: NodeState, group: GroupState): string | undefined {
  const { peer, contact } = state
  if (!peerIsHeard(state)) return `${peer} is ${contact.status === 'unknown' ? 'not heard yet' : contact.status}`
  if (contact.facts === undefined) return `${peer} runs Heartbeat and has not said yet what it holds`
  if (contact.facts.leaving === true) return `${peer} is shutting down`
  const config = configOf(state, group.name)
  const theirs = peerGroup(state, group.name)
  if (config !== undefined && covers(contact.facts.standby, peer, config)) return `${peer} is in standby itself (type: hactl online, on ${peer})`
  if (theirs === undefined) return `${peer} does not have ${group.name} in its configuration`
  if (theirs.failed && peerIsClassic(state)) return `${peer} runs Heartbeat, which takes ${group.name} only together with every group of the same preferred node, and one of those is unclean here (hactl status)`
  if (theirs.failed) return `${group.name} failed on ${peer} not long ago (hactl why ${group.name} there; hactl online there makes it try again)`
  if (theirs.state === 'unclean') return `${group.name} is unclean on ${peer} (hactl cleanup)`
  if (theirs.state === 'unknown') return `${peer} has just started and is still looking at its resources`
  return undefined
}

function takeStandby(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'standby' }>): void {
  const { state } = turn
  const groups = coveredGroups(state, command.scope)
  const held = groups.filter((group) => group.hold !== undefined || group.claim !== undefined)
  for (const group of held) {
    const refusal = peerRefusal(state, group)
    if (refusal !== undefined) return reply(turn, requestId, 'refused', `${refusal}, so ${group.name} would be held by nobody. Nothing was changed`)
  }
  if (command.once && held.length === 0) return reply(turn, requestId, 'done', `${state.self} holds nothing of ${command.scope}: nothing to give away`)
  if (!command.once) {
    setState(turn, { standby: command.scope })
    record(turn, 'info', 'standby-on', `${state.self} is in standby (${command.scope}) until somebody types: hactl online`)
    for (const group of groups) setGroup(turn, group.name, { pinned: false, adminTakes: undefined })
  } else {
    for (const group of held) setGroup(turn, group.name, { adminGives: requestId, pinned: false })
  }
  wait(turn, requestId, command, held.map((group) => group.name))
}

function takeOnline(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'online' }>): void {
  const { state } = turn
  if (state.standby !== undefined) record(turn, 'info', 'standby-off', `${state.self} is online again`)
  setState(turn, { standby: undefined })
  const returning: GroupName[] = []
  for (const group of state.groups) {
    const theirs = peerGroup(state, group.name)
    const comesHome = configOf(state, group.name)?.preferredNode === state.self && theirs?.pinned === true && peerServes(state, group.name) && failbackIsOn(state, group.name)
    // What a failed start said is over with the failure; what runs or is unclean keeps its message.
    group.stages.forEach((stage, index) => stage.status === 'stopped' && setStage(turn, group.name, index, { message: undefined }))
    setGroup(turn, group.name, { failed: undefined, pinned: group.pinned && !comesHome, ...(comesHome ? { adminTakes: requestId } : {}) })
    if (comesHome || fallsBack(state, group.name)) returning.push(group.name)
  }
  wait(turn, requestId, command, returning)
}

/** The peer will offer it without being asked; whoever types `online` wants to see it arrive. */
function fallsBack(state: NodeState, name: GroupName): boolean {
  const config = configOf(state, name)
  if (config === undefined || config.preferredNode !== state.self || state.pause.paused || state.phase !== 'running') return false
  return (config.autoFailback ?? state.config.autoFailback) === 'on' && peerIsHeard(state) && peerServes(state, name)
}

function failbackIsOn(state: NodeState, name: GroupName): boolean {
  return (configOf(state, name)?.autoFailback ?? state.config.autoFailback) !== 'off'
}

function takeTakeover(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'takeover' }>): void {
  const { state } = turn
  const { target } = command
  const wanted = typeof target === 'string' ? coveredGroups(state, target) : state.groups.filter((group) => group.name === target.group)
  if (typeof target !== 'string' && wanted.length === 0) {
    return reply(turn, requestId, 'refused', `there is no group ${target.group}; the groups are: ${state.groups.map((group) => group.name).join(', ')}`)
  }
  const missing = wanted.filter((group) => group.hold === undefined)
  for (const group of missing) {
    const refusal = takeoverRefusal(state, group, command.force)
    if (refusal !== undefined) return reply(turn, requestId, 'refused', `${refusal}. Nothing was changed`)
  }
  for (const group of wanted) setGroup(turn, group.name, group.hold === undefined ? { adminTakes: requestId, failed: undefined } : { pinned: true })
  wait(turn, requestId, command, missing.map((group) => group.name))
}

function takeoverRefusal(state: NodeState, group: GroupState, force: boolean): string | undefined {
  const config = configOf(state, group.name)
  const theirs = peerGroup(state, group.name)
  if (!force && config !== undefined && covers(state.standby, state.self, config)) return `${state.self} is in standby (type: hactl online, or takeover --force)`
  if (!force && group.failed !== undefined) return `${group.name} failed here: ${group.failed.message} (type takeover --force to try again)`
  if (isUnclean(group)) return `${group.name} is unclean on ${state.self}: its stop failed (hactl cleanup)`
  if (theirs?.state === 'unclean' && !group.peerCleared) return `${group.name} is unclean on ${state.peer}: its stop failed there (hactl cleanup)`
  if (state.contact.status === 'unknown') return `${state.peer} was not heard yet and may hold ${group.name}: it is waited for until initdead`
  if (peerIsHeard(state) && state.contact.facts === undefined) return `${state.peer} runs Heartbeat and has not said yet what it holds`
  return undefined
}

function takePause(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'pause' | 'resume' }>): void {
  const paused = command.type === 'pause'
  const { pause, self, peer } = turn.state
  if (paused && peerIsClassic(turn.state) && peerIsHeard(turn.state)) {
    return reply(turn, requestId, 'refused', `${peer} runs Heartbeat, which knows no pause: it would take over from a daemon that is stopped. Nothing was changed`)
  }
  // Typed again, it waits for the lifetimes as the first one did.
  if (pause.paused && paused) return wait(turn, requestId, command, [])
  if (pause.paused === paused) return reply(turn, requestId, 'done', 'the pair is not paused')
  setState(turn, { pause: { paused, number: pause.number + 1, sinceWallMs: turn.wallMs } })
  record(turn, 'info', paused ? 'pause-on' : 'pause-off', paused ? `${self} pauses the pair: no automatic moves anywhere` : `${self} resumes the pair`)
  wait(turn, requestId, command, [])
}

function takeCleanup(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'cleanup' }>): void {
  const { state } = turn
  const group = groupNamed(state, command.group)
  if (group === undefined) return reply(turn, requestId, 'refused', `there is no group ${command.group}; the groups are: ${state.groups.map((one) => one.name).join(', ')}`)
  if (isUnclean(group)) {
    cleanHere(turn, group, 'an administrator')
    return reply(turn, requestId, 'done', `${group.name} counts as stopped on ${state.self}`)
  }
  const vouches = state.contact.status === 'dead' && (state.config.fencing !== undefined || peerIsRaised(state, turn.nowMs)) && group.hold === undefined
  if (peerGroup(state, group.name)?.state !== 'unclean' && !vouches) return reply(turn, requestId, 'done', `${group.name} is not unclean on either node`)
  if (!peerIsHeard(state)) {
    setGroup(turn, group.name, { peerCleared: true })
    record(turn, 'warning', 'group-clean', `an administrator has checked that nothing of ${group.name} runs on ${state.peer}`, { group: group.name })
    return reply(turn, requestId, 'done', `${group.name} may be started here without any other proof that ${state.peer} has nothing of it`)
  }
  setState(turn, { peerRequests: [...state.peerRequests, { kind: 'cleanup', group: group.name, requestId, firstSequence: state.nextSequence }] })
  wait(turn, requestId, command, [group.name])
}

/** On both nodes, since each counts for itself. */
function takeClear(turn: Turn, requestId: number, command: Extract<AdminCommand, { type: 'clear' }>): void {
  const { state } = turn
  const group = groupNamed(state, command.group)
  if (group === undefined) return reply(turn, requestId, 'refused', `there is no group ${command.group}; the groups are: ${state.groups.map((one) => one.name).join(', ')}`)
  clearFlaps(turn, group.name, 'an administrator')
  if (!peerIsHeard(state)) return reply(turn, requestId, 'done', `${group.name} may move again; ${state.peer} is not heard, and its own count stands until it is cleared there`)
  if (peerIsClassic(state)) return reply(turn, requestId, 'done', `${group.name} may move again; ${state.peer} runs Heartbeat, which counts no moves`)
  setState(turn, { peerRequests: [...turn.state.peerRequests, { kind: 'clear', group: group.name, requestId, firstSequence: state.nextSequence }] })
  wait(turn, requestId, command, [group.name])
}

export function cleanHere(turn: Turn, group: GroupState, who: string): void {
  const { operation } = group
  // A stop that hangs is tried again and again: the one under way must not make it unclean once more.
  if (operation?.action === 'stop' && group.stages[operation.stage]?.status === 'unclean' && !operation.cancelled) {
    turn.effects.push({ type: 'cancel-operation', operationId: operation.id })
    setGroup(turn, group.name, { operation: changed(operation, { cancelled: true }, copyOperation) })
  }
  group.stages.forEach((stage, index) => {
    if (stage.status === 'unclean') setStage(turn, group.name, index, { status: 'stopped', lease: undefined, message: undefined, retryStopMs: undefined })
  })
  record(turn, 'warning', 'group-clean', `${who} has checked that nothing of ${group.name} runs on ${turn.state.self}`, { group: group.name })
}

