/** How single facts are written in the value of a field (facts.ts has the table). Undefined: cannot be written, or cannot be read. */
import type { PacketId, PauseState, PeerRequest, Scope } from '../core/packet.ts'
import { formatHex, formatWord, parseHex, parseWord } from './values.ts'
import { maxGeneration, maxSequence } from './window.ts'

const max = Number.MAX_SAFE_INTEGER

export function formatId({ generation, sequence }: PacketId): string | undefined {
  return pair(formatHex(generation, maxGeneration), formatHex(sequence, maxSequence))
}

export function parseId(text: string): PacketId | undefined {
  const [left, right] = twoParts(text) ?? []
  const generation = parseHex(left ?? '', maxGeneration)
  const sequence = parseHex(right ?? '', maxSequence)
  return generation === undefined || sequence === undefined ? undefined : { generation, sequence }
}

export function formatPause({ paused, number, sinceWallMs }: PauseState): string | undefined {
  const numbers = pair(formatHex(number, max), formatHex(Math.round(sinceWallMs), max))
  return numbers === undefined ? undefined : `${paused ? 1 : 0},${numbers}`
}

export function parsePause(text: string): PauseState | undefined {
  const paused = text.startsWith('1,') ? true : text.startsWith('0,') ? false : undefined
  const [left, right] = twoParts(text.slice(2)) ?? []
  const number = parseHex(left ?? '', max)
  const sinceWallMs = parseHex(right ?? '', max)
  return paused === undefined || number === undefined || sinceWallMs === undefined ? undefined : { paused, number, sinceWallMs }
}

export function parseScope(text: string): Scope | undefined {
  return text === 'all' || text === 'local' || text === 'foreign' ? text : undefined
}

export function formatDigest([name, value]: readonly [string, string]): string | undefined {
  return pair(formatWord(name), formatWord(value))
}

export function parseDigest(word: string): readonly [string, string] | undefined {
  const [left, right] = twoParts(word) ?? []
  const name = parseWord(left ?? '')
  const value = parseWord(right ?? '')
  return name === undefined || value === undefined ? undefined : [name, value]
}

export function formatRequest({ kind, group }: PeerRequest): string | undefined {
  return pair(kind, formatWord(group))
}

export function parseRequest(word: string): PeerRequest | undefined {
  const [kind, name] = twoParts(word) ?? []
  const group = parseWord(name ?? '')
  return (kind === 'cleanup' || kind === 'clear') && group !== undefined ? { kind, group } : undefined
}

function pair(left: string | undefined, right: string | undefined): string | undefined {
  return left === undefined || right === undefined ? undefined : `${left},${right}`
}

function twoParts(text: string): readonly [string, string] | undefined {
  const comma = text.indexOf(',')
  return comma === -1 || text.includes(',', comma + 1) ? undefined : [text.slice(0, comma), text.slice(comma + 1)]
}
