/** The real core, the dialogue and the model of a Heartbeat, under chance: never two holders, and afterwards all is held and at rest. */
import { expect, test } from 'vitest'
import { play, type Allowed } from './seeds.ts'

const [from, count] = (process.env['CLASSIC_SEEDS'] ?? '1,40').split(',').map(Number)

function badSeeds(allowed: Allowed): readonly string[] {
  const bad: string[] = []
  for (let seed = from ?? 1; seed < (from ?? 1) + (count ?? 0); seed += 1) {
    const { faults, acts } = play(seed, allowed)
    if (faults.length > 0) bad.push(`seed ${seed}: ${faults.join('; ')} (${acts.join(', ')})`)
  }
  return bad
}

const limitMs = Math.max(60_000, 2_000 * (count ?? 0))

test('administrators, restarts, crashes and late words', () => {
  expect(badSeeds({ cuts: false, failures: false })).toEqual([])
}, limitMs)

test('and starts and stops that fail here', () => {
  expect(badSeeds({ cuts: false, failures: true })).toEqual([])
}, limitMs)

test('the same with a Heartbeat in legacy mode', () => {
  expect(badSeeds({ cuts: false, failures: false, legacy: true })).toEqual([])
}, limitMs)

test('and starts and stops that fail here, with a Heartbeat in legacy mode', () => {
  expect(badSeeds({ cuts: false, failures: true, legacy: true })).toEqual([])
}, limitMs)

test('and cuts, with a Heartbeat in legacy mode', () => {
  expect(badSeeds({ cuts: true, failures: false, legacy: true })).toEqual([])
}, limitMs)

test('and cuts, one way and both: two may hold while packets are lost, and not for long after', () => {
  expect(badSeeds({ cuts: true, failures: false })).toEqual([])
}, limitMs)
