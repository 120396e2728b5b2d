/** Ping nodes, the flap guard, other hosts that answer for an address, and a node that resets itself. */
import { expect, test } from 'vitest'
import { address, codes, configuration, dieOf, group, groupOf, pairOf, replyOf, script, witnessed, type Rig } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100')])
const ping = { names: ['gateway', 'other'], balances: true, releases: false, settleMs: 2_000 }

function sees(pair: Rig, host: 'a' | 'b', ...names: readonly string[]): void {
  for (const name of ping.names) pair.give(host, { type: 'ping-changed', name, reachable: names.includes(name) })
}

test('a node that sees no ping node takes nothing over from a silent peer', () => {
  const pair = pairOf(configuration([web], { ping }))
  sees(pair, 'a', 'gateway', 'other')
  sees(pair, 'b')
  pair.kill('a')
  pair.run(10_000)
  expect(pair.held('web')).toBe('')
  sees(pair, 'b', 'other')
  pair.run(100)
  expect(pair.held('web')).toBe('b')
})

test('the node that sees more ping nodes should hold, once that has lasted; failback waits for sight', () => {
  const pair = pairOf(configuration([web], { ping }))
  sees(pair, 'a', 'gateway')
  sees(pair, 'b', 'gateway', 'other')
  pair.run(1_500)
  expect(pair.held('web')).toBe('a')
  pair.run(1_000)
  expect(pair.held('web')).toBe('b')
  pair.run(10_000)
  expect(pair.held('web')).toBe('b')
  sees(pair, 'a', 'gateway', 'other')
  pair.run(3_000)
  expect(pair.held('web')).toBe('a')
})

test('a holder that is cut off from everything lets go where it is told to', () => {
  for (const releases of [false, true]) {
    const pair = pairOf(configuration([web], { ping: { ...ping, releases } }))
    sees(pair, 'a', 'gateway', 'other')
    pair.kill('b')
    pair.run(2_000)
    sees(pair, 'a')
    pair.run(100)
    expect(pair.held('web')).toBe(releases ? '' : 'a')
  }
})

test('a node that is cut off from everything takes nothing over, whatever proof it has, where it would have to let go at once', () => {
  for (const releases of [false, true]) {
    const pair = pairOf(configuration([web], { ping: { ...ping, releases }, fencing: { levels: { a: [{ name: 'ipmi', timeoutMs: 5_000, retries: 0 }] }, delaysMs: {} } }))
    sees(pair, 'a', 'gateway', 'other')
    sees(pair, 'b')
    pair.run(2_000)
    dieOf(pair, 'a')
    pair.hosts.a.running.clear()
    const packet = { id: { generation: 1, sequence: 0xffff_0001 }, from: 'a', kind: 'will', nodeStatus: 'dead', deadtimeMs: 0, will: { says: 'addresses-gone', group: 'web' } }
    pair.give('b', { type: 'packet-received', link: 'bcast eth0', packet })
    pair.run(100)
    expect(pair.held('web')).toBe(releases ? '' : 'b')
    expect(codes(pair.hosts.b).filter((code) => code === 'group-acquiring')).toHaveLength(releases ? 0 : 1)
    expect(codes(pair.hosts.b)).not.toContain('was-stalled')
  }
})

const guarded = configuration([group('web', 'a', [script('apache2')])], { flapGuard: { moves: 3, withinMs: 60_000 }, failureMemoryMs: 1 })

function flap(pair: Rig): void {
  for (let turns = 0; turns < 4; turns += 1) {
    pair.give('a', { type: 'link-changed', link: 'bcast eth0', status: 'open', reason: '' })
    pair.kill('a')
    pair.run(2_000)
    pair.start('a', turns + 2)
    pair.run(2_000)
  }
}

test('a group that moves too often stays where it is until somebody clears it', () => {
  const pair = pairOf(guarded)
  flap(pair)
  expect(codes(pair.hosts.b)).toContain('flap-guard-on')
  const holder = pair.held('web')
  expect(holder).toBe('b')
  pair.run(20_000)
  expect(pair.held('web')).toBe('b')
  pair.ask('b', { type: 'clear', group: 'web', timeoutMs: 5_000 })
  pair.run(1_000)
  expect(replyOf(pair.hosts.b).result).toBe('done')
  expect(pair.held('web')).toBe('a')
})

test('the flap guard ends by itself', () => {
  const pair = pairOf(guarded)
  flap(pair)
  expect(groupOf(pair.hosts.b).flapUntilMs).toBeDefined()
  pair.run(70_000)
  expect(groupOf(pair.hosts.b).flapUntilMs).toBeUndefined()
  expect(pair.held('web')).toBe('a')
})

test('the flap guard never keeps a survivor from taking over', () => {
  const pair = pairOf(guarded)
  flap(pair)
  pair.kill('b')
  pair.run(2_000)
  expect(pair.held('web')).toBe('a')
})

test('moves that an administrator asks for are no flaps', () => {
  const pair = pairOf(guarded)
  for (let turns = 0; turns < 6; turns += 1) {
    pair.ask(turns % 2 === 0 ? 'b' : 'a', { type: 'takeover', target: 'all', force: false, timeoutMs: 5_000 })
    pair.run(1_000)
  }
  expect([...codes(pair.hosts.a), ...codes(pair.hosts.b)]).not.toContain('flap-guard-on')
})

