/** Contact is lost and a witness decides: design.md section 5, FINDINGS F1, F4, F5, F12, F13. */
import { expect, test } from 'vitest'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import { step } from '../../src/core/step.ts'
import { address, codes, configuration, group, groupOf, pairOf, script, witnessed } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100')])
const config = configuration([web], witnessed)

function both(pair: ReturnType<typeof pairOf>): void {
  pair.cut.add('a>b')
  pair.cut.add('b>a')
}

test('while the nodes see each other the witness is only looked at, and its death changes nothing', () => {
  const pair = pairOf(config)
  pair.witness.reachableFrom.clear()
  pair.run(60_000)
  expect(pair.held('web')).toBe('a')
  expect(pair.witness.asked).toEqual([])
  expect(codes(pair.hosts.a)).toContain('witness-unreachable')
  pair.witness.reachableFrom.add('a')
  pair.run(15_000)
  expect(codes(pair.hosts.a)).toContain('witness-reachable')
})

test('a full partition: the holder has the grant at half of deadtime and keeps the group', () => {
  const pair = pairOf(config)
  both(pair)
  pair.run(30_000)
  expect(pair.held('web')).toBe('a')
  expect(pair.witness.asked[0]).toBe('a acquire web')
  expect(groupOf(pair.hosts.a).hold?.number).toBe(pair.witness.numbers.get('web'))
  expect(codes(pair.hosts.b)).toContain('grant-refused')
})

test('a holder that cannot reach the witness releases at 0.8 deadtime, and the peer holds after deadtime', () => {
  const pair = pairOf(config)
  pair.witness.reachableFrom.delete('a')
  both(pair)
  const cutMs = pair.nowMs
  let released: number | undefined
  let taken: number | undefined
  for (let turns = 0; turns < 700; turns += 1) {
    pair.run(10)
    if (released === undefined && !pair.hosts.a.running.has('web/0')) released = pair.nowMs - cutMs
    if (taken === undefined && pair.hosts.b.running.has('web/0')) taken = pair.nowMs - cutMs
  }
  expect(released).toBeGreaterThan(3_500)
  expect(released).toBeLessThan(4_100)
  // Counted from the last packet, which came up to a keepalive before the cut.
  expect(taken).toBeGreaterThan(4_490)
  expect(taken).toBeLessThan(5_300)
  expect(groupOf(pair.hosts.b).hold?.permission).toBe('witness')
})

test('with the witness out of reach of both, nobody holds: P1 before availability (F13)', () => {
  const pair = pairOf(config)
  pair.witness.reachableFrom.clear()
  both(pair)
  pair.run(30_000)
  expect(pair.held('web')).toBe('')
  expect([...pair.hosts.a.running, ...pair.hosts.b.running]).toEqual([])
  expect(codes(pair.hosts.b)).not.toContain('group-acquiring')
})

test('the death of the other node costs the holder nothing as long as the witness answers', () => {
  const pair = pairOf(config)
  pair.kill('b')
  pair.run(60_000)
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.a).hold?.permission).toBe('consent')
  expect(codes(pair.hosts.a)).not.toContain('permission-lost')
})

test('a peer that has left is no contact: its partner needs the grant', () => {
  const pair = pairOf(config)
  pair.give('b', { type: 'shutdown-requested' })
  pair.run(10_000)
  expect(pair.hosts.b.exitCode).toBe(0)
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.a).grant).toBeDefined()
})

test('contact comes back: lifetimes are cut to what contact allows, then the grant is given back (F5)', () => {
  const pair = pairOf(configuration([web], { ...witnessed, witness: { timeoutMs: 500, grantMs: 20_000, renewMs: 3_000 }, lease: { seconds: 18 } }))
  both(pair)
  pair.run(10_000)
  expect(groupOf(pair.hosts.a).grant).toBeDefined()
  expect(pair.hosts.a.leasesMs.get('web/0')! - pair.nowMs).toBeGreaterThan(8_000)
  pair.cut.clear()
  for (let turns = 0; turns < 3_000 && pair.witness.keys.has('web'); turns += 1) pair.run(1)
  expect(pair.witness.keys.has('web')).toBe(false)
  expect(pair.hosts.a.leasesMs.get('web/0')! + 1_000).toBeLessThanOrEqual(pair.nowMs + 5_000)
  pair.run(5_000)
  expect(pair.held('web')).toBe('a')
})

