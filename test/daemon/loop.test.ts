/** The loop around a real core, with an outside that only writes down what it was asked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Effect } from '../../src/core/effects.ts'
import { createState } from '../../src/core/create-state.ts'
import { startLoop, type Loop } from '../../src/daemon/loop.ts'
import { nowMs, wallMs } from '../../src/runtime/clock.ts'
import { address, configuration, group } from '../core/two-nodes.ts'

interface Rig { readonly loop: Loop; readonly effects: Effect[]; readonly broken: unknown[]; packets: number }

function start(perform: (effect: Effect, rig: Rig) => void = () => undefined): Rig {
  const config = configuration([group('web', 'a', [address('192.0.2.100')])])
  const initial = createState({ self: 'a', peer: 'b', generation: 1, config, links: ['bcast eth0'], sameBoot: false, nowMs: nowMs(), wallMs: wallMs() })
  const rig: { loop?: Loop; effects: Effect[]; broken: unknown[]; packets: number } = { effects: [], broken: [], packets: 0 }
  rig.loop = startLoop({
    initial,
    perform(effect) {
      rig.effects.push(effect)
      perform(effect, rig as Rig)
    },
    packetsRead: () => rig.packets,
    broken: (error) => rig.broken.push(error),
  })
  return rig as Rig
}

const look = { type: 'resources-observed', observations: [{ group: 'web', stage: 0, found: 'stopped' }] } as const
const sent = (rig: Rig): number => rig.effects.filter((effect) => effect.type === 'send-packet').length

test('its own timer sends the keepalives', async () => {
  const rig = start()
  rig.loop.feed({ type: 'tick' })
  await sleep(900)
  rig.loop.stop()
  expect(sent(rig)).toBeGreaterThanOrEqual(3)
  expect(sent(rig)).toBeLessThanOrEqual(6)
  const before = sent(rig)
  await sleep(300)
  expect(sent(rig)).toBe(before)
})

test('what effects cause while they are performed comes after them, in order', () => {
  const rig = start((effect, { loop }) => {
    if (effect.type === 'observe-resources') loop.feed(look)
  })
  rig.loop.feed({ type: 'tick' })
  rig.loop.stop()
  const types = rig.effects.map((effect) => effect.type)
  expect(types.indexOf('observe-resources')).toBeLessThan(types.indexOf('send-packet'))
  expect(types.indexOf('send-packet')).toBeLessThan(types.indexOf('notify-service'))
  expect(rig.loop.state().phase).toBe('joining')
})

test('an effect that cannot be performed is told once, not thrown at whoever fed the event, and nothing is taken after it', async () => {
  const rig = start((effect) => {
    if (effect.type === 'reply-admin') throw new Error('the outside broke')
  })
  rig.loop.feed({ type: 'tick' })
  rig.loop.feed({ type: 'admin-requested', requestId: 1, command: { type: 'resume' } })
  expect(rig.broken).toEqual([new Error('the outside broke')])
  const before = rig.effects.length
  rig.loop.feed(look)
  await sleep(500)
  expect(rig.effects.length).toBe(before)
  expect(rig.broken.length).toBe(1)
})

test('packets that go on coming do not keep a due tick away for ever', async () => {
  const rig = start()
  rig.loop.feed({ type: 'tick' })
  const flood = setInterval(() => { rig.packets += 1 }, 0)
  await sleep(900)
  clearInterval(flood)
  rig.loop.stop()
  expect(sent(rig)).toBeGreaterThanOrEqual(2)
})
