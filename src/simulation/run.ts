/** One seed from beginning to end: faults and safety first, then calm and liveness. Exceptions of the core are findings too. */
import { beginFaults } from './faults.ts'
import { converge } from './convergence.ts'
import { startPair } from './hosts.ts'
import type { Violation } from './ledger.ts'
import { drawOptions, type SimulationOptions } from './options.ts'
import { checkJournals } from './purity.ts'
import { violate } from './violations.ts'
import { overTheWire } from './wire.ts'
import { after, createWorld, runUntil, type DecisionCore, type StoryLine, type World } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly virtualMs: number
  readonly steps: number
  readonly starts: number
  readonly requests: number
  /** Overlaps that P2 allows, and what dead daemons left behind, by excuse. */
  readonly excused: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
}

export interface RunExtras {
  readonly tell?: (line: StoryLine) => void
  /** Runs with these instead of those drawn from the seed. */
  readonly change?: (options: SimulationOptions) => SimulationOptions
}

export function runSeed(core: DecisionCore, seed: number, minutes: number, extras: RunExtras = {}): RunResult {
  const drawn = drawOptions(seed, minutes)
  const options = extras.change === undefined ? drawn : extras.change(drawn)
  const world = createWorld(core, options, extras.tell, options.usesWire ? overTheWire : undefined)
  try {
    runPhases(world)
  } catch (error) {
    const where = error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join(' | ') : String(error)
    violate(world, 'crash', where)
  }
  return {
    seed,
    virtualMs: world.nowMs,
    steps: world.steps,
    starts: world.ledger.starts,
    requests: world.ledger.requests,
    excused: Object.fromEntries(world.ledger.excused),
    violations: world.ledger.violations,
  }
}

function runPhases(world: World): void {
  startPair(world)
  after(world, 5000, () => beginFaults(world))
  runUntil(world, world.options.minutes * 60_000)
  if (world.ledger.violations.length > 0) return
  converge(world)
  if (world.ledger.violations.length === 0) checkJournals(world)
}