test('contact that is lost again while a grant is still being given back: the next one is asked for at that instant', () => {
  const timing = { ...witnessed.timing, keepaliveMs: 700 }
  const pair = pairOf(configuration([web], { ...witnessed, timing, witness: { timeoutMs: 500, grantMs: 20_000, renewMs: 3_600 }, lease: { seconds: 18 } }))
  both(pair)
  pair.run(10_000)
  pair.cut.clear()
  for (let turns = 0; turns < 30_000 && groupOf(pair.hosts.a).grant?.ending === undefined; turns += 1) pair.run(0.1)
  // From here on nothing arrives any more, not even the kernel's answer to the shorter lifetimes.
  let { state } = pair.hosts.a
  const lostMs = (state.contact.confirmed?.sentMs ?? 0) + 2_500
  const timersLateMs = 3
  let askedMs: number | undefined
  while (askedMs === undefined) {
    const nowMs = (nextDeadlineMs(state) ?? Infinity) + timersLateMs
    const next = step(state, { type: 'tick', nowMs, wallMs: 1_000_000 + nowMs })
    if (next.effects.some((effect) => effect.type === 'ask-witness' && effect.ask.type === 'acquire')) askedMs = nowMs
    state = next.state
  }
  expect(askedMs).toBe(lostMs + timersLateMs)
})

test('a grant that comes after contact has returned is given back unused (F4)', () => {
  const pair = pairOf(config)
  pair.kill('a')
  pair.run(5_100)
  const asked = groupOf(pair.hosts.b)
  expect(asked.hold?.permission).toBe('witness')
  const late = pairOf(config)
  late.give('b', { type: 'witness-answered', requestId: 999, answer: { result: 'granted', leaseId: 'old', sentMs: 0, lifeMs: 5_000, number: 7 } })
  late.run(50)
  expect(groupOf(late.hosts.b).grant).toBeUndefined()
  expect(late.witness.asked).toContain('b give-back ')
})

test('a restarted daemon that hears nobody adopts what it finds only by a new grant (F6)', () => {
  const pair = pairOf(config)
  pair.kill('b')
  pair.run(8_000)
  pair.hosts.a.up = false
  pair.witness.reachableFrom.clear()
  pair.start('a', 2)
  pair.run(20_000)
  expect(pair.held('web')).toBe('')
  expect(codes(pair.hosts.a)).not.toContain('group-adopted')
  pair.witness.reachableFrom.add('a')
  pair.run(3_000)
  expect(pair.held('web')).toBe('a')
})

test('what a restarted daemon finds running is stopped as soon as the witness has given it to the other node (F6)', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2')])], witnessed))
  pair.cut.add('a>b').add('b>a')
  pair.witness.reachableFrom.delete('a')
  pair.hosts.a.up = false
  pair.run(8_000)
  expect(pair.held('web')).toBe('b')
  pair.start('a', 2)
  pair.run(2_000)
  expect([...pair.hosts.a.running]).toContain('web/1')
  pair.witness.reachableFrom.add('a')
  pair.run(20_000)
  expect([...pair.hosts.a.running]).toEqual([])
  expect(pair.hosts.a.records).toContainEqual(expect.objectContaining({ code: 'permission-lost', message: expect.stringContaining('the witness has given it to b') }))
  expect(pair.held('web')).toBe('b')
})

test('of two holders that meet, the one with the grant keeps, whatever the claim numbers say (F12)', () => {
  const pair = pairOf(config)
  pair.kill('a')
  pair.run(6_000)
  expect(pair.held('web')).toBe('b')
  const { facts } = pair.hosts.b.state.contact
  const theirs = { name: 'web', state: 'held', claimNumber: 9_000, claiming: false, failed: false, pinned: false, heldMs: 5_000 }
  const packet = { id: { generation: 2, sequence: 1 }, from: 'a', kind: 'status', nodeStatus: 'active', deadtimeMs: 5_000, facts: { ...facts, groups: [theirs] } }
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet })
  expect(groupOf(pair.hosts.b).hold).toBeDefined()
  expect(codes(pair.hosts.b)).toContain('two-holders')
})

