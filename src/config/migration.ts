/**
 * `hactl migrate --check`: what will happen when hactl takes Heartbeat's place on this host, in the order in which the administrator meets it.
 * A judgement of a configuration and of facts of the machine; nothing is changed and nothing is sent for it.
 */
import type { ClusterConfig, GroupConfig, NodeName } from '../core/config.ts'
import type { ConfigCode } from './codes.ts'
import { judgeMachine, startErrors, type MachineFacts } from './machine.ts'
import { changesByMigration, mixedPair } from './migration-changes.ts'
import type { MigrationCode } from './migration-codes.ts'
import { asItIsNow } from './migration-now.ts'
import { migrationSteps } from './migration-steps.ts'
import { heldHere } from './migration-words.ts'
import type { ConfigResult, Message, Place } from './types.ts'

/** Gathered by runtime/migration-facts.ts. */
export interface MigrationFacts {
  /** Heartbeat's program on this host; absent: it is not installed. */
  readonly heartbeat?: { readonly version?: string; readonly atBoot: boolean; readonly pid?: number }
  /** What the running Heartbeat answers; absent: it was not asked, or does not answer. */
  readonly says?: HeartbeatSays
  readonly identity: IdentityFacts
  /** Of this host, floating ones among them. */
  readonly addresses: readonly string[]
  /** By script: the file that each of the two programs runs; absent where it is the same, or neither. */
  readonly otherScripts: ReadonlyMap<string, { readonly heartbeat: string; readonly hactl: string }>
  readonly hactl: { readonly runs: boolean; readonly unit: boolean; readonly program: boolean }
  /** Somebody listens on the UDP port of the pair. */
  readonly portTaken: boolean
}

export interface HeartbeatSays {
  /** `all`, `local`, `foreign`, `none` (in legacy mode always); `transition` while it starts or stops something. */
  readonly holding: string
  /** `active`, `dead`, ... */
  readonly peerStatus: string
  readonly links: readonly { readonly name: string; readonly status: string }[]
}

export interface IdentityFacts {
  readonly generation: 'kept' | 'missing' | 'damaged'
  readonly uuid: 'kept' | 'missing' | 'damaged'
  /** The one that hactl would start with. */
  readonly next: number
  /** hactl has run here before: its own count and uuid are above Heartbeat's, or in their place. */
  readonly own: boolean
}

/** What all parts of the judgement start from. */
export interface Migration {
  readonly config: ClusterConfig
  readonly result: ConfigResult
  readonly facts: MigrationFacts
  /** This host and the other one. */
  readonly node: NodeName
  readonly peer: NodeName
  /** What Heartbeat has on this host; undefined: that cannot be told. */
  readonly held: readonly GroupConfig[] | undefined
}

/** Headings of the answer, in its order. */
export const migrationParts = ['stops', 'now', 'steps', 'changes', 'meanwhile', 'no-effect'] as const
export type MigrationPart = (typeof migrationParts)[number]

export interface MigrationFinding {
  readonly part: MigrationPart
  /** `error`: hactl would not start. `warning`: look at it before. `note`: so it will be. */
  readonly level: 'error' | 'warning' | 'note'
  readonly code: ConfigCode | MigrationCode
  readonly message: string
  /** Where it stands in the configuration. */
  readonly place?: Place
}

/** Nothing is lost or decided otherwise by these. */
const withoutEffect: ReadonlySet<ConfigCode> = new Set(['directive-without-effect', 'directive-empty', 'words-ignored', 'value-ignored', 'address-arguments',
  'option-without-effect'])
/** Said in other words, with what it means for the pair on the way. */
const saidOtherwise: ReadonlySet<ConfigCode> = new Set(['failback-missing', 'failback-legacy'])

export function judgeMigration(result: ConfigResult, machine: MachineFacts, facts: MigrationFacts): readonly MigrationFinding[] {
  const { config } = result
  const stopping = startErrors(result, machine)
  const warnings = [...result.warnings, ...judgeMachine(result, machine)].filter((one) => !stopping.some((other) => isSame(one, other)))
  const ofFiles = warnings.filter(({ code }) => !saidOtherwise.has(code)).map((one) => ofConfig(one, withoutEffect.has(one.code) ? 'no-effect' : 'changes'))
  const findings = config === undefined ? [] : judgePair(config, result, machine.nodeName, facts)
  const all = [...stopping.map((one): MigrationFinding => ({ ...ofConfig(one, 'stops'), level: 'error' })), ...findings, ...ofFiles]
  return migrationParts.flatMap((part) => all.filter((one) => one.part === part))
}

function judgePair(config: ClusterConfig, result: ConfigResult, node: NodeName, facts: MigrationFacts): readonly MigrationFinding[] {
  const peer = config.nodes.find((name) => name !== node) ?? ''
  const migration: Migration = { config, result, facts, node, peer, held: heldHere(config, node, facts) }
  return [asItIsNow, migrationSteps, changesByMigration, mixedPair].flatMap((part) => part(migration))
}

function isSame(one: Message, other: Message): boolean {
  return one.code === other.code && one.message === other.message
}

function ofConfig({ code, message, file, line, column }: Message, part: MigrationPart): MigrationFinding {
  return { part, level: 'warning', code, message, place: { file, line, column } }
}
