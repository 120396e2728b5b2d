/** A disk that refuses, or says nothing. */
import { expect, test } from 'vitest'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import { address, codes, configuration, group, groupOf, pairOf, replyOf, rig, script, standbyAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])

test('the disk never answers at the first start: service waits 10 s for it, not for ever', () => {
  const pair = rig(configuration([web]))
  pair.disk.a = 'silent'
  pair.start('a')
  pair.run(9_000)
  expect(pair.held('web')).toBe('')
  pair.run(5_000)
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.state.persistError).toContain('has not answered')
})

test('a restarted daemon that waits for its disk before it adopts waits quietly', () => {
  const pair = pairOf(configuration([web]))
  pair.hosts.a.up = false
  pair.kill('b')
  pair.disk.a = 'silent'
  pair.start('a', 2)
  pair.run(5_000)
  expect(nextDeadlineMs(pair.hosts.a.state)).toBeGreaterThan(pair.nowMs - 1)
  pair.run(10_000)
  expect(pair.held('web')).toBe('a')
})

test('a disk that refuses: standby works, says so, and is written as soon as the disk takes it', () => {
  const pair = pairOf(configuration([web]))
  pair.disk.a = 'refuses'
  pair.ask('a', standbyAll)
  pair.run(1_000)
  expect(pair.held('web')).toBe('b')
  expect(replyOf(pair.hosts.a).message).toContain('cannot be written')
  pair.disk.a = 'takes'
  pair.run(11_000)
  expect(pair.hosts.a.state.persistError).toBeUndefined()
  expect(pair.hosts.a.state.persisted.standby).toBe('all')
})

test('a hundred moves: claim numbers stay below what is reserved on disk', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  for (let move = 0; move < 100; move += 1) {
    pair.ask(move % 2 === 0 ? 'b' : 'a', { type: 'takeover', target: 'all', force: false, timeoutMs: 60_000 })
    pair.run(50)
    for (const host of [pair.hosts.a, pair.hosts.b]) {
      const kept = host.state.persisted.groups.find((one) => one.name === 'web')
      expect(groupOf(host).hold?.number ?? 0).toBeLessThanOrEqual(kept?.claimLimit ?? 0)
    }
  }
  expect(groupOf(pair.hosts.a).claimNumber).toBeGreaterThanOrEqual(100)
})

test('a stop that fails: the disk is asked in the turn that tells of it, not later', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', { result: 'failed', message: 'no' })
  pair.ask('a', { type: 'standby', scope: 'all', once: true, timeoutMs: 60_000 })
  for (let turns = 0; turns < 1_000 && !codes(pair.hosts.a).includes('group-unclean'); turns += 1) pair.run(0.1)
  const { writing, persisted } = pair.hosts.a.state
  expect((writing?.state ?? persisted).groups).toMatchObject([{ name: 'web', unclean: true }])
})
