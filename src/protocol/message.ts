/**
 * The meaning of a message's fields, and back (heartbeat-3.md section 1.6). Only `status`, `shutdone` and our own `hactlwill` are packets
 * of the pair; what else a real Heartbeat says is read as `other` (classic/word-fields.ts knows the words of it).
 */
import type { NodeName } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import type { WallMillis } from '../core/time.ts'
import { factsFields, readFacts } from './facts.ts'
import { fieldText, findField, textField as text, type Field } from './fields.ts'
import { refuse, type Refused } from './refusals.ts'
import { formatHex, parseHex } from './values.ts'
import { readWill, willFields, willType } from './will.ts'
import { lastOrdinarySequence, maxGeneration, maxSequence } from './window.ts'

/** `type` is Heartbeat's `t`; `capabilities` are empty for a real Heartbeat. */
export type Message =
  | { readonly result: 'packet'; readonly type: string; readonly packet: Packet; readonly capabilities: readonly string[] }
  /** Acknowledgements and requests for retransmission: outside the order of packets, so anyone may replay them. */
  | { readonly result: 'unsequenced'; readonly type: string; readonly from: NodeName; readonly generation: number }

/** `uuid`: 16 bytes. `load`: the first line of /proc/loadavg; `n/a` where absent. `fill`: of a will. The receiver uses none of them. */
export interface SenderDetails { readonly uuid: Uint8Array; readonly wallMs: WallMillis; readonly load?: string; readonly fill?: string }

const maxTypeLength = 31
/** 32 bits, as far as a Heartbeat can count on any machine. */
const maxDeadtimeMs = 0xffff_ffff
const namePattern = /^[\x21-\x7e]{1,99}$/
const loadPattern = /^[\x20-\x7e]{1,80}$/

/** In Heartbeat's usual order. A string: the name of the field that cannot hold what it should. */
export function messageFields(packet: Packet, details: SenderDetails): readonly Field[] | string {
  const { id, from, kind, nodeStatus, deadtimeMs } = packet
  if (kind === 'other' || (kind === 'status' && nodeStatus === 'dead') || (kind === 'will') !== (packet.will !== undefined)) return 't'
  const deadtime = formatHex(Math.round(deadtimeMs), maxDeadtimeMs)
  if (deadtime === undefined) return 'dt'
  if (isReserved(id) !== (kind === 'will')) return 'seq'
  const own = ownFields(packet, details.fill ?? '')
  if (typeof own === 'string') return own
  const control = controlFields({ from, ...id }, details)
  if (typeof control === 'string') return control
  return [
    text('t', types[kind]), text('st', kind === 'status' ? nodeStatus : 'dead'), text('dt', deadtime), text('protocol', '1'), ...own, ...control,
  ]
}

/** Absent `sequence`: of a message that has none (`NS_`). */
export interface Origin { readonly from: NodeName; readonly generation: number; readonly sequence?: number }

/** The fields that end every message. A string: the name of the field that cannot hold what it should. */
export function controlFields(origin: Origin, details: SenderDetails): readonly Field[] | string {
  const generation = formatHex(origin.generation, maxGeneration)
  const seconds = formatHex(Math.max(1, Math.floor(details.wallMs / 1000)), Number.MAX_SAFE_INTEGER)
  if (!namePattern.test(origin.from)) return 'src'
  if (details.uuid.length !== 16) return 'srcuuid'
  if (generation === undefined) return 'hg'
  if (seconds === undefined) return 'ts'
  const sender = [text('src', origin.from), { name: 'srcuuid', type: 1 as const, value: Buffer.from(details.uuid).toString('latin1') }]
  if (origin.sequence === undefined) return [...sender, text('hg', generation), text('ts', seconds), text('ttl', '3')]
  const sequence = formatHex(origin.sequence, maxSequence)
  if (sequence === undefined) return 'seq'
  const load = details.load !== undefined && loadPattern.test(details.load) ? details.load : 'n/a'
  return [...sender, text('seq', sequence), text('hg', generation), text('ts', seconds), text('ld', load), text('ttl', '3')]
}

const types = { status: 'status', goodbye: 'shutdone', will: willType } as const

/** What a real Heartbeat would not send. */
function ownFields({ will, facts }: Packet, fill: string): readonly Field[] | string {
  if (will !== undefined) return facts === undefined ? (willFields(will, fill) ?? 'hactlgone') : 'hactl'
  return facts === undefined ? [] : factsFields(facts)
}

