/** Capture files, real ones of tcpdump and invented ones, whole and in pieces. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openCapture } from '../../src/protocol/capture.ts'
import { collectDatagrams, datagramOfPayload, type CapturedDatagram } from '../../src/protocol/capture-datagrams.ts'
import type { CaptureItem } from '../../src/protocol/capture-items.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { inspectDatagram } from '../../src/protocol/inspection.ts'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import type { Keyring } from '../../src/protocol/signature.ts'
import { encoded, readCaptures, sha1, status } from './samples.ts'

const directory = join(import.meta.dirname, '..', 'fixtures', 'captures')
const keyring: Keyring = { active: 2, allowCrc: false, keys: [
  { index: 1, method: 'crc', key: '' }, { index: 2, method: 'sha1', key: 'secret' }, { index: 3, method: 'md5', key: 'secret' }] }

function file(name: string): Buffer {
  return readFileSync(join(directory, name))
}

function itemsOf(bytes: Buffer, pieces: readonly number[] = []): readonly CaptureItem[] {
  const capture = openCapture()
  let at = 0
  const items: CaptureItem[] = []
  for (const length of pieces) items.push(...capture.take(bytes.subarray(at, at += length)))
  return [...items, ...capture.take(bytes.subarray(at)), ...capture.end()]
}

function datagramsOf(items: readonly CaptureItem[]): readonly CapturedDatagram[] {
  const datagrams = collectDatagrams()
  const found = items.flatMap((item) => item.type === 'frame' ? datagrams.take(item) : item.type === 'payload' ? [datagramOfPayload(item)] : [])
  return [...found, ...datagrams.end()]
}

function verdicts(datagrams: readonly CapturedDatagram[]): readonly string[] {
  return datagrams.filter(({ ports }) => ports.includes(694)).map(({ bytes, incomplete }) =>
    incomplete === undefined ? inspectDatagram(bytes, keyring).verdict : 'incomplete')
}

const all = [...Array<string>(6).fill('valid'), 'bad-signature', 'bad-signature', 'valid', 'valid', 'valid']

describe('captures of tcpdump', () => {
  for (const name of ['ethernet.pcap', 'ipv6.pcap', 'cooked-v1.pcap', 'cooked-v2.pcap']) {
    test(`${name}: every packet has its verdict, and the one in fragments is whole`, () => {
      const datagrams = datagramsOf(itemsOf(file(name)))
      expect(verdicts(datagrams)).toEqual(all)
      expect(datagrams.find(({ bytes }) => bytes.length > 1500)?.bytes.length).toBe(2839)
    })
  }
  test('a fragment that the filter left out makes its datagram incomplete, and times have nanoseconds', () => {
    const datagrams = datagramsOf(itemsOf(file('nanoseconds.pcap')))
    expect(verdicts(datagrams)).toEqual([...all.slice(0, -1), 'incomplete'])
    expect(datagrams.at(-1)?.incomplete).toMatch(/^fragments are missing: 1480 bytes/)
    expect(datagrams[0]?.t).toBeCloseTo(1795614196.075, 2)
  })
  test('a packet of which tcpdump kept the beginning is incomplete, not forged', () => {
    const datagrams = datagramsOf(itemsOf(file('cut.pcap')))
    expect(verdicts(datagrams)).toEqual(Array<string>(11).fill('incomplete'))
    expect(datagrams[0]?.incomplete).toBe('the capture has 86 of its 306 bytes (tcpdump -s 0 keeps all)')
  })
  test('a pcapng file of two interfaces with different link types', () => {
    expect(verdicts(datagramsOf(itemsOf(file('two-interfaces.pcapng'))))).toEqual([...all, ...all])
  })
  test('addresses and ports are those of the packet', () => {
    expect(datagramsOf(itemsOf(file('ethernet.pcap')))[0]).toMatchObject({ from: '192.0.2.1:34372', to: '192.0.2.255:694', ports: [34_372, 694] })
    expect(datagramsOf(itemsOf(file('ipv6.pcap'))).find(({ ports }) => ports[1] === 694)).toMatchObject({ to: '[fd00::2]:694' })
  })
})

test('lines of JSON and of bare base64: what has no packet is skipped, what is neither is named', () => {
  const items = itemsOf(file('lines.jsonl'))
  expect(items.filter(({ type }) => type === 'skipped')).toHaveLength(1)
  expect(verdicts(datagramsOf(items))).toEqual(['valid', 'valid', 'valid', 'valid', 'bad-signature', 'malformed', 'malformed', 'malformed',
    'malformed', 'malformed'])
  const line = Buffer.from(encoded(status, sha1)).toString('base64')
  const bare = itemsOf(Buffer.from(`${line}\n\nnot base64!\n{"bytesBase64": 7}\n${line}`))
  expect(bare.map((item) => (item.type === 'trouble' ? item.message : item.type))).toEqual(
    ['payload', 'line 3 is neither base64 nor a JSON object', 'bytesBase64 of line 4 is no base64', 'payload'])
})

/** The IP packets of ethernet.pcap, as frames of another link type. */
function pcapOf(linkType: number, frame: (ethernet: Buffer) => Buffer, bigEndian = false): Buffer {
  const words = (values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4)
    values.forEach((value, index) => (bigEndian ? bytes.writeUInt32BE(value, index * 4) : bytes.writeUInt32LE(value, index * 4)))
    return bytes
  }
  const records = itemsOf(file('ethernet.pcap')).flatMap((item) => {
    if (item.type !== 'frame') return []
    const bytes = frame(item.bytes)
    return [words([Math.floor(item.t ?? 0), 0, bytes.length, bytes.length]), bytes]
  })
  return Buffer.concat([words([0xa1b2c3d4, bigEndian ? 0x00020004 : 0x00040002, 0, 0, 65_535, linkType]), ...records])
}

