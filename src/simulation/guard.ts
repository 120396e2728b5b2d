/**
 * What acts when a daemon has died and its machine has not: the guard, then `hactl release --all` from systemd. Both go
 * by the newest plan: end what still runs for the daemon, remove the addresses, say so (the last will), stop the scripts
 * where the peer can take the group, say that too. The next daemon waits for both.
 */
import type { GuardPlan, GuardedGroup } from '../core/guard-plan.ts'
import type { Packet, Will } from '../core/packet.ts'
import { resourceName } from '../core/stage.ts'
import { lastOrdinarySequence } from '../protocol/window.ts'
import { truthChanged } from './checkers.ts'
import { checkRemoved, checkWill } from './death.ts'
import { deconfigure } from './kernel.ts'
import { stagesOfGroup, timingOf, type Daemon, type Machine, type StageTruth } from './machine.ts'
import { transmitWill } from './network.ts'
import { endOldOperations, setTruth } from './operations.ts'
import { someMs, tell, whileUp, type World } from './world.ts'

/** How many processes of a daemon die with it: it alone, or its guard too (the whole cgroup was killed). */
export type Death = 'alone' | 'with-guard'

/** It is sent this often on every link, so far apart. */
const willTimes = 3
const willDistanceMs = 20

export function planGuard(machine: Machine, plan: GuardPlan): void {
  machine.guard.plan = plan
}

/** Called when the daemon is gone. */
export function guardWakes(world: World, machine: Machine, daemon: Daemon, death: Death): void {
  const { guard } = machine
  const { plan } = guard
  if (death === 'with-guard') guard.alive = false
  const slowMs = world.faultsOn && world.random.chance(0.05) ? world.random.between(0, 3000) : 0
  const acts = guard.alive && !plan.asleep
  guard.alive = false
  if (acts) {
    guard.cleaning += 1
    whileUp(world, machine, slowMs + someMs(world, 0.5, 3.5), () => {
      tell(world, machine.name, 'the guard acts')
      cleanUp(world, machine, plan, wills(world, machine, daemon), () => systemdReleases(world, machine, plan))
    })
  } else systemdReleases(world, machine, plan)
}

/** `ExecStopPost=hactl release --all`: no more than the guard would have done, and no wills. */
function systemdReleases(world: World, machine: Machine, plan: GuardPlan): void {
  if (!world.options.adapter.systemdReleases || plan.asleep) return
  machine.guard.cleaning += 1
  whileUp(world, machine, someMs(world, 80, 320), () => cleanUp(world, machine, plan, undefined, () => undefined))
}

type Send = (will: Will) => void

function cleanUp(world: World, machine: Machine, plan: GuardPlan, send: Send | undefined, done: () => void): void {
  if (world.options.adapter.guardEndsOperations) endOldOperations(world, machine)
  whileUp(world, machine, someMs(world, 1, 5), () => {
    const gone = new Set(plan.groups.filter((group) => removeAddresses(world, machine, group)).map((group) => group.name))
    checkRemoved(world, machine, plan, gone)
    send?.({ says: 'daemon-dead' })
    for (const group of plan.groups) if (gone.has(group.name) && group.wills.includes('addresses-gone')) send?.({ says: 'addresses-gone', group: group.name })
    stopGroups(world, machine, plan.groups, gone, send, () => {
      machine.guard.cleaning -= 1
      done()
    })
  })
}

/** False: one of them stays, against all that `ip` could do; then nothing is said of the group. */
function removeAddresses(world: World, machine: Machine, group: GuardedGroup): boolean {
  const stays = world.faultsOn && world.random.chance(world.options.operations.stopFailProbability / 5)
  if (stays) tell(world, machine.name, `the addresses of ${group.name} cannot be removed`)
  else {
    for (const truth of stagesOfGroup(machine, group.name)) {
      const ips = group.addresses.map((address) => address.ip).filter((ip) => truth.configured.has(ip))
      if (ips.length === 0) continue
      deconfigure(truth, ips)
      truth.version += 1
      tell(world, machine.name, `- ${group.name}/${truth.what.name}`)
      truthChanged(world, machine, truth)
    }
  }
  return !stays
}