function isReserved({ sequence }: Packet['id']): boolean {
  return sequence > lastOrdinarySequence
}

export function readMessage(fields: readonly Field[]): Message | Refused {
  if (findField(fields, '_compressed_payload') !== undefined) return refuse('compressed', 'a compressed message is not used')
  const type = fieldText(fields, 't')
  const from = fieldText(fields, 'src')
  const seconds = fieldText(fields, 'ts')
  if (type === undefined || from === undefined || seconds === undefined) {
    return refuse('missing-field', 'a message has the fields t, src and ts')
  }
  if (type.length < 1 || type.length > maxTypeLength) return refuse('bad-field', 't is a word of 1 to 31 characters')
  if (!namePattern.test(from)) return refuse('bad-field', 'src is a node name of 1 to 99 visible characters')
  if ((parseHex(seconds, Number.MAX_SAFE_INTEGER) ?? 0) === 0) return refuse('bad-field', 'ts is a hexadecimal number above 0')
  const generation = parseHex(fieldText(fields, 'hg') ?? '0', maxGeneration)
  if (generation === undefined) return refuse('bad-field', 'hg is a hexadecimal number of at most 15 decimal digits')
  if (type.startsWith('NS_')) return { result: 'unsequenced', type, from, generation }
  const sequenceText = fieldText(fields, 'seq')
  if (sequenceText === undefined) return refuse('missing-field', 'a message other than NS_ has the field seq')
  const sequence = parseHex(sequenceText, maxSequence)
  if (sequence === undefined) return refuse('bad-field', 'seq is a hexadecimal number of at most 32 bits')
  return readPacket(fields, type, from, { generation, sequence })
}

function readPacket(fields: readonly Field[], type: string, from: NodeName, id: Packet['id']): Message | Refused {
  if (isReserved(id) !== (type === willType)) return refuse('bad-field', 'a will, and nothing else, has a seq of the reserved ones')
  if (type === willType) return readWillPacket(fields, from, id)
  if (type !== 'status' && type !== 'shutdone') {
    return { result: 'packet', type, capabilities: [], packet: { id, from, kind: 'other', nodeStatus: 'active', deadtimeMs: 0 } }
  }
  const kind = type === 'status' ? 'status' : 'goodbye'
  const nodeStatusText = fieldText(fields, 'st')
  const deadtimeText = fieldText(fields, 'dt') ?? (kind === 'goodbye' ? '0' : undefined)
  if (nodeStatusText === undefined || deadtimeText === undefined) return refuse('missing-field', 'a status has the fields st and dt')
  const deadtimeMs = parseHex(deadtimeText, maxDeadtimeMs)
  if (deadtimeMs === undefined) return refuse('bad-field', 'dt is a hexadecimal number of at most 32 bits')
  const nodeStatus = readNodeStatus(kind, nodeStatusText)
  if (nodeStatus === undefined) return refuse('bad-field', 'st of a status is init, up or active, of a shutdone dead')
  const received = readFacts(fields)
  if (typeof received === 'string') return refuse('bad-facts', `${received} is missing or cannot be read`)
  const packet: Packet = { id, from, kind, nodeStatus, deadtimeMs }
  if (received === undefined) return { result: 'packet', type, packet, capabilities: [] }
  return { result: 'packet', type, packet: { ...packet, facts: received.facts }, capabilities: received.capabilities }
}

function readWillPacket(fields: readonly Field[], from: NodeName, id: Packet['id']): Message | Refused {
  const deadtimeMs = parseHex(fieldText(fields, 'dt') ?? '', maxDeadtimeMs)
  if (deadtimeMs === undefined) return refuse('bad-field', 'dt of a will is a hexadecimal number of at most 32 bits')
  const will = readWill(fields)
  if (typeof will === 'string') return refuse('bad-facts', `${will} is missing or cannot be read`)
  return { result: 'packet', type: willType, capabilities: [], packet: { id, from, kind: 'will', nodeStatus: 'dead', deadtimeMs, will } }
}

function readNodeStatus(kind: 'status' | 'goodbye', written: string): Packet['nodeStatus'] | undefined {
  if (kind === 'goodbye') return written === 'dead' ? written : undefined
  return written === 'init' || written === 'up' || written === 'active' ? written : undefined
}
