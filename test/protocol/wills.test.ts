import { expect, test } from 'vitest'
import type { Packet, Will } from '../../src/core/packet.ts'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import { decodeDatagram, encodePacket, encodeWill } from '../../src/protocol/datagram.ts'
import { maxGroups } from '../../src/protocol/facts.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { keyNames } from '../../src/protocol/key-names.ts'
import { emptyReception, receive } from '../../src/protocol/reception.ts'
import { signLines } from '../../src/protocol/signature.ts'
import { willSequence } from '../../src/protocol/will.ts'
import { lastOrdinarySequence, maxSequence } from '../../src/protocol/window.ts'
import { encoded, keyringOf, sendingWith, sha1, status, will } from './samples.ts'

test('every will of a generation has a number of its own among the reserved ones, in ascending order', () => {
  const numbers = [willSequence('daemon-dead', 0), ...(['addresses-gone', 'stopped'] as const).flatMap((says) =>
    Array.from({ length: maxGroups }, (_, index) => willSequence(says, index)))].map((number) => number ?? NaN)
  expect(numbers[0]).toBe(lastOrdinarySequence + 1)
  expect(numbers.every((number, index) => index === 0 || number === numbers[index - 1]! + 1)).toBe(true)
  expect(numbers.at(-1)).toBeLessThanOrEqual(maxSequence)
  expect([willSequence('stopped', maxGroups), willSequence('stopped', -1), willSequence('addresses-gone', 0.5)]).toEqual([undefined, undefined, undefined])
})

test('wills of whatever length are filled up to the same number of bytes, by every method', () => {
  const says: Will[] = [{ says: 'daemon-dead' }, { says: 'stopped', group: 'x' }, { says: 'addresses-gone', group: 'odd '.repeat(10) }]
  for (const method of ['sha256', 'sha1', 'md5', 'crc'] as const) {
    const keyring = keyringOf(method)
    for (const one of says) {
      for (let generation = 0; generation < 60; generation += 1) {
        const packet: Packet = { ...will, id: { generation, sequence: maxSequence }, will: one }
        const filled = encodeWill(packet, sendingWith(keyring), 512)
        expect(filled.result === 'encoded' && filled.bytes.length, `${method} ${generation}`).toBe(512)
        const back = filled.result === 'encoded' ? decodeDatagram(filled.bytes, keyring) : undefined
        expect(back?.result === 'packet' && back.packet).toEqual(packet)
      }
    }
  }
  expect(encodeWill({ ...will, will: { says: 'stopped', group: 'x'.repeat(500) } }, sendingWith(sha1), 512)).toMatchObject({ cause: 'too-large' })
})

test('a will cannot be sent with facts, without what it says, or with an ordinary number', () => {
  const cases: [Packet, string][] = [
    [{ ...will, facts: status.facts! }, 'hactl'], [{ ...status, kind: 'will', id: will.id }, 't'], [{ ...will, id: status.id }, 'seq'],
    [{ ...will, will: { says: 'stopped', group: '' } }, 'hactlgone'],
  ]
  for (const [packet, field] of cases) {
    expect(encodePacket(packet, sendingWith(sha1))).toMatchObject({ message: `the field ${field} cannot hold what this node has to say` })
  }
})

test('a will that cannot be read is refused, and so are an ordinary packet with its number and a will with an ordinary one', () => {
  const frame = decodeFrame(encoded(will, sha1))
  const fields = frame.result === 'frame' ? frame.fields : []
  const read = (name: string, value: string | undefined) => {
    const changed = fields.flatMap((field) => (field.name !== name ? [field] : value === undefined ? [] : [{ ...field, value }]))
    const lines = classicLines(changed) ?? ''
    const signature = signLines(lines, sha1, 'sha1')
    if ('cause' in signature) throw new Error(signature.reason)
    const decoded = decodeDatagram(classicFrame(lines, signature), sha1)
    return decoded.result === 'refused' ? decoded.cause : decoded.result
  }
  expect(read('hactlfill', undefined)).toBe('packet')
  expect(read('hactlsays', undefined)).toBe('bad-facts')
  expect(read('hactlsays', 'nothing')).toBe('bad-facts')
  expect(read('hactlsays', 'daemon-dead')).toBe('bad-facts')
  expect(read('hactlgone', undefined)).toBe('bad-facts')
  expect(read('hactlgone', 'a b')).toBe('bad-facts')
  expect(read('dt', 'x')).toBe('bad-field')
  expect(read('seq', '5')).toBe('bad-field')
  expect(read('t', 'status')).toBe('bad-field')
  expect(read('t', 'shutdone')).toBe('bad-field')
  expect(read('t', 'starting')).toBe('bad-field')
})

test('whoever has used a will of a daemon uses nothing else of it afterwards, in whatever order the rest arrives', () => {
  const receiver = { self: { name: 'node1', generation: 4 }, peer: 'node2', keyring: sha1 }
  const ordinary = (sequence: number): Packet => ({ ...status, id: { ...status.id, sequence } })
  const stopped: Packet = { ...will, id: { ...will.id, sequence: will.id.sequence + maxGroups }, will: { says: 'stopped', group: 'web' } }
  let reception = emptyReception
  const verdicts = [ordinary(5), stopped, ordinary(6), will, stopped, ordinary(7), will].map((packet) => {
    const received = receive(reception, encoded(packet, sha1), receiver, 0, 'a test')
    reception = received.reception
    return received.verdict === 'dropped' ? received.cause : received.verdict
  })
  expect(verdicts).toEqual(['new', 'new', 'stale', 'new', 'duplicate', 'stale', 'duplicate'])
  const next = receive(reception, encoded({ ...ordinary(1), id: { generation: will.id.generation + 1, sequence: 1 } }, sha1), receiver, 0, 'a test')
  expect(next.verdict).toBe('new')
})

test('after a restart, replays of a generation below the highest that was heard are old', () => {
  const receiver = { self: { name: 'node1', generation: 4 }, peer: 'node2', keyring: sha1, floorGeneration: status.id.generation + 1 }
  for (const packet of [status, will]) {
    expect(receive(emptyReception, encoded(packet, sha1), receiver, 0, 'a test')).toMatchObject({ verdict: 'dropped', cause: 'old-generation' })
  }
})

test('names of keys: the one that signs first, the same for the same key, and nothing of the key in them', () => {
  const keys = [{ index: 1, method: 'sha1', key: 'secret' }, { index: 2, method: 'sha256', key: 'another' }, { index: 3, method: 'crc', key: '' }] as const
  expect(keyNames({ active: 2, keys, allowCrc: false })).toEqual([expect.stringMatching(/^2-[0-9a-f]{8}$/), expect.stringMatching(/^1-[0-9a-f]{8}$/)])
  expect(keyNames({ active: 1, keys, allowCrc: true }).map((name) => name.split('-')[0])).toEqual(['1', '2', '3'])
  const [one] = keyNames({ active: 1, keys, allowCrc: false })
  expect(keyNames({ active: 1, keys: [{ index: 1, method: 'md5', key: 'secret' }], allowCrc: false })).toEqual([one])
  expect(keyNames({ active: 1, keys: [{ index: 1, method: 'sha1', key: 'Secret' }], allowCrc: false })).not.toEqual([one])
})
