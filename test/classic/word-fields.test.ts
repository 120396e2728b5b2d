/** The words of a real Heartbeat, read from what a real pair has said, and written as it writes them. */
import { expect, test } from 'vitest'
import { noteFields, readNote, type Note } from '../../src/classic/notes.ts'
import { readClassic } from '../../src/classic/reading.ts'
import { isForUs, readWord, wordFields } from '../../src/classic/word-fields.ts'
import type { Word } from '../../src/classic/words.ts'
import { decodeDatagram, type Decoded } from '../../src/protocol/datagram.ts'
import { fieldText, textField, type Field } from '../../src/protocol/fields.ts'
import { controlFields } from '../../src/protocol/message.ts'
import { readCaptures } from '../protocol/samples.ts'

const decoded = readCaptures('test/data/captures').filter(({ verdict }) => verdict === 'valid').map(({ bytes, keyring, scenario }): Decoded => {
  const result = decodeDatagram(bytes, keyring)
  if (result.result === 'refused') throw new Error(`${scenario}: ${result.reason}`)
  return result
})

const control = new Set(['destuuid', 'src', 'srcuuid', 'seq', 'hg', 'ts', 'ld', 'ttl', 'auth'])
const spoken = (fields: readonly Field[]): readonly Field[] => fields.filter(({ name }) => !control.has(name))
const shown = (fields: readonly Field[]): string => fields.map(({ name, value }) => `${name}=${value}`).join('|')

test('every message of every capture is read, and what is a word or a note is written as the Heartbeat wrote it', () => {
  const kinds = new Map<string, number>()
  for (const one of decoded) {
    const { fields, type } = one
    const peer = fieldText(fields, 'dest') ?? 'node-a'
    const reading = readClassic(one, peer)
    const written = reading.reads === 'note' ? noteFields(reading.note, peer) : reading.reads === 'message' && reading.heard !== undefined && 'word' in reading.heard
      ? wordFields(reading.heard, peer) : undefined
    const kind = reading.reads === 'message' ? (reading.heard === undefined ? 'ignored' : 'word' in reading.heard ? 'word' : 'sign') : reading.reads
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (reading.reads !== 'note') expect('trouble' in reading, type).toBe(false)
    // ipfail's own request for a standby says who asked, which tells us nothing.
    if (written !== undefined && !(type === 'ask_resources' && fieldText(fields, 'from_id') !== undefined)) expect(shown(written)).toBe(shown(spoken(fields)))
  }
  expect(Object.fromEntries(kinds)).toEqual({ sign: 8983, word: 697, ignored: 2, note: 2141 })
})

test('the fields that end a message are in Heartbeat\'s order, without a number where it has none', () => {
  const details = { uuid: new Uint8Array(16), wallMs: 1_000 }
  const names = (fields: readonly Field[] | string) => (typeof fields === 'string' ? fields : fields.map(({ name }) => name).join(' '))
  expect(names(controlFields({ from: 'node2', generation: 5, sequence: 6 }, details))).toBe('src srcuuid seq hg ts ld ttl')
  expect(names(controlFields({ from: 'node2', generation: 5 }, details))).toBe('src srcuuid hg ts ttl')
  expect([{ from: 'no de' }, { generation: -1 }, { sequence: 2 ** 33 }].map((wrong) => controlFields({ from: 'node2', generation: 5, ...wrong }, details)))
    .toEqual(['src', 'hg', 'seq'])
})

const words: readonly Word[] = [
  { word: 'reqnodes' }, { word: 'repnodes', nodes: ['node1', 'node2'] }, { word: 'repnodes', nodes: [] }, { word: 'starting' },
  { word: 'resource', holds: 'none', full: true, stable: false, info: 'shutdown' }, { word: 'resource', holds: 'foreign', full: false, info: 'mach_down' },
  { word: 'resource', holds: 'all', full: true, stable: true }, { word: 'ask', holds: 'foreign', step: 'other' }, { word: 'takeover', holds: 'local' },
  { word: 'ip-request', key: 'IPaddr2::192.0.2.1/24/eth0' }, { word: 'ip-answer', key: '192.0.2.1', owned: true }, { word: 'ip-answer', key: 'drbddisk::r0', owned: false }, { word: 'stonith', node: 'node2', result: 'n_stnth' },
  { word: 'pings', seen: 2 }, { word: 'pings-answer', answer: 'you-are-dead' }, { word: 'pings-answer', answer: 'abort-giveup' },
]
test('each word comes back as it was written', () => {
  for (const word of words) {
    const fields = wordFields(word, 'node1')
    expect(readWord(fieldText(fields, 't') ?? '', fields)).toEqual(word)
  }
  for (const note of [{ note: 'ack', sequence: 0x2a }, { note: 'ask-again', first: 43, last: 43 }, { note: 'never-again', sequence: 43, reason: 'seqno too low' }] as const satisfies readonly Note[]) {
    const fields = noteFields(note, 'node1')
    expect(readNote(fieldText(fields, 't') ?? '', fields)).toEqual(note)
    expect(fieldText(fields, 'dest')).toBe('node1')
  }
})

