/**
 * A simulator is worth what it finds. Each core here has one fault planted into it, from outside, by changing what goes in
 * or what comes out; within a bounded number of seeds a checker must name one of the rules that it breaks.
 */
import { expect, test } from 'vitest'
import { defaultWitnessTiming } from '../../src/core/lease-arithmetic.ts'
import { realCore } from '../../src/simulation/core.ts'
import type { Rule } from '../../src/simulation/ledger.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { runSeed } from '../../src/simulation/run.ts'
import type { DecisionCore } from '../../src/simulation/world.ts'
import { countsAsHeard, timersFirst, withConfig, withEffects, withEffectsOf, withEvents, withFacts, withPeerGroups } from './broken-core.ts'

interface Planted {
  readonly title: string
  readonly rules: readonly Rule[]
  readonly core: DecisionCore
  /** A rare one: where to begin, so that the test is short. */
  readonly firstSeed?: number
  readonly change?: (options: SimulationOptions) => SimulationOptions
}

const maxSeeds = 60

/** Takes the failure of every stop for a success. */
const forgivesStops = withEvents((event, state) => {
  if (event.type !== 'operation-finished' || (event.outcome.result !== 'failed' && event.outcome.result !== 'timed-out')) return event
  const stops = state.groups.some((group) => group.operation?.id === event.operationId && group.operation.action === 'stop')
  return stops ? { ...event, outcome: { result: 'ok' } } : event
})

function only(faults: Partial<SimulationOptions['faults']>): (options: SimulationOptions) => SimulationOptions {
  return (options) => {
    const off = Object.fromEntries(Object.keys(options.faults).map((name) => [name, 0])) as Record<keyof SimulationOptions['faults'], number>
    return { ...options, scrutiny: 0.05, faults: { ...off, ...faults } }
  }
}

/** Of a pair without witness and fencing, which promises no more than P2. */
function alone(faults: Partial<SimulationOptions['faults']>): (options: SimulationOptions) => SimulationOptions {
  return (options) => {
    const { witness: _witness, fencing: _fencing, ...config } = options.config
    return { ...only(faults)(options), config }
  }
}

function witnessed(faults: Partial<SimulationOptions['faults']>): (options: SimulationOptions) => SimulationOptions {
  return (options) => {
    const timing = { keepaliveMs: 1000, warntimeMs: 2500, deadtimeMs: 5000, initdeadMs: 10_000 }
    const { fencing: _fencing, ...config } = options.config
    return { ...only(faults)(options), config: { ...config, timing, lease: 'auto', witness: defaultWitnessTiming(timing) } }
  }
}

