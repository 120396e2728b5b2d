/**
 * The flaws F1 to F13 that model checking found in an earlier text of the protocol, each as a story in which it shows, and
 * with the rule taken out that closes it. `rules`: what the checkers say then; with all rules in place they say nothing.
 */
import type { Effect } from '../../src/core/effects.ts'
import type { Event } from '../../src/core/events.ts'
import type { AdvertisedState } from '../../src/core/packet.ts'
import type { Hold, NodeState } from '../../src/core/state.ts'
import { realCore } from '../../src/simulation/core.ts'
import type { Rule } from '../../src/simulation/ledger.ts'
import type { AdapterRules, SimulationOptions } from '../../src/simulation/options.ts'
import type { DecisionCore } from '../../src/simulation/world.ts'
import { countsAsHeard, forgetsLongerDeadtime, mapStages, timersFirst, withEffects, withEvents, withFacts, withLeases, withMemory } from './broken-core.ts'

export interface Flaw {
  readonly title: string
  /** Commands of a scenario; `until CODE` runs to the first line with that text. */
  readonly story: string
  readonly rules: readonly Rule[]
  /** Made anew for each run: some remember. */
  readonly core?: () => DecisionCore
  /** A rule of the host, or of the configuration, is taken out here. */
  readonly without?: (options: SimulationOptions) => SimulationOptions
  /** What both runs differ in from an ordinary pair. */
  readonly change?: (options: SimulationOptions) => SimulationOptions
}

function withoutAdapter(rule: keyof AdapterRules): (options: SimulationOptions) => SimulationOptions {
  return (options) => ({ ...options, adapter: { ...options.adapter, [rule]: false } })
}

