/** A pair whose daemons do what a test says: for the world's own parts, which no decision may hide. */
import type { CoreConfig } from '../../src/core/config.ts'
import type { Effect } from '../../src/core/effects.ts'
import type { Event } from '../../src/core/events.ts'
import type { Stage } from '../../src/core/stage.ts'
import { realCore } from '../../src/simulation/core.ts'
import { answer } from '../../src/simulation/driver.ts'
import { startMachine } from '../../src/simulation/hosts.ts'
import { truthOf, type Machine } from '../../src/simulation/machine.ts'
import { addressResource, drawOptions, scriptResource, type SimulationOptions } from '../../src/simulation/options.ts'
import { allRules } from '../../src/simulation/protection.ts'
import { createWorld, runUntil, type World } from '../../src/simulation/world.ts'

export interface Puppets {
  readonly world: World
  readonly alpha: Machine
  readonly beta: Machine
  /** The daemon of a machine performs these at once. */
  readonly perform: (machine: Machine, ...effects: readonly Effect[]) => void
  readonly heard: (machine: Machine) => readonly Event[]
  readonly told: () => string
  readonly run: (durationMs: number) => void
}

export const ip = '192.0.2.100'
export const group = 'web'
export const addresses: Stage = { kind: 'addresses', name: ip, addresses: [{ ip, family: 'ipv4' }] }

export function createPuppets(change: (options: SimulationOptions) => SimulationOptions = (options) => options): Puppets {
  const pending: Record<string, Effect[]> = { alpha: [], beta: [] }
  const events: Record<string, Event[]> = { alpha: [], beta: [] }
  const lines: string[] = []
  const core = {
    ...realCore,
    step: (state: ReturnType<typeof realCore.createState>, event: Event) => {
      events[state.self]?.push(event)
      return { state, effects: pending[state.self]?.splice(0) ?? [] }
    },
    nextDeadlineMs: () => undefined,
  }
  const world = createWorld(core, change(calm()), (line) => lines.push(`${line.who}: ${line.text}`))
  const [alpha, beta] = world.machines
  for (const machine of world.machines) startMachine(world, machine)
  return {
    world, alpha, beta,
    perform: (machine, ...effects) => {
      pending[machine.name]?.push(...effects)
      answer(world, machine, machine.daemon?.life ?? 0, { type: 'tick' })
    },
    heard: (machine) => events[machine.name] ?? [],
    told: () => lines.join('\n'),
    run: (durationMs) => runOn(world, world.nowMs + durationMs),
  }
}

/** Puppets have no permission for what they do, so what the checkers say is passed over. */
function runOn(world: World, untilMs: number): void {
  while (world.nowMs < untilMs) {
    world.ledger.violations.length = 0
    runUntil(world, untilMs)
  }
}

/** Nothing is drawn, nothing fails, clocks run true. */
function calm(): SimulationOptions {
  const drawn = drawOptions(1, 1)
  const config: CoreConfig = {
    nodes: ['alpha', 'beta'],
    timing: { keepaliveMs: 1000, warntimeMs: 2500, deadtimeMs: 5000, initdeadMs: 10_000 },
    autoFailback: 'on',
    groups: [{ name: group, preferredNode: 'alpha', resources: [addressResource(ip), scriptResource('apache2', false, 20_000)] }],
    digests: { groups: 'same', timing: 'same', failback: 'same' },
    failureMemoryMs: 60_000,
    pauseLimitMs: 600_000,
    lease: 'auto',
    watchdog: false,
    witness: { timeoutMs: 500, grantMs: 5000, renewMs: 800 },
  }
  return {
    ...drawn,
    config,
    links: ['eth0'],
    clockRates: [1, 1],
    timerLateMs: 0,
    network: { delayMinMs: 1, delayMeanMs: 0, lossProbability: 0, duplicateProbability: 0 },
    operations: { addressMs: 5, scriptMs: 500, slowProbability: 0, failProbability: 0, stopFailProbability: 0, hangProbability: 0 },
    witness: { clockRate: 1, lossProbability: 0, lateProbability: 0, doubleProbability: 0 },
    adapter: { ...allRules, systemdReleases: false },
    scrutiny: 0,
    keepsJournal: false,
    exact: true,
    usesWire: false,
  }
}

export function isUpOn(machine: Machine): boolean {
  return truthOf(machine, group, 0)?.configured.has(ip) === true
}
