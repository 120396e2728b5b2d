import { describe, expect, test } from 'vitest'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import { decodeDatagram, encodePacket } from '../../src/protocol/datagram.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { emptyReception, receive } from '../../src/protocol/reception.ts'
import { refusalCauses, type RefusalCause } from '../../src/protocol/refusals.ts'
import { signLines, type Keyring } from '../../src/protocol/signature.ts'
import { invented, mutated } from './mutations.ts'
import { encoded, keyringOf, netstringFrame, randomNumbers, readCaptures, sendingWith, sha1, status, will } from './samples.ts'

const valid = readCaptures('test/data/captures').filter(({ verdict }) => verdict === 'valid')

/** Both framings, every method, every type of message of a real pair, and our own packets. */
function samples(): { title: string; bytes: Buffer; keyring: Keyring }[] {
  const ours = (['sha256', 'sha1', 'md5', 'crc'] as const).map((method) =>
    ({ title: `our own, ${method}`, bytes: Buffer.from(encoded(status, keyringOf(method))), keyring: keyringOf(method) }))
  ours.push({ title: 'a will', bytes: Buffer.from(encoded(will, sha1)), keyring: sha1 })
  const frame = decodeFrame(ours[0]!.bytes)
  const fields = frame.result === 'frame' ? frame.fields : []
  const netstrings = [
    { title: 'ours as netstrings', bytes: netstringFrame(fields, 'sha256', 'secret', 1), keyring: keyringOf('sha256') },
    { title: 'ours as netstrings without the inner signature',
      bytes: netstringFrame(fields.filter(({ name }) => name !== 'auth'), 'sha1', 'secret', 1), keyring: sha1 },
  ]
  const types = new Map<string, (typeof valid)[number]>()
  for (const one of valid) {
    const decoded = decodeDatagram(one.bytes, one.keyring)
    if (decoded.result !== 'refused') types.set(`${decoded.type} ${decoded.method}`, one)
  }
  return [...ours, ...netstrings, ...[...types].map(([title, { bytes, keyring }]) => ({ title, bytes, keyring }))]
}

function isAccepted(bytes: Uint8Array, keyring: Keyring): boolean {
  return decodeDatagram(bytes, keyring).result !== 'refused'
}

describe('each single damage to a packet is noticed', () => {
  const all = samples()
  test('the samples are good before they are damaged, and there are enough of them', () => {
    expect(all.length).toBeGreaterThan(25)
    for (const { title, bytes, keyring } of all) expect(decodeDatagram(bytes, keyring).result, title).not.toBe('refused')
  })
  test('every truncation', () => {
    for (const { title, bytes, keyring } of all) {
      for (let length = 0; length < bytes.length; length += 1) {
        if (isAccepted(bytes.subarray(0, length), keyring)) throw new Error(`${title}: the first ${length} bytes are accepted`)
      }
    }
  })
  test('every flipped bit', () => {
    for (const { title, bytes, keyring } of all) {
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const damaged = Buffer.from(bytes)
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        if (isAccepted(damaged, keyring)) throw new Error(`${title}: accepted with bit ${bit & 7} of byte ${bit >> 3} flipped`)
      }
    }
  })
  test('every byte left out, doubled, or followed by a newline', () => {
    for (const { title, bytes, keyring } of all) {
      for (let at = 0; at < bytes.length; at += 1) {
        const [head, byte, tail] = [bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)]
        for (const parts of [[head, tail], [head, byte, byte, tail], [head, byte, Buffer.of(10), tail]]) {
          const damaged = Buffer.concat(parts)
          if (isAccepted(damaged, keyring)) throw new Error(`${title}: accepted as ${JSON.stringify(damaged.toString('latin1'))}`)
        }
      }
    }
  }, 60_000)
})