export const flaws: readonly Flaw[] = [
  {
    title: 'F1: a lease renewed while its node may hold outlives its permission',
    story: `
      witness
      lease 9s
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha
      run 2s
      pause alpha 20s
      run 10s`,
    core: () => withLeases(() => ({ validSeconds: 9, notAfterMs: Infinity })),
    rules: ['P1'],
  },
  {
    title: 'F2: "nobody holds it" rests on a packet of unknown age',
    story: `
      group web alpha 192.0.2.100
      start alpha beta
      run 74ms
      hactl alpha takeover web
      hactl beta takeover web
      run 3s`,
    // Both claim in the same millisecond; each takes the other's packet, which has crossed its claim, for an answer.
    core: () => withFacts((facts, state) => ({
      ...facts,
      confirms: { generation: state.generation, sequence: state.nextSequence - 1 },
      groups: facts.groups.map((group) => ({ ...group, claiming: false })),
    })),
    rules: ['S2', 'S1'],
  },
  {
    title: 'F3: a stale last will is believed',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      run 1s
      pause beta 30s
      run 100ms
      kill-daemon alpha
      run 100ms
      cut all
      start alpha
      run 40s`,
    core: () => withMemory((state, event) => {
      if (event.type !== 'packet-received' || event.packet.kind !== 'will') return state
      return { ...state, contact: { ...state.contact, confirmed: { sequence: 0, sentMs: event.nowMs, by: event.packet.id.generation } } }
    }),
    rules: ['S2', 'P1'],
  },
  {
    title: 'F4: the life of a grant counts from its answer',
    story: `
      timing deadtime 20s initdead 20s warntime 10s
      witness
      group web alpha 192.0.2.100
      start alpha beta
      run 20s
      cut all
      run 15s
      witness slow alpha 5s
      run 42s
      pause alpha 100s
      run 100s`,
    change: (options) => ({ ...options, config: { ...options.config, lease: { seconds: 60 }, witness: { timeoutMs: 30_000, grantMs: 60_000, renewMs: 25_000 } } }),
    without: withoutAdapter('countsFromSending'),
    rules: ['P1'],
  },
  {
    title: 'F4: a key that is its own already is taken for a grant, and a late return of it arrives',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      run 3s
      witness slow alpha 3s
      heal
      until alpha    grant-returned
      cut all
      witness slow alpha 0ms
      run 2700ms
      witness lost alpha
      run 10s`,
    core: takesOwnKeyForGrant,
    rules: ['P1'],
  },
  {
    title: 'F5: giving the grant back leaves a lease that was computed from it',
    story: `
      witness grant=15s
      lease 8s
      group web alpha 192.0.2.100
      settle
      cut all
      run 10s
      heal
      until alpha    grant-returned
      cut all
      pause alpha 30s
      run 10s`,
    core: () => withMemory((state, event) => mapStages(state, (stage) => (stage.lease === undefined ? stage : { ...stage, lease: { ...stage.lease, untilMs: Math.min(stage.lease.untilMs, event.nowMs), latestMs: Math.min(stage.lease.latestMs, event.nowMs) } }))),
    rules: ['P1'],
  },
  {
    title: 'F6: a restart adopts without permission',
    story: `
      witness
      systemd off
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha
      run 2s
      kill-daemon alpha with-guard
      start alpha
      run 10s`,
    core: remembersContact,
    rules: ['P1', 'S2'],
  },
  {
    title: 'F7: initdead is shorter than deadtime',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha
      kill-daemon beta
      run 100ms
      start beta
      run 10s`,
    without: (options) => ({ ...options, config: { ...options.config, timing: { ...options.config.timing, initdeadMs: 2000 } } }),
    rules: ['P1'],
  },
  {
    title: 'F7: a deadtime is made shorter before the peer knows',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha
      reload beta deadtime 2500ms warntime 2s initdead 5s
      run 10s`,
    core: () => forgetsLongerDeadtime,
    rules: ['P1'],
  },
  {
    title: 'F8: a holder that is not heard, but hears, keeps the group',
    story: `
      group web alpha 192.0.2.100
      settle
      cut all alpha->beta
      run 10s`,
    core: () => countsAsHeard,
    rules: ['S1'],
  },
  {
    title: 'F8: after a heal towards the higher claim alone nobody releases',
    story: `
      group web alpha 192.0.2.100
      settle
      cut all
      run 10s
      heal all alpha->beta
      run 10s`,
    core: () => countsAsHeard,
    rules: ['S1'],
  },
  {
    title: 'F9: fencing replaces the grant of the witness',
    story: `
      witness
      fencing ipmi
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha beta
      run 13s
      start alpha
      witness back alpha
      run 20s`,
    core: () => withMemory((state) => (state.self === 'beta' && state.contact.status === 'dead' ? withoutWitness(state) : state)),
    rules: ['P1', 'S2'],
  },
  {
    title: 'F10: "its addresses are gone" is taken for "it has stopped"',
    story: `
      group db alpha 192.0.2.100 mysql
      settle
      kill-daemon alpha
      run 3s`,
    change: (options) => ({ ...options, operations: { ...options.operations, scriptMs: 1000 } }),
    core: () => withEvents((event) => {
      if (event.type !== 'packet-received' || event.packet.will?.says !== 'addresses-gone') return event
      return { ...event, packet: { ...event.packet, will: { ...event.packet.will, says: 'stopped' } } }
    }),
    rules: ['S2', 'S1'],
  },
  {
    title: 'F10: what the peer said to be unclean is forgotten in its silence',
    story: `
      group db alpha 192.0.2.100 mysql
      settle
      break stop mysql on alpha
      hactl beta takeover db
      run 3s
      cut all
      run 10s`,
    core: () => withMemory((state) => (state.contact.status === 'dead' ? withPeerStates(state, 'unclean', 'stopped') : state)),
    rules: ['S4'],
  },
  {
    title: 'F10: an address waits for the script that is being stopped',
    story: `
      group web alpha 192.0.2.100 apache2
      settle
      cut all alpha->beta
      run 10s`,
    change: (options) => ({ ...options, operations: { ...options.operations, scriptMs: 3000 } }),
    core: () => withEffects((effect) => (effect.type === 'drop-addresses' ? [] : [effect])),
    rules: ['S1'],
  },
  {
    title: 'F11: a renewal that waits in the pipe is made after authority has ended',
    story: `
      timing deadtime 10s
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      witness lost alpha
      block child alpha 4s
      run 3s
      pause alpha 20s
      run 15s`,
    without: withoutAdapter('checksNotAfter'),
    rules: ['P1'],
  },
  {
    title: 'F11: an add that is under way when its daemon dies comes after the guard has removed the addresses',
    story: `
      group web beta 192.0.2.100
      settle
      hactl alpha takeover web
      until alpha    group-acquiring
      kill-daemon alpha
      run 1s`,
    change: (options) => ({ ...options, operations: { ...options.operations, addressMs: 40 } }),
    without: withoutAdapter('guardEndsOperations'),
    rules: ['P3'],
  },
  {
    title: 'F11: timers are judged before the sockets are read',
    story: `
      group web alpha 192.0.2.100
      settle
      pause beta 8s
      run 10s`,
    core: () => timersFirst,
    rules: ['S6', 'S2', 'S1'],
  },
  {
    title: 'F11: a guest that stood still goes by its monotonic clock alone',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      pause alpha 20s guest-pause
      run 30s`,
    core: wallClockUnseen,
    rules: ['P1'],
  },
  {
    title: 'F12: a grant is written with the number that its owner has seen, and the owner loses to the former holder',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      cut all
      run 4s
      pause alpha 30s guest-freeze
      run 29s
      heal
      run 10s`,
    core: () => withEvents((event, state) => {
      if (event.type !== 'witness-answered' || (event.answer.result !== 'granted' && event.answer.result !== 'refused')) return event
      const seen = state.groups.find((group) => group.witnessRequest?.id === event.requestId)?.claimNumber ?? 0
      return { ...event, answer: { ...event.answer, number: event.answer.result === 'granted' ? seen + 1 : 0 } }
    }),
    rules: ['A1'],
  },
  {
    title: 'F13: a peer that has left is taken for one that consents for ever',
    story: `
      witness
      group web alpha 192.0.2.100
      settle
      stop beta
      run 5s
      cut all
      run 10ms
      start beta
      run 30s`,
    core: () => withMemory((state) => (state.contact.status === 'left' ? withoutWitness(state) : state)),
    rules: ['P1'],
  },
]

