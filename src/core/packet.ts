/**
 * What two daemons tell each other, as meaning: the protocol layer turns it into Heartbeat's fields and back.
 * Our own facts travel in additional fields that a real Heartbeat ignores (design.md section 8).
 */
import type { GroupName, NodeName } from './config.ts'
import type { Millis, WallMillis } from './time.ts'

/** Orders the packets of one node: generation counts daemon starts (kept on disk), sequence the packets of one. */
export interface PacketId { readonly generation: number; readonly sequence: number }

/** A group as its sender has it. `unknown`: not looked yet, or found running and not adopted; the peer treats it as held. */
export type AdvertisedState = 'unknown' | 'stopped' | 'starting' | 'held' | 'stopping' | 'unclean'

/** Why a holder wants the peer to take a group. `admin`: the move is pinned (no failback undoes it). */
export type OfferReason = 'admin' | 'standby' | 'failback' | 'failed' | 'leaving' | 'connectivity'

export interface AdvertisedGroup {
  readonly name: GroupName
  readonly state: AdvertisedState
  /** The highest claim number this node has used or seen for the group. */
  readonly claimNumber: number
  /** It wants the group under `claimNumber` and waits for consent. */
  readonly claiming: boolean
  /** The holder asks the peer to claim the group. */
  readonly offer?: OfferReason
  /** A start or the status failed here not long ago: placement does not choose this node. */
  readonly failed: boolean
  /** An administrator put the group where it is. */
  readonly pinned: boolean
  /** How long the sender has had it up; absent unless `held`. Two holders that meet measure their overlap with it. */
  readonly heldMs?: Millis
  /** It has a grant of the witness for the group, which goes before a claim number when two holders meet. */
  readonly granted?: true
}

/** `all`, or only the groups whose preferred node is this node (`local`) or the peer (`foreign`). */
export type Scope = 'all' | 'local' | 'foreign'

/** A state of the pair (design.md section 6); the higher number is newer. */
export interface PauseState { readonly paused: boolean; readonly number: number; readonly sinceWallMs: WallMillis }

/** A request to the peer, repeated in each packet until it shows its effect. */
export interface PeerRequest { readonly kind: 'cleanup' | 'clear'; readonly group: GroupName }

/**
 * Signed by a daemon in advance, sent by its guard after its death (design.md section 6). `daemon-dead` has no group.
 * `addresses-gone`: the group's addresses are off that host; `stopped`: all of it that is not warm is.
 */
export type Will =
  | { readonly says: 'daemon-dead' }
  | { readonly says: 'addresses-gone' | 'stopped'; readonly group: GroupName }

/** The facts that only our own daemons send. */
export interface Facts {
  /** Of our dialogue; 1 today. */
  readonly dialogue: number
  /** Told by a real Heartbeat in its own words, which src/classic has put into these. Never on the wire. */
  readonly classic?: true
  /** The newest packet of the receiver that the sender has heard: mutual contact rests on it. */
  readonly confirms?: PacketId
  /** The sender wants an answer at once, over every link. */
  readonly answerWanted: boolean
  readonly standby?: Scope
  /** It is shutting down: it gives away what it holds and takes nothing. */
  readonly leaving?: true
  readonly pause: PauseState
  readonly groups: readonly AdvertisedGroup[]
  readonly digests: Readonly<Record<string, string>>
  readonly requests: readonly PeerRequest[]
  /** The sender noticed that it was not run for this long, not long ago: its silence was a stall. */
  readonly stalledMs?: Millis
  /** The sender's addresses may stay this long after this packet without another word (`hactl pause`). */
  readonly raisedForMs?: Millis
  /** How much longer the sender, even if its daemon is started again, leaves to the receiver what that said of its addresses: it is on the disk. */
  readonly promisedForMs?: Millis
  /** How many of its ping nodes the sender sees. */
  readonly pingsSeen?: number
  /** Names of the keys that the sender accepts, none of which tells anything of the key (protocol/key-names.ts); the first one is that it signs with. */
  readonly keyNames?: readonly string[]
}

export interface Packet {
  readonly id: PacketId
  readonly from: NodeName
  /** `status` is the heartbeat; `goodbye` is the last packet of a generation (Heartbeat's `shutdone`). `other`: a classic dialogue message. `will`: of a daemon that has died; see `will`. */
  readonly kind: 'status' | 'goodbye' | 'will' | 'other'
  /** Heartbeat's node status: `init` and `up` before joining, `active` after. */
  readonly nodeStatus: 'init' | 'up' | 'active' | 'dead'
  /** Heartbeat's `dt`: what the sender's deadtime is. */
  readonly deadtimeMs: Millis
  /** Absent: the peer is a real Heartbeat. */
  readonly facts?: Facts
  /** Set if and only if `kind` is `will`; it then has no facts. */
  readonly will?: Will
}
