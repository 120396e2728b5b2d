/** Scripts and addresses of a simulated host: how long an operation takes, how it ends, and what it really leaves behind. */
import type { Effect } from '../core/effects.ts'
import type { Action, Observation, Outcome } from '../core/events.ts'
import { blockedMs, callKernel, isTooLate, judgeAnswer, limitChild, tooLate } from './addresses.ts'
import { operationBegins, operationEnded, resourcesObserved, truthChanged } from './checkers.ts'
import { answer, whenAwake } from './driver.ts'
import { configure, deconfigure } from './kernel.ts'
import { isUp, isWhole, truthOf, type Daemon, type Machine, type Operation, type StageTruth } from './machine.ts'
import { after, someMs, tell, type World } from './world.ts'

/** What is decided when an operation begins. */
interface Course { readonly durationMs: number; readonly outcome: Outcome }

export function beginOperation(world: World, machine: Machine, daemon: Daemon, effect: Effect & { type: 'run-operation' }): void {
  const truth = truthOf(machine, effect.group, effect.stage)
  if (truth === undefined) return
  const operation: Operation = {
    id: effect.operationId, truth, action: effect.action, issuedMs: world.nowMs, timeoutMs: effect.timeoutMs,
    ...(effect.lease === undefined ? {} : { lease: effect.lease }),
    called: false, dropped: false, cancelled: false, ended: false,
  }
  operationBegins(world, machine, daemon, operation)
  machine.operations.add(operation)
  const course = courseOf(world, truth, operation)
  const waitMs = truth.what.kind === 'addresses' ? blockedMs(world, machine) : 0
  const end = (outcome: Outcome) => (): void => endOperation(world, machine, daemon.life, operation, outcome)
  if (truth.what.kind === 'addresses' && operation.action === 'start') {
    const late: Outcome = { result: 'failed', message: tooLate }
    if (isTooLate(world, machine, operation.lease)) return after(world, 0, end(late))
    limitChild(world, machine, daemon.life, waitMs + course.durationMs, operation.lease, () => giveUpAdd(world, machine, operation, end(late)))
    callKernel(world, machine, operation, { waitMs, ...course })
  }
  after(world, waitMs + course.durationMs, end(course.outcome))
}

function giveUpAdd(world: World, machine: Machine, operation: Operation, end: () => void): void {
  if (operation.ended) return
  operation.dropped = true
  setTruth(world, machine, operation.truth, false)
  operation.truth.doubtful = true
  end()
}

function courseOf(world: World, truth: StageTruth, operation: Operation): Course {
  const { operations } = world.options
  const { random } = world
  const isAddress = truth.what.kind === 'addresses'
  const typicalMs = isAddress ? operations.addressMs : operation.action === 'status' ? operations.scriptMs / 10 : operations.scriptMs
  const durationMs = Math.min(world.options.exact ? typicalMs : typicalMs * random.between(0.5, 2), operation.timeoutMs * 0.9)
  const forced = truth.forced.findIndex((one) => one.action === operation.action)
  if (forced >= 0) {
    const [next] = truth.forced.splice(forced, 1)
    const outcome = next?.outcome ?? { result: 'ok' }
    return { durationMs: outcome.result === 'timed-out' ? operation.timeoutMs : durationMs, outcome }
  }
  if (operation.action === 'start' && truth.startBrokenUntilMs > world.nowMs) return { durationMs, outcome: failure }
  if (operation.action === 'stop' && truth.stopBrokenUntilMs > world.nowMs) return { durationMs, outcome: failure }
  if (!world.faultsOn) return { durationMs, outcome: { result: 'ok' } }
  const hang = isAddress ? operations.hangProbability / 5 : operations.hangProbability
  if (random.chance(hang)) return { durationMs: operation.timeoutMs + random.between(0, 500), outcome: { result: 'timed-out', message: 'killed' } }
  if (random.chance(failChance(world, operation))) return { durationMs, outcome: failure }
  if (random.chance(operations.slowProbability)) return { durationMs: operation.timeoutMs * random.between(0.2, 0.99), outcome: { result: 'ok' } }
  return { durationMs, outcome: { result: 'ok' } }
}

const failure: Outcome = { result: 'failed', exitCode: 1, message: 'the script said no' }

function failChance(world: World, operation: Operation): number {
  const { operations } = world.options
  const byAction: Record<Action, number> = { start: operations.failProbability, stop: operations.stopFailProbability, status: operations.failProbability / 10 }
  return operation.truth.what.kind === 'addresses' ? byAction[operation.action] / 5 : byAction[operation.action]
}

