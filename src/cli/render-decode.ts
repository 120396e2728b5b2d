/** One datagram of port 694, for people and for programs. Whatever its sender wrote into it, only printable text goes to the terminal. */
import type { CapturedDatagram } from '../protocol/capture-datagrams.ts'
import type { Field } from '../protocol/fields.ts'
import type { Inspection } from '../protocol/inspection.ts'
import type { Message } from '../protocol/message.ts'
import type { Packet } from '../core/packet.ts'
import type { View } from './terminal.ts'
import { clockText, dateText, durationText, grouped, wrapped } from './text.ts'

export function datagramLines(datagram: CapturedDatagram, inspection: Inspection, { paint, columns }: View): readonly string[] {
  const { t, from, to, interface: device, bytes } = datagram
  const when = t === undefined ? '' : `${dateText(t * 1000)} ${clockText(t * 1000)}  `
  const way = from === undefined && to === undefined ? '' : `${printable(from ?? '?')} > ${printable(to ?? '?')}  `
  const how = inspection.framing === undefined ? '' : `, ${inspection.framing} framing`
  const where = device === undefined ? '' : ` on ${printable(device)}`
  const paintVerdict = inspection.verdict === 'valid' ? paint.green : inspection.verdict === 'not-verified' ? paint.yellow : paint.red
  const fields = inspection.fields.map(fieldText).join('  ')
  return [
    paint.bold(`${when}${way}${grouped(bytes.length)} bytes${how}${where}`),
    ...wrapped(verdictText(inspection), columns, '  ', '    ').map(paintVerdict),
    ...(inspection.message === undefined ? [] : wrapped(meaning(inspection.message), columns, '  ', '    ')),
    ...(fields === '' ? [] : wrapped(fields, columns, '  ', '    ').map(paint.dim)),
  ]
}

function verdictText({ verdict, keyIndex, method, refused }: Inspection): string {
  const key = keyIndex === undefined ? '' : `key ${keyIndex}`
  const why = refused === undefined ? '' : `${refused.cause}: ${refused.reason}`
  switch (verdict) {
    case 'valid': return `valid, ${key} (${method ?? '?'})${why === '' ? '' : `; a daemon drops it all the same (${why})`}`
    case 'not-verified': return `not verified: signed with ${key}, which is not known here${why === '' ? '' : `; a daemon drops it (${why})`}`
    case 'unknown-key':
    case 'bad-signature': return `refused, ${why} (signed with ${key})`
    case 'malformed': return `refused, ${why}`
  }
}

function meaning(message: Message): string {
  if (message.result === 'unsequenced') return `${message.type} of ${message.from}, generation ${message.generation}`
  const { type, packet } = message
  const { id, from, nodeStatus, deadtimeMs } = packet
  const state = packet.kind === 'other' ? '' : `${nodeStatus}, deadtime ${durationText(deadtimeMs)}, `
  return `${type} of ${from}: ${state}generation ${id.generation}, packet ${id.sequence}${factsText(packet)}`
}

function factsText({ facts, will }: Packet): string {
  if (will !== undefined) return `; last will: ${will.says}${'group' in will ? ` ${will.group}` : ''}`
  if (facts === undefined) return ''
  const groups = facts.groups.map(({ name, state, claimNumber, claiming }) => `${name} ${state}, claim ${claimNumber}${claiming ? ' wanted' : ''}`)
  const confirmed = facts.confirms === undefined ? '' : `; has heard generation ${facts.confirms.generation}, packet ${facts.confirms.sequence}`
  return `${confirmed}${groups.length === 0 ? '' : `; ${groups.join('; ')}`}`
}

/** As a line of the classic framing, where a binary value is base64 too. */
function fieldText({ name, type, value }: Field): string {
  const text = type === 1 ? Buffer.from(value, 'latin1').toString('base64') : printable(value)
  return `${type === 0 ? '' : `(${type})`}${name}=${/^[!-~]*$/.test(text) ? text : `"${text}"`}`
}

/** Control characters, and what lies outside ASCII, as `\xNN`: a datagram must not steer the terminal of whoever looks at it. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/**
 * `fields`: by name, of those with one name the first one, which is the one that counts; a binary value in base64, and then its type in
 * `types`. `cause` and `reason`: why it is not used.
 */
export function datagramObject(datagram: CapturedDatagram, { verdict, refused, framing, keyIndex, method, fields, message }: Inspection): object {
  const { t, from, to, interface: device, bytes } = datagram
  const byName = new Map<string, string>()
  const types: Record<string, number> = {}
  for (const { name, type, value } of fields) {
    if (byName.has(name)) continue
    byName.set(name, type === 1 ? Buffer.from(value, 'latin1').toString('base64') : value)
    if (type !== 0) types[name] = type
  }
  return {
    ...(t === undefined ? {} : { t }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }),
    ...(device === undefined ? {} : { interface: device }),
    bytes: bytes.length, verdict,
    ...(refused === undefined ? {} : { cause: refused.cause, reason: refused.reason }),
    ...(framing === undefined ? {} : { framing, keyIndex }), ...(method === undefined ? {} : { method }),
    ...(message === undefined ? {} : messageObject(message)),
    ...(framing === undefined ? {} : { fields: Object.fromEntries(byName), types }),
  }
}

function messageObject(message: Message): object {
  if (message.result === 'unsequenced') return { type: message.type, node: message.from, generation: message.generation }
  const { type, packet: { from, id, kind, nodeStatus, deadtimeMs, facts, will } } = message
  return {
    type, node: from, ...id, ...(kind === 'other' ? {} : { status: nodeStatus, deadtimeMs }),
    ...(facts === undefined ? {} : { facts }), ...(will === undefined ? {} : { will }),
  }
}

/** JSON leaves the control characters above 0x7e as they are, and a terminal may obey those too. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`)
}
