/** Two thousand seeds, shared among the processors: each share is a process of its own, so that it does not hold up the others. */
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import type { RunResult } from '../../src/simulation/run.ts'
import { bundle, outputOf, start } from '../fixtures/bundled-program.ts'
import { failures, sum } from './seeds.ts'

const firstSeed = 100_000
const count = 2000

async function runShare(program: string, first: number, size: number): Promise<readonly RunResult[]> {
  const { stdout, stderr, exitCode } = await outputOf(start(program, [String(first), String(size)]))
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout) as readonly RunResult[]
}

test('two thousand seeds with two minutes of faults break no rule', { timeout: 900_000 }, async () => {
  const program = bundle('seed-share')
  const shares = Math.min(4, availableParallelism())
  const size = Math.ceil(count / shares)
  const results = (await Promise.all(Array.from({ length: shares }, (_, at) => runShare(program, firstSeed + at * size, Math.min(size, count - at * size))))).flat()
  expect(failures(results)).toEqual([])
  expect(results.length).toBe(count)
  // A run in which nothing happens would break no rule either.
  expect(sum(results, (result) => result.virtualMs)).toBeGreaterThan(100 * 3_600_000)
  expect(sum(results, (result) => result.starts)).toBeGreaterThan(10_000)
  expect(sum(results, (result) => result.requests)).toBeGreaterThan(10_000)
})
