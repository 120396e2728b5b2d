/** Seeds by the thousand, with a few minutes of virtual time each, and what they say when one breaks a rule. */
import { realCore } from '../../src/simulation/core.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { runSeed, type RunResult } from '../../src/simulation/run.ts'

export function failures(results: readonly RunResult[]): string[] {
  return results.flatMap(({ seed, violations }) => violations.slice(0, 1).map(({ rule, message }) => `npm run sim -- --seed ${seed}: ${rule}: ${message}`))
}

/** What is not set back at the end takes minutes to be forgotten, so most of these are set back. */
export function settled(options: SimulationOptions): SimulationOptions {
  return { ...options, settles: options.seed % 20 !== 0 }
}

export function runSeeds(firstSeed: number, count: number): readonly RunResult[] {
  return Array.from({ length: count }, (_, index) => runSeed(realCore, firstSeed + index, 2, { change: settled }))
}

export function sum(results: readonly RunResult[], of: (result: RunResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0)
}
