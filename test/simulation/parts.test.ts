/** The simulator's own parts: chance, the order of things to come, clocks that drift and stand still. */
import { expect, test } from 'vitest'
import { bootClock, monotonicMs, stoodStill, trueMsOf, wallMsOf } from '../../src/simulation/clock.ts'
import { createQueue } from '../../src/simulation/queue.ts'
import { createRandom } from '../../src/simulation/random.ts'
import { durationMs } from '../../src/simulation/scenario-words.ts'

test('random: the same seed draws the same, another seed another', () => {
  const draw = (seed: number): number[] => {
    const random = createRandom(seed)
    return Array.from({ length: 50 }, () => random.fraction())
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('random: fractions are spread evenly, waits have the mean that was asked for', () => {
  const random = createRandom(3)
  const tenths = new Array<number>(10).fill(0)
  for (let count = 0; count < 10_000; count += 1) tenths[Math.floor(random.fraction() * 10)]! += 1
  for (const share of tenths) expect(Math.abs(share - 1000)).toBeLessThan(150)
  const waits = Array.from({ length: 10_000 }, () => random.wait(200))
  expect(Math.abs(waits.reduce((sum, waitMs) => sum + waitMs, 0) / waits.length - 200)).toBeLessThan(15)
})

test('random: whole numbers include both ends, a chance of 0 never comes true', () => {
  const random = createRandom(5)
  const drawn = new Set(Array.from({ length: 500 }, () => random.whole(2, 4)))
  expect([...drawn].sort()).toEqual([2, 3, 4])
  expect(Array.from({ length: 500 }, () => random.chance(0)).includes(true)).toBe(false)
})

test('queue: by time, and at the same time in the order of asking', () => {
  const queue = createQueue<string>()
  const random = createRandom(1)
  const asked = Array.from({ length: 300 }, (_, serial) => ({ timeMs: random.whole(0, 20), serial }))
  for (const { timeMs, serial } of asked) queue.add(timeMs, `${timeMs} ${serial}`)
  const want = [...asked].sort((one, other) => one.timeMs - other.timeMs || one.serial - other.serial).map(({ timeMs, serial }) => `${timeMs} ${serial}`)
  const got: string[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) got.push(next.item)
  expect(got).toEqual(want)
  expect(queue.nextMs()).toBeUndefined()
})

test('clock: drift, and back to true time', () => {
  const clock = bootClock(50_000, 1.01)
  expect(monotonicMs(clock, 60_000) - monotonicMs(clock, 50_000)).toBeCloseTo(10_100, 6)
  expect(trueMsOf(clock, monotonicMs(clock, 61_234))).toBeCloseTo(61_234, 6)
})

test('clock: a paused guest loses monotonic time; the wall clock is set again, or not', () => {
  const clock = bootClock(0, 1)
  const set = stoodStill(clock, 10_000, 15_000, true)
  const unset = stoodStill(clock, 10_000, 15_000, false)
  expect(monotonicMs(set, 15_000)).toBe(monotonicMs(clock, 10_000))
  expect(wallMsOf(set, 15_000)).toBe(wallMsOf(clock, 15_000))
  expect(wallMsOf(unset, 15_000)).toBe(wallMsOf(clock, 10_000))
})

test('durations carry units', () => {
  expect([durationMs('200ms'), durationMs('1.5s'), durationMs('2m')]).toEqual([200, 1500, 120_000])
  expect(() => durationMs('5')).toThrow('a duration such as 5s')
})
