/**
 * Which operation comes next for a group. Nothing is remembered but what each stage is: the goal (held, warm, stopped)
 * and the stages give the next operation, so an interrupted start or stop goes on from wherever it stands. One operation
 * at a time per group; starts in list order, stops in reverse order (S3).
 */
import type { ResourceConfig } from './config.ts'
import { mayStart } from './authority.ts'
import type { Action } from './events.ts'
import { allRunning, mayRun } from './group-view.ts'
import { noteHeld, noteReleased } from './holds.ts'
import { leaseForStart } from './lease.ts'
import { changed, copyGroup, copyOperation, copyStage } from './shape.ts'
import { isWarm, type Stage } from './stage.ts'
import type { GroupState, NodeState, StageState } from './state.ts'
import { programGraceMs, type Dues, type Millis } from './time.ts'
import { configOf, groupNamed, inMs, record, setGroup, setState, type Turn } from './turn.ts'
import { covers } from './view.ts'

type Goal = 'held' | 'warm' | 'stopped' | 'leave'

function goalOf(state: NodeState, group: GroupState): Goal {
  if (!group.looked || state.phase === 'looking') return 'leave'
  if (group.hold !== undefined) return 'held'
  if (group.found) return 'leave'
  const config = configOf(state, group.name)
  const inStandby = config === undefined || covers(state.standby, state.self, config)
  return inStandby || state.phase === 'leaving' || state.phase === 'left' ? 'stopped' : 'warm'
}

interface Next { readonly stage: number; readonly action: Action }

function nextOperation(state: NodeState, group: GroupState, nowMs: Millis): Next | undefined {
  switch (goalOf(state, group)) {
    case 'held':
      return permitted(state, group, nowMs, nextStart(group, nowMs, () => true)) ?? nextStatus(group, nowMs)
    case 'warm':
      return nextStop(group, nowMs, (stage) => !isWarm(stage.what)) ?? nextStart(group, nowMs, (stage) => isWarm(stage.what) && group.failed === undefined) ?? nextStatus(group, nowMs)
    case 'stopped':
      // What must not run on both nodes goes first: the peer waits for that, not for the end of a web server.
      return nextStop(group, nowMs, (stage) => !isWarm(stage.what)) ?? nextStop(group, nowMs, () => true)
    case 'leave':
      return undefined
  }
}

/** Permission is looked up again before every start and every add, not only when the group was decided upon (F2). */
function permitted(state: NodeState, group: GroupState, nowMs: Millis, next: Next | undefined): Next | undefined {
  if (next?.action !== 'start') return next
  const isAddress = group.stages[next.stage]?.what.kind === 'addresses'
  const allowed = isAddress ? leaseForStart(state, group, nowMs) !== 'none' : mayStart(state, group, nowMs)
  return allowed ? next : undefined
}

/** The first stage in list order that should run and does not; one in doubt, or unclean, must be stopped first. */
function nextStart(group: GroupState, nowMs: Millis, concerns: (stage: StageState) => boolean): Next | undefined {
  const at = group.stages.findIndex((stage) => concerns(stage) && (stage.status !== 'running' || stage.addAgain === true))
  const stage = group.stages[at]
  if (stage === undefined) return undefined
  if (stage.status === 'unclean') return nowMs >= (stage.retryStopMs ?? -Infinity) ? { stage: at, action: 'stop' } : undefined
  if (stage.status === 'suspect') return { stage: at, action: 'stop' }
  return nowMs >= (stage.retryStartMs ?? -Infinity) ? { stage: at, action: 'start' } : undefined
}

/** The last stage in list order that may run; an unclean one is tried again in its time and does not keep the others up. */
function nextStop(group: GroupState, nowMs: Millis, concerns: (stage: StageState) => boolean): Next | undefined {
  const at = group.stages.findLastIndex((stage) => concerns(stage) && mayRun(stage) && nowMs >= (stage.retryStopMs ?? -Infinity))
  return at === -1 ? undefined : { stage: at, action: 'stop' }
}

function nextStatus(group: GroupState, nowMs: Millis): Next | undefined {
  const at = group.stages.findIndex((stage) => stage.status === 'running' && stage.nextStatusMs !== undefined && nowMs >= stage.nextStatusMs)
  return at === -1 ? undefined : { stage: at, action: 'status' }
}