const linkTypes: readonly { title: string; linkType: number; frame: (ethernet: Buffer) => Buffer; bigEndian?: boolean }[] = [
  { title: 'raw IP', linkType: 101, frame: (bytes) => bytes.subarray(14) },
  { title: 'IPv4', linkType: 228, frame: (bytes) => bytes.subarray(14) },
  { title: 'BSD loopback', linkType: 0, frame: (bytes) => Buffer.concat([Buffer.of(2, 0, 0, 0), bytes.subarray(14)]) },
  { title: 'OpenBSD loopback', linkType: 108, frame: (bytes) => Buffer.concat([Buffer.of(0, 0, 0, 2), bytes.subarray(14)]) },
  { title: 'two VLAN tags', linkType: 1,
    frame: (bytes) => Buffer.concat([bytes.subarray(0, 12), Buffer.of(0x88, 0xa8, 0, 7, 0x81, 0, 0, 8), bytes.subarray(12)]) },
  { title: 'Ethernet, written by a machine of the other byte order', linkType: 1, frame: (bytes) => bytes, bigEndian: true },
]
for (const { title, linkType, frame, bigEndian } of linkTypes) {
  test(`link type ${linkType}: ${title}`, () => {
    expect(verdicts(datagramsOf(itemsOf(pcapOf(linkType, frame, bigEndian))))).toEqual(all)
  })
}

test('frames of a link type that is not read are counted', () => {
  const datagrams = collectDatagrams()
  for (const item of itemsOf(pcapOf(127, (bytes) => bytes))) if (item.type === 'frame') datagrams.take(item)
  expect([...datagrams.unknownLinkTypes()]).toEqual([[127, 13]])
})

test('a capture that ends within a packet says so, and so do a damaged length and a compressed file', () => {
  const last = (bytes: Buffer): CaptureItem | undefined => itemsOf(bytes).at(-1)
  for (const name of ['ethernet.pcap', 'two-interfaces.pcapng']) {
    expect(last(file(name).subarray(0, -10))).toEqual({ type: 'trouble', message: 'the capture ends in the middle of a packet', ends: true })
  }
  const damaged = file('ethernet.pcap')
  damaged.writeUInt32LE(0x7fff_ffff, 24 + 8)
  expect(last(damaged)).toMatchObject({ message: expect.stringMatching(/^a record claims 2147483647 bytes/) as unknown })
  expect(last(Buffer.of(0x1f, 0x8b, 8, 0))).toMatchObject({ message: expect.stringMatching(/zcat FILE/) as unknown })
})

const names = ['ethernet.pcap', 'ipv6.pcap', 'cooked-v2.pcap', 'two-interfaces.pcapng', 'lines.jsonl']

test('a capture that comes in pieces is the one that comes whole', () => {
  fc.assert(fc.property(fc.constantFrom(...names), fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 12 }), (name, pieces) => {
    expect(itemsOf(file(name), pieces)).toEqual(itemsOf(file(name)))
  }), { numRuns: 60 })
})

test('arbitrary bytes, and captures with any damage, are read without an exception', () => {
  const starts = [Buffer.of(), ...names.map((name) => file(name).subarray(0, 24)), Buffer.from('{"bytesBase64": "'), Buffer.from('>>>\n'), Buffer.from('###\n')]
  fc.assert(fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 400 }), (start, rest) => {
    const bytes = Buffer.concat([start, rest])
    datagramsOf(itemsOf(bytes))
    inspectDatagram(bytes, keyring)
  }), { numRuns: 3000 })
  fc.assert(fc.property(fc.constantFrom(...names), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 30 }), (name, damages) => {
    const bytes = Buffer.from(file(name))
    for (const [at, value] of damages) bytes[at % bytes.length] = value
    for (const datagram of datagramsOf(itemsOf(bytes))) inspectDatagram(datagram.bytes, keyring)
  }), { numRuns: 500 })
})

test('every packet of a real pair is inspected as a separate reading judged it, and its fields can be written again', () => {
  for (const { bytes, keyring: keys, verdict, scenario } of readCaptures('test/data/captures')) {
    const { verdict: found, fields, refused } = inspectDatagram(bytes, keys)
    expect(found, scenario).toBe(verdict === 'unsigned' ? 'malformed' : verdict)
    if (found !== 'valid') continue
    expect(refused).toBeUndefined()
    const auth = fields.find(({ name }) => name === 'auth')?.value.split(' ') ?? []
    const again = decodeFrame(classicFrame(classicLines(fields) ?? '', { index: Number(auth[0]), digest: auth[1] ?? '' }))
    expect(again.result === 'frame' && again.fields).toEqual(fields)
  }
})
