/**
 * Everything a node knows and believes. Plain data, never changed in place; what the future may bring stands here as
 * instants (`...Ms`), and `nextDeadlineMs` (deadlines.ts) finds the earliest of them.
 */
import type { AdminCommand, AdminMove } from './admin.ts'
import type { CoreConfig, GroupName, LinkName, NodeName } from './config.ts'
import type { PersistentState } from './effects.ts'
import type { Action } from './events.ts'
import type { Facts, OfferReason, PacketId, PauseState, PeerRequest, Scope } from './packet.ts'
import type { MoveReport } from './report.ts'
import { stagesOf, type Stage } from './stage.ts'
import type { Millis, WallMillis } from './time.ts'

/** `looking`: resources not observed yet. `joining`: looked, no word of the peer and initdead not over. */
export type Phase = 'looking' | 'joining' | 'running' | 'leaving' | 'left'

/** What this node believes of its peer, from packets alone. Silence is counted from the later of `listenFromMs` and `lastHeardMs`. */
export interface Contact {
  readonly status: 'unknown' | 'alive' | 'late' | 'dead' | 'left'
  readonly sinceMs: Millis
  readonly listenFromMs: Millis
  readonly lastHeardMs?: Millis
  /** Start of the present stretch of hearing the peer without a gap of half of deadtime (design.md section 5, F8). */
  readonly heardSinceMs?: Millis
  readonly newest?: PacketId
  readonly facts?: Facts
  readonly peerDeadtimeMs?: Millis
  /** Packets sent and not confirmed yet, oldest first, to find the send time of a confirmed one. */
  readonly sent: readonly { readonly sequence: number; readonly sentMs: Millis }[]
  /** The newest of my packets that the peer has confirmed, with its send time: `s` of design.md section 5. */
  readonly confirmed?: { readonly sequence: number; readonly sentMs: Millis }
  readonly nextAskMs?: Millis
  /** A longer deadtime that the peer may still count on, until it confirms a packet of at least this sequence (F7). */
  readonly formerDeadtime?: { readonly deadtimeMs: Millis; readonly untilSequence: number }
}

export interface LinkState {
  readonly name: LinkName
  readonly status: 'unknown' | 'up' | 'down' | 'failed'
  readonly lastHeardMs?: Millis
  readonly reason?: string
}

/** The proof on which a group is held (design.md section 5). Will, fenced and witness come with their own configuration. */
export type Permission = 'consent' | 'deadtime-alone' | 'peer-left' | 'will' | 'fenced' | 'witness'

export interface Hold {
  readonly number: number
  readonly permission: Permission
  readonly reason: string
  readonly explanation: string
  readonly sinceMs: Millis
  /** When every stage was running. */
  readonly heldSinceMs?: Millis
}

export interface Claim {
  readonly number: number
  readonly reason: string
  readonly explanation: string
  readonly sinceMs: Millis
  /** Packets of at least this sequence carry the claim. */
  readonly firstSequence: number
  readonly nextAskMs: Millis
  /** An administrator moved the group here, by `takeover` on this node or `standby --once` on the peer: no failback undoes it. */
  readonly pins: boolean
}

export interface RunningOperation {
  readonly id: number
  readonly stage: number
  readonly action: Action
  readonly startedMs: Millis
  /** The runtime answers before this; if it does not, the operation counts as timed out. */
  readonly deadlineMs: Millis
  readonly slowReported: boolean
  readonly cancelled: boolean
}

export interface StageState {
  readonly what: Stage
  /** `unknown` before the look. `suspect`: a start failed or its status is bad, so only a `stop` makes it sure. `unclean`: its stop failed. */
  readonly status: 'unknown' | 'stopped' | 'running' | 'suspect' | 'unclean'
  readonly message?: string
  /** Adopted addresses: they are there, and are to be added once more by this daemon. */
  readonly addAgain?: true
  readonly nextStatusMs?: Millis
  readonly statusFailures: number
  readonly statusSuccesses: number
  /** When it last failed while running, and how often within the failure memory. */
  readonly failures: number
  readonly lastFailureMs?: Millis
  readonly retryStopMs?: Millis
  /** No restart here before this (after failures that the peer could not help with). */
  readonly retryStartMs?: Millis
}

