/** The one internal form of a configuration, whichever files it came from (design.md section 9). */
import type { Millis } from './time.ts'

export type NodeName = string
export type GroupName = string
/** A link's name as people see it: `bcast eth0`, `ucast eth1 192.0.2.2`. */
export type LinkName = string

/** When a group returns to its preferred node. `at` is a cron expression; its ticks arrive as `schedule-due`. */
export type AutoFailback = 'on' | 'off' | { readonly afterMs: Millis } | { readonly at: string }

export interface LinkConfig {
  readonly kind: 'bcast' | 'mcast' | 'ucast'
  readonly interface: string
  /** mcast: the multicast group. ucast: the peer (or this node itself, which is skipped). bcast: absent. */
  readonly address?: string
  readonly port: number
  /** mcast only. */
  readonly ttl?: number
  readonly loop?: boolean
}

/** A floating address as configured; what is missing is derived from the machine's own subnets by the runtime. */
export interface FloatingAddress {
  readonly ip: string
  readonly family: 'ipv4' | 'ipv6'
  readonly prefixLength?: number
  readonly interface?: string
  /** The part after the colon of `eth0:1`, as `ip addr` shows it in `eth0:1`. */
  readonly label?: string
  readonly broadcast?: string
}

export interface StatusPolicy {
  readonly intervalMs: Millis
  readonly timeoutMs: Millis
  /** This many failures in a row make the resource failed; this many successes make it well again. */
  readonly fall: number
  readonly rise: number
}

export interface ResourceConfig {
  /** As written, `IPaddr` for a bare address. `systemd:NAME` and `ocf:heartbeat:NAME` name other kinds of script. */
  readonly script: string
  readonly args: readonly string[]
  /** Set when our own address code serves this resource. */
  readonly address?: FloatingAddress
  /** It may run on both nodes, so it is kept started on both (design.md section 7). Never set for an address. */
  readonly warm: boolean
  readonly startTimeoutMs: Millis
  readonly stopTimeoutMs: Millis
  /** Absent: never asked for its status (addresses are observed; scripts of Heartbeat's list without status). */
  readonly status?: StatusPolicy
  /** OCF parameters (`OCF_RESKEY_name`), environment for other scripts. */
  readonly parameters?: Readonly<Record<string, string>>
}

export interface GroupConfig {
  readonly name: GroupName
  readonly preferredNode: NodeName
  readonly resources: readonly ResourceConfig[]
  /** Overrides the cluster's policy. */
  readonly autoFailback?: AutoFailback
}

export type AuthMethod = 'sha256' | 'sha1' | 'md5' | 'crc'
/** `key` is the exact text of the file; it must never appear in any output. */
export interface AuthKey { readonly index: number; readonly method: AuthMethod; readonly key: string }
export interface AuthConfig { readonly active: number; readonly keys: readonly AuthKey[] }

/** Requires `2 * keepaliveMs < deadtimeMs <= initdeadMs`, `warntimeMs < deadtimeMs`; the config layer refuses anything else. */
export interface Timing {
  readonly keepaliveMs: Millis
  readonly warntimeMs: Millis
  readonly deadtimeMs: Millis
  readonly initdeadMs: Millis
}

/** What the core decides with. */
export interface CoreConfig {
  /** Both names, in the order of the file; the order decides nothing. */
  readonly nodes: readonly NodeName[]
  readonly timing: Timing
  readonly autoFailback: AutoFailback
  readonly groups: readonly GroupConfig[]
  /** A short digest of each part that should be the same on both nodes: `groups`, `timing`, `failback`. */
  readonly digests: Readonly<Record<string, string>>
  /** A node where a group failed is not used for it for this long, unless an administrator says so. */
  readonly failureMemoryMs: Millis
}

/** Everything that one daemon needs; only `config/` makes it. */
export interface ClusterConfig extends CoreConfig {
  readonly udpPort: number
  readonly links: readonly LinkConfig[]
  readonly pingNodes: readonly string[]
  readonly auth: AuthConfig
  readonly allowCrc: boolean
  /** Commands run on each event record (`notify:`), each as words: program and arguments. Empty when none. */
  readonly notify: readonly (readonly string[])[]
  /** Where logs go besides standard error: Heartbeat's `logfile`. */
  readonly logFile?: string
  /** 0 logs decisions, 1 and more logs every packet and operation too. */
  readonly debugLevel: number
  /** `env NAME=VALUE` of ha.cf, without the HA_ prefix: passed to scripts as HA_NAME. */
  readonly environment: Readonly<Record<string, string>>
}
