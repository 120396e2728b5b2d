/** A stop that fails: nobody starts the group elsewhere, and the administrator's word ends that. */
import { expect, test } from 'vitest'
import { address, configuration, dieOf, group, groupOf, pairOf, replyOf, script, standbyAll, witnessed } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])
const no = { result: 'failed', message: 'no' } as const
const cleanup = { type: 'cleanup', group: 'web', timeoutMs: 10_000 } as const

test('a node that leaves with an unclean group: the other says why it does not start it, and does after cleanup', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', no)
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(3_000)
  expect(pair.hosts.a.exitCode).toBe(0)
  expect(pair.held('web')).toBe('')
  expect(groupOf(pair.hosts.b).placement).toBe('unclean-there')
  pair.ask('b', cleanup)
  pair.run(100)
  expect(pair.held('web')).toBe('b')
})

test('cleanup while the stop is being tried once more: that stop is ended and cannot make it unclean again', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', no)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.outcomes.set('a stop apache2', 'never')
  pair.run(10_000)
  expect(groupOf(pair.hosts.a).operation?.action).toBe('stop')
  pair.ask('a', cleanup)
  pair.run(100)
  expect(pair.held('web')).toBe('b')
})

test('cleanup typed on the other node works as well, also during a stop', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', no)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.outcomes.set('a stop apache2', 'never')
  pair.run(10_000)
  pair.ask('b', cleanup)
  pair.run(100)
  expect(replyOf(pair.hosts.b).result).toBe('done')
  expect(pair.held('web')).toBe('b')
})

test('a stop that succeeds at last while cleanup ends it leaves the group clean', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', no)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.outcomes.delete('a stop apache2')
  pair.run(10_500)
  expect(pair.held('web')).toBe('b')
})

test('a holder whose service could not be stopped meets a healthy holder after a partition: the healthy one keeps it', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.cut.add('a>b').add('b>a')
  pair.run(3_000)
  pair.outcomes.set('b stop apache2', no)
  pair.hosts.b.running.delete('web/1')
  pair.run(10_000)
  expect(groupOf(pair.hosts.b).stages.map((stage) => stage.status)).toEqual(['running', 'unclean'])
  pair.cut.clear()
  pair.run(1_000)
  expect([...pair.hosts.b.running]).toEqual([])
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.b.records.findLast((one) => one.reason === 'outranked')?.message).toContain('a stop of it failed here')
})

test('a daemon that starts again says from its first packet on what its last one left unclean', () => {
  const pair = pairOf(configuration([web]))
  pair.outcomes.set('a stop apache2', no)
  pair.ask('a', standbyAll)
  pair.run(1_000)
  dieOf(pair, 'a')
  dieOf(pair, 'b')
  pair.start('b', 2)
  pair.run(100)
  pair.start('a', 2)
  pair.run(2)
  // One packet has passed, and a has not looked yet.
  expect(groupOf(pair.hosts.a).looked).toBe(false)
  pair.kill('a')
  pair.run(10_000)
  expect(groupOf(pair.hosts.b).placement).toBe('unclean-there')
  expect(pair.held('web')).toBe('')
})

test('what an administrator has vouched for a silent peer is void once the peer speaks again', () => {
  const fencing = { levels: { a: [{ name: 'ipmi', timeoutMs: 5_000, retries: 0 }] }, delaysMs: {} }
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100')])], { ...witnessed, fencing }))
  pair.run(2_000)
  pair.witness.reachableFrom.clear()
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(7_000)
  pair.ask('b', cleanup)
  pair.run(100)
  expect(groupOf(pair.hosts.b).peerCleared).toBe(true)
  pair.cut.clear()
  pair.run(5_000)
  expect(groupOf(pair.hosts.b).peerCleared).toBe(false)
})
