/** Each kind of fault of the seed's mix comes at random and ends by itself; `endFaults` ends them all for the liveness phase. */
import { randomCommand, reloadDifferently } from './administrator.ts'
import { truthChanged } from './checkers.ts'
import { answer } from './driver.ts'
import { killGuard } from './guard.ts'
import { crashAndReboot, endPause, killAndRestart, pauseMachine, startMachine } from './hosts.ts'
import { deconfigure, noticeStripped } from './kernel.ts'
import type { Machine, StageTruth } from './machine.ts'
import { breakFencing, changeLeader, cutWitness, isolate, losePing, mendOutside, slowWitness, stopWitness } from './outside-faults.ts'
import { replay, setCut } from './network.ts'
import { faultNames, type FaultName } from './options.ts'
import { startDaemon } from './driver.ts'
import { after, tell, type Link, type World } from './world.ts'

export function beginFaults(world: World): void {
  world.faultsOn = true
  for (const name of faultNames) scheduleFault(world, name)
}

function scheduleFault(world: World, name: FaultName): void {
  const meanMs = world.options.faults[name]
  if (meanMs === 0) return
  after(world, world.random.wait(meanMs), () => {
    if (!world.faultsOn) return
    strike(world, name)
    scheduleFault(world, name)
  })
}

function strike(world: World, name: FaultName): void {
  const { random } = world
  const machine = random.pick([world.machines[0], world.machines[1]])
  const link = world.links[random.whole(0, world.links.length - 1)]
  const truth = machine.stages[random.whole(0, machine.stages.length - 1)]
  if (link === undefined || truth === undefined) return
  const deadtimeMs = machine.config.timing.deadtimeMs
  switch (name) {
    case 'link-cut': return cut(world, [link], 'both')
    case 'link-one-way': return cut(world, [link], machine.index)
    case 'partition': return cut(world, world.links, 'both')
    case 'partition-one-way': return cut(world, world.links, machine.index)
    case 'clog': return clog(world, link, machine.index)
    case 'lossy': return lose(world, link)
    case 'link-failed': return failLink(world, machine, link.name)
    case 'replay': return replay(world, machine)
    case 'machine-crash': return crashAndReboot(world, machine, random.between(1000, 60_000))
    case 'daemon-kill': return killAndRestart(world, machine, random.pick([100, 1000, random.between(100, 4 * deadtimeMs)]), 'alone')
    case 'kill-with-guard': return killAndRestart(world, machine, random.pick([100, 1000, random.between(100, 4 * deadtimeMs)]), 'with-guard')
    case 'guard-death': return killGuard(world, machine)
    case 'slow-child': return blockChild(world, machine)
    case 'stop-signal': return pauseMachine(world, machine, 'stop-signal', deadtimeMs * random.between(0.05, 4))
    case 'guest-pause': return pauseMachine(world, machine, 'guest-pause', deadtimeMs * random.between(0.05, 4))
    case 'guest-freeze': return pauseMachine(world, machine, 'guest-freeze', deadtimeMs * random.between(0.05, 4))
    case 'stall': return pauseMachine(world, machine, 'stop-signal', deadtimeMs * random.between(0.01, 0.45))
    case 'strip': return strip(world, machine, truth)
    case 'service-death': return endService(world, machine, truth)
    case 'broken-start': return breakScript(world, machine, truth, 'start')
    case 'broken-stop': return breakScript(world, machine, truth, 'stop')
    case 'disk-full': return fillDisk(world, machine)
    case 'admin': return randomCommand(world, machine)
    case 'reload': return reloadDifferently(world, machine)
    case 'isolation': return isolate(world, machine)
    case 'witness-cut': return cutWitness(world, [machine])
    case 'witness-lost': return cutWitness(world, world.machines)
    case 'witness-down': return stopWitness(world)
    case 'witness-slow': return slowWitness(world, machine)
    case 'witness-election': return changeLeader(world)
    case 'ping-lost': return losePing(world, machine)
    case 'fencing-broken': return breakFencing(world)
  }
}

function cut(world: World, links: readonly Link[], from: 0 | 1 | 'both'): void {
  const durationMs = world.options.config.timing.deadtimeMs * world.random.pick([world.random.between(0.1, 1), world.random.between(0.5, 6)])
  const whose = from === 'both' ? 'both ways' : `from ${world.machines[from].name}`
  tell(world, 'network', `${links.map((link) => link.name).join(', ')} cut ${whose} for ${Math.round(durationMs)} ms`)
  for (const link of links) setCut(link, from, true)
  after(world, durationMs, () => {
    for (const link of links) setCut(link, from, false)
    tell(world, 'network', `${links.map((link) => link.name).join(', ')} heals ${whose}`)
  })
}

