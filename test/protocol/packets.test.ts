import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AdvertisedGroup, Facts, Packet, Will } from '../../src/core/packet.ts'
import { decodeDatagram, encodePacket } from '../../src/protocol/datagram.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import { signLines } from '../../src/protocol/signature.ts'
import { maxWordLength } from '../../src/protocol/values.ts'
import { lastOrdinarySequence, maxSequence } from '../../src/protocol/window.ts'
import { encoded, facts, keyringOf, netstringFrame, sendingWith, sha1, status } from './samples.ts'

function received(bytes: Uint8Array): Packet {
  const decoded = decodeDatagram(bytes, sha1)
  if (decoded.result !== 'packet') throw new Error(JSON.stringify(decoded))
  return decoded.packet
}

const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER })
// Any text, control characters and four-byte characters too, as short as to fit when every byte of it is escaped.
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 })
const generation = fc.nat({ max: 10 ** 15 - 1 })
const id = fc.record({ generation, sequence: fc.nat({ max: 0xffff_ffff }) })
const group: fc.Arbitrary<AdvertisedGroup> = fc.record({
  name,
  state: fc.constantFrom('unknown' as const, 'stopped' as const, 'starting' as const, 'held' as const, 'stopping' as const,
    'unclean' as const),
  claimNumber: whole,
  claiming: fc.boolean(),
  offer: fc.constantFrom('admin' as const, 'standby' as const, 'failback' as const, 'failed' as const, 'leaving' as const),
  failed: fc.boolean(),
  pinned: fc.boolean(),
  heldMs: whole,
  granted: fc.constant(true as const),
}, { requiredKeys: ['name', 'state', 'claimNumber', 'claiming', 'failed', 'pinned'] })

const anyFacts: fc.Arbitrary<Facts> = fc.record({
  dialogue: fc.integer({ min: 1, max: 999 }),
  confirms: id,
  answerWanted: fc.boolean(),
  standby: fc.constantFrom('all' as const, 'local' as const, 'foreign' as const),
  leaving: fc.constant(true as const),
  pause: fc.record({ paused: fc.boolean(), number: whole, sinceWallMs: whole }),
  groups: fc.uniqueArray(group, { maxLength: 30, selector: (one) => one.name }),
  digests: fc.dictionary(name, name, { maxKeys: 6, noNullPrototype: true }),
  requests: fc.array(fc.record({ kind: fc.constantFrom('cleanup' as const, 'clear' as const), group: name }), { maxLength: 4 }),
  stalledMs: whole,
  raisedForMs: whole,
  promisedForMs: whole,
  pingsSeen: whole,
  keyNames: fc.array(name, { minLength: 1, maxLength: 16 }),
}, { requiredKeys: ['dialogue', 'answerWanted', 'pause', 'groups', 'digests', 'requests'] })

const from = fc.stringMatching(/^[\x21-\x7e]{1,99}$/)
const deadtimeMs = fc.nat({ max: 0xffff_ffff })
const living: fc.Arbitrary<Packet> = fc.record({
  id: fc.record({ generation, sequence: fc.nat({ max: lastOrdinarySequence }) }),
  from,
  kind: fc.constantFrom('status' as const, 'goodbye' as const),
  nodeStatus: fc.constantFrom('init' as const, 'up' as const, 'active' as const),
  deadtimeMs,
  facts: anyFacts,
}, { requiredKeys: ['id', 'from', 'kind', 'nodeStatus', 'deadtimeMs'] }).map((one): Packet =>
  (one.kind === 'goodbye' ? { ...one, nodeStatus: 'dead' } : one))

const anyWill: fc.Arbitrary<Will> = fc.oneof(
  fc.constant<Will>({ says: 'daemon-dead' }),
  fc.record({ says: fc.constantFrom('addresses-gone' as const, 'stopped' as const), group: name }),
)
const wills: fc.Arbitrary<Packet> = fc.record({
  id: fc.record({ generation, sequence: fc.integer({ min: lastOrdinarySequence + 1, max: maxSequence }) }),
  from, kind: fc.constant('will' as const), nodeStatus: fc.constant('dead' as const), deadtimeMs, will: anyWill,
})
const packet = fc.oneof({ arbitrary: living, weight: 3 }, { arbitrary: wills, weight: 1 })

