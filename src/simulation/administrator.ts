/** An administrator who types anything at any time, and each time gets exactly one answer (S7). */
import type { AdminCommand } from '../core/admin.ts'
import type { AutoFailback, CoreConfig } from '../core/config.ts'
import { answer } from './driver.ts'
import { isUp, stagesOfGroup, type Machine } from './machine.ts'
import { setTruth } from './operations.ts'
import { violate } from './violations.ts'
import { startDaemon } from './driver.ts'
import { after, peerOf, tell, type World } from './world.ts'

const timeoutMs = 60_000
/** A command without a timeout of its own (pause, resume, reload) is answered at once, or when the disk has. */
const plainReplyMs = 15_000

export function request(world: World, machine: Machine, command: AdminCommand): number | undefined {
  if (machine.daemon === undefined) return undefined
  const requestId = expectReply(world, machine, 'timeoutMs' in command ? command.timeoutMs : plainReplyMs)
  tell(world, machine.name, `request ${requestId}: ${JSON.stringify(command)}`)
  if (command.type === 'cleanup') {
    world.ledger.cleanups.set(command.group, world.nowMs)
    haveChecked(world, command.group)
  }
  answer(world, machine, machine.daemon.life, { type: 'admin-requested', requestId, command })
  return requestId
}

function expectReply(world: World, machine: Machine, limitMs: number): number {
  const requestId = world.nextRequestId
  world.nextRequestId += 1
  world.ledger.requests += 1
  const { daemon } = machine
  const askedMs = world.nowMs
  daemon?.pendingRequests.set(requestId, limitMs)
  const look = (): void => {
    if (daemon === undefined || machine.daemon !== daemon || !daemon.pendingRequests.has(requestId)) return
    const node = world.ledger.nodes[machine.index]
    const countedFromMs = machine.paused === undefined ? Math.max(askedMs, node.lastWakeMs) : world.nowMs
    const dueMs = countedFromMs + limitMs * 1.02 + 2000
    if (world.nowMs < dueMs) world.queue.add(dueMs, look)
    else violate(world, 'S7', `${machine.name} has not replied to request ${requestId} for ${Math.round(world.nowMs - askedMs)} ms`)
  }
  after(world, limitMs * 1.02 + 2000, look)
  return requestId
}

/** `--i-have-checked`: where a stop failed, the administrator has ended by hand what was left. */
function haveChecked(world: World, group: string): void {
  for (const machine of world.machines) {
    const unclean = world.ledger.nodes[machine.index].unclean.get(group)
    if (unclean === undefined) continue
    for (const truth of machine.stages) {
      if (truth.group === group && unclean.stages.has(truth.index)) setTruth(world, machine, truth, false)
    }
    world.ledger.nodes[machine.index].unclean.delete(group)
    tell(world, machine.name, `an administrator has ended by hand what was left of ${group}`)
  }
}

export function randomCommand(world: World, machine: Machine): void {
  const { random } = world
  if (random.chance(0.1)) return shutDown(world, machine, random.between(1000, 60_000))
  const command = drawCommand(world)
  if (command.type !== 'cleanup' || mayVouch(world, machine, command.group)) request(world, machine, command)
}

/** Who vouches for a peer has looked: nothing of the group runs there, but for what he ends by hand. */
function mayVouch(world: World, machine: Machine, group: string): boolean {
  const peer = peerOf(world, machine)
  if (world.ledger.nodes[peer.index].unclean.has(group)) return true
  return stagesOfGroup(peer, group).every((truth) => truth.warm || !isUp(truth)) && ![...peer.operations].some((operation) => operation.truth.group === group)
}

function drawCommand(world: World): AdminCommand {
  const { random } = world
  const scope = random.pick(['all', 'all', 'local', 'foreign'] as const)
  const group = world.options.config.groups[random.whole(0, world.options.config.groups.length - 1)]?.name ?? ''
  return random.pick<AdminCommand>([
    { type: 'standby', scope, once: false, timeoutMs },
    { type: 'standby', scope, once: true, timeoutMs },
    { type: 'online', timeoutMs },
    { type: 'online', timeoutMs },
    { type: 'takeover', target: scope, force: random.chance(0.3), timeoutMs },
    { type: 'takeover', target: { group }, force: random.chance(0.3), timeoutMs },
    { type: 'pause' },
    { type: 'resume' },
    { type: 'resume' },
    { type: 'cleanup', group, timeoutMs },
  ])
}

/** SIGTERM; started again after `downMs`. L3: it ends within the sum of the stop timeouts, an operation under way and the handover. */
export function shutDown(world: World, machine: Machine, downMs: number): void {
  const { daemon } = machine
  if (daemon === undefined) return
  tell(world, machine.name, 'SIGTERM')
  answer(world, machine, daemon.life, { type: 'shutdown-requested' })
  const askedMs = world.nowMs
  const limitMs = shutdownLimitMs(machine.config)
  const look = (): void => {
    if (machine.daemon !== daemon) return
    const countedFromMs = machine.paused === undefined ? Math.max(askedMs, world.ledger.nodes[machine.index].lastWakeMs) : world.nowMs
    if (world.nowMs < countedFromMs + limitMs) world.queue.add(countedFromMs + limitMs, look)
    else violate(world, 'L3', `${machine.name} is still there ${Math.round(world.nowMs - askedMs)} ms after SIGTERM (limit ${limitMs} ms)`)
  }
  after(world, limitMs, look)
  const startAgain = (): void => {
    if (machine.daemon === daemon) after(world, downMs, startAgain)
    else if (machine.running && machine.daemon === undefined) startDaemon(world, machine)
  }
  if (downMs < Infinity) after(world, downMs, startAgain)
}

export function shutdownLimitMs(config: CoreConfig): number {
  const stops = config.groups.flatMap((group) => group.resources).reduce((sum, resource) => sum + resource.stopTimeoutMs, 0)
  const longest = Math.max(...config.groups.flatMap((group) => group.resources).map((resource) => resource.startTimeoutMs))
  return (stops + longest) * 1.02 + config.timing.deadtimeMs * 2 + 5000
}

/** The configuration of one node changes, of the other not, or later. */
export function reloadDifferently(world: World, machine: Machine): void {
  const { random } = world
  const { options } = world
  const { timing } = options.config
  const longer = timing.deadtimeMs * random.pick([1, 1, 2])
  machine.config = {
    ...options.config,
    autoFailback: random.pick<AutoFailback>(['on', 'off', { afterMs: 10_000 }]),
    timing: { ...timing, deadtimeMs: longer, initdeadMs: Math.max(timing.initdeadMs, longer) },
    digests: { ...options.config.digests, timing: `${longer}` },
  }
  reload(world, machine)
  if (random.chance(0.5)) {
    const peer = peerOf(world, machine)
    peer.config = machine.config
    after(world, random.between(0, 20_000), () => reload(world, peer))
  }
}

export function reload(world: World, machine: Machine): void {
  const { daemon } = machine
  if (daemon === undefined) return
  const requestId = expectReply(world, machine, plainReplyMs)
  tell(world, machine.name, `reload: deadtime ${machine.config.timing.deadtimeMs} ms, auto_failback ${JSON.stringify(machine.config.autoFailback)}`)
  answer(world, machine, daemon.life, { type: 'config-reloaded', requestId, config: machine.config })
}