/** Our own address code answers in milliseconds; what takes longer than this is broken. */
const addressTimeoutMs = 10_000
/** An operation, or a stop above all, that takes this long is reported while it is waited for. */
const slowMs = 10_000

function timeoutOf(what: Stage, action: Action): Millis {
  if (what.kind === 'addresses') return addressTimeoutMs
  const timeouts: Record<Action, (resource: ResourceConfig) => Millis> = {
    start: (resource) => resource.startTimeoutMs,
    stop: (resource) => resource.stopTimeoutMs,
    status: (resource) => resource.status?.timeoutMs ?? resource.stopTimeoutMs,
  }
  return timeouts[action](what.resource)
}

export function progress(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined) return
  if (group.operation !== undefined) {
    reportSlow(turn, group)
    interruptStatus(turn, group)
    return
  }
  if (allRunning(group) && group.hold !== undefined) noteHeld(turn, group)
  noteReleased(turn, name)
  const next = nextOperation(turn.state, group, turn.nowMs)
  const stage = next === undefined ? undefined : group.stages[next.stage]
  if (next === undefined || stage === undefined) return
  const timeoutMs = timeoutOf(stage.what, next.action)
  const id = turn.state.nextOperationId
  setState(turn, { nextOperationId: id + 1 })
  const lease = next.action === 'start' && stage.what.kind === 'addresses' ? leaseForStart(turn.state, group, turn.nowMs) : 'forever'
  if (lease === 'none') return
  setGroup(turn, name, {
    operation: {
      id, stage: next.stage, action: next.action, startedMs: turn.nowMs, deadlineMs: turn.nowMs + timeoutMs + programGraceMs, slowReported: false, cancelled: false,
      ...(lease === 'forever' ? {} : { leaseUntilMs: turn.nowMs + lease.validSeconds * 1_000, notAfterMs: lease.notAfterMs }),
    },
  })
  turn.effects.push({
    type: 'run-operation', operationId: id, group: name, stage: next.stage, what: stage.what, action: next.action, timeoutMs,
    ...(lease === 'forever' ? {} : { lease }),
  })
}

function withoutStatus(group: GroupState): GroupState {
  return changed(group, { stages: group.stages.map((stage) => changed(stage, { nextStatusMs: undefined }, copyStage)) }, copyGroup)
}

/** A status under way gives way when the group is to be started further, stopped or left. */
function interruptStatus(turn: Turn, group: GroupState): void {
  const { operation } = group
  if (operation === undefined || operation.action !== 'status' || operation.cancelled) return
  const next = nextOperation(turn.state, withoutStatus(group), turn.nowMs)
  if (next === undefined) return
  turn.effects.push({ type: 'cancel-operation', operationId: operation.id })
  setGroup(turn, group.name, { operation: changed(operation, { cancelled: true }, copyOperation) })
}

function reportSlow(turn: Turn, group: GroupState): void {
  const { operation } = group
  if (operation === undefined || operation.slowReported || turn.nowMs < operation.startedMs + slowMs) return
  const what = group.stages[operation.stage]?.what.name ?? ''
  record(turn, 'warning', 'resource-slow', `${operation.action} of ${what} has been running for ${inMs(turn.nowMs - operation.startedMs)}; it is waited for until its timeout`, { group: group.name })
  setGroup(turn, group.name, { operation: changed(operation, { slowReported: true }, copyOperation) })
}

export function addOperationDeadlines(state: NodeState, group: GroupState, dues: Dues): void {
  const { operation } = group
  if (operation !== undefined) {
    dues.push(operation.deadlineMs)
    if (!operation.slowReported) dues.push(operation.startedMs + slowMs)
    // A status under way is interrupted by what comes due meanwhile; nothing else is.
    if (operation.action !== 'status' || operation.cancelled) return
  }
  const idle = operation === undefined ? group : withoutStatus(group)
  // An instant at which nothing could be begun is no deadline (S9).
  const addIfOfUse = (dueMs: Millis | undefined): void => {
    if (dueMs !== undefined && nextOperation(state, idle, dueMs) !== undefined) dues.push(dueMs)
  }
  for (const stage of idle.stages) {
    addIfOfUse(stage.retryStopMs)
    addIfOfUse(stage.retryStartMs)
    addIfOfUse(stage.nextStatusMs)
  }
}
