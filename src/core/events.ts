/** What happens to a daemon. Past participles; every event says when (monotonic) and what the wall clock showed. */
import type { CoreConfig, GroupName, LinkName } from './config.ts'
import type { AdminCommand } from './admin.ts'
import type { Packet } from './packet.ts'
import type { Millis, WallMillis } from './time.ts'

export type Action = 'start' | 'stop' | 'status'

/** How an operation ended. `not-running` is an answer of `status` (LSB 3), not a failure to answer. */
export type Outcome =
  | { readonly result: 'ok' }
  | { readonly result: 'not-running' }
  /** `status` was asked, and its answer does not tell whether anything runs: the script has no status of its own. */
  | { readonly result: 'unknown'; readonly message: string }
  /** The script said no; `exitCode` is absent where there is none (an address, a systemd unit, a program that cannot be run). */
  | { readonly result: 'failed'; readonly exitCode?: number; readonly message: string }
  /** The script is missing or cannot be executed: nothing was run. */
  | { readonly result: 'not-runnable'; readonly message: string }
  /** The whole process group got TERM, then KILL. */
  | { readonly result: 'timed-out'; readonly message: string }
  /** `cancel-operation` ended it. */
  | { readonly result: 'cancelled' }

/** What the look at start-up found of one stage. `unclear`: its status could not be judged; it is treated as running. */
export interface Observation {
  readonly group: GroupName
  /** Index into `stagesOf(group)`. */
  readonly stage: number
  readonly found: 'running' | 'stopped' | 'unclear'
  readonly message?: string
}

/** What the witness said. `sentMs`: when the request for the lease that was answered left; its life counts from then. */
export type WitnessAnswer =
  | { readonly result: 'granted'; readonly leaseId: string; readonly sentMs: Millis; readonly lifeMs: Millis; readonly number: number }
  /** The key is under another lease: of the peer, of this node's last daemon, or of an earlier request. */
  | { readonly result: 'refused'; readonly holder: string; readonly number: number }
  | { readonly result: 'renewed'; readonly sentMs: Millis; readonly lifeMs: Millis }
  /** The lease is no more. */
  | { readonly result: 'lost' }
  | { readonly result: 'given-back' }
  /** To a look: it is there and has a majority. */
  | { readonly result: 'seen' }
  | { readonly result: 'unreachable'; readonly message: string }

/** `bootMs`: a clock that runs on while the host is suspended; only ticks of the real loop have it. */
export type Event = { readonly nowMs: Millis; readonly wallMs: WallMillis; readonly bootMs?: Millis } & (
  /** A deadline was reached, nothing else. */
  | { readonly type: 'tick' }
  /** Whole, authenticated, from the peer, and newer than every earlier one. */
  | { readonly type: 'packet-received'; readonly link: LinkName; readonly packet: Packet }
  /** A packet that another link brought already: it only shows that this link works. */
  | { readonly type: 'duplicate-received'; readonly link: LinkName }
  /** The link's socket failed, or was opened again. */
  | { readonly type: 'link-changed'; readonly link: LinkName; readonly status: 'open' | 'failed'; readonly reason: string }
  | { readonly type: 'operation-finished'; readonly operationId: number; readonly outcome: Outcome }
  /** Addresses of a stage that should be there were found missing (someone else removed them). */
  | { readonly type: 'addresses-stripped'; readonly group: GroupName; readonly stage: number; readonly ips: readonly string[] }
  /** Answers `renew-addresses`. `gone`: some were missing, which are named, and were not added. `too-late`: after `notAfterMs`; the addresses were removed. */
  | {
      readonly type: 'addresses-renewed'
      readonly group: GroupName
      readonly stage: number
      readonly serial: number
      readonly result: 'renewed' | 'gone' | 'too-late' | 'failed'
      readonly ips?: readonly string[]
      readonly message?: string
    }
  | { readonly type: 'witness-answered'; readonly requestId: number; readonly answer: WitnessAnswer }
  | { readonly type: 'ping-changed'; readonly name: string; readonly reachable: boolean }
  | { readonly type: 'fence-finished'; readonly fenceId: number; readonly result: 'confirmed' | 'failed' | 'timed-out'; readonly message: string }
  /** Another host answers for a floating address that this node has. */
  | { readonly type: 'address-contested'; readonly ip: string; readonly hardwareAddress: string; readonly interface: string }
  /** An interface came (back) up: what the neighbours know of our addresses may be stale. */
  | { readonly type: 'interface-up'; readonly interface: string }
  | { readonly type: 'resources-observed'; readonly observations: readonly Observation[] }
  | { readonly type: 'persist-finished'; readonly persistId: number; readonly error?: string }
  | { readonly type: 'admin-requested'; readonly requestId: number; readonly command: AdminCommand }
  /** `keyNames`: of the keys that are accepted from now on, the signing one first; absent: as before. */
  | { readonly type: 'config-reloaded'; readonly requestId?: number; readonly config: CoreConfig; readonly keyNames?: readonly string[] }
  /** The cron expression of a group's `auto_failback: {at: ...}` came round. */
  | { readonly type: 'schedule-due'; readonly group: GroupName }
  | { readonly type: 'shutdown-requested' }
)
