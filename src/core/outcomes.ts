/** What an operation's end means for its stage and its group (design.md sections 5 "Unclean" and 7, last paragraph). */
import type { Outcome } from './events.ts'
import { isUnclean } from './group-view.ts'
import { dropHold } from './holds.ts'
import { leasedStage } from './lease.ts'
import { isWarm } from './stage.ts'
import type { GroupState, RunningOperation, StageState } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, inMs, record, setGroup, setStage, type Turn } from './turn.ts'
import { viewOf } from './view.ts'
import { placementOf } from './placement.ts'

/** A stop that failed is tried again this often, for ever: only its success makes the group clean. */
const retryStopAfterMs = 10_000
/** Restarts of a failed resource that the peer cannot take wait longer each time, up to a minute. */
const restartBackoffMs: readonly Millis[] = [0, 2_000, 5_000, 15_000, 30_000, 60_000]

export function finishOperation(turn: Turn, operationId: number, outcome: Outcome): void {
  const group = turn.state.groups.find((one) => one.operation?.id === operationId)
  const operation = group?.operation
  const stage = operation === undefined ? undefined : group?.stages[operation.stage]
  if (group === undefined || operation === undefined || stage === undefined) return
  setGroup(turn, group.name, { operation: undefined })
  switch (operation.action) {
    case 'start':
      return finishStart(turn, group, operation, stage, outcome)
    case 'stop':
      return finishStop(turn, group, operation, stage, outcome)
    case 'status':
      return finishStatus(turn, group, operation, stage, outcome)
  }
}

/** After "start of apache2": the runtime's messages are whole sentences that name the script and its exit code. */
function describe(outcome: Outcome): string {
  switch (outcome.result) {
    case 'ok':
      return 'ok'
    case 'not-running':
      return 'says not running'
    case 'unknown':
      return `says nothing: ${outcome.message}`
    case 'failed':
    case 'not-runnable':
      return `failed: ${outcome.message}`
    case 'timed-out':
      return `timed out: ${outcome.message}`
    case 'cancelled':
      return 'cancelled'
  }
}

function finishStart(turn: Turn, group: GroupState, operation: RunningOperation, stage: StageState, outcome: Outcome): void {
  const tookMs = turn.nowMs - operation.startedMs
  if (outcome.result === 'ok') {
    const intervalMs = stage.what.kind === 'script' ? stage.what.resource.status?.intervalMs : undefined
    setStage(turn, group.name, operation.stage, {
      status: 'running',
      addAgain: undefined,
      ...leasedStage(turn.state, stage, operation, turn.nowMs),
      message: undefined,
      restored: undefined,
      statusKind: stage.statusKind === 'mute' ? undefined : stage.statusKind,
      statusFailures: 0,
      statusSuccesses: 0,
      retryStartMs: undefined,
      nextStatusMs: intervalMs === undefined ? undefined : turn.nowMs + intervalMs,
    })
    record(turn, 'info', 'resource-started', `${stage.what.name} is started, in ${inMs(tookMs)}`, { group: group.name, figures: { tookMs: Math.round(tookMs * 10) / 10 } })
    if (stage.what.kind === 'addresses') setGroup(turn, group.name, { announce: { round: 0, nextMs: turn.nowMs } })
    return
  }
  setStage(turn, group.name, operation.stage, { status: outcome.result === 'not-runnable' ? 'stopped' : 'suspect', addAgain: undefined, message: describe(outcome) })
  if (operation.cancelled) return
  if (operation.notAfterMs !== undefined && turn.nowMs > operation.notAfterMs) {
    record(turn, 'warning', 'lease-failed', `${stage.what.name} was not added: ${describe(outcome)}. This node was too slow for the authority it had`, { group: group.name })
    return
  }
  record(turn, 'error', 'resource-failed', `start of ${stage.what.name} ${describe(outcome)}`, { group: group.name, figures: { tookMs: Math.round(tookMs) } })
  if (group.hold?.heldSinceMs !== undefined) countFailure(turn, group.name, operation.stage, stage)
  failGroup(turn, group.name, `start of ${stage.what.name} ${describe(outcome)}`)
}

