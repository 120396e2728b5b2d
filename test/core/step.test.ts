import { expect, test } from 'vitest'
import { address, codes, configuration, group, rig, script, type Rig } from './two-nodes.ts'

const one = [group('web', 'a', [address('192.0.2.100'), script('apache2')])]

function bothUp(config = configuration(one)): Rig {
  const pair = rig(config)
  pair.start('a')
  pair.start('b')
  pair.run(1_000)
  return pair
}

test('cold start of both: the preferred node holds, by consent, well within a second', () => {
  const pair = bothUp()
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.state.groups[0]?.hold?.permission).toBe('consent')
})

test('start alone: nothing before initdead, then deadtime alone', () => {
  const pair = rig(configuration(one))
  pair.start('b')
  pair.run(2_900)
  expect(pair.held('web')).toBe('')
  pair.run(300)
  expect(pair.held('web')).toBe('b')
})

test('crash of the holder: the survivor holds within a millisecond or two of deadtime', () => {
  const pair = bothUp()
  pair.kill('a')
  const killedMs = pair.nowMs
  pair.run(1_100)
  expect(pair.held('web')).toBe('b')
  const dead = pair.hosts.b.records.find((record) => record.code === 'peer-dead')
  expect(dead!.nowMs - killedMs).toBeLessThanOrEqual(1_001)
})

test('the returning preferred node gets its group back with auto_failback on, not with off', () => {
  for (const autoFailback of ['on', 'off'] as const) {
    const pair = bothUp(configuration(one, { autoFailback }))
    pair.kill('a')
    pair.run(2_000)
    pair.start('a', 2)
    pair.run(2_000)
    expect(pair.held('web')).toBe(autoFailback === 'on' ? 'a' : 'b')
  }
})

test('standby gives the group away and stays; online brings it back', () => {
  const pair = bothUp()
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.a.replies[0]?.reply.result).toBe('done')
  expect(pair.hosts.a.replies[0]?.reply.moves[0]?.unheldMs).toBeLessThan(20)
  expect([pair.hosts.a, pair.hosts.b].map((host) => host.state.lastMove?.holder)).toEqual(['b', 'b'])
  pair.run(5_000)
  expect(pair.held('web')).toBe('b')
  pair.ask('a', { type: 'online', timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('a')
})

test('takeover is pinned: failback does not undo it', () => {
  const pair = bothUp()
  pair.ask('b', { type: 'takeover', target: 'all', force: false, timeoutMs: 60_000 })
  pair.run(5_000)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.b.replies[0]?.reply.result).toBe('done')
  pair.ask('a', { type: 'online', timeoutMs: 60_000 })
  pair.run(200)
  expect(pair.held('web')).toBe('a')
})

test('shutdown hands over and says goodbye', () => {
  const pair = bothUp()
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(100)
  expect(pair.hosts.a.exitCode).toBe(0)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.b.state.contact.status).toBe('left')
})

test('a node that has only warm resources left to stop says goodbye as well', () => {
  const pair = bothUp(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])]))
  pair.give('b', { type: 'shutdown-requested' })
  pair.run(100)
  expect(pair.hosts.b.exitCode).toBe(0)
  expect(pair.hosts.a.state.contact.status).toBe('left')
  expect(codes(pair.hosts.b).filter((code) => code === 'claim-sent')).toEqual([])
})

test('a start that fails on the target returns the group and the standby is given up', () => {
  const pair = bothUp()
  pair.outcomes.set('b start apache2', { result: 'failed', exitCode: 1, message: 'no' })
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  pair.run(1_000)
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.replies[0]?.reply.result).toBe('failed')
  expect(pair.hosts.a.state.standby).toBeUndefined()
})

test('a failed stop makes the group unclean and nobody starts it, even when the node dies; cleanup does', () => {
  const pair = bothUp()
  pair.outcomes.set('a stop apache2', { result: 'failed', exitCode: 1, message: 'busy' })
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  pair.run(1_000)
  expect(pair.held('web')).toBe('')
  expect(pair.hosts.a.replies[0]?.reply.result).toBe('failed')
  pair.kill('a')
  pair.run(5_000)
  expect(pair.held('web')).toBe('')
  pair.ask('b', { type: 'cleanup', group: 'web', timeoutMs: 10_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('b')
})

test('a dead service is restarted here, then moved, never back and forth', () => {
  const pair = bothUp()
  pair.hosts.a.running.delete('web/1')
  pair.run(6_000)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.a)).toContain('resource-restarting')
  pair.outcomes.set('a status apache2', { result: 'not-running' })
  pair.run(8_000)
  expect(pair.held('web')).toBe('b')
  pair.outcomes.set('b status apache2', { result: 'not-running' })
  pair.run(120_000)
  expect(pair.held('web')).toBe('b')
})

