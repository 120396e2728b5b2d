/**
 * Everything a node knows and believes. Plain data, never changed in place; what the future may bring stands here as
 * instants (`...Ms`), and `nextDeadlineMs` (deadlines.ts) finds the earliest of them.
 */
import type { AdminCommand, AdminMove } from './admin.ts'
import type { CoreConfig, GroupName, LinkName, NodeName } from './config.ts'
import type { Contact } from './contact-state.ts'
import type { PersistentState } from './effects.ts'
import type { GroupState, WitnessRequest } from './group-state.ts'
import type { PauseState, PeerRequest, Scope } from './packet.ts'
import type { MoveReport } from './report.ts'
import type { Millis, WallMillis } from './time.ts'

export type * from './contact-state.ts'
export type * from './group-state.ts'

/** `looking`: resources not observed yet. `joining`: looked, no word of the peer and initdead not over. */
export type Phase = 'looking' | 'joining' | 'running' | 'leaving' | 'left'

export interface LinkState {
  readonly name: LinkName
  readonly status: 'unknown' | 'up' | 'down' | 'failed'
  readonly lastHeardMs?: Millis
  readonly reason?: string
}

/** Is the witness there at all? Asked now and then, and learnt from every answer. */
export interface WitnessState {
  readonly status: 'unknown' | 'reachable' | 'unreachable'
  readonly lastSeenMs?: Millis
  readonly message?: string
  readonly look?: WitnessRequest
  readonly nextLookMs: Millis
}

/** The fencing of the dead peer: `waits` until `dueMs`, for the delay or for another attempt. */
export interface FencingState {
  readonly status: 'waits' | 'runs' | 'confirmed' | 'failed'
  /** Of the peer's daemon that is to be off. */
  readonly generation: number
  readonly level: number
  /** Attempts at this level. */
  readonly attempts: number
  readonly dueMs: Millis
  readonly fenceId?: number
  readonly message?: string
}

export interface PingState { readonly name: string; readonly reachable?: boolean }

export interface PendingRequest {
  readonly requestId: number
  readonly command: AdminCommand
  readonly deadlineMs: Millis
  /** Groups that must have moved before it is done. */
  readonly groups: readonly GroupName[]
  readonly moves: readonly AdminMove[]
  /** Why it cannot be done: the wish was taken back, and the reply waits for the groups to return. */
  readonly givenUp?: string
  /** It was answered when its time was over; a lasting standby is watched on until its groups have arrived or returned. */
  readonly answered?: true
}

export interface NodeState {
  readonly self: NodeName
  readonly peer: NodeName
  readonly config: CoreConfig
  readonly generation: number
  readonly sameBoot: boolean
  readonly nextSequence: number
  readonly phase: Phase
  readonly startedMs: Millis
  /** The first event has been seen and the look at the resources asked for. */
  readonly begun: boolean
  /** Wall clock minus monotonic clock at the last keepalive: a jump means that this node stood still (F11). */
  readonly wallOffsetMs: Millis
  /** Boot clock minus monotonic clock, where it was read. */
  readonly bootOffsetMs?: Millis
  readonly nextKeepaliveMs: Millis
  /** Facts changed or an answer is owed: a packet leaves at the end of the turn. */
  readonly contact: Contact
  readonly links: readonly LinkState[]
  readonly groups: readonly GroupState[]
  readonly standby?: Scope
  readonly pause: PauseState
  readonly requests: readonly PendingRequest[]
  readonly peerRequests: readonly (PeerRequest & { readonly requestId: number; readonly firstSequence: number })[]
  readonly stalled?: { readonly forMs: Millis; readonly untilMs: Millis }
  readonly nextOperationId: number
  readonly nextPersistId: number
  /** What was last handed to the disk, to write only changes. */
  readonly persisted: PersistentState
  readonly persistError?: string
  /** A shutdown waits for the peer to claim what is offered until then; then it stops everything. */
  readonly leaveByMs?: Millis
  readonly retryPersistMs?: Millis
  readonly writing?: { readonly persistId: number; readonly sinceMs: Millis; readonly state: PersistentState }
  readonly configDifferences: readonly string[]
  readonly lastMove?: MoveReport
  readonly witness: WitnessState
  readonly nextWitnessId: number
  readonly fencing?: FencingState
  readonly nextFenceId: number
  readonly pings: readonly PingState[]
  /** Since when this node sees fewer ping nodes than its peer (negative), or more. */
  readonly pingBalance: { readonly sign: -1 | 0 | 1; readonly sinceMs: Millis; readonly settled: boolean }
  readonly nextRenewalSerial: number
  /** This node tells that its addresses may outlast its word, since this packet (raised.ts). `begun`: the peer has promised, and every lifetime was made due. */
  readonly raising?: { readonly firstSequence: number; readonly ending: boolean; readonly begun?: true }
  /** The outline of the plan that the guard has, to tell changes. */
  readonly guardOutline: string
  /** The watchdog is fed no more: until all that must stop has stopped, or for good, because its time is over. */
  readonly resetting?: 'unless-stopped' | 'surely'
  /** Names of the keys that this node accepts, the signing one first: told to the peer, never used. */
  readonly keyNames: readonly string[]
  /** The facts of the packet sent last, as texts, to tell changes. */
  readonly advertised: { readonly groups: string; readonly others: string }
}

export interface NodeInit {
  readonly self: NodeName
  readonly peer: NodeName
  readonly generation: number
  readonly config: CoreConfig
  readonly links: readonly LinkName[]
  readonly persistent?: PersistentState
  /** The kernel has not been booted since this node's last daemon. */
  readonly sameBoot: boolean
  readonly keyNames?: readonly string[]
  readonly nowMs: Millis
  readonly wallMs: WallMillis
}