test('any packet comes back as it was sent, by every method, in both framings', () => {
  fc.assert(fc.property(packet, fc.constantFrom('sha256' as const, 'sha1' as const, 'md5' as const, 'crc' as const), (sent, method) => {
    const keyring = keyringOf(method)
    const bytes = encoded(sent, keyring)
    const decoded = decodeDatagram(bytes, keyring)
    expect(decoded).toMatchObject({ result: 'packet', framing: 'classic', method })
    expect(decoded.result === 'packet' && decoded.packet).toEqual(sent)
    if (method === 'crc') return
    const frame = decodeFrame(bytes)
    const netstring = netstringFrame(frame.result === 'frame' ? frame.fields : [], method, 'secret', 1)
    const again = decodeDatagram(netstring, keyring)
    expect(again.result === 'packet' && again.packet).toEqual(sent)
  }), { numRuns: 500, seed: 694 })
})

test('no other key, index or method verifies a packet', () => {
  fc.assert(fc.property(packet, fc.string({ unit: 'binary', minLength: 1 }), (sent, key) => {
    fc.pre(key !== 'secret')
    const bytes = encoded(sent, sha1)
    expect(decodeDatagram(bytes, keyringOf('sha1', key))).toMatchObject({ cause: 'bad-signature' })
    expect(decodeDatagram(bytes, keyringOf('md5', 'secret'))).toMatchObject({ cause: 'bad-signature' })
    expect(decodeDatagram(bytes, keyringOf('sha1', 'secret', 2))).toMatchObject({ cause: 'unknown-key' })
  }), { numRuns: 100, seed: 694 })
})

test('fractions of milliseconds are rounded', () => {
  const back = received(encoded({ ...status, deadtimeMs: 999.6,
    facts: { ...facts, stalledMs: 12.5, pause: { ...facts.pause, sinceWallMs: 5.4 } } }, sha1))
  expect([back.deadtimeMs, back.facts?.stalledMs, back.facts?.pause.sinceWallMs]).toEqual([1000, 13, 5])
})

test('our goodbye is the shutdone of a real Heartbeat, our status its status', () => {
  const text = Buffer.from(encoded({ ...status, kind: 'goodbye' }, sha1)).toString('latin1')
  expect(text).toMatch(/^>>>\nt=shutdone\nst=dead\n/)
  expect(Buffer.from(encoded(status, sha1)).toString('latin1')).toMatch(/^>>>\nt=status\nst=active\ndt=7530\nprotocol=1\n/)
})

test('without facts a status is byte for byte that of a real Heartbeat', () => {
  const { facts: left, ...classic } = status
  expect(left).toBeDefined()
  expect(Buffer.from(encoded(classic, sha1)).toString('latin1')).toBe(
    '>>>\nt=status\nst=active\ndt=7530\nprotocol=1\nsrc=node2\n(1)srcuuid=ChssPU5fYHGCk6S1xtfo+Q==\nseq=5\nhg=65f0c3a3\nts=65f0d000\n' +
      'ld=0.00 0.01 0.05 1/123 4567\nttl=3\nauth=1 b0c02aa7b7e618c7a16f23ad441c96349593400f\n<<<\n',
  )
})

function withGroups(count: number, nameOf: (n: number) => string): Packet {
  const groups = Array.from({ length: count }, (_, n): AdvertisedGroup => ({
    name: nameOf(n), state: 'held', claimNumber: n, claiming: false, failed: false, pinned: false,
  }))
  return { ...status, facts: { ...facts, groups } }
}

