/** `hactl status --json`: the state as people and programs read it. Field names are part of the command line contract. */
import type { AutoFailback, GroupName, LinkName, NodeName } from './config.ts'
import type { AdvertisedState, PauseState, Scope } from './packet.ts'
import type { Permission } from './state.ts'
import type { Millis, WallMillis } from './time.ts'

export type PeerStatus = 'unknown' | 'alive' | 'late' | 'dead' | 'left'

export interface NodeReport {
  readonly name: NodeName
  readonly self: boolean
  /** This node is `alive` once it has joined, `unknown` before. */
  readonly status: PeerStatus
  readonly standby?: Scope
  readonly generation?: number
  /** Since the newest packet; absent for this node. */
  readonly lastHeardMs?: Millis
  /** Each hears the other. Absent for this node. */
  readonly mutualContact?: boolean
  /** `hactl`, or `heartbeat` for a real Heartbeat; absent for this node and before first contact. */
  readonly dialogue?: 'hactl' | 'heartbeat'
  readonly deadtimeMs?: Millis
}

export interface LinkReport {
  readonly name: LinkName
  readonly status: 'up' | 'down' | 'failed' | 'unknown'
  readonly lastHeardMs?: Millis
  readonly reason?: string
}

export interface ResourceReport {
  readonly name: string
  readonly kind: 'addresses' | 'script'
  readonly warm: boolean
  readonly status: 'unknown' | 'stopped' | 'starting' | 'running' | 'stopping' | 'failed' | 'unclean'
  readonly message?: string
}

export interface GroupReport {
  readonly name: GroupName
  readonly preferredNode: NodeName
  /** Absent: nobody holds it, or it is not known. */
  readonly holder?: NodeName
  /** On this node. */
  readonly state: AdvertisedState
  readonly peerState?: AdvertisedState
  readonly claimNumber: number
  readonly pinned: boolean
  readonly failedHere: boolean
  readonly failedOnPeer: boolean
  readonly autoFailback: AutoFailback
  /** The placement row that stands now: a stable code and its sentence. */
  readonly reason: string
  readonly explanation: string
  readonly sinceMs?: Millis
  readonly resources: readonly ResourceReport[]
  /** How often an address was stripped by someone else and put back. */
  readonly strippedCount: number
  /** The proof on which this node holds it. */
  readonly permission?: Permission
  /** For so long this node may hold it if nothing more is heard; absent: no end (design.md section 5). */
  readonly authorityRestMs?: Millis
  /** What is left of the witness's grant. */
  readonly grantRestMs?: Millis
  /** After so long the kernel removes the addresses if nobody renews them; absent: never. */
  readonly leaseRestMs?: Millis
  /** The flap guard keeps it where it is, for so long. */
  readonly flapHeldMs?: Millis
  /** Other hosts that answered for an address of it. */
  readonly contested: readonly ContestedReport[]
}

export interface ContestedReport {
  readonly ip: string
  readonly hardwareAddress: string
  readonly interface: string
  /** Reports, each of which stands for all that it sent for a while; `lastMs`: since the last of them. */
  readonly count: number
  readonly lastMs: Millis
}

/** `unknown`: not asked yet. `lastSeenMs`: since its last answer. */
export interface WitnessReport { readonly status: 'reachable' | 'unreachable' | 'unknown'; readonly lastSeenMs?: Millis; readonly message?: string }

/** `message`: what the last attempt said. */
export interface FencingReport { readonly status: 'idle' | 'waits' | 'runs' | 'confirmed' | 'failed'; readonly message?: string }

export interface PingReport { readonly name: string; readonly reachable: boolean | 'unknown' }

export interface MoveReport {
  readonly group: GroupName
  readonly move: string
  readonly holder: NodeName
  readonly reason: string
  readonly explanation: string
  readonly wallMs: WallMillis
  readonly durationMs?: Millis
}

export interface StatusReport {
  readonly node: NodeName
  readonly peer: NodeName
  /** `healthy`: every group held once, peer alive, all links up. Exit code 0; anything else 1. */
  readonly health: 'healthy' | 'degraded'
  /** Why it is degraded, in sentences, worst first. */
  readonly problems: readonly string[]
  /** What stands against two holders: `none` is deadtime alone (promise P2). */
  readonly protection: 'none' | 'witness' | 'fencing' | 'witness-and-fencing'
  readonly witness?: WitnessReport
  readonly fencing?: FencingReport
  readonly pings?: readonly PingReport[]
  /** Of the peer's; absent unless it has some. */
  readonly peerPingsSeen?: number
  readonly watchdog: boolean
  /** Names of the keys that the peer accepts, the one it signs with first (`hactl keys rotate`). */
  readonly peerKeyNames?: readonly string[]
  readonly keyNames?: readonly string[]
  readonly phase: 'looking' | 'joining' | 'running' | 'leaving' | 'left'
  readonly nodes: readonly NodeReport[]
  readonly links: readonly LinkReport[]
  readonly groups: readonly GroupReport[]
  readonly pause: PauseState
  /** Parts of the configuration that differ from the peer's: `groups`, `timing`, `failback`. */
  readonly configDifferences: readonly string[]
  readonly lastMove?: MoveReport
}