test('of two holders that meet, none gives its grant back before the other has let go', () => {
  const pair = pairOf(config)
  pair.kill('a')
  pair.run(6_000)
  const { b } = pair.hosts
  const { facts } = b.state.contact
  // A guest whose clocks stood still takes its old grant for a valid one, and has heard this node already.
  const theirs = { name: 'web', state: 'held', claimNumber: 1, claiming: false, failed: false, pinned: false, granted: true, heldMs: 5_000 }
  const confirms = { generation: b.state.generation, sequence: b.state.nextSequence - 1 }
  const packet = { id: { generation: 2, sequence: 1 }, from: 'a', kind: 'status', nodeStatus: 'active', deadtimeMs: 5_000, facts: { ...facts, confirms, groups: [theirs] } }
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet })
  expect(codes(b)).toContain('two-holders')
  expect(groupOf(b).hold).toBeDefined()
  expect(groupOf(b).grant?.ending).toBeUndefined()
  const released = { ...packet, id: { generation: 2, sequence: 2 }, facts: { ...packet.facts, groups: [{ ...theirs, state: 'stopped', granted: false }] } }
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet: released })
  pair.run(1_000)
  expect(groupOf(b).grant).toBeUndefined()
})

test('while a stop goes on, the grant keeps the peer from starting beside it', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('mysql')])], witnessed))
  both(pair)
  pair.run(3_000)
  pair.outcomes.set('a stop mysql', 'never')
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(20_000)
  expect(pair.held('web')).toBe('')
  expect(pair.hosts.b.running.has('web/1')).toBe(false)
})

test('the life of a grant counts from when its request left', () => {
  const pair = pairOf(config)
  pair.witness.reachableFrom.clear()
  pair.kill('b')
  for (let turns = 0; turns < 3_000 && groupOf(pair.hosts.a).witnessRequest === undefined; turns += 1) pair.run(1)
  const asked = groupOf(pair.hosts.a).witnessRequest!
  const askedMs = pair.nowMs
  pair.run(300)
  pair.give('a', { type: 'witness-answered', requestId: asked.id, answer: { result: 'granted', leaseId: 'x', sentMs: askedMs, lifeMs: 5_000, number: 50 } })
  expect(groupOf(pair.hosts.a).grant?.sentMs).toBe(askedMs)
})

test('a peer that is heard, but hears nothing and reaches no witness, keeps nobody from holding', () => {
  const pair = pairOf(config)
  pair.witness.reachableFrom.delete('a')
  pair.cut.add('b>a')
  pair.run(6_500)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.a.running.size).toBe(0)
  expect(codes(pair.hosts.b)).toContain('peer-deaf')
  pair.cut.clear()
  pair.run(3_000)
  expect(pair.hosts.b.state.contact.status).toBe('alive')
  expect(pair.held('web')).toMatch(/^[ab]$/)
})

test('a script that a deaf peer is still stopping is waited for', () => {
  const pair = pairOf(configuration([group('data', 'a', [address('192.0.2.101'), script('mysql')])], witnessed))
  pair.run(1_000)
  pair.witness.reachableFrom.delete('a')
  pair.outcomes.set('a stop mysql', 'never')
  pair.cut.add('b>a')
  pair.run(12_000)
  expect(pair.held('data')).toBe('')
  expect(pair.hosts.b.running.has('data/1')).toBe(false)
})

test('after a pause in which the monotonic clock stood still, nobody is taken for deaf by what was heard before it', () => {
  const pair = pairOf(config)
  pair.run(3_000)
  pair.give('b', { type: 'tick', wallMs: 1_000_000 + pair.nowMs + 15_000 })
  expect(codes(pair.hosts.b)).toContain('was-stalled')
  pair.run(3_000)
  expect(codes(pair.hosts.b)).not.toContain('peer-deaf')
})

test('for a peer that is deaf an administrator may vouch: with the grant that is a proof, whatever it said of its group', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('mysql')])], witnessed))
  pair.outcomes.set('a stop mysql', { result: 'failed', message: 'no' })
  pair.cut.add('b>a')
  pair.witness.reachableFrom.delete('a')
  pair.run(8_000)
  expect(codes(pair.hosts.b)).toContain('peer-deaf')
  expect(pair.held('web')).toBe('')
  pair.cut.add('a>b')
  pair.ask('b', { type: 'cleanup', group: 'web', timeoutMs: 10_000 })
  pair.run(1_000)
  expect(groupOf(pair.hosts.b).hold?.permission).toBe('witness')
})

test('who takes what a peer left long ago has the number of its grant: the next one that the witness gives is higher', () => {
  const pair = pairOf(config)
  pair.ask('b', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  pair.run(2_000)
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(20_000)
  expect(pair.held('web')).toBe('')
  pair.ask('b', { type: 'online', timeoutMs: 60_000 })
  pair.run(20_000)
  const { hold, grant } = groupOf(pair.hosts.b)
  expect(hold?.permission).toBe('peer-left')
  expect(grant?.number).toBe(pair.witness.numbers.get('web'))
  expect(hold?.number).toBe(grant?.number)
})
