/**
 * A simulator is worth what it finds. Each core here has one fault planted into it, from outside, by changing what goes in
 * or what comes out; within a bounded number of seeds a checker must name one of the rules that it breaks.
 */
import { expect, test } from 'vitest'
import type { CoreConfig } from '../../src/core/config.ts'
import type { Effect } from '../../src/core/effects.ts'
import type { Event } from '../../src/core/events.ts'
import type { AdvertisedGroup, Facts } from '../../src/core/packet.ts'
import type { NodeState } from '../../src/core/state.ts'
import { realCore } from '../../src/simulation/core.ts'
import type { Rule } from '../../src/simulation/ledger.ts'
import type { SimulationOptions } from '../../src/simulation/options.ts'
import { runSeed } from '../../src/simulation/run.ts'
import type { DecisionCore } from '../../src/simulation/world.ts'

interface Planted {
  readonly title: string
  readonly rules: readonly Rule[]
  readonly core: DecisionCore
  /** A rare one: where to begin, so that the test is short. */
  readonly firstSeed?: number
  readonly change?: (options: SimulationOptions) => SimulationOptions
}

const maxSeeds = 60

function withEvents(change: (event: Event, state: NodeState) => Event): DecisionCore {
  return { ...realCore, step: (state, event) => realCore.step(state, change(event, state)) }
}

function withEffects(change: (effect: Effect, state: NodeState) => readonly Effect[]): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: next, effects: effects.flatMap((effect) => change(effect, next)) }
    },
  }
}

function withFacts(change: (facts: Facts, state: NodeState) => Facts): DecisionCore {
  return withEvents((event, state) => {
    if (event.type !== 'packet-received' || event.packet.facts === undefined) return event
    return { ...event, packet: { ...event.packet, facts: change(event.packet.facts, state) } }
  })
}

function withPeerGroups(change: (group: AdvertisedGroup) => AdvertisedGroup): DecisionCore {
  return withFacts((facts) => ({ ...facts, groups: facts.groups.map(change) }))
}

/** Timers before sockets: after a pause every deadline that passed is judged before the packets that wait are read. */
const timersFirst: DecisionCore = {
  ...realCore,
  step: (state, event) => {
    let now = state
    const effects: Effect[] = []
    for (let count = 0; count < 200; count += 1) {
      const dueMs = realCore.nextDeadlineMs(now)
      if (dueMs === undefined || dueMs >= event.nowMs) break
      const passed = realCore.step(now, { type: 'tick', nowMs: dueMs, wallMs: Math.round(event.wallMs + dueMs - event.nowMs) })
      effects.push(...passed.effects)
      now = passed.state
    }
    const last = realCore.step(now, event)
    return { state: last.state, effects: [...effects, ...last.effects] }
  },
}

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

const planted: readonly Planted[] = [
  { title: 'takes the peer for empty-handed', rules: ['S1', 'S2'], core: withPeerGroups((group) => ({ ...group, state: 'stopped', claiming: false })) },
  {
    title: 'counts any packet of the peer as an answer to its claim',
    rules: ['S1', 'S2'],
    core: withFacts((facts, state) => ({ ...facts, confirms: { generation: state.generation, sequence: state.nextSequence } })),
    change: only({ 'partition-one-way': 15_000, clog: 10_000, lossy: 20_000, admin: 10_000 }),
  },
  {
    title: 'never learns that it is not heard (F8)',
    rules: ['S1'],
    core: withFacts((facts, state) => ({ ...facts, confirms: { generation: state.generation, sequence: state.nextSequence - 1 } })),
    change: only({ 'partition-one-way': 15_000 }),
  },
  { title: 'does not see the higher claim of another holder', rules: ['S1'], core: withPeerGroups((group) => ({ ...group, claimNumber: 0 })), change: only({ partition: 20_000 }) },
  { title: 'judges timers before it reads what waits (F11)', rules: ['S1', 'S2', 'S6'], core: timersFirst, change: only({ 'stop-signal': 15_000 }) },
  { title: 'takes a failed stop for a success', rules: ['S1', 'S4', 'S2'], core: forgivesStops, change: only({ 'broken-stop': 8000, admin: 8000 }) },
  {
    title: 'does not look at what its last daemon left',
    rules: ['S1', 'S3', 'L1'],
    core: withEvents((event) => (event.type === 'resources-observed' ? { ...event, observations: event.observations.map((seen) => ({ ...seen, found: 'stopped' })) } : event)),
    change: only({ 'daemon-kill': 20_000 }),
  },
  {
    title: 'adopts what it finds without asking anybody (F6)',
    rules: ['S1', 'S2'],
    core: withState((state, event) => (event.type === 'resources-observed' ? { ...state, contact: { ...state.contact, status: 'dead' } } : state)),
    change: only({ 'daemon-kill': 20_000, 'partition-one-way': 20_000 }),
  },
  {
    title: 'forgets at once the longer deadtime that it had stated (F7)',
    rules: ['S1'],
    core: withState((state) => {
      const { formerDeadtime: _longer, ...contact } = state.contact
      return { ...state, contact }
    }),
    change: (options) => ({ ...only({ 'partition-one-way': 20_000, reload: 3000 })(options), links: ['eth0'] }),
    firstSeed: 36,
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

function withState(change: (state: NodeState, event: Event) => NodeState): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: change(next, event), effects }
    },
  }
}

function withConfig(change: (config: CoreConfig) => CoreConfig): DecisionCore {
  return {
    ...withEvents((event) => (event.type === 'config-reloaded' ? { ...event, config: change(event.config) } : event)),
    createState: (init) => realCore.createState({ ...init, config: change(init.config) }),
  }
}

function answersDoubles(): DecisionCore {
  return withEffectsOf((effects, event) => (event.type === 'duplicate-received' ? [...effects, { type: 'observe-resources' }] : effects))
}

function withEffectsOf(change: (effects: readonly Effect[], event: Event) => readonly Effect[]): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: next, effects: change(effects, event) }
    },
  }
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