/** One script after the other, in the plan's order. */
function stopGroups(world: World, machine: Machine, groups: readonly GuardedGroup[], gone: ReadonlySet<string>, send: Send | undefined, done: () => void): void {
  const [group, ...others] = groups
  if (group === undefined) return done()
  const next = (): void => stopGroups(world, machine, others, gone, send, done)
  const say = (): void => {
    if (gone.has(group.name) && group.wills.includes('stopped')) send?.({ says: 'stopped', group: group.name })
    next()
  }
  stopScripts(world, machine, group, group.stops.map(resourceName), say, next)
}

function stopScripts(world: World, machine: Machine, group: GuardedGroup, names: readonly string[], done: () => void, failed: () => void): void {
  const [name, ...others] = names
  if (name === undefined) return done()
  const truth = stagesOfGroup(machine, group.name).find(({ what }) => what.kind === 'script' && what.name === name)
  if (truth === undefined) return stopScripts(world, machine, group, others, done, failed)
  const { scriptMs, stopFailProbability } = world.options.operations
  const fails = truth.stopBrokenUntilMs > world.nowMs || (world.faultsOn && world.random.chance(stopFailProbability))
  whileUp(world, machine, someMs(world, 0.5 * scriptMs, 2 * scriptMs), () => {
    if (fails) {
      tell(world, machine.name, `the guard cannot stop ${group.name}/${name}`)
      writeUnclean(machine, group.name, truth)
      return failed()
    }
    setTruth(world, machine, truth, false)
    stopScripts(world, machine, group, others, done, failed)
  })
}

/** Into the state directory, for the next daemon. */
function writeUnclean(machine: Machine, name: string, truth: StageTruth): void {
  truth.doubtful = true
  const { disk } = machine
  if (disk.state === undefined || disk.full) return
  const groups = disk.state.groups.map((group) => (group.name === name ? { ...group, unclean: true } : group))
  disk.state = { ...disk.state, groups }
}

/** Signed by the daemon in advance: of its generation, with the numbers above all others, each will its own. */
function wills(world: World, machine: Machine, daemon: Daemon): Send {
  const { deadtimeMs } = timingOf(machine)
  const names = world.options.config.groups.map((group) => group.name)
  return (will) => {
    const { generation } = daemon
    checkWill(world, machine, will)
    const packet: Packet = { id: { generation, sequence: sequenceOf(will, names) }, from: machine.name, kind: 'will', nodeStatus: 'dead', deadtimeMs, will }
    tell(world, machine.name, `last will of generation ${generation}: ${will.says}${will.says === 'daemon-dead' ? '' : ` ${will.group}`}`)
    for (let time = 0; time < willTimes; time += 1) whileUp(world, machine, time * willDistanceMs, () => transmitWill(world, machine, packet))
  }
}

function sequenceOf(will: Will, names: readonly string[]): number {
  if (will.says === 'daemon-dead') return lastOrdinarySequence + 1
  const at = names.indexOf(will.group) + 2
  return lastOrdinarySequence + at + (will.says === 'stopped' ? names.length : 0)
}

/** Its own death is noticed by the daemon, which starts another. */
export function killGuard(world: World, machine: Machine): void {
  const { daemon, guard } = machine
  if (daemon === undefined || !guard.alive) return
  guard.alive = false
  tell(world, machine.name, 'the guard dies')
  const repair = (): void => {
    if (machine.daemon !== daemon) return
    if (machine.paused === undefined) guard.alive = true
    else whileUp(world, machine, 100, repair)
  }
  whileUp(world, machine, someMs(world, 10, 500), repair)
}