const planted: readonly Planted[] = [
  { title: 'takes the peer for empty-handed', rules: ['S1', 'S2'], core: withPeerGroups((group) => ({ ...group, state: 'stopped', claiming: false })) },
  {
    title: 'counts any packet of the peer as an answer to its claim',
    rules: ['S1', 'S2'],
    core: withFacts((facts, state) => ({ ...facts, confirms: { generation: state.generation, sequence: state.nextSequence } })),
    change: only({ 'partition-one-way': 15_000, clog: 10_000, lossy: 20_000, admin: 10_000 }),
  },
  { title: 'never learns that it is not heard', rules: ['S1'], core: countsAsHeard, change: alone({ 'partition-one-way': 15_000 }) },
  { title: 'never learns that it is not heard, beside a witness', rules: ['P1', 'S2'], core: countsAsHeard, change: witnessed({ 'partition-one-way': 15_000 }) },
  { title: 'does not see the higher claim of another holder', rules: ['S1'], core: withPeerGroups((group) => ({ ...group, claimNumber: 0 })), change: alone({ partition: 20_000 }) },
  { title: 'judges timers before it reads what waits', rules: ['S1', 'S2', 'S6'], core: timersFirst, change: only({ 'stop-signal': 15_000 }) },
  { title: 'takes a failed stop for a success', rules: ['S1', 'S4', 'S2'], core: forgivesStops, change: alone({ 'broken-stop': 8000, admin: 8000 }) },
  { title: 'takes a failed stop for a success, beside a witness', rules: ['S1', 'S4', 'S2', 'P1'], core: forgivesStops, change: witnessed({ 'broken-stop': 8000, admin: 8000 }) },
  {
    title: 'does not write down what is unclean',
    rules: ['S4'],
    core: withEffects((effect) => (effect.type === 'persist' ? [{ ...effect, state: { ...effect.state, groups: effect.state.groups.map((group) => ({ ...group, unclean: false })) } }] : [effect])),
    change: alone({ 'broken-stop': 8000, 'daemon-kill': 8000, admin: 8000 }),
  },
  {
    title: 'does not look at what its last daemon left',
    rules: ['S1', 'S3', 'L1'],
    core: withEvents((event) => (event.type === 'resources-observed' ? { ...event, observations: event.observations.map((seen) => ({ ...seen, found: 'stopped' })) } : event)),
    change: only({ 'daemon-kill': 20_000 }),
  },
  { title: 'begins each operation twice', rules: ['S3'], core: withEffects((effect) => (effect.type === 'run-operation' ? [effect, effect] : [effect])) },
  {
    title: 'stops in list order',
    rules: ['S3'],
    core: withEffects((effect, state) => {
      if (effect.type !== 'run-operation' || effect.action !== 'stop') return [effect]
      const count = state.groups.find((group) => group.name === effect.group)?.stages.length ?? 1
      return [{ ...effect, stage: count - 1 - effect.stage }]
    }),
  },
  { title: 'answers a packet heard before as if it were new', rules: ['S5', 'S8'], core: answersDoubles() },
  { title: 'replies twice', rules: ['S7'], core: withEffects((effect) => (effect.type === 'reply-admin' ? [effect, effect] : [effect])) },
  { title: 'never replies', rules: ['S7'], core: withEffects((effect) => (effect.type === 'reply-admin' ? [] : [effect])) },
  { title: 'changes its input', rules: ['crash', 'S8'], core: { ...realCore, step: (state, event) => realCore.step(Object.assign(state, { nextSequence: state.nextSequence + 1 }), event) } },
  { title: 'keeps something outside its state', rules: ['S8'], core: withHiddenCounter() },
  {
    title: 'wakes too late',
    rules: ['S9', 'S1', 'S2', 'A1'],
    core: { ...realCore, nextDeadlineMs: (state) => (realCore.nextDeadlineMs(state) ?? 0) + 300 },
  },
  { title: 'names a deadline at which nothing is due', rules: ['S9'], core: { ...realCore, nextDeadlineMs: (state) => state.startedMs } },
  {
    title: 'leaves without stopping anything',
    rules: ['L3'],
    core: { ...realCore, step: (state, event) => (event.type === 'shutdown-requested' ? { state, effects: [{ type: 'exit', exitCode: 0 }] } : realCore.step(state, event)) },
  },
  { title: 'ignores SIGTERM', rules: ['L3'], core: withEvents((event) => (event.type === 'shutdown-requested' ? { type: 'tick', nowMs: event.nowMs, wallMs: event.wallMs } : event)) },
  {
    title: 'never fails back',
    rules: ['L2'],
    core: withConfig((config) => ({ ...config, autoFailback: 'off', groups: config.groups.map(({ autoFailback: _policy, ...group }) => group) })),
    change: (options) => ({ ...only({ 'machine-crash': 20_000 })(options), config: { ...options.config, autoFailback: 'on' } }),
  },
  { title: 'does not tell the neighbours', rules: ['L1'], core: withEffects((effect) => (effect.type === 'announce' ? [] : [effect])) },
  { title: 'does not put a stripped address back', rules: ['L1'], core: withEffects((effect) => (effect.type === 'restore-addresses' ? [] : [effect])), change: only({ strip: 10_000 }) },
  { title: 'never asks how a service is', rules: ['L1', 'S3'], core: withEffects((effect) => (effect.type === 'run-operation' && effect.action === 'status' ? [] : [effect])), change: only({ 'service-death': 10_000 }) },
]

function answersDoubles(): DecisionCore {
  return withEffectsOf((effects, event) => (event.type === 'duplicate-received' ? [...effects, { type: 'observe-resources' }] : effects))
}

function withHiddenCounter(): DecisionCore {
  let calls = 0
  return { ...realCore, step: (state, event) => {
    calls += 1
    const { state: next, effects } = realCore.step(state, event)
    return { state: { ...next, nextPersistId: next.nextPersistId + (calls % 7 === 0 ? 1 : 0) }, effects }
  } }
}

for (const { title, rules, core, change, firstSeed = 1 } of planted) {
  test(`a core that ${title} is found out`, { timeout: 60_000 }, () => {
    let found: Rule | undefined
    for (let seed = firstSeed; seed < firstSeed + maxSeeds && found === undefined; seed += 1) {
      found = runSeed(core, seed, 5, change === undefined ? {} : { change }).violations[0]?.rule
    }
    expect(rules).toContain(found)
  })
}