function clog(world: World, link: Link, from: 0 | 1): void {
  const durationMs = world.options.config.timing.deadtimeMs * world.random.between(0.05, 1.5)
  link.cloggedUntilMs[from] = world.nowMs + durationMs
  tell(world, 'network', `${link.name} holds back what ${world.machines[from].name} sends for ${Math.round(durationMs)} ms`)
}

function lose(world: World, link: Link): void {
  link.lossProbability = world.random.pick([0.2, 0.5, 0.9])
  tell(world, 'network', `${link.name} loses ${link.lossProbability * 100} %`)
  after(world, world.random.between(1000, 20_000), () => {
    link.lossProbability = world.faultsOn ? world.options.network.lossProbability : 0
  })
}

function failLink(world: World, machine: Machine, link: string): void {
  if (machine.failedLinks.has(link)) return
  machine.failedLinks.add(link)
  tell(world, machine.name, `${link} goes down`)
  const report = (status: 'failed' | 'open', reason: string): void => {
    if (machine.daemon !== undefined) answer(world, machine, machine.daemon.life, { type: 'link-changed', link, status, reason })
  }
  report('failed', 'the interface is down')
  after(world, world.random.between(500, 20_000), () => {
    if (!machine.failedLinks.delete(link)) return
    tell(world, machine.name, `${link} is up again`)
    report('open', 'the interface is up again')
  })
}

/** Someone else removes an address; the daemon's watch finds it missing a little later. */
export function strip(world: World, machine: Machine, truth: StageTruth): void {
  const [ip] = truth.configured
  if (!machine.running || ip === undefined) return
  deconfigure(truth, [ip])
  truth.hurt = true
  tell(world, machine.name, `someone removes ${ip}`)
  truthChanged(world, machine, truth)
  noticeStripped(world, machine, truth, [ip])
}

export function endService(world: World, machine: Machine, truth: StageTruth): void {
  if (!truth.running) return
  truth.running = false
  truth.hurt = true
  tell(world, machine.name, `service ${truth.what.name} dies`)
  truthChanged(world, machine, truth)
}

function breakScript(world: World, machine: Machine, truth: StageTruth, action: 'start' | 'stop'): void {
  const untilMs = world.nowMs + world.random.between(5000, 60_000)
  if (action === 'start') truth.startBrokenUntilMs = untilMs
  else truth.stopBrokenUntilMs = untilMs
  tell(world, machine.name, `every ${action} of ${truth.group}/${truth.what.name} fails until ${(untilMs / 1000).toFixed(3)}`)
}

/** A busy host: the child that asks the kernel is not run for a while. */
function blockChild(world: World, machine: Machine): void {
  const durationMs = world.random.pick([world.random.between(20, 500), world.random.between(500, 10_000)])
  // Never sooner than before: its pipe keeps its order.
  machine.childBlockedUntilMs = Math.max(machine.childBlockedUntilMs, world.nowMs + durationMs)
  tell(world, machine.name, `the address child is not run for ${Math.round(durationMs)} ms`)
}

function fillDisk(world: World, machine: Machine): void {
  machine.disk.full = true
  tell(world, machine.name, 'disk full')
  after(world, world.random.between(1000, 30_000), () => {
    machine.disk.full = false
    tell(world, machine.name, 'disk has room again')
  })
}

/** The world is well again: what is down comes up, what stands still goes on. */
export function endFaults(world: World): void {
  world.faultsOn = false
  tell(world, 'world', 'all faults end')
  for (const link of world.links) {
    setCut(link, 'both', false)
    link.lossProbability = 0
    link.cloggedUntilMs[0] = link.cloggedUntilMs[1] = 0
  }
  mendOutside(world)
  for (const machine of world.machines) {
    endPause(world, machine)
    machine.childBlockedUntilMs = 0
    machine.disk.full = false
    for (const link of [...machine.failedLinks]) {
      machine.failedLinks.delete(link)
      if (machine.daemon !== undefined) answer(world, machine, machine.daemon.life, { type: 'link-changed', link, status: 'open', reason: 'the interface is up again' })
    }
    for (const truth of machine.stages) truth.startBrokenUntilMs = truth.stopBrokenUntilMs = 0
    if (!machine.running) startMachine(world, machine)
    else startDaemon(world, machine)
  }
}
