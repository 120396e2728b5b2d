/** S3: one operation at a time in a group, starts in list order, stops in reverse order. And the failed stops that S4 remembers. */
import type { Outcome } from '../core/events.ts'
import { isUp, isWhole, stagesOfGroup, type Daemon, type Machine, type Operation } from './machine.ts'
import { begin } from './permissions.ts'
import { violate } from './violations.ts'
import type { World } from './world.ts'

export function checkOperation(world: World, machine: Machine, daemon: Daemon, operation: Operation): void {
  const { truth, action } = operation
  for (const other of machine.operations) {
    if (other.truth.group !== truth.group || other.issuedMs < daemon.startedMs) continue
    violate(world, 'S3', `${machine.name} asks for ${action} of ${truth.group}/${truth.what.name} while ${other.action} of ${other.truth.what.name} still runs`)
  }
  if (action === 'start') checkStart(world, machine, operation)
  if (action === 'stop') checkStop(world, machine, operation)
}

function checkStart(world: World, machine: Machine, operation: Operation): void {
  const { truth } = operation
  if (truth.warm) return
  if (!world.ledger.nodes[machine.index].acquisitions.has(truth.group)) begin(world, machine, truth.group, 'starts')
  const early = stagesOfGroup(machine, truth.group).find((one) => one.index < truth.index && !isWhole(one) && !one.hurt)
  if (early !== undefined) violate(world, 'S3', `${machine.name} starts ${truth.group}/${truth.what.name} before ${early.what.name}, which stands earlier in the list`)
}

function checkStop(world: World, machine: Machine, operation: Operation): void {
  const { truth } = operation
  if (truth.warm || truth.doubtful || truth.hurt) return
  const failed = world.ledger.nodes[machine.index].unclean.get(truth.group)
  const late = stagesOfGroup(machine, truth.group).find((one) => one.index > truth.index && !one.warm && isUp(one) && failed?.stages.has(one.index) !== true)
  if (late !== undefined) violate(world, 'S3', `${machine.name} stops ${truth.group}/${truth.what.name} while ${late.what.name}, which stands later in the list, runs`)
}

export function followOutcome(world: World, machine: Machine, operation: Operation, outcome: Outcome): void {
  const { truth, action } = operation
  if (outcome.result === 'ok') truth.doubtful = false
  else if (action !== 'stop' && outcome.result !== 'cancelled') truth.doubtful = true
  if (action !== 'stop' || truth.warm) return
  const { unclean } = world.ledger.nodes[machine.index]
  const known = unclean.get(truth.group)
  if (outcome.result === 'ok') {
    known?.stages.delete(truth.index)
    if (known?.stages.size === 0) unclean.delete(truth.group)
    return
  }
  if (outcome.result === 'cancelled' || machine.daemon === undefined) return
  if (known === undefined) {
    unclean.set(truth.group, { sinceMs: world.nowMs, generation: machine.daemon.generation, stages: new Set([truth.index]), peerKnows: false, rebooted: false })
  } else known.stages.add(truth.index)
}
