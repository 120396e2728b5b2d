/** Shutting down at awkward moments: a goodbye must be true, and leaves. */
import { expect, test } from 'vitest'
import { address, configuration, group, groupOf, pairOf, script, standbyAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])
const leave = { type: 'shutdown-requested' } as const

test('during the look: what the last daemon left is stopped before the goodbye', () => {
  const pair = pairOf(configuration([web]))
  pair.hosts.a.up = false
  pair.run(100)
  pair.start('a', 2)
  pair.run(1)
  pair.give('a', leave)
  pair.run(3)
  expect(pair.hosts.a.exitCode).toBeUndefined()
  pair.run(3_000)
  expect(pair.hosts.a.exitCode).toBe(0)
  expect(pair.hosts.a.running.size).toBe(0)
  expect(pair.held('web')).toBe('b')
})

test('during the look, alone: the same, without taking the group first', () => {
  const pair = pairOf(configuration([web]))
  pair.hosts.a.up = false
  pair.kill('b')
  pair.run(100)
  pair.start('a', 2)
  pair.give('a', leave)
  pair.run(3_000)
  expect([pair.hosts.a.exitCode, pair.hosts.a.running.size]).toEqual([0, 0])
  expect(pair.hosts.a.records.filter((record) => record.code === 'group-adopted')).toEqual([])
})

test('during a start: it is ended, undone, and the peer has the group', () => {
  const pair = pairOf(configuration([web]))
  pair.kill('a')
  pair.run(2_000)
  pair.start('a', 2)
  pair.tookMs.set('a start apache2', 30_000)
  pair.run(1_000)
  expect(groupOf(pair.hosts.a).operation?.action).toBe('start')
  pair.give('a', leave)
  pair.run(500)
  expect([pair.hosts.a.exitCode, pair.held('web')]).toEqual([0, 'b'])
})

test('during a stop: it is waited for', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 5_000)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.give('a', leave)
  pair.run(3_000)
  expect(pair.hosts.a.exitCode).toBeUndefined()
  expect(pair.hosts.a.replies.map(({ reply }) => reply.result)).toEqual(['failed'])
  pair.run(3_000)
  expect([pair.hosts.a.exitCode, pair.held('web')]).toEqual([0, 'b'])
})

test('twice: the second word changes nothing', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 2_000)
  pair.give('a', leave)
  pair.run(100)
  pair.give('a', leave)
  pair.run(3_000)
  expect([pair.hosts.a.exitCode, pair.held('web')]).toEqual([0, 'b'])
})

test('both at once: both stop everything and leave', () => {
  const pair = pairOf(configuration([web, group('db', 'b', [address('192.0.2.101')])]))
  pair.give('a', leave)
  pair.give('b', leave)
  pair.run(6_000)
  expect([pair.hosts.a.exitCode, pair.hosts.b.exitCode]).toEqual([0, 0])
  expect([...pair.hosts.a.running, ...pair.hosts.b.running]).toEqual([])
})

test('a peer that does not take what it is offered is not waited for longer than 5 s', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('b>a')
  pair.give('a', leave)
  pair.run(6_000)
  expect(pair.hosts.a.exitCode).toBe(0)
  expect(pair.hosts.a.running.size).toBe(0)
})

test('an unclean group does not keep the daemon, and an administrator is answered exactly once', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', { result: 'failed', message: 'no' })
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.give('a', leave)
  pair.run(1_000)
  expect(pair.hosts.a.exitCode).toBe(0)
  expect(pair.hosts.a.replies.length).toBe(1)
})
