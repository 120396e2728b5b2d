import { expect, test } from 'vitest'
import { nowMs, wallMs } from '../../src/runtime/clock.ts'

test('the monotonic clock never goes back and has fractions of a millisecond', () => {
  const readings = Array.from({ length: 10_000 }, nowMs)
  readings.reduce((before, after) => {
    expect(after).toBeGreaterThanOrEqual(before)
    return after
  })
  expect(readings.some((reading) => !Number.isInteger(reading))).toBe(true)
  expect(readings.at(-1)! - readings[0]!).toBeGreaterThan(0)
})

test('the wall clock is the time of day', () => {
  expect(Math.abs(wallMs() - Date.now())).toBeLessThan(1_000)
})
