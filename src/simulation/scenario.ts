/**
 * Golden two-node stories: a text of commands, `----` and what came of them, block after block, separated by empty
 * lines. `retell` runs the commands and gives the same text with what comes of them now; a test compares the two.
 */
import { obey } from './scenario-commands.ts'
import { describe, newSetting, optionsOf, type Setting } from './scenario-setting.ts'
import type { SimulationOptions } from './options.ts'
import { storyText } from './story.ts'
import { createWorld, type DecisionCore, type World } from './world.ts'

interface Telling {
  readonly core: DecisionCore
  readonly setting: Setting
  readonly change: (options: SimulationOptions) => SimulationOptions
  readonly lines: string[]
  untold: boolean
  world: World | undefined
}

function newTelling(core: DecisionCore, change: Telling['change'] = (options) => options): Telling {
  return { core, setting: newSetting(), change, lines: [], untold: false, world: undefined }
}

export function retell(core: DecisionCore, text: string): string {
  const telling = newTelling(core)
  return text.split(/\n{2,}/).map((block) => retellBlock(telling, block.replace(/\n+$/, ''))).join('\n\n') + '\n'
}

/** The same commands, for a look at the world that they lead to instead of at the text. */
export interface Story {
  readonly follow: (commands: string) => void
  readonly world: () => World
  readonly told: readonly string[]
}

export function openStory(core: DecisionCore, change?: Telling['change']): Story {
  const telling = newTelling(core, change)
  return {
    follow: (commands) => commands.split('\n').forEach((line) => follow(telling, line)),
    world: () => (telling.world ??= begin(telling)),
    told: telling.lines,
  }
}

function retellBlock(telling: Telling, block: string): string {
  const lines = block.split('\n')
  const end = lines.indexOf('----')
  if (end === -1) return block
  const commands = lines.slice(0, end)
  telling.lines.length = 0
  for (const line of commands) follow(telling, line)
  return [...commands, '----', ...telling.lines].join('\n')
}

function follow(telling: Telling, line: string): void {
  const command = line.replace(/#.*/, '').trim()
  // `witness`, `fencing` and `ping` describe the pair until something runs, and act on the world from then on.
  if (command === '' || (telling.world === undefined && describe(telling.setting, command))) return
  telling.world ??= begin(telling)
  telling.untold = command === 'settle'
  for (const one of telling.untold ? settling : [command]) obey(telling.world, one, (said) => telling.lines.push(said))
  telling.untold = false
}

/** `settle`: both hosts start and find their places; it is the same in every story, so it is not told. */
const settling = ['start alpha beta', 'run 10s']

/** Link life and each exchange with the witness are left out: a story is read for who holds what, when and why. */
const untold = new Set(['link-up', 'daemon-started', 'config-agrees', 'witness-exchange'])

function begin(telling: Telling): World {
  return createWorld(telling.core, telling.change(optionsOf(telling.setting)), (line) => {
    if (!telling.untold && !untold.has(line.code)) telling.lines.push(storyText(line))
  })
}
