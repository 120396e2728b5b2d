/** What an administrator asks of a daemon, and what is answered. Queries (status, why, events) are read by the daemon from state and history. */
import type { GroupName } from './config.ts'
import type { Scope } from './packet.ts'
import type { Millis } from './time.ts'

export type AdminCommand =
  /** Lasting (until `online`), or `once`: give the groups away now and nothing more. */
  | { readonly type: 'standby'; readonly scope: Scope; readonly once: boolean; readonly timeoutMs: Millis }
  | { readonly type: 'online'; readonly timeoutMs: Millis }
  /** `force` takes groups that this node's standby covers, or that failed here. */
  | { readonly type: 'takeover'; readonly target: Scope | { readonly group: GroupName }; readonly force: boolean; readonly timeoutMs: Millis }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Ends the hold of the flap guard on a group, on both nodes. */
  | { readonly type: 'clear'; readonly group: GroupName; readonly timeoutMs: Millis }
  | { readonly type: 'cleanup'; readonly group: GroupName; readonly timeoutMs: Millis }

/** One line of a long operation as it happens. */
export interface Progress { readonly group?: GroupName; readonly message: string }

/**
 * `done`: exit code 0, `refused`: 1 (nothing was changed, `message` says what to do next), `failed`: 1 (it was tried; the group came back or
 * the message says where it is), `timed-out`: 4. `lines` are for people; `moves` has the figures.
 */
export interface AdminReply {
  readonly result: 'done' | 'refused' | 'failed' | 'timed-out'
  readonly message: string
  readonly moves: readonly AdminMove[]
}

/** What clients noticed of one group's move: nobody held it for at most this long. */
export interface AdminMove { readonly group: GroupName; readonly holder?: string; readonly unheldMs?: Millis }