describe('many groups', () => {
  const address = (n: number) => `2001:db8:aaaa:bbbb:cccc:dddd:0:${n.toString(16)}`
  test('20 of them fit into one Ethernet frame', () => {
    expect(encoded(withGroups(20, (n) => `192.0.2.${100 + n}`), sha1, 'sha256').length).toBeLessThan(1400)
  })
  test('1000 of them come back', () => {
    const sent = withGroups(1000, address)
    expect(received(encoded(sent, sha1))).toEqual(sent)
  })
  test('more than a datagram holds are an error that says so', () => {
    expect(encodePacket(withGroups(1000, (n) => `${n}`.padStart(200, 'x')), sendingWith(sha1))).toMatchObject({
      result: 'not-encodable', cause: 'too-large', message: expect.stringContaining('1000 groups') as string,
    })
    expect(encodePacket(withGroups(4097, address), sendingWith(sha1))).toMatchObject({ result: 'not-encodable', cause: 'bad-value' })
  })
})

describe('what cannot be sent is named', () => {
  const first = facts.groups[0]!
  const cases: [title: string, packet: Packet, field: string][] = [
    ['a message of the classic dialogue', { ...status, kind: 'other' }, 't'],
    ['a status of a dead node', { ...status, nodeStatus: 'dead' }, 't'],
    ['a name with a blank', { ...status, from: 'node 2' }, 'src'],
    ['no name', { ...status, from: '' }, 'src'],
    ['a negative deadtime', { ...status, deadtimeMs: -1 }, 'dt'],
    ['a deadtime that is no number', { ...status, deadtimeMs: NaN }, 'dt'],
    ['a broken sequence', { ...status, id: { generation: 1, sequence: 0.5 } }, 'seq'],
    ['a sequence of 33 bits', { ...status, id: { generation: 1, sequence: 2 ** 32 } }, 'seq'],
    ['a generation of 16 digits', { ...status, id: { generation: 10 ** 15, sequence: 1 } }, 'hg'],
    ['dialogue 0', { ...status, facts: { ...facts, dialogue: 0 } }, 'hactl'],
    ['a group without a name', { ...status, facts: { ...facts, groups: [{ ...first, name: '' }] } }, 'hactlgroups'],
    ['a group name that is too long', { ...status, facts: { ...facts, groups: [{ ...first, name: 'x'.repeat(maxWordLength + 1) }] } },
      'hactlgroups'],
    ['half a character', { ...status, facts: { ...facts, groups: [{ ...first, name: '\ud800' }] } }, 'hactlgroups'],
    ['one group twice', { ...status, facts: { ...facts, groups: [first, first] } }, 'hactlgroups'],
    ['a negative claim number', { ...status, facts: { ...facts, groups: [{ ...first, claimNumber: -1 }] } }, 'hactlgroups'],
    ['a status with a sequence of the wills', { ...status, id: { generation: 1, sequence: lastOrdinarySequence + 1 } }, 'seq'],
    ['a status with a will', { ...status, will: { says: 'daemon-dead' } }, 't'],
    ['a half ping node', { ...status, facts: { ...facts, pingsSeen: 0.5 } }, 'hactlpings'],
    ['no key at all', { ...status, facts: { ...facts, keyNames: [] } }, 'hactlkeys'],
    ['a lifetime without end', { ...status, facts: { ...facts, raisedForMs: Infinity } }, 'hactlraised'],
    ['a stall without end', { ...status, facts: { ...facts, stalledMs: Infinity } }, 'hactlstalled'],
  ]
  for (const [title, bad, field] of cases) {
    test(title, () => expect(encodePacket(bad, sendingWith(sha1))).toMatchObject({
      result: 'not-encodable', cause: 'bad-value', message: `the field ${field} cannot hold what this node has to say`,
    }))
  }
  test('a key that is not there', () => {
    expect(encodePacket(status, { ...sendingWith(sha1), keyring: { ...sha1, active: 2 } })).toMatchObject({ result: 'not-encodable',
      cause: 'no-key' })
  })
  test('a load line that is none is left out', () => {
    const result = encodePacket(status, { ...sendingWith(sha1), load: 'x\ny' })
    expect(result.result === 'encoded' && Buffer.from(result.bytes).toString('latin1')).toContain('\nld=n/a\n')
  })
})

