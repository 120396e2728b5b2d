/** One of two files, so that the two halves of two thousand seeds run side by side. */
import { expect, test } from 'vitest'
import { failures, runSeeds, sum } from './seeds.ts'

test('another thousand seeds with two minutes of faults break no rule', { timeout: 600_000 }, () => {
  const results = runSeeds(101_000, 1000)
  expect(failures(results)).toEqual([])
  // A run in which nothing happens would break no rule either.
  expect(sum(results, (result) => result.virtualMs)).toBeGreaterThan(25 * 3_600_000)
  expect(sum(results, (result) => result.starts)).toBeGreaterThan(2500)
  expect(sum(results, (result) => result.requests)).toBeGreaterThan(2500)
})