export interface GroupState {
  readonly name: GroupName
  readonly stages: readonly StageState[]
  readonly looked: boolean
  /** Found running at start-up and neither adopted nor stopped yet: told to the peer as `unknown`. */
  readonly found: boolean
  readonly claimNumber: number
  readonly claimLimit: number
  readonly hold?: Hold
  readonly claim?: Claim
  readonly offer?: { readonly reason: OfferReason; readonly sinceMs: Millis }
  readonly operation?: RunningOperation
  readonly failed?: { readonly atMs: Millis; readonly message: string }
  readonly pinned: boolean
  /** `hactl standby --once` gives it away; `takeover` wants it; by which request. */
  readonly adminGives?: number
  readonly adminTakes?: number
  /** The window of `auto_failback: {at}` is open. */
  readonly failbackDue: boolean
  /** When this node began to take the group down, for what clients noticed. */
  readonly releasingSinceMs?: Millis
  /** Its addresses were dropped at once; the stops that follow find them gone. */
  readonly addressesDropped?: true
  readonly move?: string
  /** When this node began to give it away; when the peer said that it was stopping. For what clients noticed. */
  readonly gaveSinceMs?: Millis
  readonly peerStoppedMs?: Millis
  readonly announce?: { readonly round: number; readonly nextMs: Millis }
  readonly strippedCount: number
  /** Seen with two holders since then. */
  readonly conflictSinceMs?: Millis
  /** Since when this node held it when the two met; kept while it lets go. */
  readonly conflictHeldSinceMs?: Millis
  /** The administrator vouched for the dead peer's unclean group. */
  readonly peerCleared: boolean
  /** The row that placement gave last, to tell changes. */
  readonly placement: string
}

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
  readonly nextKeepaliveMs: Millis
  /** Facts changed or an answer is owed: a packet leaves at the end of the turn. */
  readonly contact: Contact
  readonly links: readonly LinkState[]
  readonly groups: readonly GroupState[]
  readonly standby?: Scope
  readonly pause: PauseState
  readonly requests: readonly PendingRequest[]
  readonly peerRequests: readonly (PeerRequest & { readonly requestId: number })[]
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
  /** The facts of the packet sent last, as text, to tell changes. */
  readonly advertised: string
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
  readonly nowMs: Millis
  readonly wallMs: WallMillis
}

/** Claim numbers are reserved in blocks of this many, so that a takeover waits for no disk. */
export const claimBlock = 100

export function newGroup(config: CoreConfig['groups'][number], persistent: PersistentState | undefined): GroupState {
  const kept = persistent?.groups.find((group) => group.name === config.name)
  const limit = kept?.claimLimit ?? 0
  return {
    name: config.name,
    stages: stagesOf(config).map((what) => ({ what, status: 'unknown', statusFailures: 0, statusSuccesses: 0, failures: 0 })),
    looked: false,
    found: false,
    claimNumber: limit,
    claimLimit: limit,
    pinned: kept?.pinned ?? false,
    failbackDue: false,
    strippedCount: 0,
    peerCleared: false,
    placement: '',
  }
}

export const noPause: PauseState = { paused: false, number: 0, sinceWallMs: 0 }

export function createState(init: NodeInit): NodeState {
  return {
    self: init.self,
    peer: init.peer,
    config: init.config,
    generation: init.generation,
    sameBoot: init.sameBoot,
    nextSequence: 1,
    phase: 'looking',
    startedMs: init.nowMs,
    begun: false,
    wallOffsetMs: init.wallMs - init.nowMs,
    nextKeepaliveMs: init.nowMs,
    contact: { status: 'unknown', sinceMs: init.nowMs, listenFromMs: init.nowMs, sent: [] },
    links: init.links.map((name) => ({ name, status: 'unknown' })),
    groups: init.config.groups.map((group) => newGroup(group, init.persistent)),
    ...(init.persistent?.standby === undefined ? {} : { standby: init.persistent.standby }),
    pause: init.persistent?.pause ?? noPause,
    requests: [],
    peerRequests: [],
    nextOperationId: 1,
    nextPersistId: 1,
    persisted: init.persistent ?? { pause: noPause, groups: [] },
    configDifferences: [],
    advertised: '',
  }
}