describe('a fact that cannot be read drops the packet', () => {
  const cases: [field: string, value: string | undefined][] = [
    ['hactl', '0'], ['hactl', '1000'], ['hactl', '01'], ['hactl', ''], ['hactlcan', undefined], ['hactlcan', 'a  b'], ['hactlack', ''],
    ['hactlack', '1'],
    ['hactlack', '1,2,3'], ['hactlack', '1,100000000'], ['hactlack', '1,G'], ['hactlask', '0'], ['hactlleaving', 'yes'], ['hactlask', ''], ['hactlstandby', 'none'],
    ['hactlpause', undefined],
    ['hactlpause', '2,0,0'], ['hactlpause', '1,0'], ['hactlpause', '1,0,0,0'], ['hactlpause', '0,0,ffffffffffffffff'],
    ['hactlgroups', undefined], ['hactlgroups', ' '],
    ['hactlgroups', 'a'], ['hactlgroups', 'a,h'], ['hactlgroups', 'a,h,1,G'], ['hactlgroups', 'a,h,1,2,3'], ['hactlgroups', ',h,1'], ['hactlgroups', 'a,q,1'],
    ['hactlgroups', 'a,hpf,1'],
    ['hactlgroups', 'a,hcc,1'], ['hactlgroups', 'a,h,-1'], ['hactlgroups', 'a,h,'], ['hactlgroups', 'a,h,20000000000000'],
    ['hactlgroups', 'a,h,1 a,s,1'],
    ['hactlgroups', 'a%2,h,1'], ['hactlgroups', '%41,h,1'], ['hactlgroups', '%ff,h,1'], ['hactlgroups', '%FF,h,1'],
    ['hactlgroups', '%C0%80,h,1'],
    ['hactlgroups', `${'x'.repeat(maxWordLength + 1)},h,1`], ['hactldigests', 'a'], ['hactldigests', 'a,'], ['hactldigests', 'a,b,c'],
    ['hactldigests', Array.from({ length: 17 }, (_, n) => `d${n},x`).join(' ')], ['hactlrequests', 'cleanup'],
    ['hactlrequests', 'reboot,a'], ['hactlgroups', 'a,hgp,1'], ['hactlgroups', 'a,hgg,1'], ['hactlraised', ''], ['hactlraised', '-1'],
    ['hactlpings', 'x'], ['hactlkeys', ''], ['hactlkeys', 'a,b'], ['hactlkeys', Array.from({ length: 17 }, (_, n) => `k${n}`).join(' ')], ['hactlstalled', ''], ['hactlstalled', '1x'],
  ]
  const frame = decodeFrame(encoded(status, sha1))
  const fields = frame.result === 'frame' ? frame.fields : []
  for (const [field, value] of cases) {
    test(`${field}=${value?.slice(0, 30) ?? ' left out'}`, () => {
      const changed = fields.filter(({ name }) => name !== field)
      if (value !== undefined) changed.splice(4, 0, { name: field, type: 0, value })
      const lines = classicLines(changed) ?? ''
      const signature = signLines(lines, sha1, 'sha1')
      if ('cause' in signature) throw new Error(signature.reason)
      expect(decodeDatagram(classicFrame(lines, signature), sha1)).toMatchObject({ result: 'refused', cause: 'bad-facts',
        reason: `${field} is missing or cannot be read` })
    })
  }
  test('but a field of a later version is ignored', () => {
    const lines = classicLines([...fields, { name: 'hactlwitness', type: 0, value: 'x' }]) ?? ''
    const signature = signLines(lines, sha1, 'sha1')
    if ('cause' in signature) throw new Error(signature.reason)
    expect(received(classicFrame(lines, signature))).toEqual(status)
  })
})
