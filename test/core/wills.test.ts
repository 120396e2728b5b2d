/** The daemon dies and its guard speaks for it: design.md section 6, FINDINGS F3, F10. */
import { expect, test } from 'vitest'
import type { Will } from '../../src/core/packet.ts'
import { address, codes, configuration, dieOf, group, groupOf, pairOf, script, witnessed, type Rig } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2', { warm: true })])
const data = group('data', 'a', [address('192.0.2.101'), script('mysql')])

/** What the guard of a sends: by its plan, and with the number that its generation reserves. */
function will(pair: Rig, says: Will['says'], name?: string, generation = 1): void {
  const sequence = 0xffff_0000 + (says === 'daemon-dead' ? 0 : says === 'addresses-gone' ? 1 : 100)
  const packet = { id: { generation, sequence }, from: 'a', kind: 'will', nodeStatus: 'dead', deadtimeMs: 0, will: name === undefined ? { says } : { says, group: name } }
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet })
}

function dead(pair: Rig): void {
  dieOf(pair, 'a')
  pair.hosts.a.running.clear()
  will(pair, 'daemon-dead')
}

test('a group of addresses and warm resources is held milliseconds after the will, without waiting for deadtime', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  dead(pair)
  will(pair, 'addresses-gone', 'web')
  pair.run(10)
  expect(pair.held('web')).toBe('b')
  expect(groupOf(pair.hosts.b).hold?.permission).toBe('will')
  expect(codes(pair.hosts.b)).toContain('peer-died')
})

test('a group with a script that may not run twice waits for the word that it has stopped', () => {
  const pair = pairOf(configuration([data]))
  pair.run(2_000)
  dead(pair)
  will(pair, 'addresses-gone', 'data')
  pair.run(200)
  expect(pair.held('data')).toBe('')
  will(pair, 'stopped', 'data')
  pair.run(10)
  expect(pair.held('data')).toBe('b')
})

test('a daemon that is dead and says no more of a group is waited for until deadtime, not less', () => {
  const pair = pairOf(configuration([data]))
  pair.run(2_000)
  dead(pair)
  pair.run(750)
  expect(pair.held('data')).toBe('')
  pair.run(400)
  expect(groupOf(pair.hosts.b, 'data').hold?.permission).toBe('deadtime-alone')
})

test('a will that is read after a pause proves nothing: the next daemon may hold by now (F3)', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  dieOf(pair, 'a')
  pair.nowMs += 3_000
  will(pair, 'addresses-gone', 'web')
  pair.run(10)
  expect(pair.held('web')).toBe('')
  expect(codes(pair.hosts.b)).not.toContain('peer-died')
})

test('a will of another generation than the newest one is no proof', () => {
  for (const config of [configuration([web]), configuration([web], witnessed)]) {
    const pair = pairOf(config)
    pair.run(2_000)
    dieOf(pair, 'a')
    will(pair, 'addresses-gone', 'web', 7)
    pair.run(100)
    expect(pair.held('web')).toBe('')
    expect(codes(pair.hosts.b)).not.toContain('peer-died')
  }
})

test('the will of a daemon whose successor has been heard is no proof: the successor may hold by now', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  dieOf(pair, 'a')
  pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet: { id: { generation: 2, sequence: 1 }, from: 'a', kind: 'status', nodeStatus: 'up', deadtimeMs: 1_000 } })
  will(pair, 'addresses-gone', 'web')
  pair.run(100)
  expect(pair.held('web')).toBe('')
  expect(codes(pair.hosts.b)).not.toContain('peer-died')
})

test('a group that was last heard as unclean is not covered by any will', () => {
  const pair = pairOf(configuration([data]))
  pair.outcomes.set('a stop mysql', { result: 'failed', exitCode: 1, message: 'no' })
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 5_000 })
  pair.run(1_000)
  dead(pair)
  will(pair, 'addresses-gone', 'data')
  will(pair, 'stopped', 'data')
  pair.run(5_000)
  expect(pair.held('data')).toBe('')
})

test('with a witness a stale will only shortens the wait: the grant decides', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(2_000)
  pair.cut.add('a>b')
  pair.run(4_200)
  pair.witness.reachableFrom.delete('a')
  dieOf(pair, 'a')
  will(pair, 'addresses-gone', 'web')
  pair.run(20)
  const { hold } = groupOf(pair.hosts.b)
  expect(hold === undefined || hold.permission === 'witness').toBe(true)
})

test('the plan of the guard: addresses and, where the peer can take over, stops in reverse order; wills that are true afterwards', () => {
  const pair = pairOf(configuration([group('all', 'a', [script('first'), address('192.0.2.100'), script('second'), script('third', { warm: true })])]))
  pair.run(3_000)
  const [planned] = pair.hosts.a.plan?.groups ?? []
  expect(planned?.addresses.map(({ ip }) => ip)).toEqual(['192.0.2.100'])
  expect(planned?.stops.map(({ script: name }) => name)).toEqual(['second', 'first'])
  expect(planned?.wills).toEqual(['addresses-gone', 'stopped'])
  pair.kill('b')
  pair.run(3_000)
  const [alone] = pair.hosts.a.plan?.groups ?? []
  expect(alone?.stops).toEqual([])
  expect(alone?.wills).toEqual(['addresses-gone'])
})

test('the guard knows of an address before it is added, and of none that is unclean', () => {
  const pair = pairOf(configuration([data]))
  pair.outcomes.set('a start 192.0.2.101', 'never')
  pair.kill('b')
  pair.kill('a')
  pair.start('a', 2)
  pair.run(4_000)
  expect(groupOf(pair.hosts.a, 'data').operation?.action).toBe('start')
  expect(pair.hosts.a.plan?.groups[0]?.addresses).toHaveLength(1)
})

test('during hactl pause the guard sleeps', () => {
  const pair = pairOf(configuration([web]))
  pair.run(1_000)
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  expect(pair.hosts.a.plan?.asleep).toBe(true)
  pair.ask('a', { type: 'resume' })
  pair.run(100)
  expect(pair.hosts.a.plan?.asleep).toBe(false)
})
