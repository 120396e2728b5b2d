import { describe, expect, test } from 'vitest'
import type { PacketId } from '../../src/core/packet.ts'
import { encodePacket } from '../../src/protocol/datagram.ts'
import { emptyReception, receive, type Reception } from '../../src/protocol/reception.ts'
import { signingMethod } from '../../src/protocol/signing.ts'
import { encoded, facts, keyringOf, netstringFrame, sendingWith, sha1, status } from './samples.ts'

const receiver = { self: { name: 'node1', generation: 4 }, peer: 'node2', keyring: sha1 }
const origin = '192.0.2.9 on bcast eth0'

function received(reception: Reception, bytes: Uint8Array, nowMs = 0) {
  return receive(reception, bytes, receiver, nowMs, origin)
}

test('a packet is new once, then a duplicate, and the bad ones are counted by cause', () => {
  const bytes = encoded(status, sha1)
  const first = received(emptyReception, bytes)
  expect(first).toMatchObject({ verdict: 'new', packet: status })
  const second = received(first.reception, bytes)
  expect(second.verdict).toBe('duplicate')
  const third = received(second.reception, encoded(status, keyringOf('sha1', 'other')))
  expect(third).toMatchObject({ verdict: 'dropped', cause: 'bad-signature', reception: { drops: { 'bad-signature': { total: 1 } } } })
  expect(third.verdict === 'dropped' && third.logLine)
    .toMatch(/^dropped a packet from 192\.0\.2\.9 on bcast eth0 \(bad-signature\): .*compare the keys in authkeys/)
  const fourth = received(third.reception, encoded({ ...status, from: 'node3' }, sha1))
  expect(fourth).toMatchObject({ verdict: 'dropped', cause: 'foreign-node' })
  const old = encoded({ ...status, id: { generation: 1, sequence: 9 } }, sha1)
  expect(received(fourth.reception, old)).toMatchObject({ cause: 'old-generation' })
})

test('own packets that broadcast brings back are counted in silence, another host of this name is not', () => {
  const own = received(emptyReception, encoded({ ...status, from: 'node1', id: { generation: 4, sequence: 1 } }, sha1))
  expect(own).toMatchObject({ verdict: 'dropped', cause: 'own-packet', reception: { drops: { 'own-packet': { total: 1 } } } })
  expect(own).not.toHaveProperty('logLine')
  const other = received(emptyReception, encoded({ ...status, from: 'node1' }, sha1))
  expect(other).toMatchObject({ cause: 'name-conflict', logLine: expect.stringContaining('two hosts have one name') as string })
})

test('what a real Heartbeat says is left to its delivery, whatever its place in the order; not of an ended generation, not of others', () => {
  const note = [['t', 'NS_ackmsg'], ['src', 'node2'], ['ts', '1'], ['hg', '5'], ['ackseq', '1']].map(([name, value]) => ({ name: name!, type: 0 as const, value: value! }))
  expect(received(emptyReception, netstringFrame(note, 'sha1', 'secret', 1))).toMatchObject({ verdict: 'classic', decoded: { type: 'NS_ackmsg' } })
  const named = (name: string) => note.map((field) => (field.name === 'src' ? { ...field, value: name } : field))
  expect(received(emptyReception, netstringFrame(named('node1'), 'sha1', 'secret', 1))).toMatchObject({ verdict: 'dropped', cause: 'own-packet' })
  expect(received(emptyReception, netstringFrame(named('node3'), 'sha1', 'secret', 1))).toMatchObject({ verdict: 'dropped', cause: 'foreign-node' })
  const word = (sequence: string, generation = '5') => netstringFrame(
    [['t', 'starting'], ['src', 'node2'], ['seq', sequence], ['hg', generation], ['ts', '1']].map(([name, value]) => ({ name: name!, type: 0 as const, value: value! })), 'sha1', 'secret', 1,
  )
  const first = received(emptyReception, word('64'))
  expect(first).toMatchObject({ verdict: 'classic', decoded: { packet: { kind: 'other', id: { generation: 5, sequence: 100 } } } })
  const late = received(first.reception, word('2'))
  expect(late).toMatchObject({ verdict: 'classic', reception: { window: { newest: { generation: 5, sequence: 100 } } } })
  expect(received(late.reception, word('65', '4'))).toMatchObject({ verdict: 'dropped', cause: 'old-generation' })
})

test('own packets of a later generation of the same daemon are its own as well', () => {
  const later = (newest: number) =>
    receive(emptyReception, encoded({ ...status, from: 'node1', id: { generation: 6, sequence: 1 } }, sha1), { ...receiver, self: { ...receiver.self, newest } }, 0, origin)
  expect(later(6)).toMatchObject({ cause: 'own-packet' })
  expect(later(5)).toMatchObject({ cause: 'name-conflict' })
})

describe('two of our daemons', () => {
  interface Node {
    name: string; generation: number; sequence: number; reception: Reception; heard?: PacketId; methods: string[]; refused: string[]
  }
  const node = (name: string, generation: number): Node =>
    ({ name, generation, sequence: 0, reception: emptyReception, methods: [], refused: [] })

  function send(from: Node): Uint8Array {
    const method = signingMethod(from.reception.signing, sha1)
    from.methods.push(method)
    from.sequence += 1
    const { confirms: unused, ...rest } = facts
    expect(unused).toBeDefined()
    const packet = {
      ...status, from: from.name, id: { generation: from.generation, sequence: from.sequence },
      facts: from.heard === undefined ? rest : { ...rest, confirms: from.heard },
    }
    const result = encodePacket(packet, sendingWith(sha1, method))
    if (result.result !== 'encoded') throw new Error(result.message)
    return result.bytes
  }
  function hear(to: Node, peer: string, bytes: Uint8Array): void {
    const result = receive(to.reception, bytes, { self: to, peer, keyring: sha1 }, 0, origin)
    to.reception = result.reception
    if (result.verdict === 'new') to.heard = result.packet.id
    if (result.verdict === 'dropped') to.refused.push(result.cause)
  }

  test('change to sha256 within a few packets and lose none, also over a restart of either, with packets under way', () => {
    const a = node('a', 1)
    let b = node('b', 1)
    for (let round = 0; round < 6; round += 1) {
      const [fromA, fromB] = [send(a), send(b)]
      hear(b, 'a', fromA)
      hear(a, 'b', fromB)
    }
    expect(a.methods).toEqual(['sha1', 'sha1', 'sha256', 'sha256', 'sha256', 'sha256'])
    expect(a.methods).toEqual(b.methods)
    const underWay = send(a)
    b = node('b', 2)
    hear(b, 'a', underWay)
    for (let round = 0; round < 6; round += 1) {
      hear(a, 'b', send(b))
      hear(b, 'a', send(a))
    }
    expect(b.methods.at(-1)).toBe('sha256')
    expect(a.methods.at(-1)).toBe('sha256')
    expect([...a.refused, ...b.refused]).toEqual([])
  })

  test('whoever can forge the older method cannot speak for a peer that has changed', () => {
    const [a, b] = [node('a', 1), node('b', 1)]
    for (let round = 0; round < 4; round += 1) {
      hear(b, 'a', send(a))
      hear(a, 'b', send(b))
    }
    const before = a.reception
    const forged = encoded({ ...status, from: 'b', id: { generation: 1, sequence: 1000 } }, sha1, 'sha1')
    hear(a, 'b', forged)
    expect(a.refused).toEqual(['method-refused'])
    expect({ ...a.reception, drops: before.drops }).toEqual(before)
    hear(a, 'b', send(b))
    expect(a.refused).toEqual(['method-refused'])
  })
})