test('another host that answers for a held address is named, its reports are counted, and it is answered', () => {
  const pair = pairOf(configuration([web]))
  const said: string[] = []
  for (let turns = 0; turns < 3; turns += 1) {
    pair.give('a', { type: 'address-contested', ip: '192.0.2.100', hardwareAddress: '02:00:00:00:00:09', interface: 'eth0' })
    said.push(/\(.*?\)/.exec(pair.hosts.a.records.at(-1)?.message ?? '')?.[0] ?? '')
  }
  expect(said).toEqual(['(reported for the first time)', '(reported 2 times by now)', '(reported 3 times by now)'])
  expect(groupOf(pair.hosts.a).contested).toMatchObject([{ ip: '192.0.2.100', hardwareAddress: '02:00:00:00:00:09', count: 3 }])
  expect(pair.hosts.a.records.at(-1)?.message).toContain('02:00:00:00:00:09')
  pair.give('b', { type: 'address-contested', ip: '192.0.2.100', hardwareAddress: '02:00:00:00:00:09', interface: 'eth0' })
  expect(codes(pair.hosts.b)).not.toContain('address-contested')
})

test('a script that still runs at the end of authority: the watchdog resets the host, and without one it is said', () => {
  for (const watchdog of [true, false]) {
    const pair = pairOf(configuration([group('data', 'a', [address('192.0.2.101'), script('mysql')])], { ...witnessed, watchdog }))
    pair.run(1_000)
    pair.outcomes.set('a stop mysql', 'never')
    pair.witness.reachableFrom.delete('a')
    pair.cut.add('a>b')
    pair.cut.add('b>a')
    pair.run(4_990)
    expect(codes(pair.hosts.a)).toContain(watchdog ? 'host-resets' : 'not-stopped-in-time')
    expect(pair.hosts.a.state.resetting).toBe(watchdog ? 'surely' : undefined)
  }
})

test('the watchdog is told to reset the host once', () => {
  const pair = pairOf(configuration([group('data', 'a', [address('192.0.2.101'), script('mysql')])], { ...witnessed, watchdog: true }))
  pair.run(1_000)
  pair.outcomes.set('a stop mysql', 'never')
  pair.witness.reachableFrom.clear()
  pair.cut.add('a>b')
  pair.cut.add('b>a')
  pair.run(20_000)
  expect(pair.resets).toEqual(['a'])
})

/** Permission ends in order 8 s after the last confirmed packet, and for good after 9.8 s: a second before that the watchdog must starve. */
const unhurried = {
  timing: { keepaliveMs: 500, warntimeMs: 5_000, deadtimeMs: 10_000, initdeadMs: 20_000 }, witness: { timeoutMs: 500, grantMs: 10_000, renewMs: 1_600 }, lease: 'auto', watchdog: true,
} as const

/** Nobody hears a, which cannot be rid of mysql for so long. */
function cutOff(stopMs: number): { readonly pair: Rig; readonly confirmedMs: number } {
  const pair = pairOf(configuration([group('data', 'a', [address('192.0.2.101'), script('mysql')])], unhurried))
  pair.run(1_000)
  pair.tookMs.set('a stop mysql', stopMs)
  pair.witness.reachableFrom.clear()
  pair.cut.add('a>b').add('b>a')
  const confirmedMs = pair.hosts.a.state.contact.confirmed?.sentMs ?? 0
  return { pair, confirmedMs: confirmedMs - pair.nowMs }
}

test('the watchdog acts when the time is over, and not a second later: it is starved its own second before', () => {
  const { pair, confirmedMs } = cutOff(60_000)
  pair.run(confirmedMs + 8_790)
  expect([pair.resets, codes(pair.hosts.a).includes('permission-lost')]).toEqual([[], true])
  pair.run(20)
  expect([pair.resets, pair.hosts.a.state.resetting]).toEqual([['a'], 'unless-stopped'])
  pair.run(1_000)
  expect(pair.hosts.a.state.resetting).toBe('surely')
})

test('a script that stops within that second saves its host; one that stops after it does not', () => {
  const { pair, confirmedMs } = cutOff(1_500)
  pair.run(confirmedMs + 8_900)
  expect(pair.resets).toEqual(['a'])
  pair.run(700)
  expect([pair.spared, pair.hosts.a.state.resetting, codes(pair.hosts.a).includes('host-spared')]).toEqual([['a'], undefined, true])
  pair.run(20_000)
  expect(pair.resets).toEqual(['a'])
  const late = cutOff(2_000).pair
  late.run(20_000)
  expect([late.resets, late.spared, late.hosts.a.state.resetting]).toEqual([['a'], [], 'surely'])
})

test('a peer that answers within that second saves the host as well: it sees what still runs there, and waits', () => {
  const { pair, confirmedMs } = cutOff(60_000)
  pair.run(confirmedMs + 8_900)
  expect(pair.resets).toEqual(['a'])
  pair.cut.clear()
  pair.run(600)
  expect([pair.spared, pair.hosts.a.state.resetting]).toEqual([['a'], undefined])
  pair.run(20_000)
  expect([pair.held('data'), pair.resets]).toEqual(['', ['a']])
})
