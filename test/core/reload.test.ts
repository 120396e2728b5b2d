/** A configuration that changes under a running pair: deadtimes (F7), groups, status policies. */
import { expect, test } from 'vitest'
import { holdingDeadtimeMs, judgingDeadtimeMs } from '../../src/core/contact.ts'
import { address, configuration, group, groupOf, pairOf, replyOf, script, takeoverAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])
const db = group('db', 'b', [address('192.0.2.101')])
const ftp = group('ftp', 'b', [address('192.0.2.102')])
const timing = (deadtimeMs: number) => ({ timing: { keepaliveMs: 200, warntimeMs: 500, deadtimeMs, initdeadMs: 10_000 } })

test('a shorter deadtime is judged with only once the peer has confirmed a packet that states it (F7)', () => {
  const pair = pairOf(configuration([web], timing(5_000)))
  pair.cut.add('b>a')
  pair.reload('b', configuration([web], timing(1_000)))
  pair.run(100)
  // What b states does not arrive, so nothing confirms it.
  expect(judgingDeadtimeMs(pair.hosts.b.state)).toBe(5_000)
  expect(holdingDeadtimeMs(pair.hosts.b.state)).toBe(1_000)
  pair.cut.clear()
  pair.run(500)
  // Confirmed; but a lifetime that a set a moment before may still run.
  expect(judgingDeadtimeMs(pair.hosts.b.state)).toBe(5_000)
  pair.run(5_000)
  expect(judgingDeadtimeMs(pair.hosts.b.state)).toBe(1_000)
  expect(holdingDeadtimeMs(pair.hosts.a.state)).toBe(1_000)
})

test('a shorter deadtime, stated to nobody, and the holder that has not heard of it: no second holder before the old deadtime', () => {
  const pair = pairOf(configuration([web], timing(5_000)))
  pair.cut.add('a>b').add('b>a')
  pair.reload('b', configuration([web], timing(1_000)))
  pair.run(3_500)
  expect(pair.held('web')).toBe('a')
})

test('longer, then shorter again before any confirmation: the longest stated one is judged with', () => {
  const pair = pairOf(configuration([web], timing(1_000)))
  pair.cut.add('b>a').add('a>b')
  pair.reload('b', configuration([web], timing(5_000)))
  pair.reload('b', configuration([web], timing(1_000)))
  expect(judgingDeadtimeMs(pair.hosts.b.state)).toBe(5_000)
})

test('a status policy that is taken away while the service runs: it is not asked any more, least of all in a hot loop', () => {
  const pair = pairOf(configuration([web]))
  const { status: _status, ...plain } = script('apache2')
  pair.reload('a', configuration([group('web', 'a', [address('192.0.2.100'), plain])]))
  const operationsBefore = pair.hosts.a.state.nextOperationId
  pair.run(10_000)
  expect(pair.hosts.a.state.nextOperationId - operationsBefore).toBeLessThan(2)
  pair.reload('a', configuration([web]))
  pair.run(10_000)
  expect(pair.hosts.a.state.nextOperationId - operationsBefore).toBeGreaterThan(3)
})

test('taken away while a status is under way: its answer is the last', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a status apache2', 500)
  pair.run(1_200)
  expect(groupOf(pair.hosts.a).operation?.action).toBe('status')
  const { status: _status, ...plain } = script('apache2')
  pair.reload('a', configuration([group('web', 'a', [address('192.0.2.100'), plain])]))
  const operationsBefore = pair.hosts.a.state.nextOperationId
  pair.run(10_000)
  expect(pair.hosts.a.state.nextOperationId).toBe(operationsBefore)
})

test('a group that is added while the look at another is under way gets a look of its own', () => {
  const pair = pairOf(configuration([web]))
  pair.reload('a', configuration([web, db]))
  pair.run(4)
  pair.hosts.a.running.add('ftp/0')
  pair.reload('a', configuration([web, db, ftp]))
  pair.run(2)
  expect([groupOf(pair.hosts.a, 'db').looked, groupOf(pair.hosts.a, 'ftp').looked]).toEqual([true, false])
  pair.run(10)
  expect(pair.hosts.a.records.filter((record) => record.code === 'resources-found').map((record) => record.group)).toEqual(['ftp'])
})

test('a group whose look fails counts as running: it is stopped, then held once, and the others are not touched', () => {
  const pair = pairOf(configuration([web]))
  pair.reload('a', configuration([web, ftp]))
  pair.give('a', { type: 'resources-observed', observations: [{ group: 'ftp', stage: 0, found: 'unclear', message: 'ip did not answer' }] })
  pair.run(1_000)
  expect([pair.held('web'), pair.held('ftp')]).toEqual(['a', 'a'])
  expect(pair.hosts.a.records.filter((record) => record.code === 'resource-stopped').map((record) => record.group)).toEqual(['ftp'])
})

test('a group is added on one node, then on the other: held once throughout, and on its preferred node in the end', () => {
  const pair = pairOf(configuration([web], { digests: { groups: '1' } }))
  pair.reload('a', configuration([web, db], { digests: { groups: '2' } }))
  pair.run(1_000)
  expect(pair.held('db')).toBe('a')
  pair.reload('b', configuration([web, db], { digests: { groups: '2' } }))
  for (let turns = 0; turns < 100; turns += 1) {
    pair.run(10)
    expect(pair.held('db')).not.toBe('a+b')
  }
  expect(pair.held('db')).toBe('b')
})

test('a group that runs cannot be taken out of the file, nor while it moves; one that does not, can', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.reload('a', configuration([db]))
  expect(replyOf(pair.hosts.a).result).toBe('refused')
  pair.tookMs.set('a stop apache2', 1_000)
  pair.ask('b', takeoverAll)
  pair.run(500)
  for (const name of ['a', 'b'] as const) {
    pair.reload(name, configuration([db]))
    expect(replyOf(pair.hosts[name]).result).toBe('refused')
  }
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  pair.reload('a', configuration([db]))
  expect(replyOf(pair.hosts.a).result).toBe('refused')
})

test('a group that goes while its claim is in flight leaves nothing behind, and the request that waited for it is answered', () => {
  const pair = pairOf(configuration([web]))
  pair.kill('a')
  pair.kill('b')
  pair.run(5_000)
  pair.start('a', 2)
  pair.cut.add('b>a').add('a>b')
  pair.start('b', 2)
  pair.run(500)
  pair.reload('b', configuration([db]))
  expect(replyOf(pair.hosts.b).result).toBe('done')
  pair.cut.clear()
  pair.run(1_000)
  expect([pair.held('web'), pair.held('db')]).toEqual(['a', 'b'])
})

test('warm taken away on the node that does not hold the group: it is stopped there', () => {
  const warm = group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])
  const pair = pairOf(configuration([warm]))
  expect(pair.hosts.b.running.has('web/1')).toBe(true)
  pair.reload('a', configuration([web]))
  pair.reload('b', configuration([web]))
  pair.run(1_000)
  expect([pair.hosts.b.running.has('web/1'), pair.held('web')]).toEqual([false, 'a'])
})
