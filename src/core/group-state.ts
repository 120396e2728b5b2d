/** What a node knows of one group: what it holds and claims, what each of its stages is, what it has asked for. */
import type { GroupName, NodeName } from './config.ts'
import type { WitnessAsk } from './effects.ts'
import type { Action } from './events.ts'
import type { OfferReason } from './packet.ts'
import type { Stage } from './stage.ts'
import type { Millis } from './time.ts'

/** The proof on which a group is held (design.md section 5). Will, fenced and witness come with their own configuration. */
export type Permission = 'consent' | 'deadtime-alone' | 'peer-left' | 'will' | 'fenced' | 'witness' | 'vouched'

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

/** The witness has given this node the group's key until `sentMs + lifeMs` (witness.ts). */
export interface Grant {
  readonly leaseId: string
  /** When the request that was answered left: `q` of design.md section 5. */
  readonly sentMs: Millis
  readonly lifeMs: Millis
  /** The claim number that the witness wrote down with it. */
  readonly number: number
  /** It is being given back: authority does not rest on it any more. */
  readonly ending?: true
}

/** A request to the witness that was not answered yet. Any other answer is void (F4). */
export interface WitnessRequest { readonly id: number; readonly type: WitnessAsk['type']; readonly deadlineMs: Millis }

/** Kernel lifetimes of a stage's addresses. */
export interface StageLease {
  /** The kernel keeps them at least until then. */
  readonly untilMs: Millis
  /** Not longer than that, but for the lateness of its timer: a line may be long on its way, and counts from when the kernel has it. */
  readonly latestMs: Millis
  readonly nextRenewMs: Millis
  /** Of the renewal under way. */
  readonly renewing?: { readonly serial: number; readonly validMs: Millis; readonly untilMs: Millis; readonly latestMs: Millis; readonly deadlineMs: Millis }
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
  /** Start of addresses: until when the kernel keeps them at least; absent: for ever. */
  readonly leaseUntilMs?: Millis
  /** Start of addresses: an answer after this is too late, which is no fault of the resource. */
  readonly notAfterMs?: Millis
}

/** An address that was put back; `missing`: it was found gone once more since. */
export interface Restored { readonly ip: string; readonly atMs: Millis; readonly missing?: true }

export interface StageState {
  readonly what: Stage
  /** `unknown` before the look. `suspect`: a start failed or its status is bad, so only a `stop` makes it sure. `unclean`: its stop failed. */
  readonly status: 'unknown' | 'stopped' | 'running' | 'suspect' | 'unclean'
  readonly message?: string
  /** Adopted addresses: they are there, and are to be added once more by this daemon. */
  readonly addAgain?: true
  /** Addresses that this daemon added with a lifetime. */
  readonly lease?: StageLease
  /** What was put back lately (stripped.ts). */
  readonly restored?: readonly Restored[]
  readonly nextStatusMs?: Millis
  /** `answers`: its status has said that it runs. `mute`: since its start it has said nothing that could be judged, and is not asked any more. */
  readonly statusKind?: 'answers' | 'mute'
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
  readonly grant?: Grant
  readonly witnessRequest?: WitnessRequest
  readonly nextWitnessMs?: Millis
  /** Who has the key, by the witness's last refusal. */
  readonly keyHolder?: string
  /** What must be stopped by then, for permission was lost; else this host resets itself where it can (promise P6). */
  readonly mustStopByMs?: Millis
  /** Which node served it last, and when it changed: for the flap guard. */
  readonly servedBy?: NodeName
  readonly movedMs: readonly Millis[]
  readonly flapUntilMs?: Millis
  readonly contested: readonly Contested[]
  /** The row that placement gave last, to tell changes. */
  readonly placement: string
}

export interface Contested {
  readonly ip: string
  readonly hardwareAddress: string
  readonly interface: string
  /** Of reports, not of what the other host sent: whoever watches the network reports each only once in a while. */
  readonly count: number
  /** Of the last report. */
  readonly lastMs: Millis
}
