/**
 * Golden two-node stories: a text of commands, `----` and what came of them, block after block, separated by empty
 * lines. `retell` runs the commands and gives the same text with what comes of them now; a test compares the two.
 * Nothing is left to chance: packets take 1 ms, address operations 5 ms, scripts 500 ms.
 */
import { obey } from './scenario-commands.ts'
import { durationMs, failbackOf, timingFrom } from './scenario-words.ts'
import { storyText } from './story.ts'
import { createWorld, type DecisionCore, type World } from './world.ts'
import { faultNames, type FaultName, type SimulationOptions } from './options.ts'
import { allRules } from './protection.ts'
import type { AutoFailback, GroupConfig, ResourceConfig, Timing } from '../core/config.ts'
import { addressResource, scriptResource } from './options.ts'

/** A pair as the words of a scenario describe it, before anything runs. */
export interface Setting {
  timing: Timing
  autoFailback: AutoFailback
  links: string[]
  groups: GroupConfig[]
  failureMemoryMs: number
}

interface Telling {
  readonly core: DecisionCore
  readonly setting: Setting
  readonly lines: string[]
  untold: boolean
  world: World | undefined
}

export function retell(core: DecisionCore, text: string): string {
  const telling: Telling = { core, setting: newSetting(), lines: [], untold: false, world: undefined }
  return text.split(/\n{2,}/).map((block) => retellBlock(telling, block.replace(/\n+$/, ''))).join('\n\n') + '\n'
}

function retellBlock(telling: Telling, block: string): string {
  const lines = block.split('\n')
  const end = lines.indexOf('----')
  if (end === -1) return block
  const commands = lines.slice(0, end)
  telling.lines.length = 0
  for (const line of commands) {
    const command = line.replace(/#.*/, '').trim()
    if (command === '') continue
    if (describe(telling.setting, command)) continue
    telling.world ??= begin(telling)
    telling.untold = command === 'settle'
    for (const one of telling.untold ? settling : [command]) obey(telling.world, one, (said) => telling.lines.push(said))
    telling.untold = false
  }
  return [...commands, '----', ...telling.lines].join('\n')
}

/** `settle`: both hosts start and find their places; it is the same in every story, so it is not told. */
const settling = ['start alpha beta', 'run 10s']

/** Link life is left out, and the time when each thing happened is not: a story is read for who holds what, when and why. */
const untold = new Set(['link-up', 'daemon-started', 'config-agrees'])

function begin(telling: Telling): World {
  return createWorld(telling.core, optionsOf(telling.setting), (line) => {
    if (!telling.untold && !untold.has(line.code)) telling.lines.push(storyText(line))
  })
}

function newSetting(): Setting {
  return {
    timing: { keepaliveMs: 1000, warntimeMs: 2500, deadtimeMs: 5000, initdeadMs: 10_000 },
    autoFailback: 'on',
    links: ['eth0'],
    groups: [],
    failureMemoryMs: 60_000,
  }
}

/** Words that describe the pair; false: the command is one for a running world. */
function describe(setting: Setting, command: string): boolean {
  const [word = '', ...rest] = command.split(/\s+/)
  switch (word) {
    case 'links':
      setting.links = rest
      return true
    case 'auto_failback':
      setting.autoFailback = failbackOf(rest[0] ?? '')
      return true
    case 'timing':
      setting.timing = timingFrom(setting.timing, rest)
      return true
    case 'failure_memory':
      setting.failureMemoryMs = durationMs(rest[0] ?? '')
      return true
    case 'group':
      setting.groups.push(groupFrom(rest))
      return true
    default:
      return false
  }
}

/** `group web alpha [auto_failback=off] 192.0.2.100 apache2 mysql(warm)` */
function groupFrom(words: readonly string[]): GroupConfig {
  const [name = '', preferredNode = '', ...rest] = words
  const option = rest.find((word) => word.startsWith('auto_failback='))
  const resources = rest.filter((word) => word !== option).map(resourceFrom)
  return { name, preferredNode, resources, ...(option === undefined ? {} : { autoFailback: failbackOf(option.slice(14)) }) }
}

function resourceFrom(word: string): ResourceConfig {
  if (/^[\d.]+$/.test(word)) return addressResource(word)
  const warm = word.endsWith('(warm)')
  return scriptResource(warm ? word.slice(0, -6) : word, warm, 20_000)
}

function optionsOf(setting: Setting): SimulationOptions {
  return {
    seed: 0,
    minutes: 0,
    config: {
      nodes: ['alpha', 'beta'],
      timing: setting.timing,
      autoFailback: setting.autoFailback,
      groups: setting.groups,
      digests: { groups: 'same', timing: 'same', failback: 'same' },
      failureMemoryMs: setting.failureMemoryMs,
      lease: 'off',
      pauseLimitMs: 600_000,
      watchdog: false,
    },
    links: setting.links,
    clockRates: [1, 1],
    timerLateMs: 0,
    network: { delayMinMs: 1, delayMeanMs: 0, lossProbability: 0, duplicateProbability: 0 },
    operations: { addressMs: 5, scriptMs: 500, slowProbability: 0, failProbability: 0, stopFailProbability: 0, hangProbability: 0 },
    witness: { clockRate: 1, lossProbability: 0, lateProbability: 0, doubleProbability: 0 },
    fencing: { failProbability: 0 },
    watchdogMs: 10_000,
    adapter: allRules,
    faults: Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>,
    settles: false,
    scrutiny: 0.2,
    keepsJournal: true,
    exact: true,
    usesWire: false,
  }
}