function endOperation(world: World, machine: Machine, life: number, operation: Operation, outcome: Outcome): void {
  if (operation.ended) return
  if (machine.paused !== undefined && machine.paused.kind !== 'stop-signal') {
    after(world, 50, () => endOperation(world, machine, life, operation, outcome))
    return
  }
  operation.ended = true
  machine.operations.delete(operation)
  const real: Outcome = operation.cancelled ? { result: 'cancelled' } : outcome
  const answered = leaveBehind(world, machine, operation, real)
  const finish = (): void => {
    const judged = judgeAnswer(world, machine, operation.truth, operation.lease, answered)
    if (judged !== answered) tell(world, machine.name, `${operation.action} of ${operation.truth.group}/${operation.truth.what.name}: too late`)
    answer(world, machine, life, { type: 'operation-finished', operationId: operation.id, outcome: judged })
  }
  operationEnded(world, machine, operation, answered)
  if (answered.result !== 'ok' && !(answered.result === 'not-running' && operation.action === 'status')) {
    tell(world, machine.name, `${operation.action} of ${operation.truth.group}/${operation.truth.what.name}: ${answered.result}`)
  }
  whenAwake(machine, life, finish)
}

/** Changes the truth as the operation really did, and gives the answer that its caller hears. */
function leaveBehind(world: World, machine: Machine, operation: Operation, outcome: Outcome): Outcome {
  const { truth, action } = operation
  if (action === 'status') return outcome.result === 'ok' && !isWhole(truth) ? { result: 'not-running' } : outcome
  if (truth.what.kind === 'addresses' && action === 'start') return operation.dropped && outcome.result === 'ok' ? { result: 'cancelled' } : outcome
  if (outcome.result === 'ok') {
    setTruth(world, machine, truth, action === 'start')
    return outcome
  }
  // Where it broke off is chance: a failed start may have started the service, a failed stop may have ended it.
  const changes = !world.options.exact && world.random.chance(outcome.result === 'failed' ? 0.3 : 0.5)
  if (changes) setTruth(world, machine, truth, action === 'start')
  return outcome
}

export function setTruth(world: World, machine: Machine, truth: StageTruth, up: boolean): void {
  const was = isUp(truth)
  truth.version += 1
  truth.hurt = false
  truth.running = up && truth.what.kind === 'script'
  if (truth.what.kind === 'addresses') {
    const ips = truth.what.addresses.map((address) => address.ip)
    if (up) configure(world, machine, truth, ips, undefined)
    else deconfigure(truth, ips)
  }
  if (was !== up) tell(world, machine.name, `${up ? '+' : '-'} ${truth.group}/${truth.what.name}`)
  truthChanged(world, machine, truth)
}

export function cancelOperation(world: World, machine: Machine, daemon: Daemon, operationId: number): void {
  const operation = [...machine.operations].find((one) => one.id === operationId && one.issuedMs >= daemon.startedMs)
  if (operation === undefined) return
  operation.cancelled = true
  after(world, someMs(world, 1, 29), () => endOperation(world, machine, daemon.life, operation, { result: 'cancelled' }))
}

export function announce(world: World, machine: Machine, group: string, stage: number): void {
  const truth = truthOf(machine, group, stage)
  if (truth === undefined || truth.what.kind !== 'addresses') return
  for (const address of truth.what.addresses) world.clientSees.set(address.ip, machine.name)
}

export function observe(world: World, machine: Machine, daemon: Daemon): void {
  after(world, someMs(world, 1, 49) + world.options.operations.scriptMs / 10, () => {
    if (machine.daemon !== daemon) return
    const observations = machine.stages.map((truth): Observation => {
      const found = isUp(truth) ? 'running' : 'stopped'
      const unclear = truth.what.kind === 'script' && world.faultsOn && world.random.chance(world.options.operations.failProbability)
      return { group: truth.group, stage: truth.index, found: unclear ? 'unclear' : found }
    })
    resourcesObserved(world, machine, observations)
    answer(world, machine, daemon.life, { type: 'resources-observed', observations })
  })
}

/** A new daemon first ends what the old one left running. */
export function endOldOperations(world: World, machine: Machine): void {
  for (const operation of [...machine.operations]) {
    operation.cancelled = true
    endOperation(world, machine, -1, operation, { result: 'cancelled' })
  }
}
