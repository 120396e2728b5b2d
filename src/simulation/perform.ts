/** The effects of a turn, begun one after the other as src/daemon does. */
import type { Effect } from '../core/effects.ts'
import { dropAddresses, renewAddresses, restoreAddresses } from './addresses.ts'
import { daemonEnded, daemonExits, recordWritten, replied } from './checkers.ts'
import { answer } from './driver.ts'
import { runFence } from './fencing.ts'
import { planGuard } from './guard.ts'
import { feedWatchdog, stopFeedingWatchdog } from './hosts.ts'
import type { Daemon, Machine } from './machine.ts'
import { transmit } from './network.ts'
import { announce, beginOperation, cancelOperation, observe } from './operations.ts'
import { askWitness } from './witness.ts'
import { after, someMs, tell, type World } from './world.ts'

export function perform(world: World, machine: Machine, daemon: Daemon, effect: Effect): void {
  switch (effect.type) {
    case 'send-packet':
      return transmit(world, machine, effect.packet)
    case 'run-operation':
      return beginOperation(world, machine, daemon, effect)
    case 'cancel-operation':
      return cancelOperation(world, machine, daemon, effect.operationId)
    case 'drop-addresses':
      return dropAddresses(world, machine, effect.group, effect.stage)
    case 'restore-addresses':
      return restoreAddresses(world, machine, effect)
    case 'renew-addresses':
      return renewAddresses(world, machine, daemon, effect)
    case 'plan-guard':
      return planGuard(machine, effect.plan)
    case 'ask-witness':
      return askWitness(world, machine, daemon, effect)
    case 'run-fence':
      return runFence(world, machine, daemon, effect)
    case 'reset-host':
      return stopFeedingWatchdog(world, machine)
    case 'spare-host':
      return feedWatchdog(world, machine)
    case 'announce':
      return announce(world, machine, effect.group, effect.stage)
    case 'observe-resources':
      return observe(world, machine, daemon)
    case 'persist':
      return persist(world, machine, daemon, effect)
    case 'report-progress':
    case 'notify-service':
      return
    case 'reply-admin':
      return replied(world, machine, daemon, effect.requestId, effect.reply)
    case 'record':
      return recordWritten(world, machine, effect.record)
    case 'exit':
      return exit(world, machine, daemon, effect.exitCode)
  }
}

/** The guard is told that all is in order, and ends with it. */
function exit(world: World, machine: Machine, daemon: Daemon, exitCode: number): void {
  daemonExits(world, machine, daemon)
  daemonEnded(world, machine)
  machine.daemon = undefined
  machine.guard.alive = false
  machine.stayDown = true
  tell(world, machine.name, `daemon exits ${exitCode}`)
}

function persist(world: World, machine: Machine, daemon: Daemon, effect: Effect & { type: 'persist' }): void {
  const boot = machine.boot
  after(world, someMs(world, 0.5, 9.5), () => {
    if (!machine.running || machine.boot !== boot) return
    if (machine.disk.full) {
      machine.disk.lastFullMs = world.nowMs
      answer(world, machine, daemon.life, { type: 'persist-finished', persistId: effect.persistId, error: 'ENOSPC: no space left on device' })
      return
    }
    if (machine.daemon === daemon) machine.disk.state = effect.state
    answer(world, machine, daemon.life, { type: 'persist-finished', persistId: effect.persistId })
  })
}