test('1,000,000 invented or mutated datagrams are 1,000,000 counted drops', () => {
  // Each key has its own text: the index is not signed, so one text under two indexes would make two packets of one.
  const keyring: Keyring = {
    active: 1, allowCrc: false,
    keys: [{ index: 1, method: 'sha1', key: 'another' }, { index: 2, method: 'sha1', key: 'secret' },
      { index: 3, method: 'md5', key: 'secret' }],
  }
  // crc is no protection against forgery, so its packets are no originals here.
  const theirs = valid.filter(({ keyring }) => keyring.keys[0]?.key === 'secret').map(({ bytes }) => bytes)
  const ours = Array.from({ length: theirs.length },
    (_, n) => Buffer.from(encoded({ ...status, id: { generation: 9, sequence: n } }, keyring, n % 2 === 0 ? 'sha256' : 'sha1')))
  const originals = [...theirs, ...ours]
  const real = new Set(originals.map((bytes) => bytes.toString('latin1')))
  const receiver = { self: { name: 'node-a', generation: 1 }, peer: 'node-b', keyring }
  const beforeVerifying = new Set(['malformed', 'too-large', 'unsigned', 'unknown-key', 'bad-signature'])
  const random = randomNumbers(694)
  let reception = emptyReception
  let lines = 0
  let dropped = 0
  while (dropped < 1_000_000) {
    const bytes = random(8) === 0 ? invented(random) : mutated(originals, random)
    const received = receive(reception, bytes, receiver, dropped, 'a test')
    if (received.verdict !== 'dropped' || !beforeVerifying.has(received.cause)) {
      // It verified: then it must be a real packet that came out unchanged. A NUL after a classic frame is part of the format.
      const text = bytes.toString('latin1')
      if (!real.has(text) && !(text.endsWith('\0') && real.has(text.slice(0, -1)))) throw new Error(`verified: ${JSON.stringify(text)}`)
      continue
    }
    reception = received.reception
    dropped += 1
    if (received.logLine !== undefined) lines += 1
  }
  const total = (cause: RefusalCause) => reception.drops[cause]?.total ?? 0
  expect(Object.values(reception.drops).reduce((sum, drop) => sum + drop.total, 0)).toBe(1_000_000)
  expect(Object.keys(reception.drops).sort()).toEqual([...beforeVerifying].sort())
  expect(total('bad-signature')).toBeGreaterThan(200_000)
  // A thousand bad packets in each of 1000 seconds: at most 17 lines for a cause.
  expect(lines).toBeLessThanOrEqual(beforeVerifying.size * 17)
}, 180_000)

test('a well signed message with any nonsense in it is read or refused, and what is read can be sent again', () => {
  const random = randomNumbers(1694)
  const frame = decodeFrame(encoded(status, sha1))
  const fields = frame.result === 'frame' ? frame.fields : []
  const values = fields.map(({ value }) => Buffer.from(value, 'latin1'))
  const causes = new Set<string>()
  for (let n = 0; n < 50_000; n += 1) {
    const changed = fields
      .filter(() => random(60) !== 0)
      .map((field) => (random(12) === 0 ? { ...field, value: mutated(values, random).toString('latin1') } : field))
    const lines = classicLines(changed)
    if (lines === undefined) continue
    const signature = signLines(lines, sha1, 'sha1')
    if ('cause' in signature) throw new Error(signature.reason)
    const decoded = decodeDatagram(classicFrame(lines, signature), sha1)
    causes.add(decoded.result === 'refused' ? decoded.cause : decoded.result)
    if (decoded.result !== 'packet' || decoded.packet.kind === 'other') continue
    const again = encodePacket(decoded.packet, sendingWith(sha1))
    if (again.result !== 'encoded') throw new Error(`${again.message}: ${lines}`)
    const back = decodeDatagram(again.bytes, sha1)
    expect(back.result === 'packet' && back.packet).toEqual(decoded.packet)
  }
  for (const cause of ['packet', 'missing-field', 'bad-field', 'bad-facts']) expect([...causes]).toContain(cause)
  for (const cause of causes) expect(['packet', 'unsequenced', ...refusalCauses]).toContain(cause)
})
