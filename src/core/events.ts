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

export type Event = { readonly nowMs: Millis; readonly wallMs: WallMillis } & (
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
  /** An interface came (back) up: what the neighbours know of our addresses may be stale. */
  | { readonly type: 'interface-up'; readonly interface: string }
  | { readonly type: 'resources-observed'; readonly observations: readonly Observation[] }
  | { readonly type: 'persist-finished'; readonly persistId: number; readonly error?: string }
  | { readonly type: 'admin-requested'; readonly requestId: number; readonly command: AdminCommand }
  | { readonly type: 'config-reloaded'; readonly requestId?: number; readonly config: CoreConfig }
  /** The cron expression of a group's `auto_failback: {at: ...}` came round. */
  | { readonly type: 'schedule-due'; readonly group: GroupName }
  | { readonly type: 'shutdown-requested' }
)
