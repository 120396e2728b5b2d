/** `hactl pause`, and nodes that stand still. */
import { expect, test } from 'vitest'
import { address, codes, configuration, group, groupOf, pairOf, replyOf, script, standbyAll, takeoverAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])

test('a pause is done when the peer has it too; a peer that does not hear of it keeps the command waiting, then it is out of time', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('a>b')
  pair.ask('a', { type: 'pause' })
  pair.run(500)
  expect(pair.hosts.a.replies).toEqual([])
  pair.cut.clear()
  pair.run(500)
  expect(replyOf(pair.hosts.a).result).toBe('done')
  expect(pair.hosts.b.state.pause).toEqual(pair.hosts.a.state.pause)
})

test('pause on both in a partition, resume on one: the newer word stands on both', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('a>b').add('b>a')
  pair.ask('a', { type: 'pause' })
  pair.ask('b', { type: 'pause' })
  pair.run(100)
  pair.ask('b', { type: 'resume' })
  pair.run(100)
  pair.cut.clear()
  pair.run(500)
  expect([pair.hosts.a.state.pause.paused, pair.hosts.b.state.pause.paused]).toEqual([false, false])
})

test('the same number on both, one paused and one not: both end paused', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(500)
  pair.cut.add('a>b').add('b>a')
  pair.ask('a', { type: 'resume' })
  pair.ask('b', { type: 'resume' })
  pair.run(50)
  pair.ask('b', { type: 'pause' })
  pair.ask('a', { type: 'pause' })
  pair.ask('a', { type: 'resume' })
  pair.ask('b', { type: 'resume' })
  pair.ask('b', { type: 'pause' })
  pair.run(50)
  pair.ask('a', { type: 'pause' })
  pair.run(50)
  pair.cut.clear()
  pair.run(500)
  expect([pair.hosts.a.state.pause.paused, pair.hosts.b.state.pause.paused]).toEqual([true, true])
})

test('an administrator may move groups during a pause; nothing else does', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  pair.ask('b', takeoverAll)
  pair.run(500)
  expect(pair.held('web')).toBe('b')
  pair.kill('b')
  pair.run(10_000)
  expect(pair.held('web')).toBe('')
  pair.ask('a', { type: 'resume' })
  pair.run(5_000)
  // The addresses of b were to outlast its daemon: silence proves nothing, an administrator's word does.
  expect(pair.held('web')).toBe('')
  pair.ask('a', { type: 'cleanup', group: 'web', timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('a')
})

test('what the peer said of its addresses during a pause ends with the time that it named', () => {
  const pair = pairOf(configuration([web], { pauseLimitMs: 20_000 }))
  pair.ask('a', { type: 'pause' })
  pair.run(1_000)
  pair.kill('a')
  pair.ask('b', { type: 'resume' })
  pair.run(18_000)
  expect(pair.held('web')).toBe('')
  pair.run(2_500)
  expect(pair.held('web')).toBe('b')
})

test('a pause that a restart finds on disk still holds', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  pair.kill('a')
  pair.kill('b')
  pair.run(5_000)
  pair.start('a', 2)
  pair.start('b', 2)
  pair.run(10_000)
  expect(pair.held('web')).toBe('')
})

test('the holder stands still for longer than deadtime: two hold it until it looks at its packets, and no longer', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.hosts.a.up = false
  pair.run(3_000)
  expect(pair.held('web')).toBe('b')
  pair.hosts.a.up = true
  pair.run(300)
  expect(pair.held('web')).toBe('b')
  expect(codes(pair.hosts.a)).toContain('was-stalled')
})

test('a node with a claim in flight stands still: the answer from before counts for nothing', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.tookMs.set('a stop apache2', 400)
  pair.ask('b', takeoverAll)
  pair.run(100)
  expect(groupOf(pair.hosts.b).claim).toBeDefined()
  pair.hosts.b.up = false
  pair.run(2_500)
  // a has counted b dead and serves again.
  expect(pair.held('web')).toBe('a')
  pair.hosts.b.up = true
  for (let turns = 0; turns < 100; turns += 1) {
    pair.run(10)
    expect(pair.held('web')).not.toBe('a+b')
  }
  expect(pair.held('web')).toMatch(/^[ab]$/)
})

test('standby during a pause moves, and stays', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('b', { type: 'pause' })
  pair.run(100)
  pair.ask('a', standbyAll)
  pair.run(500)
  expect([pair.held('web'), replyOf(pair.hosts.a).result]).toEqual(['b', 'done'])
})
