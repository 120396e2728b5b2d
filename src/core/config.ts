/** The one internal form of a configuration, whichever files it came from (design.md section 9). */
import type { Millis } from './time.ts'

export type NodeName = string
export type GroupName = string
/** A link's name as people see it: `bcast eth0`, `ucast eth1 192.0.2.2`. */
export type LinkName = string

/** When a group returns to its preferred node. `at` is a cron expression; its ticks arrive as `schedule-due`. */
export type AutoFailback = 'on' | 'off' | { readonly afterMs: Millis } | { readonly at: string }

export type LinkConfig = NetworkLinkConfig | SerialLinkConfig

export interface NetworkLinkConfig {
  readonly kind: 'bcast' | 'mcast' | 'ucast'
  readonly interface: string
  /** mcast: the multicast group. ucast: the peer (or this node itself, which is skipped). bcast: absent. IPv4 or IPv6. */
  readonly address?: string
  readonly port: number
  /** mcast only. */
  readonly ttl?: number
  readonly loop?: boolean
}

/** A line to the peer of which nobody else is part. */
export interface SerialLinkConfig {
  readonly kind: 'serial'
  /** The device: `/dev/ttyS0`. */
  readonly interface: string
  readonly baud: number
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
  /** Set when Heartbeat's own script serves a floating address (`resource_agents: original`): a script like any other, but for what a dead daemon leaves. */
  readonly scriptAddress?: FloatingAddress
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
  /** The first resource as it is written, by which a Heartbeat calls the group; absent where that is its script and arguments joined by `::`. */
  readonly key?: string
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

/** `auto`: as long as authority allows (core/lease.ts). `off`: for ever, so that a hung daemon keeps its addresses. */
export type LeasePolicy = 'auto' | 'off' | { readonly seconds: number }

/** How the witness is asked (design.md section 5). Where it is and with which keys stands in `ClusterConfig.etcd`. */
export interface WitnessTiming {
  /** W: an answer later than this counts as none. */
  readonly timeoutMs: Millis
  /** T: the life of a grant, whole seconds. */
  readonly grantMs: Millis
  /** Vg: a grant is renewed this often. */
  readonly renewMs: Millis
}

/** What ping nodes mean. They only forbid: a grant they never are (design.md section 5). */
export interface PingPolicy {
  /** Each counts as one, a group of addresses too: it is reachable while one of its addresses answers. */
  readonly names: readonly string[]
  /** The node that sees more of them should hold (Heartbeat's ipfail). */
  readonly balances: boolean
  /** A holder that sees none while its peer is silent lets go. */
  readonly releases: boolean
  /** A difference must last this long before anything moves. */
  readonly settleMs: Millis
}

/** One attempt to make sure that a node is off; its programs stand in `ClusterConfig.fenceDevices`, under the same index. */
export interface FenceLevel { readonly name: string; readonly timeoutMs: Millis; readonly retries: number }

export interface FencingPolicy {
  /** By the node that is fenced: tried in order until one confirms. */
  readonly levels: Readonly<Record<NodeName, readonly FenceLevel[]>>
  /** By the node that is fenced: its peer waits this long more, so that two nodes do not fence each other at once. */
  readonly delaysMs: Readonly<Record<NodeName, Millis>>
}

/** So many moves of a group within this time hold it where it is. */
export interface FlapGuard { readonly moves: number; readonly withinMs: Millis }

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
  readonly lease: LeasePolicy
  /** How long addresses stay without a daemon during `hactl pause` (design.md section 6). */
  readonly pauseLimitMs: Millis
  readonly witness?: WitnessTiming
  readonly ping?: PingPolicy
  readonly fencing?: FencingPolicy
  /** A hardware watchdog is configured: a node that must be rid of something and cannot stop it resets itself. */
  readonly watchdog: boolean
  /** Absent: off. */
  readonly flapGuard?: FlapGuard
}

/** An existing etcd cluster; files are absolute paths, read by the runtime. */
export interface EtcdConfig {
  /** `https://192.0.2.50:2379`, tried in order. */
  readonly endpoints: readonly string[]
  /** Of every key that is written there: `/hactl/NAME`. */
  readonly prefix: string
  readonly caFile?: string
  readonly certificateFile?: string
  readonly keyFile?: string
  /** etcd's own authentication. */
  readonly user?: { readonly name: string; readonly passwordFile: string }
}

/** What ha.cf says of logging beside `logfile`: resource scripts are told, and log there by themselves. */
export interface ScriptLog {
  readonly debugFile?: string
  readonly facility?: string
  /** Scripts hand their lines to cluster-glue's logging daemon. */
  readonly logd: boolean
}

export interface PingTarget { readonly name: string; readonly addresses: readonly string[] }

export interface PingConfig { readonly targets: readonly PingTarget[]; readonly intervalMs: Millis; readonly deadpingMs: Millis }

/** `fence-agent`: options as name=value lines on standard input. `stonith`: cluster-glue's program, with its parameters. */
export interface FenceDevice {
  readonly kind: 'fence-agent' | 'stonith'
  /** `fence_ipmilan`, or a plugin of stonith: `external/ipmi`. */
  readonly agent: string
  readonly parameters: Readonly<Record<string, string>>
  /** stonith with positional parameters or a file of them, as in ha.cf. */
  readonly words?: readonly string[]
  readonly parameterFile?: string
}

/** Everything that one daemon needs; only `config/` makes it. */
export interface ClusterConfig extends CoreConfig {
  readonly udpPort: number
  readonly links: readonly LinkConfig[]
  readonly etcd?: EtcdConfig
  readonly pings?: PingConfig
  /** By the node that is fenced, then by level: every device of a level must confirm. */
  readonly fenceDevices?: Readonly<Record<NodeName, readonly (readonly FenceDevice[])[]>>
  readonly watchdogDevice?: { readonly path: string; readonly timeoutMs: Millis }
  readonly auth: AuthConfig
  readonly allowCrc: boolean
  /** Commands run on each event record (`notify:`), each as words: program and arguments. Empty when none. */
  readonly notify: readonly (readonly string[])[]
  /** Where logs go besides standard error: Heartbeat's `logfile`. */
  readonly logFile?: string
  readonly scriptLog?: ScriptLog
  /** Who serves IPaddr, IPaddr2, IPv6addr and bare addresses: our own address code, or Heartbeat's scripts. */
  readonly resourceAgents: 'hactl' | 'original'
  /** 0 logs decisions, 1 and more logs every packet and operation too. */
  readonly debugLevel: number
  /** `env NAME=VALUE` of ha.cf, without the HA_ prefix: passed to scripts as HA_NAME. */
  readonly environment: Readonly<Record<string, string>>
}
