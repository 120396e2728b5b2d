/** Standby whose target cannot take the groups: they return, and the command says why (design.md section 7, promise P5). */
import { expect, test } from 'vitest'
import { address, configuration, group, groupOf, pairOf, replyOf, script, standbyAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])
const db = group('db', 'b', [address('192.0.2.101')])
const no = { result: 'failed', message: 'no' } as const

test('the target dies while the holder stops: the group returns and the command fails', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 5_000)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.kill('b')
  pair.run(10_000)
  expect(pair.held('web')).toBe('a')
  expect(replyOf(pair.hosts.a)).toMatchObject({ result: 'failed', message: 'b is dead. Standby was given up: web is on a' })
  expect(pair.hosts.a.state.standby).toBeUndefined()
})

test.each([true, false])('the target fails to start it (once: %s): answered when the group is back, not before', (once) => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a start apache2', 2_000)
  pair.outcomes.set('b start apache2', no)
  pair.ask('a', { ...standbyAll, once })
  pair.run(1_000)
  expect(pair.hosts.a.replies).toEqual([])
  pair.run(2_000)
  expect(pair.held('web')).toBe('a')
  expect(replyOf(pair.hosts.a).result).toBe('failed')
})

test('the target cannot stop what it could not start: the reply says that nobody holds it, and where to clean up', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('b start apache2', no).set('b stop apache2', no)
  pair.ask('a', standbyAll)
  pair.run(2_000)
  expect(pair.held('web')).toBe('')
  expect(replyOf(pair.hosts.a).message).toContain('web is unclean on b and held by nobody')
})

test('a command that was out of time is answered once, and the group still returns when the target fails later', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('b start apache2', 5_000)
  pair.outcomes.set('b start apache2', no)
  pair.ask('a', { ...standbyAll, timeoutMs: 2_000 })
  pair.run(20_000)
  expect(pair.hosts.a.replies.map(({ reply }) => reply.result)).toEqual(['timed-out'])
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.state.requests).toEqual([])
})

test('what goes on in the background does not grow with impatient administrators, and does not undo a newer standby', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', 'never')
  for (let count = 0; count < 5; count += 1) {
    pair.ask('a', { ...standbyAll, timeoutMs: 100 })
    pair.run(200)
  }
  expect(pair.hosts.a.replies.map(({ reply }) => reply.result)).toEqual(Array(5).fill('timed-out'))
  expect(pair.hosts.a.state.requests.length).toBeLessThan(2)
})

test('standby on both at once: nothing moves, both are told at once', () => {
  const pair = pairOf(configuration([web, db]))
  pair.ask('a', standbyAll)
  pair.ask('b', standbyAll)
  pair.run(100)
  expect([pair.held('web'), pair.held('db')]).toEqual(['a', 'b'])
  expect([replyOf(pair.hosts.a).result, replyOf(pair.hosts.b).result]).toEqual(['failed', 'failed'])
})

test('online while a standby is under way: the standby is told, the group comes back', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 5_000)
  pair.ask('a', standbyAll)
  pair.run(100)
  pair.ask('a', { type: 'online', timeoutMs: 60_000 })
  pair.run(10_000)
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.replies.map(({ requestId, reply }) => [requestId, reply.result])).toContainEqual([1, 'failed'])
  expect(pair.hosts.a.state.requests).toEqual([])
})

test('standby while a start is under way: the start is ended and the other node has it', () => {
  const pair = pairOf(configuration([web]))
  pair.kill('a')
  pair.run(2_000)
  pair.start('a', 2)
  pair.tookMs.set('a start apache2', 30_000)
  pair.run(1_000)
  expect(groupOf(pair.hosts.a).operation?.action).toBe('start')
  pair.ask('a', standbyAll)
  pair.run(500)
  expect(pair.held('web')).toBe('b')
  expect(replyOf(pair.hosts.a).result).toBe('done')
})

test('standby is done when the warm resource is stopped too, not before', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])]))
  pair.tookMs.set('a stop apache2', 3_000)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.a.replies).toEqual([])
  pair.run(3_000)
  expect(replyOf(pair.hosts.a).result).toBe('done')
})
