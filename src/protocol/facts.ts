/**
 * Our facts as additional fields, which a real Heartbeat ignores (design.md section 8). Numbers are hexadecimal unless said otherwise,
 * NAME is escaped as in values.ts, lists are separated by one blank. A field marked * is always there; `hactl` makes a packet ours.
 *
 * | field           | fact           | value                                                                                    |
 * |-----------------|----------------|------------------------------------------------------------------------------------------|
 * | `hactl` *       | dialogue       | decimal                                                                                  |
 * | `hactlcan` *    | capabilities   | list of words; `sha256`: it verifies that signature. Others are ignored                  |
 * | `hactlack`      | confirms       | `GENERATION,SEQUENCE`                                                                    |
 * | `hactlask`      | answerWanted   | `1`                                                                                      |
 * | `hactlstandby`  | standby        | `all`, `local`, `foreign`                                                                |
 * | `hactlleaving`  | leaving        | `1`                                                                                      |
 * | `hactlpause` *  | pause          | `0` or `1`, its number, and the wall clock's ms since when: `1,NUMBER,SINCE`             |
 * | `hactlgroups` * | groups         | list of `NAME,STATE[c][OFFER][f][p][g],CLAIM[,HELDMS]`: STATE unknown u, stopped s, starting a, |
 * |                 |                | held h, stopping r, unclean x; claiming c; OFFER admin A, standby S, failback B,         |
 * |                 |                | failed F, leaving L, connectivity N; failed f; pinned p; granted by the witness g        |
 * | `hactldigests`  | digests        | list of `NAME,VALUE`                                                                     |
 * | `hactlrequests` | requests       | list of `cleanup,NAME` and `clear,NAME`                                                  |
 * | `hactlstalled`  | stalledMs      | ms                                                                                       |
 * | `hactlraised`   | raisedForMs    | ms                                                                                       |
 * | `hactlpromised` | promisedForMs  | ms                                                                                       |
 * | `hactlpings`    | pingsSeen      | a number                                                                                 |
 * | `hactlkeys`     | keyNames       | list of words (key-names.ts), not empty                                                  |
 *
 * Other fields that begin with `hactl` are ignored: a later version may add some. One that is here and cannot be read drops the packet.
 */
import type { AdvertisedGroup, Facts } from '../core/packet.ts'
import {
  formatDigest, formatId, formatPause, formatRequest, parseDigest, parseId, parsePause, parseRequest, parseScope,
} from './fact-words.ts'
import { fieldText, findField, type Field } from './fields.ts'
import { formatGroup, parseGroup } from './group-words.ts'
import { formatHex, formatList, formatWord, parseHex, parseList, parseWord } from './values.ts'

/** The bounds hold both ways. Where names are long, the size of a datagram bounds the groups first. */
export const maxGroups = 4_096
const maxDigests = 16
const maxCapabilities = 32
/** As many as authkeys can have. */
const maxKeyNames = 16
const max = Number.MAX_SAFE_INTEGER

/** What this version can do beyond its dialogue number; the peer's signing rests on it. */
const ownCapabilities: readonly string[] = ['sha256']

/** Null: nothing to say, the field is left out. Undefined: the fact cannot be written. */
type Written = string | null | undefined

const writers: readonly (readonly [name: string, write: (facts: Facts) => Written])[] = [
  ['hactl', ({ dialogue }) => (Number.isInteger(dialogue) && dialogue >= 1 && dialogue <= 999 ? String(dialogue) : undefined)],
  ['hactlcan', () => ownCapabilities.join(' ')],
  ['hactlack', ({ confirms }) => (confirms === undefined ? null : formatId(confirms))],
  ['hactlask', ({ answerWanted }) => (answerWanted ? '1' : null)],
  ['hactlstandby', ({ standby }) => standby ?? null],
  ['hactlleaving', ({ leaving }) => (leaving === true ? '1' : null)],
  ['hactlpause', ({ pause }) => formatPause(pause)],
  ['hactlgroups', ({ groups }) => (namedTwice(groups) ? undefined : formatList(groups, maxGroups, formatGroup))],
  ['hactldigests', ({ digests }) => leftOutIfEmpty(formatList(Object.entries(digests), maxDigests, formatDigest))],
  ['hactlrequests', ({ requests }) => leftOutIfEmpty(formatList(requests, maxGroups, formatRequest))],
  ['hactlstalled', ({ stalledMs }) => (stalledMs === undefined ? null : formatHex(Math.round(stalledMs), max))],
  ['hactlraised', ({ raisedForMs }) => (raisedForMs === undefined ? null : formatHex(Math.round(raisedForMs), max))],
  ['hactlpromised', ({ promisedForMs }) => (promisedForMs === undefined ? null : formatHex(Math.round(promisedForMs), max))],
  ['hactlpings', ({ pingsSeen }) => (pingsSeen === undefined ? null : formatHex(pingsSeen, max))],
  ['hactlkeys', ({ keyNames }) => (keyNames === undefined ? null : formatList(keyNames, maxKeyNames, formatWord) || undefined)],
]

