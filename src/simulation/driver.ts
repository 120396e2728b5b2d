/**
 * The daemon's loop of one simulated node, as src/daemon has it: an event comes in, `step` decides, the effects are
 * begun in list order, one timer is armed at `nextDeadlineMs`. After standing still the clock is read, waiting packets
 * are taken first, then answers, then the timer.
 */
import type { Event } from '../core/events.ts'
import { accept, emptyWindow } from '../protocol/window.ts'
import { daemonEnded, daemonStarted, packetProcessed, stepMade, stepStarts } from './checkers.ts'
import { monotonicMs, trueMsOf, wallMsOf } from './clock.ts'
import { guardWakes, type Death } from './guard.ts'
import type { Daemon, Happening, InboxPacket, Machine } from './machine.ts'
import { endOldOperations } from './operations.ts'
import { perform } from './perform.ts'
import { beginPings } from './pings.ts'
import { after, tell, type World } from './world.ts'

/** A receive buffer holds this many packets; later ones are lost. */
const socketPackets = 200

export function startDaemon(world: World, machine: Machine): void {
  if (!machine.running || machine.daemon !== undefined) return
  if (machine.paused !== undefined || machine.guard.cleaning > 0) {
    const { boot } = machine
    after(world, machine.paused === undefined ? 10 : 100, () => {
      if (machine.boot === boot) startDaemon(world, machine)
    })
    return
  }
  endOldOperations(world, machine)
  const { disk } = machine
  disk.generation += 1
  const sameBoot = disk.bootOfLastDaemon === machine.boot
  disk.bootOfLastDaemon = machine.boot
  machine.lives += 1
  machine.stayDown = false
  const init = {
    self: machine.name,
    peer: machine.peerName,
    generation: disk.generation,
    config: machine.config,
    links: world.links.map((link) => link.name),
    sameBoot,
    nowMs: monotonicMs(machine.clock, world.nowMs),
    wallMs: wallMsOf(machine.clock, world.nowMs),
    ...(disk.state === undefined ? {} : { persistent: disk.state }),
  }
  machine.daemon = {
    life: machine.lives,
    generation: disk.generation,
    startedMs: world.nowMs,
    state: world.core.createState(init),
    timerSerial: 0,
    lastMs: 0,
    deadlineMs: undefined,
    window: emptyWindow,
    waitingPackets: [],
    waitingOthers: [],
    pendingRequests: new Map(),
    seenRequests: new Set(),
    lookedMs: undefined,
  }
  tell(world, machine.name, `daemon starts, generation ${disk.generation}`)
  machine.guard.alive = true
  machine.guard.plan = { asleep: true, groups: [] }
  daemonStarted(world, machine, init)
  happen(world, machine, { type: 'tick' })
  for (const link of world.links) {
    const status = machine.failedLinks.has(link.name) ? 'failed' : 'open'
    happen(world, machine, { type: 'link-changed', link: link.name, status, reason: status === 'failed' ? 'the interface is down' : 'opened' })
  }
  beginPings(world, machine, machine.daemon)
}

/** A packet has reached the host: used at once, or kept by the socket while the loop stands still. */
export function hear(world: World, machine: Machine, arrival: InboxPacket): void {
  const { daemon } = machine
  if (daemon === undefined) return
  if (machine.paused !== undefined) {
    if (daemon.waitingPackets.length < socketPackets) daemon.waitingPackets.push(arrival)
    return
  }
  const { packet, link, sentMs } = arrival
  const { window, verdict } = accept(daemon.window, { name: machine.name, generation: daemon.generation }, machine.peerName, packet)
  daemon.window = window
  if (verdict === 'duplicate') happen(world, machine, { type: 'duplicate-received', link })
  if (verdict !== 'new') return
  packetProcessed(world, machine, packet, sentMs)
  happen(world, machine, { type: 'packet-received', link, packet })
}

/** Something else has happened to a daemon of the given life; void when that daemon is gone. */
export function answer(world: World, machine: Machine, life: number, happening: Happening): void {
  whenAwake(machine, life, () => happen(world, machine, happening))
}

/** Done by the daemon's own process: at once, or when its loop runs again. */
export function whenAwake(machine: Machine, life: number, act: () => void): void {
  const { daemon } = machine
  if (daemon === undefined || daemon.life !== life) return
  if (machine.paused !== undefined) daemon.waitingOthers.push(act)
  else act()
}

export function wakeUp(world: World, machine: Machine): void {
  const { daemon } = machine
  if (daemon === undefined) return
  const packets = daemon.waitingPackets.splice(0)
  const others = daemon.waitingOthers.splice(0)
  for (const packet of packets) hear(world, machine, packet)
  for (const act of others) whenAwake(machine, daemon.life, act)
  if (machine.daemon === daemon) armTimer(world, machine, daemon)
}

/** kill -9, out of memory, a crash: addresses and services stay, operations under way become orphans, and the guard acts. */
export function killDaemon(world: World, machine: Machine, death: Death): void {
  const { daemon } = machine
  if (daemon === undefined) return
  loseDaemon(world, machine)
  if (death === 'with-guard') for (const operation of machine.operations) if (world.random.chance(0.5)) operation.cancelled = true
  tell(world, machine.name, death === 'alone' ? 'daemon killed' : 'daemon killed together with its guard')
  guardWakes(world, machine, daemon, death)
}

export function loseDaemon(world: World, machine: Machine): void {
  if (machine.daemon === undefined) return
  daemonEnded(world, machine)
  machine.daemon = undefined
  // The stop signal was the old process's; the new one runs.
  if (machine.paused?.kind === 'stop-signal') machine.paused = undefined
}

function happen(world: World, machine: Machine, happening: Happening): void {
  const { daemon } = machine
  if (daemon === undefined) return
  const nowMs = Math.max(monotonicMs(machine.clock, world.nowMs), daemon.lastMs)
  turn(world, machine, daemon, { ...happening, nowMs, wallMs: wallMsOf(machine.clock, world.nowMs) })
}

function turn(world: World, machine: Machine, daemon: Daemon, event: Event): void {
  daemon.lastMs = event.nowMs
  world.steps += 1
  const before = daemon.state
  stepStarts(world, machine, daemon, event)
  const { state, effects } = world.core.step(before, event)
  daemon.state = state
  const deadlineBeforeMs = daemon.deadlineMs
  daemon.deadlineMs = world.core.nextDeadlineMs(state)
  stepMade(world, machine, daemon, { event, before, effects, deadlineBeforeMs })
  if (event.type === 'resources-observed') daemon.lookedMs = world.nowMs
  for (const effect of effects) {
    if (machine.daemon !== daemon) return
    perform(world, machine, daemon, effect)
  }
  if (machine.daemon === daemon) armTimer(world, machine, daemon)
}

function armTimer(world: World, machine: Machine, daemon: Daemon): void {
  const { deadlineMs } = daemon
  daemon.timerSerial += 1
  if (deadlineMs === undefined) return
  const serial = daemon.timerSerial
  const lateMs = world.options.timerLateMs === 0 ? 0 : world.random.between(0, world.options.timerLateMs)
  const dueMs = Math.max(world.nowMs, trueMsOf(machine.clock, deadlineMs) + lateMs)
  world.queue.add(dueMs, () => {
    if (machine.daemon !== daemon || daemon.timerSerial !== serial || machine.paused !== undefined) return
    const nowMs = Math.max(monotonicMs(machine.clock, world.nowMs), deadlineMs, daemon.lastMs)
    turn(world, machine, daemon, { type: 'tick', nowMs, wallMs: wallMsOf(machine.clock, world.nowMs) })
  })
}
