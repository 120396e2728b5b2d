/** Each flaw of flaws.ts: its story passes on the real core, and the checkers name it once its rule is taken out. */
import { expect, test } from 'vitest'
import { realCore } from '../../src/simulation/core.ts'
import type { Violation } from '../../src/simulation/ledger.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { openStory, type Story } from '../../src/simulation/scenario.ts'
import { runUntil, type DecisionCore } from '../../src/simulation/world.ts'
import { flaws, type Flaw } from './flaws.ts'

const limitMs = 20_000

function runTo(story: Story, words: string): void {
  const world = story.world()
  const before = story.told.length
  const untilMs = world.nowMs + limitMs
  while (!story.told.slice(before).some((line) => line.includes(words))) {
    if (world.nowMs >= untilMs || world.ledger.violations.length > 0) throw new Error(`nothing tells of ${words}:\n${story.told.join('\n')}`)
    runUntil(world, world.nowMs + 0.5)
  }
}

function act(flaw: Flaw, core: DecisionCore, without: (options: SimulationOptions) => SimulationOptions): Story {
  const { change = (options: SimulationOptions) => options } = flaw
  const story = openStory(core, (options) => without({ ...change(options), scrutiny: 0 }))
  for (const line of flaw.story.split('\n')) {
    const command = line.trim()
    if (command.startsWith('until ')) runTo(story, command.slice(6))
    else story.follow(command)
  }
  return story
}

function violationsOf(story: Story): readonly Violation[] {
  return story.world().ledger.violations
}

for (const flaw of flaws) {
  test(flaw.title, () => {
    const whole = act(flaw, realCore, (options) => options)
    expect(violationsOf(whole), whole.told.join('\n')).toEqual([])
    const broken = act(flaw, flaw.core?.() ?? realCore, flaw.without ?? ((options) => options))
    expect(flaw.rules, broken.told.join('\n')).toContain(violationsOf(broken)[0]?.rule)
  })
}
