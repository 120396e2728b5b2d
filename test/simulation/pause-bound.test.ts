/** P2: without witness and fencing, how long two nodes have the address after a pause of its holder is a matter of its lease. */
import { expect, test } from 'vitest'
import { realCore } from '../../src/simulation/core.ts'
import type { PauseKind } from '../../src/simulation/machine.ts'
import { pauseBoundMs } from '../../src/simulation/pause-bound.ts'
import { openStory, type Story } from '../../src/simulation/scenario.ts'
import type { DecisionCore } from '../../src/simulation/world.ts'
import { withEffects } from './broken-core.ts'

/** The holder stands still from `phaseMs` after a whole second on, for long enough that the other takes over. */
function paused(core: DecisionCore, setting: string, phaseMs: number, kind: PauseKind = 'stop-signal'): Story {
  const story = openStory(core)
  story.follow(`${setting}\nauto_failback off\ngroup web alpha 192.0.2.100\nsettle\nrun ${1000 + phaseMs}ms\npause alpha 20s ${kind}\nrun 25s`)
  return story
}

const phases = Array.from({ length: 25 }, (_, at) => at * 40)

function overlapsMs({ told }: Story): readonly number[] {
  return told.flatMap((line) => {
    const match = /one holder again of \S+ after (\d+) ms/.exec(line)
    return match === null ? [] : [Number(match[1])]
  })
}

test('with the default lease no pause of the holder makes two, wherever it falls', () => {
  const stories = phases.map((phaseMs) => paused(realCore, '', phaseMs))
  expect(stories.flatMap((story) => story.world().ledger.violations)).toEqual([])
  expect(stories.flatMap(overlapsMs)).toEqual([])
})

test('with a longer lease two have the address for as long as the formula says, and no longer', () => {
  const stories = phases.map((phaseMs) => paused(realCore, 'lease 5s', phaseMs))
  const boundMs = pauseBoundMs(stories[0]!.world().machines[0]) ?? 0
  expect(boundMs).toBe(5000 + 1000 + 50 + 1000 - 4900)
  expect(stories.flatMap((story) => story.world().ledger.violations)).toEqual([])
  const longestMs = Math.max(...stories.flatMap(overlapsMs))
  expect(longestMs).toBeGreaterThan(boundMs / 4)
  expect(longestMs).toBeLessThanOrEqual(boundMs)
})

/** Lets go, and leaves the removal to the lease. */
const leavesAddresses = withEffects((effect) => (effect.type === 'drop-addresses' || (effect.type === 'run-operation' && effect.action === 'stop') ? [] : [effect]))

test('a guest that stood still drops the address as soon as it has read what waits; a core that does not breaks P2', () => {
  const story = paused(realCore, '', 0, 'guest-pause')
  expect(story.world().ledger.violations).toEqual([])
  const broken = paused(leavesAddresses, '', 0, 'guest-pause')
  expect(broken.world().ledger.violations[0]).toMatchObject({ rule: 'P2' })
})
