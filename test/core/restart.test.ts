/** Daemons that come back: what they find, whose it is, and how long that may take (design.md section 5 "Restart"). */
import { expect, test } from 'vitest'
import { address, codes, configuration, group, groupOf, pairOf, rig, script, standbyAll } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])

test('both daemons were killed with the group running on both: one adopts, the other stops what it has', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('a>b').add('b>a')
  pair.run(3_000)
  expect(pair.held('web')).toBe('a+b')
  pair.hosts.a.up = false
  pair.hosts.b.up = false
  pair.run(100)
  pair.cut.clear()
  pair.start('a', 2)
  pair.start('b', 2)
  pair.run(2_000)
  expect(pair.held('web')).toBe('a')
  expect([...pair.hosts.b.running]).toEqual([])
})

test('the holder restarts while the peer has taken over: what it finds goes, addresses first', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.hosts.a.up = false
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  pair.start('a', 2)
  pair.run(1_000)
  expect(pair.held('web')).toBe('b')
  expect([...pair.hosts.a.running]).toEqual([])
  expect(codes(pair.hosts.a)).toContain('permission-lost')
})

test('alone on a running kernel: adopted after deadtime; after a boot: after initdead', () => {
  for (const [generation, waitMs] of [[2, 1_100], [1, 3_100]] as const) {
    const pair = pairOf(configuration([web]))
    pair.hosts.a.up = false
    pair.kill('b')
    pair.run(100)
    pair.start('a', generation)
    pair.run(waitMs - 300)
    expect(pair.held('web')).toBe('')
    pair.run(400)
    expect(pair.held('web')).toBe('a')
  }
})

test('the target restarts in the middle of a handover: the group is held in the end, and the command is answered once', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 1_000)
  pair.ask('a', standbyAll)
  pair.run(200)
  pair.kill('b')
  pair.run(100)
  pair.start('b', 2)
  pair.run(5_000)
  expect(pair.held('web')).toMatch(/^[ab]$/)
  expect(pair.hosts.a.replies.length).toBe(1)
})

test('standby survives the daemon, and what is found then is given to the peer', () => {
  const pair = pairOf(configuration([web]))
  pair.tookMs.set('a stop apache2', 30_000)
  pair.ask('a', standbyAll)
  pair.run(100)
  pair.hosts.a.up = false
  pair.hosts.a.running.add('web/0').add('web/1')
  pair.tookMs.clear()
  pair.run(100)
  pair.start('a', 2)
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  expect([...pair.hosts.a.running]).toEqual([])
})

test('a peer whose own wire carries only one way from the start: what the restarted node found goes before the peer starts', () => {
  const pair = pairOf(configuration([web]))
  pair.hosts.a.up = false
  pair.run(100)
  pair.cut.add('a>b')
  pair.start('a', 2)
  for (let turns = 0; turns < 200; turns += 1) {
    pair.run(10)
    if (pair.held('web') === 'b') expect(pair.hosts.a.running.has('web/0')).toBe(false)
  }
  expect(pair.held('web')).toBe('b')
})

test('administrators that ask before the look is over get one answer each', () => {
  const pair = rig(configuration([web]))
  pair.start('a')
  pair.ask('a', standbyAll)
  pair.ask('a', { type: 'takeover', target: 'all', force: false, timeoutMs: 5_000 })
  pair.ask('a', { type: 'online', timeoutMs: 5_000 })
  pair.ask('a', { type: 'cleanup', group: 'web', timeoutMs: 5_000 })
  pair.ask('a', { type: 'pause' })
  pair.ask('a', { type: 'resume' })
  pair.run(70_000)
  expect(pair.hosts.a.replies.map(({ requestId }) => requestId).sort()).toEqual([1, 2, 3, 4, 5, 6])
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.a).adminTakes).toBeUndefined()
})
