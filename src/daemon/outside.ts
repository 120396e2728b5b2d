/** Everything outside that one daemon holds open, and how the core's effects reach it. Nothing is decided here. */
import type { FloatingAddress, GroupName } from '../core/config.ts'
import type { Effect } from '../core/effects.ts'
import type { Observation, Outcome } from '../core/events.ts'
import type { Stage } from '../core/stage.ts'
import type { Addresses } from '../runtime/addresses.ts'
import type { Announcer } from '../runtime/announce.ts'
import { errorText } from '../runtime/errors.ts'
import type { Fencer } from '../runtime/fence.ts'
import type { Guard } from '../runtime/guard.ts'
import type { Operations } from '../runtime/operations.ts'
import type { StateFiles } from '../runtime/state-files.ts'
import type { ServiceNotify } from '../runtime/service-notify.ts'
import type { Watchdog } from '../runtime/watchdog.ts'
import type { Requests } from './requests.ts'
import type { Happening } from './loop.ts'
import type { Wire } from './wire.ts'
import type { Chronicle } from './chronicle.ts'
import type { Witness } from './witness.ts'
import { observeGroups } from './observe.ts'
import { serviceStatus } from './service-status.ts'
import type { GroupState, NodeState } from '../core/state.ts'

export interface Outside {
  readonly wire: Wire
  readonly addresses: Addresses
  readonly announcer: Announcer
  readonly operations: Operations
  readonly fencer: Fencer
  /** Absent: none is configured. */
  readonly watchdog?: Watchdog
  readonly files: StateFiles
  readonly service: ServiceNotify
  readonly requests: Requests
  readonly chronicle: Chronicle
  readonly witness: Witness
  /** Absent where there is no place for one. */
  readonly guard: Guard | undefined
  feed(happening: Happening): void
  state(): NodeState
  leave(exitCode: number): void
}

export function perform(outside: Outside, effect: Effect): void {
  switch (effect.type) {
    case 'send-packet':
      return outside.wire.send(effect.packet)
    case 'run-operation':
      return answer(outside, effect.operationId, run(outside, effect))
    case 'cancel-operation':
      return outside.operations.cancel(effect.operationId)
    case 'drop-addresses':
      return drop(outside, effect.group, effect.what)
    case 'restore-addresses':
      return restore(outside, effect)
    case 'renew-addresses':
      return renew(outside, effect)
    case 'plan-guard':
      return outside.guard?.plan(effect.plan)
    case 'ask-witness':
      return void outside.witness.ask(effect.group, effect.ask).then((said) => outside.feed({ type: 'witness-answered', requestId: effect.requestId, answer: said }))
    case 'run-fence':
      return void outside.fencer.run(effect.node, effect.level, effect.timeoutMs).then(({ result, message }) =>
        outside.feed({ type: 'fence-finished', fenceId: effect.fenceId, result, message }))
    case 'reset-host':
      return outside.watchdog?.starve()
    case 'spare-host':
      return outside.watchdog?.spare()
    case 'announce':
      return outside.announcer.announce(addressesOf(effect.what))
    case 'observe-resources':
      return observe(outside)
    case 'persist':
      return void outside.files.save(effect.state).then(({ error }) =>
        outside.feed({ type: 'persist-finished', persistId: effect.persistId, ...(error === undefined ? {} : { error }) }))
    case 'report-progress':
      return outside.requests.progress(effect.requestId, effect.progress)
    case 'reply-admin':
      return outside.requests.reply(effect.requestId, effect.reply)
    case 'record':
      outside.chronicle.record(effect.record)
      return outside.service.status(serviceStatus(outside.state()))
    case 'notify-service':
      return outside.service.send(effect.state, serviceStatus(outside.state()))
    case 'exit':
      return outside.leave(effect.exitCode)
  }
}

export function addressesOf(stage: Stage): readonly FloatingAddress[] {
  return stage.kind === 'addresses' ? stage.addresses : []
}

function run(outside: Outside, effect: Extract<Effect, { type: 'run-operation' }>): Promise<Outcome> {
  const { what, action, operationId, group, timeoutMs } = effect
  if (what.kind === 'script') return outside.operations.run({ operationId, group, resource: what.resource, action, timeoutMs })
  switch (action) {
    case 'start':
      return outside.addresses.add(what.addresses, effect.lease)
    case 'stop':
      return outside.addresses.remove(what.addresses)
    case 'status':
      return outside.addresses.observe(what.addresses).then((found): Outcome => (found.every((one) => one) ? { result: 'ok' } : { result: 'not-running' }))
  }
}

/** Every operation ends with one answer, also when the code beside us breaks. */
function answer(outside: Outside, operationId: number, outcome: Promise<Outcome>): void {
  outcome.then(
    (ended) => outside.feed({ type: 'operation-finished', operationId, outcome: ended }),
    (error: unknown) => outside.feed({ type: 'operation-finished', operationId, outcome: { result: 'failed', message: errorText(error) } }),
  )
}

function drop(outside: Outside, group: GroupName, what: Stage): void {
  outside.addresses.remove(addressesOf(what)).then(
    (outcome) => {
      if (outcome.result !== 'ok') outside.chronicle.say('error', 'permission-lost', `addresses of ${group} could not be removed: ${'message' in outcome ? outcome.message : outcome.result}`)
    },
    (error: unknown) => outside.chronicle.say('error', 'permission-lost', `addresses of ${group} could not be removed: ${errorText(error)}`),
  )
}

/** Put back, then told to the neighbours again by the core's next round; a failure is tried again when the address is next missed. */
function restore(outside: Outside, effect: Extract<Effect, { type: 'restore-addresses' }>): void {
  const lost = addressesOf(effect.what).filter((address) => effect.ips.includes(address.ip))
  outside.addresses.add(lost, effect.lease).then(
    (outcome) => {
      if (outcome.result === 'ok') outside.announcer.announce(lost)
      else outside.chronicle.say('error', 'address-stripped', `${effect.ips.join(', ')} could not be put back: ${'message' in outcome ? outcome.message : outcome.result}`)
    },
    (error: unknown) => outside.chronicle.say('error', 'address-stripped', `${effect.ips.join(', ')} could not be put back: ${errorText(error)}`),
  )
}

/** Every renewal has one answer, also when the code beside us breaks. */
function renew(outside: Outside, effect: Extract<Effect, { type: 'renew-addresses' }>): void {
  const { group, stage, serial } = effect
  outside.addresses.renew(addressesOf(effect.what), effect.lease).then(
    (renewal) => outside.feed({ type: 'addresses-renewed', group, stage, serial, ...renewal }),
    (error: unknown) => outside.feed({ type: 'addresses-renewed', group, stage, serial, result: 'failed', message: errorText(error) }),
  )
}

/** Without a look at the start the daemon is of no use. What a reload has added counts as running until its stop says otherwise; the other groups go on. */
function observe(outside: Outside): void {
  observeGroups(outside.state().groups, outside.addresses, outside.operations).then(
    (observations) => outside.feed({ type: 'resources-observed', observations }),
    (error: unknown) => {
      outside.chronicle.say('error', 'resources-found', `the resources of this node cannot be looked at: ${errorText(error)}`)
      if (outside.state().phase === 'looking') outside.leave(1)
      else outside.feed({ type: 'resources-observed', observations: unclear(outside.state().groups, errorText(error)) })
    },
  )
}

function unclear(groups: readonly GroupState[], message: string): readonly Observation[] {
  return groups.filter((group) => !group.looked).flatMap((group) => group.stages.map((_stage, stage) => ({ group: group.name, stage, found: 'unclear' as const, message })))
}