/** One more failure of what ran here: the next start waits the longer for it. */
function countFailure(turn: Turn, name: string, index: number, stage: StageState): { readonly failures: number; readonly waitMs: Millis } {
  const recent = stage.lastFailureMs !== undefined && turn.nowMs - stage.lastFailureMs < turn.state.config.failureMemoryMs
  const failures = recent ? stage.failures + 1 : 1
  const waitMs = restartBackoffMs[Math.min(failures - 1, restartBackoffMs.length - 1)] ?? 0
  setStage(turn, name, index, { failures, lastFailureMs: turn.nowMs, retryStartMs: turn.nowMs + waitMs })
  return { failures, waitMs }
}

/** The group is not for this node any more, until the failure memory has passed or an administrator says so. */
function failGroup(turn: Turn, name: string, message: string): void {
  setGroup(turn, name, { failed: { atMs: turn.nowMs, message } })
  record(turn, 'error', 'group-failed', `${name} failed on ${turn.state.self}: ${message}`, { group: name })
  const group = groupNamed(turn.state, name)
  if (group?.hold === undefined || group.hold.heldSinceMs !== undefined) return
  dropHold(turn, group, { kind: 'ordered', reason: 'start-failed', explanation: message })
}

function finishStop(turn: Turn, group: GroupState, operation: RunningOperation, stage: StageState, outcome: Outcome): void {
  const tookMs = turn.nowMs - operation.startedMs
  if (outcome.result === 'ok' || outcome.result === 'not-running') {
    setStage(turn, group.name, operation.stage, { status: 'stopped', addAgain: undefined, message: undefined, lease: undefined, nextStatusMs: undefined, retryStopMs: undefined })
    record(turn, 'info', 'resource-stopped', `${stage.what.name} is stopped, in ${inMs(tookMs)}`, { group: group.name, figures: { tookMs: Math.round(tookMs * 10) / 10 } })
    const now = groupNamed(turn.state, group.name)
    if (stage.status === 'unclean' && now !== undefined && !isUnclean(now)) record(turn, 'info', 'group-clean', `${stage.what.name} stopped at last: ${group.name} may be started again`, { group: group.name })
    return
  }
  // An administrator has vouched for it meanwhile (hactl cleanup).
  if (operation.cancelled && stage.status === 'stopped') return
  if (isWarm(stage.what)) {
    setStage(turn, group.name, operation.stage, { status: 'stopped', message: describe(outcome), nextStatusMs: undefined })
    record(turn, 'warning', 'resource-failed', `stop of ${stage.what.name} ${describe(outcome)}; it is warm, so it may go on running here`, { group: group.name })
    return
  }
  setStage(turn, group.name, operation.stage, { status: 'unclean', message: describe(outcome), nextStatusMs: undefined, retryStopMs: turn.nowMs + retryStopAfterMs })
  if (stage.status === 'unclean') return
  record(turn, 'error', 'group-unclean', `stop of ${stage.what.name} ${describe(outcome)}. Nobody starts ${group.name} elsewhere until the stop succeeds (it is tried every ${retryStopAfterMs / 1000} s) or you have checked by hand that nothing of it runs on ${turn.state.self} and type: hactl cleanup ${group.name} --i-have-checked`, { group: group.name })
}

function finishStatus(turn: Turn, group: GroupState, operation: RunningOperation, stage: StageState, outcome: Outcome): void {
  const policy = stage.what.kind === 'script' ? stage.what.resource.status : undefined
  if (policy === undefined || stage.status !== 'running') return setStage(turn, group.name, operation.stage, { nextStatusMs: undefined })
  const nextStatusMs = turn.nowMs + policy.intervalMs
  if (operation.cancelled || outcome.result === 'cancelled') return setStage(turn, group.name, operation.stage, { nextStatusMs })
  if (outcome.result === 'ok') return noteWell(turn, group, operation.stage, stage, policy.rise, nextStatusMs)
  if (outcome.result === 'unknown' && stage.statusKind !== 'answers') return noteMute(turn, group, operation.stage, stage, outcome.message)
  const statusFailures = stage.statusFailures + 1
  setStage(turn, group.name, operation.stage, { statusFailures, statusSuccesses: 0, nextStatusMs, message: `status: ${describe(outcome)}` })
  if (statusFailures >= policy.fall) loseService(turn, group, operation.stage, describe(outcome))
}