test('what is asked for again is decimal, every other number hexadecimal', () => {
  expect(noteFields({ note: 'ask-again', first: 138, last: 139 }, 'a').map(({ value }) => value)).toEqual(['NS_rexmit', 'a', '138', '139'])
  expect(fieldText(noteFields({ note: 'ack', sequence: 138 }, 'a'), 'ackseq')).toBe('8a')
  expect(fieldText(noteFields({ note: 'never-again', sequence: 138, reason: '' }, 'a'), 'firstseq')).toBe('8a')
})

const fieldsOf = (values: Readonly<Record<string, string>>): readonly Field[] => Object.entries(values).map(([name, value]) => textField(name, value))
const tolerance: readonly (readonly [title: string, type: string, values: Readonly<Record<string, string>>, read: ReturnType<typeof readWord>])[] = [
  ['a takeover of nothing named means all', 'hb_takeover', {}, { word: 'takeover', holds: 'all' }],
  ['a takeover of what Heartbeat does not know means all', 'hb_takeover', { rsc_hold: 'failback' }, { word: 'takeover', holds: 'all' }],
  ['a standby of nothing named means all', 'ask_resources', { info: 'me' }, { word: 'ask', holds: 'all', step: 'me' }],
  ['a standby without a step means nothing', 'ask_resources', { rsc_hold: 'all' }, 'bad'],
  ['a standby of something else means nothing', 'ask_resources', { rsc_hold: 'half', info: 'me' }, 'bad'],
  ['holdings without a value mean nothing', 'resource', { isstable: '1' }, 'bad'],
  ['any stability but 1 is none', 'resource', { rsc_hold: 'all', isstable: 'yes', rtype: 'part' }, { word: 'resource', holds: 'all', full: false, stable: false }],
  ['a request names a group', 'ip-request', {}, 'bad'],
  ['an answer names a group', 'ip-request-resp', { ok: 'OK', weown: 'yes' }, 'bad'],
  ['an answer that is not OK is none', 'ip-request-resp', { ipaddr: '192.0.2.1', weown: 'yes', ok: 'no' }, 'ignored'],
  ['a key is as long as a resource may be', 'ip-request', { ipaddr: 'x'.repeat(1_001) }, 'bad'],
  ['who is counted dead is named', 'stonith', { result: 'unneeded' }, 'bad'],
  ['a list of nodes must be there', 'repnodes', {}, 'bad'],
  ['ping nodes are counted in decimal', 'num_ping_nodes', { num_ping: '0x2' }, 'bad'],
  ['a type of another program is nobody\'s word', 'start_outdate', { dop_res: 'r0' }, 'ignored'],
  ['a type differs by case', 'Starting', {}, 'ignored'],
]
for (const [title, type, values, read] of tolerance) test(title, () => expect(readWord(type, fieldsOf(values))).toEqual(read))

test('lists and comments are bounded', () => {
  expect(readWord('repnodes', fieldsOf({ nodelist: 'n '.repeat(101) }))).toBe('bad')
  expect(readWord('repnodes', fieldsOf({ nodelist: 'n'.repeat(100) }))).toBe('bad')
  expect(readWord('resource', fieldsOf({ rsc_hold: 'all', info: 'x'.repeat(60_000) }))).toMatchObject({ info: 'x'.repeat(256) })
  for (const [type, value] of [['NS_rexmit', '99999999999'], ['NS_rexmit', 'a'], ['NS_rexmit', '-1'], ['NS_ackmsg', '1g'], ['NS_ackmsg', '']] as const) {
    expect(readNote(type, fieldsOf({ firstseq: value, lastseq: value, ackseq: value }))).toBeUndefined()
  }
  expect(readNote('NS_rexmit', fieldsOf({ firstseq: '5', lastseq: '4' }))).toBeUndefined()
})

test('a message to another node is not for us, one to nobody is for all', () => {
  expect([{ dest: 'node1' }, { dest: 'NODE1' }, { dest: 'node2' }, {}].map((values) => isForUs(fieldsOf(values as Record<string, string>), 'node1'))).toEqual([true, false, false, true])
})
