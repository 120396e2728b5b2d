/** Fence, confirm, then acquire: design.md section 5 "Fencing", FINDINGS F9. */
import { expect, test } from 'vitest'
import { address, codes, configuration, dieOf, group, groupOf, pairOf, rig, script, witnessed } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100')])
const level = { name: 'fence_lab', timeoutMs: 5_000, retries: 1 }
const fencing = { levels: { a: [level], b: [level] }, delaysMs: {} }
const config = configuration([web], { fencing })

test('the survivor waits a deadtime more, fences, and acquires only what is confirmed to be off', () => {
  const pair = pairOf(config)
  pair.kill('a')
  pair.run(1_900)
  expect(pair.fenced).toEqual([])
  pair.run(400)
  expect(pair.fenced).toEqual(['b fences a, level 0'])
  expect(groupOf(pair.hosts.b).hold?.permission).toBe('fenced')
})

test('in a partition the holder fences at once, and one of both survives with the group', () => {
  const pair = pairOf(config)
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(20_000)
  expect(pair.fenced).toEqual(['a fences b, level 0'])
  expect(pair.held('web')).toBe('a')
})

test('a holder never releases for lack of contact where fencing is configured', () => {
  const pair = pairOf(config)
  pair.fences.b = 'never'
  pair.cut.add('a>b')
  pair.run(30_000)
  expect(codes(pair.hosts.a)).not.toContain('permission-lost')
})

test('an attempt that fails is tried again, then the next level, then all of it a minute later; nothing starts meanwhile', () => {
  const pair = pairOf(configuration([web], { fencing: { ...fencing, levels: { a: [level, { ...level, name: 'second', retries: 0 }], b: [] } } }))
  pair.fences.a = 'failed'
  pair.kill('a')
  pair.run(30_000)
  expect(pair.fenced).toEqual(['b fences a, level 0', 'b fences a, level 0', 'b fences a, level 1'])
  expect(pair.held('web')).toBe('')
  pair.fences.a = 'confirmed'
  pair.run(60_000)
  expect(pair.held('web')).toBe('b')
})

test('a program that never answers counts as failed', () => {
  const pair = pairOf(config)
  pair.fences.a = 'never'
  pair.kill('a')
  pair.run(60_000)
  expect(pair.fenced).toHaveLength(2)
  expect(codes(pair.hosts.b)).toContain('fence-failed')
})

test('a node that was never in contact since its start fences nobody; an administrator may vouch for the peer', () => {
  const pair = rig(config)
  pair.start('b')
  pair.run(30_000)
  expect(pair.fenced).toEqual([])
  expect(pair.held('web')).toBe('')
  pair.ask('b', { type: 'cleanup', group: 'web', timeoutMs: 5_000 })
  pair.run(100)
  expect(groupOf(pair.hosts.b).hold?.permission).toBe('vouched')
})

test('a goodbye needs no fencing', () => {
  const pair = pairOf(config)
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(20_000)
  expect(pair.held('web')).toBe('b')
  expect(pair.fenced).toEqual([])
})

test('a delay for one side lets the other one win', () => {
  const pair = pairOf(configuration([web], { fencing: { ...fencing, delaysMs: { a: 3_000 } } }))
  pair.kill('a')
  pair.run(4_500)
  expect(pair.fenced).toEqual([])
  pair.run(1_000)
  expect(pair.held('web')).toBe('b')
})

test('a peer that was confirmed to be off and still speaks is reported', () => {
  const pair = pairOf(config)
  const { contact } = pair.hosts.b.state
  pair.kill('a')
  pair.run(3_000)
  const packet = { id: { generation: 1, sequence: 9_999 }, from: 'a', kind: 'status', nodeStatus: 'active', deadtimeMs: 1_000, facts: contact.facts }
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet })
  expect(codes(pair.hosts.b)).toContain('fence-contradicted')
})

test('with a witness the grant comes first, and only a group whose scripts may not run twice is fenced for', () => {
  const data = group('data', 'a', [address('192.0.2.101'), script('mysql')])
  const pair = pairOf(configuration([web, data], { ...witnessed, fencing }))
  pair.run(1_000)
  pair.fences.a = 'never'
  pair.kill('a')
  pair.run(6_500)
  expect(pair.held('web')).toBe('b')
  expect(groupOf(pair.hosts.b, 'web').hold?.permission).toBe('witness')
  expect(pair.fenced).toEqual(['b fences a, level 0'])
  expect(pair.held('data')).toBe('')
})

test('in a partition with a witness only the side with the grant fences', () => {
  const data = group('data', 'a', [address('192.0.2.101'), script('mysql')])
  const pair = pairOf(configuration([data], { ...witnessed, fencing }))
  pair.run(1_000)
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(20_000)
  expect(pair.fenced).toEqual([])
  expect(pair.held('data')).toBe('a')
})

test('against a peer last heard as unclean only fencing permits a start', () => {
  const data = group('data', 'a', [address('192.0.2.101'), script('mysql')])
  const pair = pairOf(configuration([data], { fencing }))
  pair.outcomes.set('a stop mysql', { result: 'failed', exitCode: 1, message: 'no' })
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 5_000 })
  pair.run(1_000)
  dieOf(pair, 'a')
  pair.run(1_500)
  expect(pair.held('data')).toBe('')
  pair.run(1_500)
  expect(groupOf(pair.hosts.b, 'data').hold?.permission).toBe('fenced')
})

test('nobody is fenced during hactl pause', () => {
  const pair = pairOf(config)
  pair.ask('b', { type: 'pause' })
  pair.run(200)
  pair.kill('a')
  pair.run(20_000)
  expect(pair.fenced).toEqual([])
})

test('where both hold something, only one of them fences at once', () => {
  const other = group('other', 'b', [address('192.0.2.102')])
  const pair = pairOf(configuration([web, other], { fencing }))
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(20_000)
  expect(pair.fenced).toEqual(['a fences b, level 0'])
  expect([pair.held('web'), pair.held('other')]).toEqual(['a', 'a'])
})

test('a peer that has left in order with a failed stop is not switched off, and no grant of the witness permits its group', () => {
  const data = group('data', 'a', [address('192.0.2.101'), script('mysql')])
  for (const change of [{ fencing }, { ...witnessed, fencing }]) {
    const pair = pairOf(configuration([data], change))
    pair.outcomes.set('a stop mysql', { result: 'failed', exitCode: 1, message: 'no' })
    pair.give('a', { type: 'shutdown-requested' })
    pair.run(30_000)
    expect(pair.hosts.a.exitCode).toBe(0)
    expect(pair.fenced).toEqual([])
    expect(groupOf(pair.hosts.b, 'data').placement).toBe('unclean-there')
    expect(pair.held('data')).toBe('')
  }
})
