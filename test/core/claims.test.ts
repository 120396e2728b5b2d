/** Who gets a group when both want it, when their files differ, and what a claim does that nobody can answer. */
import { expect, test } from 'vitest'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import { address, configuration, group, groupOf, pairOf, replyOf, rig, script, standbyAll, takeoverAll } from './two-nodes.ts'

const web = (preferred: string) => group('web', preferred, [address('192.0.2.100'), script('apache2')])
/** Files that name different nodes differ, and the digests say so. */
const prefers = (preferred: string) => configuration([web(preferred)], { digests: { groups: preferred } })

test.each([['b', 'a'], ['a', 'b']])('nodes whose files prefer %s and %s: one holds it, and it does not go back and forth', (onA, onB) => {
  const pair = pairOf(prefers(onA), prefers(onB))
  pair.run(10_000)
  expect(pair.held('web')).toMatch(/^[ab]$/)
  expect(groupOf(pair.hosts.a).claimNumber).toBeLessThan(5)
})

test('two holders with the same claim number, each preferred by its own file: one lets go', () => {
  const pair = rig(prefers('a'), prefers('b'))
  pair.cut.add('a>b').add('b>a')
  pair.start('a')
  pair.start('b')
  pair.run(5_000)
  expect(pair.held('web')).toBe('a+b')
  pair.cut.clear()
  pair.run(300)
  expect(pair.held('web')).toBe('a')
})

test('a group that the peer does not have in its file is held here, whoever is its preferred node', () => {
  const db = group('db', 'b', [address('192.0.2.101')])
  const pair = pairOf(configuration([web('a'), db]), configuration([web('a')]))
  expect(pair.held('db')).toBe('a')
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(100)
  expect(pair.hosts.a.exitCode).toBe(0)
})

test('takeover on both while the start is slow: the later word stands, the earlier command is told, nothing goes back and forth', () => {
  const pair = pairOf(configuration([web('a')], { autoFailback: 'off' }))
  pair.ask('a', standbyAll)
  pair.run(100)
  pair.ask('a', { type: 'online', timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('b')
  pair.tookMs.set('a start apache2', 3_000).set('b start apache2', 3_000)
  pair.ask('a', takeoverAll)
  pair.run(1_000)
  expect(groupOf(pair.hosts.a).hold).toBeDefined()
  pair.ask('b', takeoverAll)
  pair.run(10_000)
  expect(pair.held('web')).toBe('b')
  expect([replyOf(pair.hosts.a).result, replyOf(pair.hosts.b).result]).toEqual(['failed', 'done'])
  expect(groupOf(pair.hosts.a).claimNumber).toBeLessThan(10)
})

test('a claim on a peer that comes back as a real Heartbeat is withdrawn', () => {
  const pair = pairOf(configuration([web('a')], { autoFailback: 'off' }))
  pair.tookMs.set('a stop apache2', 50_000)
  pair.ask('b', takeoverAll)
  pair.run(100)
  expect(groupOf(pair.hosts.b).claim).toBeDefined()
  pair.hosts.a.up = false
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet: { id: { generation: 2, sequence: 1 }, from: 'a', kind: 'status', nodeStatus: 'active', deadtimeMs: 1_000 } })
  pair.run(900)
  expect(groupOf(pair.hosts.b).claim).toBeUndefined()
  expect(nextDeadlineMs(pair.hosts.b.state)).toBeGreaterThanOrEqual(pair.nowMs)
})

test('a takeover that fails leaves no pin behind', () => {
  const pair = pairOf(configuration([web('a')]))
  pair.outcomes.set('b start apache2', { result: 'failed', message: 'no' })
  pair.ask('b', takeoverAll)
  pair.run(2_000)
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.b).pinned).toBe(false)
})

test('whoever gives a pinned group away has no pin left, and its next holding is measured from its own start', () => {
  const pair = pairOf(configuration([web('a')], { autoFailback: 'off' }))
  pair.ask('b', takeoverAll)
  pair.run(1_000)
  expect(groupOf(pair.hosts.b).pinned).toBe(true)
  pair.run(20_000)
  pair.ask('a', takeoverAll)
  pair.run(1_000)
  expect(groupOf(pair.hosts.b).pinned).toBe(false)
  expect(replyOf(pair.hosts.a).moves[0]?.unheldMs).toBeLessThan(20)
})

test('a packet that the peer sent before it heard the claim is no consent', () => {
  const pair = pairOf(configuration([web('b')]))
  expect(pair.held('web')).toBe('b')
  pair.cut.add('b>a')
  pair.ask('a', takeoverAll)
  const { a, b } = pair.hosts
  expect(groupOf(a).claim).toBeDefined()
  const { facts } = a.state.contact
  const free = { name: 'web', state: 'stopped', claimNumber: 1, claiming: false, failed: false, pinned: false }
  const packet = { id: { generation: 1, sequence: b.state.nextSequence + 50 }, from: 'b', kind: 'status', nodeStatus: 'active', deadtimeMs: 1_000, facts: { ...facts, groups: [free] } }
  pair.give('a', { type: 'packet-received', link: 'bcast eth0', packet })
  expect(groupOf(a).hold).toBeUndefined()
})
