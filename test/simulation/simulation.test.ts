/** The simulator as a whole: the seeds that failed once, the same run for the same seed, calm runs. seeds.test.ts runs seeds by the thousand. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { realCore } from '../../src/simulation/core.ts'
import { drawOptions, type SimulationOptions } from '../../src/simulation/options.ts'
import { runSeed } from '../../src/simulation/run.ts'
import { failures, settled } from './seeds.ts'

const text = readFileSync(new URL('./seeds.txt', import.meta.url), 'utf8')
const kept = text.split('\n').flatMap((line) => line.replace(/#.*/, '').split(/\s+/)).filter((word) => word !== '').map(Number)

test('seeds that failed once pass', { timeout: 120_000 }, () => {
  expect(kept.length).toBeGreaterThan(10)
  expect(failures(kept.map((seed) => runSeed(realCore, seed, 10)))).toEqual([])
})

test('the same seed gives the same run', () => {
  const told = (): string[] => {
    const lines: string[] = []
    runSeed(realCore, 4711, 2, { tell: (line) => lines.push(`${line.trueMs} ${line.who} ${line.text}`) })
    return lines
  }
  const first = told()
  expect(first.length).toBeGreaterThan(20)
  expect(told()).toEqual(first)
})

test('options are a function of the seed and within what the configuration allows', () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const options = drawOptions(seed, 10)
    expect(drawOptions(seed, 10)).toEqual(options)
    const { timing, groups } = options.config
    expect(2 * timing.keepaliveMs).toBeLessThan(timing.deadtimeMs)
    expect(timing.warntimeMs).toBeLessThan(timing.deadtimeMs)
    expect(timing.initdeadMs).toBeGreaterThanOrEqual(timing.deadtimeMs)
    expect(options.links.length).toBeGreaterThan(0)
    expect(groups.length).toBeGreaterThan(0)
  }
})

const calm = (options: SimulationOptions): SimulationOptions => ({
  ...options,
  links: ['eth0'],
  config: { ...options.config, timing: { keepaliveMs: 200, warntimeMs: 500, deadtimeMs: 1000, initdeadMs: 4000 } },
  network: { delayMinMs: 0.3, delayMeanMs: 0.5, lossProbability: 0.2, duplicateProbability: 0.01 },
  operations: { ...options.operations, failProbability: 0, stopFailProbability: 0, hangProbability: 0 },
  faults: Object.fromEntries(Object.keys(options.faults).map((name) => [name, 0])) as SimulationOptions['faults'],
})

test('a fifth of all packets lost on the only link, deadtime 1 s: nobody is taken for dead, nothing moves', () => {
  const moves: string[] = []
  let groups = 0
  let acquired = 0
  for (let seed = 1; seed <= 10; seed += 1) {
    runSeed(realCore, seed, 10, {
      change: (options) => {
        groups += options.config.groups.length
        return calm(options)
      },
      tell: (line) => {
        if (line.code === 'group-acquiring') acquired += 1
        if (line.code === 'peer-dead' || line.code === 'permission-lost') moves.push(`seed ${seed}: ${line.trueMs} ${line.who} ${line.text}`)
      },
    })
  }
  // Some of the runs end with one node leaving in order, which moves its groups once more.
  expect(moves).toEqual([])
  expect(acquired).toBeGreaterThanOrEqual(groups)
  expect(acquired).toBeLessThanOrEqual(2 * groups)
})

test('packets over the real wire format make the same story', () => {
  for (const seed of [200_001, 200_002, 200_003]) {
    const story = (usesWire: boolean): string[] => {
      const lines: string[] = []
      runSeed(realCore, seed, 2, { tell: (line) => lines.push(`${line.trueMs} ${line.who} ${line.text}`), change: (options) => ({ ...settled(options), usesWire }) })
      return lines
    }
    expect(story(true)).toEqual(story(false))
  }
})
