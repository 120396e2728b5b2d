/** What goes into this layer and what comes out of it: texts with their names, messages with their places, one configuration. */
import type {
  AuthMethod, AutoFailback, ClusterConfig, FlapGuard, LeasePolicy, NodeName, PingPolicy, WitnessTiming,
} from '../core/config.ts'
import type { ConfigCode } from './codes.ts'

/** One file as the runtime read it. `mode` and `uid` are those of the file; they matter for the keys only. */
export interface SourceFile {
  /** `ha.cf`, `haresources`, `authkeys`, or the name of a YAML file. */
  readonly name: string
  /** As messages show it. */
  readonly path: string
  readonly text: string
  readonly mode?: number
  readonly uid?: number
}

export interface ConfigSource {
  readonly files: readonly SourceFile[]
  /** What could not be read, said by the reader; each is an error. */
  readonly problems?: readonly Message[]
}

/** Lines and columns count from 1; a fact of a whole file is at 1:1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Message extends Place {
  /** src/config/codes.ts lists them all. */
  readonly code: ConfigCode
  /** What is wrong, the value, the rule, what to do. Never a key. */
  readonly message: string
}

/** The `config` of `hactl check --json`; its shape is part of the command line contract. */
export interface ShownConfig {
  readonly nodes: readonly string[]
  readonly keepaliveMs: number
  readonly deadtimeMs: number
  readonly warntimeMs: number
  readonly initdeadMs: number
  readonly udpPort: number
  readonly autoFailback: AutoFailback
  readonly links: readonly ShownLink[]
  readonly pingNodes: readonly string[]
  readonly ping: ShownPing | null
  readonly lease: LeasePolicy
  readonly witness: ShownWitness | null
  /** By the node that is fenced: the agents of each level. Never their parameters. */
  readonly fencing: Readonly<Record<string, readonly (readonly string[])[]>> | null
  readonly watchdog: { readonly device: string; readonly timeoutMs: number } | null
  readonly flapGuard: FlapGuard | null
  readonly resourceAgents: ClusterConfig['resourceAgents']
  readonly groups: readonly ShownGroup[]
  readonly auth: { readonly active: number | null; readonly keys: readonly { readonly index: number; readonly method: AuthMethod }[] }
}

/** A serial line has no port. */
export interface ShownLink {
  readonly kind: string
  readonly interface: string
  readonly address: string | null
  readonly port: number | null
  readonly baud?: number
}

export interface ShownPing extends Omit<PingPolicy, 'names'> { readonly intervalMs: number; readonly deadpingMs: number }

export interface ShownWitness extends WitnessTiming { readonly endpoints: readonly string[]; readonly prefix: string }

export interface ShownGroup {
  readonly preferredNode: string
  readonly resources: readonly { readonly script: string; readonly args: readonly string[] }[]
}

/** Where the parts stand that facts of the machine are compared with. */
export interface ConfigPlaces {
  readonly nodes: Place
  readonly auth: Place
  readonly links: readonly Place[]
  /** One for each ping target. */
  readonly pings: readonly Place[]
  readonly witness: Place
  /** By the node that is fenced. */
  readonly fences: Readonly<Record<NodeName, Place>>
  readonly watchdog: Place
  /** One list for each group of `config.groups`, one place for each of its resources. */
  readonly resources: readonly (readonly Place[])[]
}

export interface ConfigResult {
  /** No errors. */
  readonly ok: boolean
  readonly errors: readonly Message[]
  readonly warnings: readonly Message[]
  /** What this configuration promises, and what that rests on (design.md section 2); nothing is said of one with errors. */
  readonly notes: readonly Message[]
  /** Only when `ok`. */
  readonly config: ClusterConfig | undefined
  /** Also with errors, as far as it was understood; undefined when there was nothing to read. */
  readonly shown: ShownConfig | undefined
  readonly places: ConfigPlaces
  /** The file the keys came from, for `hactl import`. */
  readonly authFile: string | undefined
}

export interface LoadOptions {
  /** The user who runs this: a key file of anybody but root and this user is named. */
  readonly ownUid?: number
}
