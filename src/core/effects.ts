/**
 * What the daemon is to do. Imperatives, performed in list order: a later effect may rely on an earlier one having been
 * begun (an address is gone from the kernel before the packet that says so leaves). There is no set-timer effect: the
 * loop arms one timer at `nextDeadlineMs(state)`.
 */
import type { GroupName } from './config.ts'
import type { AdminReply, Progress } from './admin.ts'
import type { Action } from './events.ts'
import type { Packet, PauseState, Scope } from './packet.ts'
import type { EventRecord } from './records.ts'
import type { Stage } from './stage.ts'
import type { Millis } from './time.ts'

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
}

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
    }
  | { readonly type: 'cancel-operation'; readonly operationId: number }
  /** At once, beside any running operation; answered by nothing: the stage's `stop` looks again. */
  | { readonly type: 'drop-addresses'; readonly group: GroupName; readonly stage: number; readonly what: Stage }
  | { readonly type: 'restore-addresses'; readonly group: GroupName; readonly stage: number; readonly ips: readonly string[]; readonly what: Stage }
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

