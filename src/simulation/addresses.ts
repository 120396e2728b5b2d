/**
 * What the daemon does with addresses, through a child that asks the kernel: a line that is on its way may be late, and
 * the daemon may have died when it arrives. An add or renewal with a lease is compared with its not-after time before the
 * line is written and after its answer; a child that has not answered by then is killed (F11).
 */
import type { Effect, Lease } from '../core/effects.ts'
import type { Outcome } from '../core/events.ts'
import { truthChanged } from './checkers.ts'
import { monotonicMs, trueMsOf } from './clock.ts'
import { answer, whenAwake } from './driver.ts'
import { configure } from './kernel.ts'
import { truthOf, type Daemon, type Machine, type Operation, type StageTruth } from './machine.ts'
import { setTruth } from './operations.ts'
import { someMs, tell, whileUp, type World } from './world.ts'

/** The kernel acts on the line somewhere in the time that the child takes to answer. */
export function callKernel(world: World, machine: Machine, operation: Operation, course: { readonly waitMs: number; readonly durationMs: number; readonly outcome: Outcome }): void {
  const { waitMs, durationMs, outcome } = course
  const callMs = waitMs + (world.options.exact ? durationMs : durationMs * world.random.between(0.2, 1))
  whileUp(world, machine, callMs, () => {
    if (operation.called || operation.ended || operation.cancelled || operation.dropped) return
    if (isTooLate(world, machine, operation.lease)) return
    operation.called = true
    const { truth } = operation
    if (truth.what.kind !== 'addresses' || !changes(world, outcome)) return
    const ips = truth.what.addresses.map((address) => address.ip)
    tellIfNew(world, machine, truth, ips)
    configure(world, machine, truth, ips, operation.lease?.validSeconds)
    truth.version += 1
    truth.hurt = false
    truthChanged(world, machine, truth)
  })
}

function tellIfNew(world: World, machine: Machine, truth: StageTruth, ips: readonly string[]): void {
  if (!ips.every((ip) => truth.configured.has(ip))) tell(world, machine.name, `+ ${truth.group}/${truth.what.name}`)
}

/** Where a failed add broke off is chance: it may have come through. */
function changes(world: World, outcome: Outcome): boolean {
  return outcome.result === 'ok' || (!world.options.exact && world.random.chance(0.3))
}

/**
 * Simplified: a child that is late counts as killed even while the daemon that would kill it is stopped. Both at once, a
 * daemon that stands still while the kernel holds a line of its child back, is the one case in which a real address outlives
 * its authority, by what the line was held back.
 */
export function isTooLate(world: World, machine: Machine, lease: Lease | undefined): boolean {
  return world.options.adapter.checksNotAfter && lease !== undefined && monotonicMs(machine.clock, world.nowMs) > lease.notAfterMs
}

/** The line would stay in the child for longer than `callMs`: at its not-after time the child is killed, and a fresh one removes the addresses. */
export function limitChild(world: World, machine: Machine, life: number, callMs: number, lease: Lease | undefined, giveUp: () => void): void {
  if (!world.options.adapter.checksNotAfter || lease === undefined) return
  const limitMs = Math.max(0, trueMsOf(machine.clock, lease.notAfterMs) - world.nowMs)
  if (limitMs < callMs) whileUp(world, machine, limitMs + world.options.timerLateMs, () => whenAwake(machine, life, giveUp))
}

/** The answer of an add, as its daemon hears it: too late is a failure, and what was added goes. */
export function judgeAnswer(world: World, machine: Machine, truth: StageTruth, lease: Lease | undefined, outcome: Outcome): Outcome {
  if (outcome.result !== 'ok' || !isTooLate(world, machine, lease)) return outcome
  setTruth(world, machine, truth, false)
  truth.doubtful = true
  return { result: 'failed', message: tooLate }
}

export const tooLate = 'the addresses were added too late for their lease and removed again'

/** At once, but it takes the kernel some milliseconds; an add that is in the same pipe before it is undone by it. */
export function dropAddresses(world: World, machine: Machine, group: string, stage: number): void {
  const truth = truthOf(machine, group, stage)
  if (truth === undefined || truth.what.kind !== 'addresses') return
  for (const operation of machine.operations) if (operation.truth === truth && operation.action === 'start') operation.dropped = true
  truth.dropSerial += 1
  whileUp(world, machine, quickMs(world), () => setTruth(world, machine, truth, false))
}

function quickMs(world: World): number {
  return Math.min(world.options.operations.addressMs, 5)
}

export function restoreAddresses(world: World, machine: Machine, effect: Effect & { type: 'restore-addresses' }): void {
  const truth = truthOf(machine, effect.group, effect.stage)
  if (truth === undefined || isTooLate(world, machine, effect.lease)) return
  const { version, dropSerial } = truth
  whileUp(world, machine, quickMs(world), () => {
    if (truth.version !== version || truth.dropSerial !== dropSerial || isTooLate(world, machine, effect.lease)) return
    configure(world, machine, truth, effect.ips, effect.lease?.validSeconds)
    tell(world, machine.name, `restored ${effect.ips.join(' ')}`)
    truthChanged(world, machine, truth)
  })
}

/** New lives for those that are there; a gone one is named and not added. */
export function renewAddresses(world: World, machine: Machine, daemon: Daemon, effect: Effect & { type: 'renew-addresses' }): void {
  const { group, stage, serial, lease } = effect
  const truth = truthOf(machine, group, stage)
  if (truth === undefined || effect.what.kind !== 'addresses') return
  const ips = effect.what.addresses.map((address) => address.ip)
  const reply = (result: 'renewed' | 'gone' | 'too-late', missing?: readonly string[]): void =>
    answer(world, machine, daemon.life, { type: 'addresses-renewed', group, stage, serial, result, ...(missing === undefined ? {} : { ips: missing }) })
  let over = false
  const giveUp = (): void => {
    if (over) return
    over = true
    setTruth(world, machine, truth, false)
    // Its daemon takes it for one that may or may not be there, and starts it anew in its place.
    truth.doubtful = true
    reply('too-late')
  }
  if (isTooLate(world, machine, lease)) return giveUp()
  const callMs = blockedMs(world, machine) + someMs(world, 0.3, 0.3 + quickMs(world))
  limitChild(world, machine, daemon.life, callMs, lease, giveUp)
  const { dropSerial } = truth
  whileUp(world, machine, callMs, () => {
    if (over || isTooLate(world, machine, lease)) return
    const there = truth.dropSerial === dropSerial ? ips.filter((ip) => truth.configured.has(ip)) : []
    if (there.length > 0) configure(world, machine, truth, there, lease.validSeconds)
    const missing = ips.filter((ip) => !there.includes(ip))
    whenAwake(machine, daemon.life, () => {
      if (over) return
      if (isTooLate(world, machine, lease)) return giveUp()
      over = true
      reply(missing.length === 0 ? 'renewed' : 'gone', missing.length === 0 ? undefined : missing)
    })
  })
}

/** A host so busy that the child is not run for a while (`slow-child`). */
export function blockedMs(world: World, machine: Machine): number {
  return Math.max(0, machine.childBlockedUntilMs - world.nowMs)
}
