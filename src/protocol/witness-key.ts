/**
 * What stands at the witness, and who may write it (design.md section 5 "Witness", F4, F12). Below the configured prefix
 * each group has `holder/GROUP`, under a lease: who was granted it; and `number/GROUP`, without a lease: the last claim
 * number that was granted, which outlives the grant.
 */
import type { GroupName, NodeName } from '../core/config.ts'
import type { WitnessAsk } from '../core/effects.ts'
import type { Millis } from '../core/time.ts'
import { isObject, parseJson } from './json.ts'

/** Who asks; of the daemon that runs and the configuration in force. */
export interface Asker {
  readonly self: NodeName
  readonly peer: NodeName
  readonly generation: number
  /** Of every key: `/hactl/NAME`. */
  readonly prefix: string
  /** T: the life of a grant, whole seconds. */
  readonly grantMs: Millis
}

export interface GroupKeys { readonly holder: string; readonly number: string }

/** A key as it was read. Revision and lease are etcd's int64 in decimal: they are only ever compared. */
export interface Entry { readonly value: string; readonly revision: string; readonly lease: string }
export interface Found { readonly holder?: Entry; readonly number?: Entry }

export interface Holder { readonly node: NodeName; readonly generation: number; readonly number: number }

/** etcd's words for a key that is not there, and for one under no lease. */
export const noRevision = '0'
export const noLease = '0'

const maxValueLength = 4_096

export function keysOf(prefix: string, group: GroupName): GroupKeys {
  return { holder: `${keySpace(prefix)}holder/${group}`, number: `${keySpace(prefix)}number/${group}` }
}

/** What all keys begin with, whether the configured prefix ends with a slash or not. */
export function keySpace(prefix: string): string {
  return `${prefix.replace(/\/+$/, '')}/`
}

/** JSON, for the person who types `etcdctl get --prefix`. */
export function formatHolder(holder: Holder): string {
  return JSON.stringify({ holder: holder.node, generation: holder.generation, number: holder.number })
}

export function parseHolder(text: string): Holder | undefined {
  if (text.length > maxValueLength) return undefined
  const value = parseJson(text)
  if (!isObject(value)) return undefined
  const { holder: node, generation, number } = value
  return typeof node === 'string' && node !== '' && isCount(generation) && isCount(number) ? { node, generation, number } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Undefined for anything but a decimal number as it is written here. */
export function parseNumber(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return undefined
  return Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}

export type Ruling =
  /** With this claim number, if both keys are still of the revisions that were read. */
  | { readonly ruling: 'may-write'; readonly number: number }
  | { readonly ruling: 'held'; readonly holder: NodeName; readonly number: number }
  /** A person must look: neither node can take the group while it is so. */
  | { readonly ruling: 'unclear'; readonly message: string }

/** Whether the asker may write its name, by what was just read. The transaction compares the revisions again. */
export function ruleOn(asker: Asker, keys: GroupKeys, ask: Extract<WitnessAsk, { type: 'acquire' }>, found: Found): Ruling {
  const last = found.number === undefined ? 0 : parseNumber(found.number.value)
  if (last === undefined) return unclear(keys.number, 'holds no claim number')
  const holder = found.holder === undefined ? undefined : parseHolder(found.holder.value)
  if (found.holder !== undefined && holder === undefined) return unclear(keys.holder, 'holds no grant of hactl')
  const number = Math.max(last, holder?.number ?? 0, ask.number)
  if (holder !== undefined && !mayReplace(asker, holder, ask.overwrite?.generation)) {
    if (found.holder?.lease === noLease) return unclear(keys.holder, 'has no lease, so it never expires')
    return { ruling: 'held', holder: holder.node, number: Math.max(last, holder.number) }
  }
  // A lost number key must not lead to the same number twice, hence the maximum above; an endless one to none at all.
  if (!Number.isSafeInteger(number + 1)) return unclear(keys.number, `holds ${number}, and there is no higher number`)
  return { ruling: 'may-write', number: number + 1 }
}

/** Own keys of any generation: the transaction moves them under the new lease. The peer's only after it was fenced (F9). */
function mayReplace(asker: Asker, holder: Holder, fencedGeneration: number | undefined): boolean {
  if (holder.node === asker.self) return true
  return fencedGeneration !== undefined && holder.node === asker.peer && holder.generation <= fencedGeneration
}

function unclear(key: string, what: string): Ruling {
  return { ruling: 'unclear', message: `the key ${key} ${what}: somebody else wrote it; if no node holds the group, type: etcdctl del ${key}` }
}
