/**
 * One host of the simulated pair: what its kernel and its services really have, its disk, its clocks, its daemon. This
 * is the world's truth; what the daemon believes stands in its NodeState. Mutable, unlike the core: the world is one
 * thing that changes, and only the functions of this folder change it.
 */
import type { CoreConfig, GroupName, Timing } from '../core/config.ts'
import type { Lease, PersistentState } from '../core/effects.ts'
import type { Action, Event, Outcome } from '../core/events.ts'
import type { GuardPlan } from '../core/guard-plan.ts'
import type { Packet } from '../core/packet.ts'
import type { NodeState } from '../core/state.ts'
import { isWarm, type Stage } from '../core/stage.ts'
import type { Window } from '../protocol/window.ts'
import type { Clock } from './clock.ts'

/** An event before the clocks are read. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'nowMs' | 'wallMs'> : never) : never

/** What is really there of one stage of one group. */
export interface StageTruth {
  readonly group: GroupName
  readonly index: number
  readonly what: Stage
  readonly warm: boolean
  /** Addresses configured in the kernel (stage of addresses). */
  readonly configured: Set<string>
  /** When the kernel removes each, by its own clock; one that is not here stays for ever (kernel.ts). */
  readonly expiries: Map<string, number>
  /** When the kernel was last asked to add or renew some, by its own clock: lifetimes stand still while the guest does. */
  askedMs: number
  /** The instant of the kernel's clock at which it looks for expired ones next. */
  expiryLookMs: number | undefined
  /** The service runs (stage of a script). */
  running: boolean
  /** Until then every start, or every stop, fails here. */
  startBrokenUntilMs: number
  stopBrokenUntilMs: number
  /** The next start or stop ends so: used by scenarios. */
  readonly forced: { action: Action; outcome: Outcome }[]
  /** Changed by each stop and drop: a restore of addresses asked for earlier does not undo them. */
  version: number
  /** Counts `drop-addresses`: what was asked for before it adds nothing any more. */
  dropSerial: number
  /** Died or was stripped by a fault since its last start or stop. */
  hurt: boolean
  /** Its newest status was bad: it may be stopped and started again in its place (design.md section 7). */
  doubtful: boolean
}

export interface Operation {
  readonly id: number
  readonly truth: StageTruth
  readonly action: Action
  readonly issuedMs: number
  readonly timeoutMs: number
  readonly lease?: Lease
  /** The kernel was asked: what comes later changes no address. */
  called: boolean
  /** drop-addresses came while it ran: the adds of this start are followed by removals. */
  dropped: boolean
  cancelled: boolean
  ended: boolean
}

export interface InboxPacket { readonly link: string; readonly packet: Packet; readonly sentMs: number }

/** One daemon from start to end. */
export interface Daemon {
  readonly life: number
  readonly generation: number
  readonly startedMs: number
  state: NodeState
  /** The newest timer; older ones are void. */
  timerSerial: number
  /** `nextDeadlineMs` of its state. */
  deadlineMs: number | undefined
  /** A timer's reading may be a rounding error above the clock's; a monotonic clock never shows less than it did. */
  lastMs: number
  /** What of the peer's packets was used: the real refusal of doubles, old and replayed ones. */
  window: Window
  /** While the loop does not run (stop signal, paused guest). */
  readonly waitingPackets: InboxPacket[]
  readonly waitingOthers: (() => void)[]
  /** Admin requests without a reply: deadline in true time. */
  readonly pendingRequests: Map<number, number>
  /** Those that have reached the daemon: one that waits at its socket when it exits is cut off, not unanswered. */
  readonly seenRequests: Set<number>
  /** The look at start-up was answered. */
  lookedMs: number | undefined
}

export interface Machine {
  readonly name: string
  readonly peerName: string
  readonly index: 0 | 1
  readonly stages: readonly StageTruth[]
  readonly operations: Set<Operation>
  readonly disk: { generation: number; state: PersistentState | undefined; full: boolean; lastFullMs: number; bootOfLastDaemon: number }
  /** Sockets that failed, by link. */
  readonly failedLinks: Set<string>
  /** What its configuration files say now; a daemon reads them at start and reload. */
  config: CoreConfig
  running: boolean
  boot: number
  clock: Clock
  daemon: Daemon | undefined
  lives: number
  readonly guard: Guard
  /** Until then the child that asks the kernel is not run. */
  childBlockedUntilMs: number
  /** Wait for a guest that stands still to go on: its kernel's timers, its guard. */
  readonly waitingGuest: (() => void)[]
  /** Whether each ping node answers this machine. */
  readonly pings: Map<string, boolean>
  /** Since when, how; its children go on after a stop signal, not in a paused guest. */
  paused: { readonly sinceMs: number; readonly kind: PauseKind } | undefined
  /** Its watchdog is fed no more; each time another object. */
  starving: object | undefined
  /** An administrator or systemd ended it on purpose: it stays down until started. */
  stayDown: boolean
}

/** The process that acts when the daemon has died (guard.ts), and `hactl release --all` after it. */
export interface Guard {
  alive: boolean
  plan: GuardPlan
  /** How many processes are cleaning up after a dead daemon; the next daemon waits for them. */
  cleaning: number
}

/** `guest-pause`: the monotonic clock stands still, the wall clock is set on waking. `guest-freeze`: both stand still unnoticed. */
export type PauseKind = 'stop-signal' | 'guest-pause' | 'guest-freeze'

export function isUp(truth: StageTruth): boolean {
  return truth.what.kind === 'addresses' ? truth.configured.size > 0 : truth.running
}

export function isWhole(truth: StageTruth): boolean {
  return truth.what.kind === 'addresses' ? truth.configured.size === truth.what.addresses.length : truth.running
}

/** The timing that its daemon goes by: the files may say another by now. */
export function timingOf(machine: Machine): Timing {
  return (machine.daemon?.state.config ?? machine.config).timing
}

export function truthOf(machine: Machine, group: GroupName, stage: number): StageTruth | undefined {
  return machine.stages.find((truth) => truth.group === group && truth.index === stage)
}

export function stagesOfGroup(machine: Machine, group: GroupName): readonly StageTruth[] {
  return machine.stages.filter((truth) => truth.group === group)
}

export function createTruth(group: GroupName, index: number, what: Stage): StageTruth {
  return {
    group, index, what, warm: isWarm(what), configured: new Set(), expiries: new Map(), askedMs: -Infinity, expiryLookMs: undefined, running: false,
    startBrokenUntilMs: 0, stopBrokenUntilMs: 0, forced: [], version: 0, dropSerial: 0, hurt: false, doubtful: false,
  }
}

/** The power went: nothing of it is there any more. */
export function clearTruth(machine: Machine): void {
  for (const truth of machine.stages) {
    truth.configured.clear()
    truth.expiries.clear()
    truth.expiryLookMs = undefined
    truth.running = false
    truth.version += 1
  }
  for (const operation of machine.operations) operation.ended = true
  machine.operations.clear()
  machine.waitingGuest.length = 0
  machine.guard.alive = false
  machine.guard.cleaning = 0
}

/** The whole guest stands still, its kernel too; a stopped daemon is only one process. */
export function guestStandsStill(machine: Machine): boolean {
  return machine.paused !== undefined && machine.paused.kind !== 'stop-signal'
}