function withoutWitness(state: NodeState): NodeState {
  const { witness: _none, ...config } = state.config
  return { ...state, config }
}

function withPeerStates(state: NodeState, from: AdvertisedState, to: AdvertisedState): NodeState {
  const { facts } = state.contact
  if (facts === undefined) return state
  const groups = facts.groups.map((group) => (group.state === from ? { ...group, state: to } : group))
  return { ...state, contact: { ...state.contact, facts: { ...facts, groups } } }
}

/** Asks for no new lease where it knows an old one of its own: that the key is still under it counts as a grant. */
function takesOwnKeyForGrant(): DecisionCore {
  let known: string | undefined
  const asked = new Set<number>()
  const ask = (effect: Effect): Effect => {
    if (effect.type !== 'ask-witness' || effect.ask.type !== 'acquire' || known === undefined) return effect
    asked.add(effect.requestId)
    return { ...effect, ask: { type: 'renew', leaseId: known } }
  }
  const hear = (event: Event): Event => {
    if (event.type !== 'witness-answered') return event
    const { answer } = event
    if (answer.result === 'granted') known = answer.leaseId
    if (answer.result !== 'renewed' || !asked.has(event.requestId) || known === undefined) return event
    return { ...event, answer: { ...answer, result: 'granted', leaseId: known, number: 9 } }
  }
  return {
    ...realCore,
    step: (state, event) => {
      if (state.self !== 'alpha') return realCore.step(state, event)
      const { state: next, effects } = realCore.step(state, hear(event))
      return { state: next, effects: effects.map(ask) }
    },
  }
}

/** Keeps in a file what its last daemon held, and takes it up again as if that one had never ended. */
function remembersContact(): DecisionCore {
  const holds = new Map<string, Hold>()
  const takeUp = (state: NodeState, nowMs: number): NodeState => ({
    ...state,
    contact: { ...state.contact, status: 'alive', lastHeardMs: nowMs, confirmed: { sequence: 0, sentMs: nowMs, by: 1 } },
    groups: state.groups.map((group) => {
      const hold = holds.get(`${state.self} ${group.name}`)
      return group.found && hold !== undefined ? { ...group, found: false, hold } : group
    }),
  })
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      for (const { name, hold } of next.groups) if (hold !== undefined) holds.set(`${next.self} ${name}`, hold)
      return { state: event.type === 'resources-observed' ? takeUp(next, event.nowMs) : next, effects }
    },
  }
}

/** The wall clock is taken for the monotonic one, at the distance that it had first. */
function wallClockUnseen(): DecisionCore {
  const offsets = new Map<string, number>()
  return withEvents((event, state) => {
    const offsetMs = offsets.get(state.self) ?? event.wallMs - event.nowMs
    offsets.set(state.self, offsetMs)
    return { ...event, wallMs: Math.round(event.nowMs + offsetMs) }
  })
}
