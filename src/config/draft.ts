/** What both forms are read into: as written, each part with its place, nothing checked against anything else yet. */
import type {
  AuthKey, AutoFailback, EtcdConfig, FenceDevice, FlapGuard, FloatingAddress, LeasePolicy, LinkConfig, NodeName, PingTarget,
  ScriptLog, StatusPolicy,
} from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import type { Place } from './types.ts'

export interface Placed<T> { readonly value: T; readonly place: Place }

export interface DraftTiming {
  keepaliveMs?: Placed<Millis>
  warntimeMs?: Placed<Millis>
  deadtimeMs?: Placed<Millis>
  initdeadMs?: Placed<Millis>
}

/** What a resource may set for itself, its group for all of its own, and the file for all. */
export interface ResourceSettings {
  readonly warm?: boolean | undefined
  readonly startTimeoutMs?: Millis | undefined
  readonly stopTimeoutMs?: Millis | undefined
  /** False: never asked. */
  readonly status?: Partial<StatusPolicy> | false | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

export interface DraftResource {
  readonly script: string
  readonly args: readonly string[]
  readonly address?: FloatingAddress
  /** Heartbeat's own script would make something else of its words, or nothing. */
  readonly readOtherwise?: boolean
  /** Where it is written as one word. */
  readonly word?: string
  readonly place: Place
  readonly settings: ResourceSettings
}

export interface DraftGroup {
  readonly name?: Placed<string>
  readonly preferredNode: Placed<string>
  readonly place: Place
  readonly resources: readonly DraftResource[]
  readonly settings: ResourceSettings
  readonly autoFailback?: AutoFailback
  /** Its node or some of its resources could not be read, which was said. */
  readonly unread?: boolean
}

export interface DraftAuth {
  readonly path: string
  readonly place: Place
  readonly active: number | undefined
  readonly keys: readonly AuthKey[]
  /** Where the line of the active key stands. */
  readonly activePlace: Place
}

export interface DraftWitness {
  readonly etcd: Omit<EtcdConfig, 'prefix'> & { readonly prefix?: string }
  readonly timeoutMs?: Placed<Millis>
  readonly grantMs?: Placed<Millis>
  readonly renewMs?: Placed<Millis>
}

export interface DraftPings {
  targets: Placed<PingTarget>[]
  intervalMs?: Placed<Millis>
  deadpingMs?: Placed<Millis>
  settleMs?: Placed<Millis>
  /** ha.cf: set by `respawn ... ipfail`. */
  balances?: Placed<boolean>
  releases?: Placed<boolean>
}

export interface DraftFenceDevice {
  readonly device: FenceDevice
  readonly timeoutMs: Millis
  readonly retries: number
  readonly delayMs: Millis
}

/** What fences one node: levels in order, of each level all devices. */
export interface DraftFence { readonly target: Placed<NodeName>; readonly levels: readonly (readonly DraftFenceDevice[])[] }

/** What stands behind a dead, hung or cut-off node, as written. */
export interface DraftProtection {
  lease?: Placed<LeasePolicy>
  pauseLimitMs?: Millis
  witness?: Placed<DraftWitness>
  readonly pings: DraftPings
  fences: DraftFence[]
  watchdog?: Placed<string>
  watchdogTimeoutMs?: Placed<Millis>
  flapGuard?: FlapGuard | 'off'
}

/** Mutable while one file is being read; nobody keeps it afterwards. */
export interface Draft {
  nodes: Placed<string>[]
  nodesPlace: Place
  timing: DraftTiming
  timingPlace: Place
  /** The port that stands at the end; each link carries its own. */
  udpPort: number
  /** Of the serial lines that follow in ha.cf. */
  baud: number
  autoFailback?: Placed<AutoFailback>
  links: Placed<LinkConfig>[]
  linksPlace: Place
  readonly protection: DraftProtection
  groups: DraftGroup[]
  auth?: DraftAuth
  logFile?: string
  scriptLog?: ScriptLog
  debugLevel: number
  environment: Record<string, string>
  /** Parts that could not be read at all, which was said: nothing is missing from them. */
  unread: Set<DraftPart>
}

export type DraftPart = 'nodes' | 'links' | 'groups' | 'auto_failback'

export const defaultPort = 694

/** Of Heartbeat, and the rates that it knows (heartbeat-3.md section 7). */
export const defaultBaud = 19_200
export const baudRates: readonly number[] = [9_600, defaultBaud, 38_400, 57_600, 115_200, 230_400, 460_800]

/** Written twice, they are one: a second line to the same device, or of the same kind to the same address by the same interface. */
export function sameLink(one: LinkConfig, other: LinkConfig): boolean {
  if (one.kind === 'serial' || other.kind === 'serial') return one.kind === other.kind && one.interface === other.interface
  return one.kind === other.kind && one.interface === other.interface && one.address === other.address
}

export function emptyDraft(file: string): Draft {
  const top = { file, line: 1, column: 1 }
  return {
    nodes: [], nodesPlace: top, timing: {}, timingPlace: top, udpPort: defaultPort, baud: defaultBaud, links: [], linksPlace: top,
    protection: { pings: { targets: [] }, fences: [] }, groups: [], debugLevel: 0, environment: {}, unread: new Set(),
  }
}