function noteWell(turn: Turn, group: GroupState, index: number, stage: StageState, rise: number, nextStatusMs: Millis): void {
  const statusSuccesses = Math.min(stage.statusSuccesses + 1, rise)
  setStage(turn, group.name, index, { statusSuccesses, statusFailures: 0, statusKind: 'answers', nextStatusMs, message: undefined })
  const recovered = statusSuccesses >= rise && stage.statusSuccesses < rise && stage.failures > 0
  if (!recovered) return
  record(turn, 'info', 'resource-recovered', `${stage.what.name} is well again on ${turn.state.self}`, { group: group.name })
  if (group.hold !== undefined && group.failed !== undefined) setGroup(turn, group.name, { failed: undefined })
}

/**
 * Heartbeat asked a script for its status before it started it and never again, so that scripts without one have served for years.
 * What never said that it runs cannot be said to have died.
 */
function noteMute(turn: Turn, group: GroupState, index: number, stage: StageState, why: string): void {
  setStage(turn, group.name, index, { statusKind: 'mute', nextStatusMs: undefined, message: `it is not watched: ${why}` })
  record(turn, 'warning', 'status-unknown', `${stage.what.name} on ${turn.state.self} is not watched any more: ${why}`, { group: group.name })
}

/**
 * A service died. The first time within the failure memory it is restarted here; after that the peer takes the group if
 * it can, and where it cannot the restarts here go on, more and more slowly: never back and forth for ever.
 */
function loseService(turn: Turn, group: GroupState, index: number, why: string): void {
  const stage = group.stages[index]
  if (stage === undefined) return
  const { failureMemoryMs } = turn.state.config
  const { failures, waitMs } = countFailure(turn, group.name, index, stage)
  setStage(turn, group.name, index, { status: 'suspect', nextStatusMs: undefined, statusFailures: 0, statusSuccesses: 0 })
  record(turn, 'error', 'resource-failed', `${stage.what.name} on ${turn.state.self}: status ${why}`, { group: group.name, figures: { failures } })
  if (failures > 1) failGroup(turn, group.name, `${stage.what.name} failed ${failures} times within ${failureMemoryMs / 1000} s: status ${why}`)
  const now = groupNamed(turn.state, group.name)
  const goes = now !== undefined && placementOf(viewOf(turn.state, now, turn.nowMs)).offer !== undefined
  if (!goes) record(turn, 'warning', 'resource-restarting', `${stage.what.name} is restarted on ${turn.state.self}${waitMs === 0 ? '' : ` in ${inMs(waitMs)}`}`, { group: group.name })
}

/** The runtime owes an answer and has not given it. */
export function expireOperations(turn: Turn): void {
  for (const { name, operation } of turn.state.groups) {
    if (operation === undefined || turn.nowMs < operation.deadlineMs) continue
    finishOperation(turn, operation.id, { result: 'timed-out', message: `no answer from the operation on ${name}` })
  }
}

/**
 * Failures are forgotten after the failure memory, so that a repaired node is used again without being told; and so is the
 * wait before a restart once it is over: an instant that has passed is nothing to wake up for.
 */
export function forgetFailures(turn: Turn): void {
  for (const { name, failed, stages } of turn.state.groups) {
    if (failed !== undefined && turn.nowMs >= failed.atMs + turn.state.config.failureMemoryMs) setGroup(turn, name, { failed: undefined })
    stages.forEach(({ retryStartMs }, index) => {
      if (retryStartMs !== undefined && turn.nowMs >= retryStartMs) setStage(turn, name, index, { retryStartMs: undefined })
    })
  }
}
