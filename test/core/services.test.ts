/** Services that die, and that do not come up again. */
import { expect, test } from 'vitest'
import { address, codes, configuration, group, groupOf, pairOf, script, witnessed } from './two-nodes.ts'

const no = { result: 'failed', message: 'no' } as const

test('a service that died and does not start again, with nobody to take it: tried more and more slowly, not in a hot loop', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2')])]))
  pair.kill('b')
  pair.run(2_000)
  pair.outcomes.set('a start apache2', no)
  pair.hosts.a.running.delete('web/1')
  const operationsBefore = pair.hosts.a.state.nextOperationId
  pair.run(120_000)
  expect(pair.hosts.a.state.nextOperationId - operationsBefore).toBeLessThan(40)
  pair.outcomes.clear()
  pair.run(70_000)
  expect(groupOf(pair.hosts.a).stages.map((stage) => stage.status)).toEqual(['running', 'running'])
})

test('a restart whose time has come while authority ran out waits for authority, not for the clock', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2')])], witnessed))
  pair.run(2_000)
  // During hactl pause a holder keeps its group beyond its authority, and starts nothing then.
  pair.ask('a', { type: 'pause' })
  pair.run(3_000)
  pair.hosts.a.running.delete('web/1')
  pair.tookMs.set('a stop apache2', 6_000)
  for (let turns = 0; turns < 1_000 && !codes(pair.hosts.a).includes('resource-restarting'); turns += 1) pair.run(10)
  pair.witness.reachableFrom.clear()
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(20_000)
  // An instant of the past that nothing follows from would look like a pause of this node.
  expect(codes(pair.hosts.a)).not.toContain('was-stalled')
  expect(pair.held('web')).toBe('a')
  expect(pair.hosts.a.running.has('web/1')).toBe(false)
  pair.cut.clear()
  pair.run(3_000)
  expect(pair.hosts.a.running.has('web/1')).toBe(true)
})

test('the service dies during a handover: the peer gets the group all the same', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2'), script('slow')])]))
  pair.tookMs.set('a stop slow', 5_000)
  pair.ask('a', { type: 'standby', scope: 'all', once: true, timeoutMs: 60_000 })
  pair.run(1_000)
  pair.hosts.a.running.delete('web/1')
  pair.run(10_000)
  expect(pair.held('web')).toBe('b')
})

test('a warm resource that dies twice where the group is not held: that node is not offered the group until its memory ends', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])], { failureMemoryMs: 60_000 }))
  pair.outcomes.set('b status apache2', { result: 'not-running' })
  pair.run(15_000)
  expect(groupOf(pair.hosts.b).failed).toBeDefined()
  expect(pair.held('web')).toBe('a')
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  expect(pair.hosts.a.replies.at(-1)?.reply.result).toBe('refused')
  pair.outcomes.clear()
  pair.run(70_000)
  expect(groupOf(pair.hosts.b).failed).toBeUndefined()
  expect(pair.hosts.b.running.has('web/0')).toBe(false)
  expect(groupOf(pair.hosts.b).stages[0]?.status).toBe('stopped')
  expect(groupOf(pair.hosts.b).stages[1]?.status).toBe('running')
})

test('failback with a window: one that the peer could not use does not open again when it comes back', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100')])], { autoFailback: { at: '0 3 * * *' } }))
  pair.kill('a')
  pair.run(2_000)
  pair.start('a', 2)
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  pair.cut.add('b>a')
  pair.give('b', { type: 'schedule-due', group: 'web' })
  pair.kill('a')
  pair.run(5_000)
  pair.cut.clear()
  pair.start('a', 3)
  pair.run(5_000)
  expect(pair.held('web')).toBe('b')
  pair.give('b', { type: 'schedule-due', group: 'web' })
  pair.run(100)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.b)).toContain('group-offered')
})

const mute = { result: 'unknown', message: 'its status says nothing' } as const

test('a script whose status never said that it runs is not watched, and does not fail for it', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('old')])]))
  pair.outcomes.set('a status old', mute)
  const operationsBefore = pair.hosts.a.state.nextOperationId
  pair.run(60_000)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.a).filter((code) => code === 'status-unknown')).toHaveLength(1)
  expect(codes(pair.hosts.a)).not.toContain('resource-failed')
  expect(pair.hosts.a.state.nextOperationId - operationsBefore).toBeLessThan(3)
  // A script that was mended is asked again after its next start.
  pair.outcomes.clear()
  pair.ask('a', { type: 'standby', scope: 'all', once: true, timeoutMs: 60_000 })
  pair.run(2_000)
  pair.ask('a', { type: 'takeover', target: 'all', force: false, timeoutMs: 60_000 })
  pair.run(10_000)
  expect(groupOf(pair.hosts.a).stages[1]?.statusKind).toBe('answers')
})

test('a script that said once that it runs, and then nothing, has died', () => {
  const pair = pairOf(configuration([group('web', 'a', [address('192.0.2.100'), script('old')])]))
  pair.run(5_000)
  pair.outcomes.set('a status old', mute)
  pair.run(10_000)
  expect(codes(pair.hosts.a)).toContain('resource-failed')
  expect(codes(pair.hosts.a)).not.toContain('status-unknown')
})
