/** Kernel lifetimes of floating addresses: design.md section 6, FINDINGS F1. */
import { expect, test } from 'vitest'
import { address, codes, configuration, group, groupOf, pairOf, witnessed } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100')])

test('no lifetime outlasts authority: at 0.98 deadtime after the last confirmed send the kernel has nothing left', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(5_000)
  pair.witness.reachableFrom.clear()
  pair.cut.add('b>a')
  for (let turns = 0; turns < 600; turns += 1) {
    pair.run(10)
    const { confirmed } = pair.hosts.a.state.contact
    // The kernel may be late by a second, and the decision takes 50 ms to get there.
    expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) + 1_000).toBeLessThanOrEqual((confirmed?.sentMs ?? 0) + 0.98 * 5_000)
  }
})

test('in contact the lifetime never falls below two seconds at deadtime 5 s', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(3_000)
  for (let turns = 0; turns < 1_000; turns += 1) {
    pair.run(10)
    expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs).toBeGreaterThan(2_000)
  }
})

test('without a witness the lifetime is the configured one, renewed by the living loop alone', () => {
  const pair = pairOf(configuration([web], { ...witnessed, witness: undefined, lease: { seconds: 3 } } as never))
  pair.run(2_000)
  pair.kill('b')
  pair.run(60_000)
  expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs).toBeGreaterThan(1_900)
  expect(pair.held('web')).toBe('a')
})

test('lease off: addresses are added for ever and nothing is renewed', () => {
  const pair = pairOf(configuration([web]))
  pair.run(10_000)
  expect([...pair.hosts.a.leasesMs]).toEqual([])
})

test('an address that the kernel took away while this node stood still comes back only after a fresh confirmation', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 2 } }))
  pair.run(1_000)
  const { a } = pair.hosts
  a.up = false
  pair.run(4_000)
  a.up = true
  pair.cut.add('b>a')
  pair.give('a', { type: 'tick' })
  a.running.delete('web/0')
  pair.give('a', { type: 'addresses-stripped', group: 'web', stage: 0, ips: ['192.0.2.100'] })
  expect(codes(a)).toContain('lease-expired')
  pair.run(500)
  expect(a.running.has('web/0')).toBe(false)
})

test('a renewal that finds the address stripped by somebody else has it put back', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 3 } }))
  pair.run(1_000)
  pair.hosts.a.running.delete('web/0')
  pair.run(1_500)
  expect(codes(pair.hosts.a)).toContain('address-stripped')
  expect(groupOf(pair.hosts.a).strippedCount).toBeGreaterThan(0)
})

test('an answer that comes after its renewal was given up says what was done all the same', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 3 } }))
  pair.run(1_000)
  const { a } = pair.hosts
  const serial = a.state.nextRenewalSerial - 1
  pair.run(2_000)
  expect(groupOf(a).stages[0]?.lease?.renewing?.serial).not.toBe(serial)
  a.running.delete('web/0')
  pair.give('a', { type: 'addresses-renewed', group: 'web', stage: 0, serial, result: 'too-late', message: 'removed again' })
  expect(codes(a)).toContain('lease-failed')
  pair.run(1_000)
  expect(a.running.has('web/0')).toBe(true)
})

test('after a pause the answer to a renewal from before is waited for', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 3 } }))
  pair.run(1_000)
  const { a } = pair.hosts
  const lease = groupOf(a).stages[0]?.lease
  const renewing = { serial: 77, validMs: 3_000, untilMs: pair.nowMs + 3_000, latestMs: pair.nowMs + 3_500, deadlineMs: pair.nowMs + 4_000 }
  a.state = { ...a.state, groups: a.state.groups.map((one) => ({ ...one, stages: one.stages.map((stage) => ({ ...stage, ...(lease === undefined ? {} : { lease: { ...lease, renewing } }) })) })) }
  a.up = false
  pair.run(6_000)
  a.up = true
  pair.give('a', { type: 'tick' })
  expect(groupOf(a).stages[0]?.lease?.renewing?.serial).toBe(77)
  a.running.delete('web/0')
  pair.give('a', { type: 'addresses-renewed', group: 'web', stage: 0, serial: 77, result: 'too-late', message: 'removed again' })
  pair.run(3_000)
  expect(a.running.has('web/0')).toBe(true)
})

test('a lifetime counts from when its renewal was answered at the latest: the line may have been long on its way', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 3 } }))
  pair.run(1_000)
  const { a } = pair.hosts
  const sentMs = pair.nowMs
  const renewing = { serial: 77, validMs: 3_000, untilMs: sentMs + 3_000, latestMs: sentMs + 3_500, deadlineMs: sentMs + 4_000 }
  a.state = { ...a.state, groups: a.state.groups.map((one) => ({ ...one, stages: one.stages.map((stage) => ({ ...stage, ...(stage.lease === undefined ? {} : { lease: { ...stage.lease, renewing } }) })) })) }
  pair.run(400)
  pair.give('a', { type: 'addresses-renewed', group: 'web', stage: 0, serial: 77, result: 'renewed' })
  expect(groupOf(a).stages[0]?.lease).toMatchObject({ untilMs: sentMs + 3_000, latestMs: sentMs + 3_400 })
})

test('hactl pause raises the lifetime once the peer has promised, and the end of the pause sets it back first', () => {
  const pair = pairOf(configuration([web], { ...witnessed, pauseLimitMs: 600_000 }))
  pair.run(3_000)
  pair.ask('a', { type: 'pause' })
  pair.run(3_000)
  expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs).toBeGreaterThan(500_000)
  expect(pair.hosts.b.state.contact.peerRaisedUntilMs).toBeGreaterThan(pair.nowMs + 590_000)
  pair.ask('b', { type: 'resume' })
  pair.run(1_000)
  expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs).toBeLessThan(4_000)
  expect(pair.hosts.b.state.contact.peerRaisedUntilMs).toBeUndefined()
})

test('a pause that the peer never hears of raises nothing where a witness decides', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(3_000)
  pair.cut.add('a>b')
  pair.ask('a', { type: 'pause' })
  pair.run(2_000)
  expect((pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs).toBeLessThan(5_000)
})

test('what is given up comes off the lifetimes before it is told', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(3_000)
  pair.ask('a', { type: 'pause' })
  pair.run(2_000)
  // The kernel does not answer: until it has, the peer goes on keeping its promise.
  pair.hosts.a.running.delete('web/0')
  pair.ask('a', { type: 'resume' })
  for (let turns = 0; turns < 20; turns += 1) {
    const untilMs = groupOf(pair.hosts.a).stages[0]?.lease?.untilMs ?? 0
    if (untilMs > pair.nowMs + 10_000) expect(pair.hosts.a.state.raising).toBeDefined()
    pair.run(1)
  }
})
