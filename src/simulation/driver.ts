/**
 * The daemon's loop of one simulated node, as src/daemon has it: an event comes in, `step` decides, the effects are
 * begun in list order, one timer is armed at `nextDeadlineMs`. After standing still the clock is read, waiting packets
 * are taken first, then answers, then the timer.
 */
import type { Effect } from '../core/effects.ts'
import type { Event } from '../core/events.ts'
import { accept, emptyWindow } from '../protocol/window.ts'
import { daemonEnded, daemonExits, daemonStarted, packetProcessed, recordWritten, replied, stepMade, stepStarts } from './checkers.ts'
import { monotonicMs, trueMsOf, wallMsOf } from './clock.ts'
import type { Daemon, Happening, InboxPacket, Machine } from './machine.ts'
import { transmit } from './network.ts'
import { announce, beginOperation, cancelOperation, dropAddresses, endOldOperations, observe, restoreAddresses } from './operations.ts'
import { after, someMs, tell, type World } from './world.ts'

/** A receive buffer holds this many packets; later ones are lost. */
const socketPackets = 200

export function startDaemon(world: World, machine: Machine): void {
  if (!machine.running || machine.daemon !== undefined) return
  if (machine.paused !== undefined) {
    const { boot } = machine
    after(world, 100, () => {
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
  daemonStarted(world, machine, init)
  happen(world, machine, { type: 'tick' })
  for (const link of world.links) {
    const status = machine.failedLinks.has(link.name) ? 'failed' : 'open'
    happen(world, machine, { type: 'link-changed', link: link.name, status, reason: status === 'failed' ? 'the interface is down' : 'opened' })
  }
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
  const { daemon } = machine
  if (daemon === undefined || daemon.life !== life) return
  if (machine.paused !== undefined) daemon.waitingOthers.push(happening)
  else happen(world, machine, happening)
}

export function wakeUp(world: World, machine: Machine): void {
  const { daemon } = machine
  if (daemon === undefined) return
  const packets = daemon.waitingPackets.splice(0)
  const others = daemon.waitingOthers.splice(0)
  for (const packet of packets) hear(world, machine, packet)
  for (const happening of others) answer(world, machine, daemon.life, happening)
  if (machine.daemon === daemon) armTimer(world, machine, daemon)
}

/** kill -9, out of memory, a crash: addresses and services stay, operations under way become orphans. */
export function killDaemon(world: World, machine: Machine): void {
  if (machine.daemon === undefined) return
  daemonEnded(world, machine)
  machine.daemon = undefined
  // The stop signal was the old process's; the new one runs.
  if (machine.paused?.kind === 'stop-signal') machine.paused = undefined
  for (const operation of machine.operations) if (world.random.chance(0.5)) operation.cancelled = true
  tell(world, machine.name, 'daemon killed')
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

function perform(world: World, machine: Machine, daemon: Daemon, effect: Effect): void {
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
      return restoreAddresses(world, machine, effect.group, effect.stage, effect.ips)
    case 'renew-addresses':
    case 'plan-guard':
    case 'ask-witness':
    case 'run-fence':
    case 'reset-host':
      return
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
      daemonExits(world, machine, daemon)
      daemonEnded(world, machine)
      machine.daemon = undefined
      machine.stayDown = true
      return tell(world, machine.name, `daemon exits ${effect.exitCode}`)
  }
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