test('a full partition makes two holders; when it heals the higher claim keeps and the other lets go within a keepalive', () => {
  const pair = bothUp(configuration(one, { autoFailback: 'off' }))
  pair.cut.add('a>b').add('b>a')
  pair.run(3_000)
  expect(pair.held('web')).toBe('a+b')
  pair.cut.clear()
  pair.run(210)
  expect(pair.held('web')).toBe('b')
  pair.run(100)
  expect(codes(pair.hosts.b)).toContain('two-holders-over')
  // What b's notify commands did when it took the group, a's may have undone: they are told again, once, and only there.
  const held = (host: 'a' | 'b') => pair.hosts[host].records.filter(({ code }) => code === 'group-held').map(({ reason }) => reason)
  pair.run(5_000)
  expect([held('a'), held('b')]).toEqual([['preferred-node'], ['peer-dead', 'kept']])
})

test('a group that is still being started when two meet is told as held once', () => {
  const pair = bothUp(configuration(one, { autoFailback: 'off' }))
  pair.tookMs.set('b start apache2', 5_000)
  pair.cut.add('a>b').add('b>a')
  pair.run(3_000)
  pair.cut.clear()
  pair.run(10_000)
  expect(codes(pair.hosts.b).filter((code) => code === 'two-holders-over' || code === 'group-held')).toEqual(['two-holders-over', 'group-held'])
})

test('one way: a holder that is not heard lets go before the peer starts', () => {
  const pair = bothUp()
  pair.cut.add('a>b')
  pair.run(700)
  expect(pair.held('web')).toBe('')
  for (let turns = 0; turns < 600; turns += 1) {
    pair.run(1)
    expect(pair.held('web')).not.toBe('a+b')
  }
  expect(pair.held('web')).toBe('b')
})

test('a killed daemon that is started again adopts what it finds, without a stop or start of the script', () => {
  const pair = bothUp()
  pair.hosts.a.up = false
  pair.run(300)
  pair.hosts.a.records.length = 0
  pair.start('a', 2)
  pair.run(1_000)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.a)).toContain('group-adopted')
  expect(pair.hosts.a.records.filter((record) => record.message.startsWith('apache2 is')).length).toBe(0)
})

test('a paused pair moves nothing when a node dies, and stops as it is', () => {
  const pair = bothUp()
  pair.ask('b', { type: 'pause' })
  pair.run(100)
  expect(pair.hosts.b.replies[0]?.reply.result).toBe('done')
  expect(pair.hosts.a.state.pause.paused).toBe(true)
  pair.give('a', { type: 'shutdown-requested' })
  expect(pair.hosts.a.running.size).toBe(2)
  pair.run(5_000)
  expect(pair.held('web')).toBe('')
  pair.start('a', 2)
  pair.run(1_000)
  expect(pair.held('web')).toBe('a')
})

test('two groups with different preferred nodes are held on both sides', () => {
  const pair = bothUp(configuration([...one, group('db', 'b', [address('192.0.2.101')])]))
  expect([pair.held('web'), pair.held('db')]).toEqual(['a', 'b'])
})

test('a warm resource runs on both nodes, and only the address moves', () => {
  const pair = bothUp(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])]))
  expect(pair.hosts.b.running.has('web/1')).toBe(true)
  pair.ask('a', { type: 'standby', scope: 'all', once: true, timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('b')
  expect(pair.hosts.a.running.has('web/1')).toBe(true)
  pair.run(10_000)
  expect(pair.held('web')).toBe('b')
})

test('a node that stood still for longer than deadtime takes nothing over before it has listened afresh', () => {
  const pair = bothUp()
  pair.hosts.b.up = false
  pair.run(3_000)
  pair.hosts.b.up = true
  pair.cut.add('a>b').add('b>a')
  pair.run(900)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.b)).toContain('was-stalled')
})
