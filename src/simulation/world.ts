/**
 * Two machines, their links, a queue of what is to come and one source of chance. `runUntil` takes the earliest item,
 * sets the clock and does it; everything else (driver.ts, network.ts, operations.ts, faults.ts) only adds items.
 */
import type { Event } from '../core/events.ts'
import type { NodeInit, NodeState } from '../core/state.ts'
import type { Effect } from '../core/effects.ts'
import type { EventRecord } from '../core/records.ts'
import type { StatusReport } from '../core/report.ts'
import { stagesOf } from '../core/stage.ts'
import type { Packet } from '../core/packet.ts'
import { bootClock } from './clock.ts'
import { createTruth, guestStandsStill, type Machine } from './machine.ts'
import { createQueue, type Queue } from './queue.ts'
import { createRandom, type Random } from './random.ts'
import { nodeNames, type SimulationOptions } from './options.ts'
import { createEtcd, type Etcd } from './etcd.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { WitnessWay } from './witness.ts'

/** The core under test; a parameter, so that a run can be made with a core that is broken on purpose. */
export interface DecisionCore {
  createState(init: NodeInit): NodeState
  step(state: NodeState, event: Event): { readonly state: NodeState; readonly effects: readonly Effect[] }
  nextDeadlineMs(state: NodeState): number | undefined
  statusReport(state: NodeState, nowMs: number): StatusReport
}

/** One path between the nodes. `cut[0]`: what the first node sends is lost. Clogged: held back until then, then all at once. */
export interface Link {
  readonly name: string
  readonly cut: [boolean, boolean]
  readonly cloggedUntilMs: [number, number]
  lossProbability: number
}

/** `record`: as a node wrote it; absent for facts of the world. */
export interface StoryLine {
  readonly trueMs: number
  readonly who: string
  readonly text: string
  readonly code: string
  readonly record?: EventRecord
}

export interface World {
  readonly core: DecisionCore
  readonly options: SimulationOptions
  readonly random: Random
  readonly queue: Queue<() => void>
  readonly machines: readonly [Machine, Machine]
  readonly links: readonly Link[]
  readonly ledger: Ledger
  readonly witness: { readonly etcd: Etcd; readonly ways: readonly [WitnessWay, WitnessWay]; down: boolean }
  /** The fencing device does nothing and says so. */
  fencingBroken: boolean
  /** Packets seen on the wire long ago, for replays: a bounded sample per sender. */
  readonly recorded: [Packet[], Packet[]]
  /** Whom a client's neighbour table names for each address: the machine that announced it last. */
  readonly clientSees: Map<string, string>
  /** What a packet becomes on its way: itself, or what the wire format makes of it. */
  readonly carry: (packet: Packet) => Packet
  readonly tell: ((line: StoryLine) => void) | undefined
  nowMs: number
  faultsOn: boolean
  steps: number
  nextRequestId: number
}

export function createWorld(
  core: DecisionCore,
  options: SimulationOptions,
  tell?: (line: StoryLine) => void,
  carry: (packet: Packet) => Packet = (packet) => packet,
): World {
  const machines = [createMachine(options, 0), createMachine(options, 1)] as const
  return {
    core,
    options,
    random: createRandom(options.seed ^ 0x2545f491),
    queue: createQueue(),
    machines: [machines[0], machines[1]],
    links: options.links.map((name) => ({ name, cut: [false, false], cloggedUntilMs: [0, 0], lossProbability: options.network.lossProbability })),
    ledger: createLedger(),
    witness: { etcd: createEtcd(options.witness.clockRate), ways: [newWay(), newWay()], down: false },
    fencingBroken: false,
    recorded: [[], []],
    clientSees: new Map(),
    carry,
    tell,
    nowMs: 0,
    faultsOn: false,
    steps: 0,
    nextRequestId: 1,
  }
}

function newWay(): WitnessWay {
  return { cut: { there: false, back: false }, healed: [], slowMs: 0 }
}

function createMachine(options: SimulationOptions, index: 0 | 1): Machine {
  return {
    name: options.config.nodes[index] ?? nodeNames[index],
    peerName: options.config.nodes[index === 0 ? 1 : 0] ?? nodeNames[index === 0 ? 1 : 0],
    index,
    stages: options.config.groups.flatMap((group) => stagesOf(group).map((stage, at) => createTruth(group.name, at, stage))),
    operations: new Set(),
    disk: { generation: 0, state: undefined, full: false, lastFullMs: -Infinity, bootOfLastDaemon: -1 },
    failedLinks: new Set(),
    config: options.config,
    running: false,
    boot: 0,
    clock: bootClock(0, options.clockRates[index]),
    daemon: undefined,
    lives: 0,
    guard: { alive: false, plan: { asleep: true, groups: [] }, cleaning: 0 },
    childBlockedUntilMs: 0,
    waitingGuest: [],
    pings: new Map(options.config.ping?.names.map((ping) => [ping, true])),
    paused: undefined,
    starving: undefined, stayDown: true,
  }
}

export function peerOf(world: World, machine: Machine): Machine {
  return world.machines[machine.index === 0 ? 1 : 0]
}

export function after(world: World, durationMs: number, act: () => void): void {
  world.queue.add(world.nowMs + durationMs, act)
}

/** After some time, on this machine, if it has not lost power until then; a paused guest does it when it goes on. */
export function whileUp(world: World, machine: Machine, durationMs: number, act: () => void): void {
  const { boot } = machine
  const look = (): void => {
    if (!machine.running || machine.boot !== boot) return
    if (guestStandsStill(machine)) machine.waitingGuest.push(look)
    else act()
  }
  after(world, durationMs, look)
}

/** A duration between two limits: drawn, or their middle where chance is to be kept out. */
export function someMs(world: World, fromMs: number, toMs: number): number {
  return world.options.exact ? (fromMs + toMs) / 2 : world.random.between(fromMs, toMs)
}

export function runUntil(world: World, untilMs: number): void {
  for (;;) {
    const nextMs = world.queue.nextMs()
    if (nextMs === undefined || nextMs > untilMs || world.ledger.violations.length > 0) break
    const next = world.queue.take()
    if (next === undefined) break
    world.nowMs = next.timeMs
    next.item()
  }
  if (world.ledger.violations.length === 0) world.nowMs = untilMs
}

/** A fact of the world, for the story. */
export function tell(world: World, who: string, text: string): void {
  world.tell?.({ trueMs: world.nowMs, who, text, code: 'world' })
}
