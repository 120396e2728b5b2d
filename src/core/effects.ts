/**
 * What the daemon is to do. Imperatives, performed in list order: a later effect may rely on an earlier one having been
 * begun (an address is gone from the kernel before the packet that says so leaves). There is no set-timer effect: the
 * loop arms one timer at `nextDeadlineMs(state)`.
 */
import type { GroupName, NodeName } from './config.ts'
import type { AdminReply, Progress } from './admin.ts'
import type { Action } from './events.ts'
import type { GuardPlan } from './guard-plan.ts'
import type { Packet, PauseState, Scope } from './packet.ts'
import type { EventRecord } from './records.ts'
import type { Stage } from './stage.ts'
import type { Millis, WallMillis } from './time.ts'

export interface PersistentGroup {
  readonly name: GroupName
  /** No number above this one has been used: numbers are reserved in blocks, so that a takeover waits for no disk. */
  readonly claimLimit: number
  readonly unclean: boolean
  readonly pinned: boolean
}

/** Written as a whole, atomically. The generation and the kernel's boot id are kept beside it by the runtime. */
export interface PersistentState {
  readonly standby?: Scope
  readonly pause: PauseState
  readonly groups: readonly PersistentGroup[]
  /** The highest generation of the peer that was heard: a packet of an older one is a replay, also for the next daemon. */
  readonly peerGeneration?: number
  /** The peer's addresses may stay until then without a word of it (`hactl pause`): see core/raised.ts. */
  readonly peerRaisedUntilWallMs?: WallMillis
}

/**
 * The kernel removes the address after `validSeconds` unless it is renewed. After `notAfterMs` (monotonic) it may not be
 * added or renewed any more: compared just before the kernel is asked and just after its answer (F11).
 */
export interface Lease { readonly validSeconds: number; readonly notAfterMs: Millis }

export type WitnessAsk =
  /** `number`: the highest claim number seen here. `overwrite`: the key of this generation of the peer, which was fenced, is no obstacle. */
  | { readonly type: 'acquire'; readonly number: number; readonly overwrite?: { readonly generation: number } }
  | { readonly type: 'renew'; readonly leaseId: string }
  | { readonly type: 'give-back'; readonly leaseId: string }
  /** Is it there? Changes nothing. */
  | { readonly type: 'look' }

export type Effect =
  /** On every open link, byte for byte the same. */
  | { readonly type: 'send-packet'; readonly packet: Packet }
  /** Exactly one `operation-finished` answers, within `timeoutMs` plus the time a KILL takes. */
  | {
      readonly type: 'run-operation'
      readonly operationId: number
      readonly group: GroupName
      readonly stage: number
      readonly what: Stage
      readonly action: Action
      readonly timeoutMs: Millis
      /** Start of addresses; absent: for ever. */
      readonly lease?: Lease
    }
  | { readonly type: 'cancel-operation'; readonly operationId: number }
  /** At once, beside any running operation; answered by nothing: the stage's `stop` looks again. */
  | { readonly type: 'drop-addresses'; readonly group: GroupName; readonly stage: number; readonly what: Stage }
  | { readonly type: 'restore-addresses'; readonly group: GroupName; readonly stage: number; readonly ips: readonly string[]; readonly what: Stage; readonly lease?: Lease }
  /** New lifetimes for addresses that are there; answered by `addresses-renewed` with the same serial. Never adds one. */
  | { readonly type: 'renew-addresses'; readonly group: GroupName; readonly stage: number; readonly serial: number; readonly what: Stage; readonly lease: Lease }
  /** What the guard does should this daemon die; stands before the effects of the turn that make it necessary. */
  | { readonly type: 'plan-guard'; readonly plan: GuardPlan }
  /** Answered by `witness-answered`, within the witness timeout, or 0.9 s later where many groups ask at once. Without a group: a look. */
  | { readonly type: 'ask-witness'; readonly requestId: number; readonly group?: GroupName; readonly ask: WitnessAsk }
  /** Answered by `fence-finished`, within `timeoutMs` plus the time a KILL takes. */
  | { readonly type: 'run-fence'; readonly fenceId: number; readonly node: NodeName; readonly level: number; readonly timeoutMs: Millis }
  /** The watchdog is fed no more: this host goes down after its least time. */
  | { readonly type: 'reset-host' }
  /** It is fed again, as before. */
  | { readonly type: 'spare-host' }
  /** Gratuitous ARP (request and reply) or unsolicited NA, once, for all addresses of the stage. */
  | { readonly type: 'announce'; readonly group: GroupName; readonly stage: number; readonly what: Stage }
  /** Answered by `resources-observed`: addresses on the interfaces, `status` of every script. */
  | { readonly type: 'observe-resources' }
  /** Answered by `persist-finished`. */
  | { readonly type: 'persist'; readonly persistId: number; readonly state: PersistentState }
  | { readonly type: 'report-progress'; readonly requestId: number; readonly progress: Progress }
  /** Exactly one for each admin request. */
  | { readonly type: 'reply-admin'; readonly requestId: number; readonly reply: AdminReply }
  | { readonly type: 'record'; readonly record: EventRecord }
  /** Tell systemd: READY=1 after the look at start-up, STOPPING=1 at the end. */
  | { readonly type: 'notify-service'; readonly state: 'ready' | 'reloading' | 'stopping' }
  | { readonly type: 'exit'; readonly exitCode: number }