/** The fields of the facts, or the name of the field that cannot hold what it should. */
export function factsFields(facts: Facts): readonly Field[] | string {
  const fields: Field[] = []
  for (const [name, write] of writers) {
    const value = write(facts)
    if (value === undefined) return name
    if (value !== null) fields.push({ name, type: 0, value })
  }
  return fields
}

export interface ReceivedFacts { readonly facts: Facts; readonly capabilities: readonly string[] }

/** Undefined: no facts, the sender is a real Heartbeat. A string: the name of the field that cannot be read. */
export function readFacts(fields: readonly Field[]): ReceivedFacts | string | undefined {
  if (findField(fields, 'hactl') === undefined) return undefined
  const dialogue = required(fields, 'hactl', (text) => (/^[1-9]\d{0,2}$/.test(text) ? Number(text) : undefined))
  if (dialogue === null) return 'hactl'
  const capabilities = required(fields, 'hactlcan', (text) => parseList(text, maxCapabilities, parseWord))
  if (capabilities === null) return 'hactlcan'
  const confirms = optional(fields, 'hactlack', parseId)
  if (confirms === null) return 'hactlack'
  const answerWanted = optional(fields, 'hactlask', parseMark)
  if (answerWanted === null) return 'hactlask'
  const leaving = optional(fields, 'hactlleaving', parseMark)
  if (leaving === null) return 'hactlleaving'
  const standby = optional(fields, 'hactlstandby', parseScope)
  if (standby === null) return 'hactlstandby'
  const pause = required(fields, 'hactlpause', parsePause)
  if (pause === null) return 'hactlpause'
  const groups = required(fields, 'hactlgroups', (text) => parseList(text, maxGroups, parseGroup))
  if (groups === null || namedTwice(groups)) return 'hactlgroups'
  const digests = optional(fields, 'hactldigests', (text) => parseList(text, maxDigests, parseDigest))
  if (digests === null) return 'hactldigests'
  const requests = optional(fields, 'hactlrequests', (text) => parseList(text, maxGroups, parseRequest))
  if (requests === null) return 'hactlrequests'
  const stalledMs = optional(fields, 'hactlstalled', (text) => parseHex(text, max))
  if (stalledMs === null) return 'hactlstalled'
  const raisedForMs = optional(fields, 'hactlraised', (text) => parseHex(text, max))
  if (raisedForMs === null) return 'hactlraised'
  const promisedForMs = optional(fields, 'hactlpromised', (text) => parseHex(text, max))
  if (promisedForMs === null) return 'hactlpromised'
  const pingsSeen = optional(fields, 'hactlpings', (text) => parseHex(text, max))
  if (pingsSeen === null) return 'hactlpings'
  const keyNames = optional(fields, 'hactlkeys', parseKeyNames)
  if (keyNames === null) return 'hactlkeys'
  return {
    capabilities,
    facts: {
      dialogue, answerWanted: answerWanted ?? false, pause, groups, digests: Object.fromEntries(digests ?? []), requests: requests ?? [],
      ...(confirms === undefined ? {} : { confirms }),
      ...(standby === undefined ? {} : { standby }),
      ...(leaving === undefined ? {} : { leaving }),
      ...(stalledMs === undefined ? {} : { stalledMs }),
      ...(raisedForMs === undefined ? {} : { raisedForMs }),
      ...(promisedForMs === undefined ? {} : { promisedForMs }),
      ...(pingsSeen === undefined ? {} : { pingsSeen }),
      ...(keyNames === undefined ? {} : { keyNames }),
    },
  }
}

function parseKeyNames(text: string): readonly string[] | undefined {
  return text === '' ? undefined : parseList(text, maxKeyNames, parseWord)
}

function parseMark(text: string): true | undefined {
  return text === '1' ? true : undefined
}

/** Null: the field is not there, or cannot be read. */
function required<Fact>(fields: readonly Field[], name: string, parse: (text: string) => Fact | undefined): Fact | null {
  const text = fieldText(fields, name)
  return (text === undefined ? undefined : parse(text)) ?? null
}

/** Undefined: the field is not there. Null: it is there and cannot be read. */
function optional<Fact>(fields: readonly Field[], name: string, parse: (text: string) => Fact | undefined): Fact | undefined | null {
  return findField(fields, name) === undefined ? undefined : required(fields, name, parse)
}

function leftOutIfEmpty(list: string | undefined): Written {
  return list === '' ? null : list
}

function namedTwice(groups: readonly AdvertisedGroup[]): boolean {
  return groups.length > 1 && new Set(groups.map(({ name }) => name)).size !== groups.length
}
