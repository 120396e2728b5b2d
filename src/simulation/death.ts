/** P3 and P4: what is left of a daemon that died or hangs. Its guard takes the addresses down, and the kernel does so without it. */
import type { CoreConfig } from '../core/config.ts'
import type { GuardPlan } from '../core/guard-plan.ts'
import type { Will } from '../core/packet.ts'
import { monotonicMs, trueMsOf } from './clock.ts'
import { leaseEndMs, leaseEndOf } from './exclusion.ts'
import { isUp, stagesOfGroup, type Machine } from './machine.ts'
import { violate } from './violations.ts'
import type { World } from './world.ts'

/** The guard has removed what its plan names: nothing else may be there, and nothing may come after. */
export function checkRemoved(world: World, machine: Machine, plan: GuardPlan, gone: ReadonlySet<string>): void {
  if (plan.asleep) return
  const { boot, lives } = machine
  const look = (): void => {
    if (machine.boot !== boot || machine.lives !== lives) return
    const left = machine.stages.find((truth) => truth.configured.size > 0 && (gone.has(truth.group) || !plan.groups.some((group) => group.name === truth.group)))
    if (left !== undefined) violate(world, 'P3', `the daemon of ${machine.name} is dead, its guard has acted, and ${left.what.name} of ${left.group} is still there`)
  }
  look()
  world.queue.add(world.nowMs + 50, look)
}

/** A will says what is so. */
export function checkWill(world: World, machine: Machine, will: Will): void {
  if (will.says === 'daemon-dead') return
  const left = stagesOfGroup(machine, will.group).find((truth) => !truth.warm && isUp(truth) && (will.says === 'stopped' || truth.what.kind === 'addresses'))
  if (left !== undefined) violate(world, 'P3', `the last will of ${machine.name} says ${will.says} of ${will.group}, and ${left.what.name} is up`)
}

/** Called when a daemon stops, dies, or its guest does: no address stays longer than the lease, by the kernel's own clock. */
export function watchLeases(world: World, machine: Machine): void {
  const { paused, boot, lives } = machine
  const config = machine.daemon?.state.config ?? machine.config
  if (config.lease === 'off' || (paused !== undefined && paused.kind !== 'stop-signal')) return
  const fromMs = world.nowMs
  const limitMs = leaseEndMs(machine)
  const look = (): void => {
    const node = world.ledger.nodes[machine.index]
    if (machine.boot !== boot || machine.lives !== lives || machine.paused !== paused || node.lastWakeMs >= fromMs) return
    if (paused === undefined && machine.daemon !== undefined) return
    const left = machine.stages.find((truth) => truth.configured.size > 0)
    // A line that was in the child's pipe may have come through since.
    const dueMs = left === undefined ? -Infinity : trueMsOf(machine.clock, left.askedMs) + Math.max(limitMs, left.askedMs <= node.formerLease.askedUntilMs ? node.formerLease.endMs : 0)
    if (dueMs > world.nowMs) return world.queue.add(dueMs, look)
    if (left === undefined || node.saysPaused || node.raisedUntilMs > world.nowMs) return
    violate(world, 'P4', `the daemon of ${machine.name} does nothing for ${Math.round(world.nowMs - fromMs)} ms, and ${left.what.name} of ${left.group} is still there`)
  }
  world.queue.add(fromMs + limitMs, look)
}

/** A shorter lease takes nothing off a lifetime that authority still covers: what was asked for before a reload ends with the lease of before. */
export function configChanged(world: World, machine: Machine, before: CoreConfig): void {
  const node = world.ledger.nodes[machine.index]
  const nowMs = monotonicMs(machine.clock, world.nowMs)
  node.formerInitdeadMs = Math.min(node.formerInitdeadMs, before.timing.initdeadMs)
  const askedUntilMs = nowMs + longestOnItsWayMs(before)
  const isRecent = node.formerLease.askedUntilMs >= nowMs
  node.formerLease = { askedUntilMs, endMs: Math.max(leaseEndOf(before), isRecent ? node.formerLease.endMs : 0) }
}

/** So long after it was decided upon a line is killed in the child (core/lease.ts). */
function longestOnItsWayMs({ timing }: CoreConfig): number {
  return Math.max(1000, 0.5 * timing.deadtimeMs)
}
