/** Floating addresses that are gone although their node holds them: removed by somebody else, or by the kernel. */
import { expect, test } from 'vitest'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import type { Effect } from '../../src/core/effects.ts'
import type { NodeState } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { address, codes, configuration, group, groupOf, pairOf, rig } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), address('192.0.2.101')])

/** One daemon alone, which puts back what it is told of; nobody answers it. */
function watched(from: NodeState, fromMs: number) {
  const self = {
    state: from,
    nowMs: fromMs,
    restored: [] as string[],
    take(event: { readonly type: 'tick' } | { readonly type: 'addresses-stripped'; readonly ips: readonly string[] }): void {
      const stamps = { nowMs: self.nowMs, wallMs: 1_000_000 + self.nowMs }
      const { state, effects } = step(self.state, event.type === 'tick' ? { ...stamps, ...event } : { ...stamps, ...event, group: 'web', stage: 0 })
      self.state = state
      self.restored.push(...effects.flatMap((effect: Effect) => (effect.type === 'restore-addresses' ? effect.ips.map((ip) => `${ip} at ${Math.round(self.nowMs - fromMs)}`) : [])))
    },
    until(ms: number): void {
      for (let dueMs = nextDeadlineMs(self.state) ?? Infinity; dueMs <= fromMs + ms; dueMs = nextDeadlineMs(self.state) ?? Infinity) {
        self.nowMs = dueMs
        self.take({ type: 'tick' })
      }
      self.nowMs = fromMs + ms
    },
  }
  return self
}

test('an address that is removed again soon after it was put back is put back once more, five seconds after the first time', () => {
  const pair = pairOf(configuration([web]))
  const daemon = watched(pair.hosts.a.state, pair.nowMs)
  daemon.take({ type: 'addresses-stripped', ips: ['192.0.2.100'] })
  daemon.until(1_000)
  daemon.take({ type: 'addresses-stripped', ips: ['192.0.2.100'] })
  daemon.until(20_000)
  expect(daemon.restored).toEqual(['192.0.2.100 at 0', '192.0.2.100 at 5000'])
})

test('another address of the group is put back at once, whatever was put back just before', () => {
  const pair = pairOf(configuration([web]))
  const daemon = watched(pair.hosts.a.state, pair.nowMs)
  daemon.take({ type: 'addresses-stripped', ips: ['192.0.2.100'] })
  daemon.until(1_000)
  daemon.take({ type: 'addresses-stripped', ips: ['192.0.2.100', '192.0.2.101'] })
  daemon.until(20_000)
  expect(daemon.restored).toEqual(['192.0.2.100 at 0', '192.0.2.101 at 1000', '192.0.2.100 at 5000'])
})

test('an address whose lifetime is over is added anew, also where nobody has told that it is gone', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 2 } }))
  pair.run(1_000)
  const { a } = pair.hosts
  a.up = false
  pair.run(4_000)
  a.running.delete('web/0')
  a.up = true
  pair.cut.add('a>b').add('b>a')
  pair.give('a', { type: 'tick' })
  // It listens for deadtime first, and renews nothing meanwhile.
  pair.run(10_000)
  expect(codes(a)).toContain('lease-expired')
  expect(a.running.has('web/0')).toBe(true)
  expect(groupOf(a).stages[0]).toMatchObject({ status: 'running' })
})

test('an add that was long on its way is renewed like any other, and nobody takes its addresses for gone', () => {
  const timing = { keepaliveMs: 1_000, warntimeMs: 2_500, deadtimeMs: 10_000, initdeadMs: 20_000 }
  const pair = rig(configuration([web], { timing, lease: { seconds: 2 } }))
  pair.tookMs.set('a start 192.0.2.100 and 1 more', 4_000)
  pair.start('a')
  pair.start('b')
  pair.run(12_000)
  expect(pair.held('web')).toBe('a')
  expect(codes(pair.hosts.a)).not.toContain('lease-expired')
  expect(pair.hosts.a.leasesMs.get('web/0')).toBeGreaterThan(pair.nowMs)
})

test('what is put back counts among the lifetimes that must end before authority is given up', () => {
  const pair = pairOf(configuration([web], { lease: { seconds: 8 } }))
  pair.run(2_600)
  pair.give('a', { type: 'addresses-stripped', group: 'web', stage: 0, ips: ['192.0.2.100'] })
  expect(groupOf(pair.hosts.a).stages[0]?.lease?.latestMs).toBeGreaterThan(pair.nowMs + 8_000)
})
