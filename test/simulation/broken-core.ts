/** The real core with a fault planted into it from outside, by changing what goes in, what comes out or what it remembers. */
import type { CoreConfig } from '../../src/core/config.ts'
import type { Effect, Lease } from '../../src/core/effects.ts'
import type { Event } from '../../src/core/events.ts'
import type { AdvertisedGroup, Facts } from '../../src/core/packet.ts'
import type { GroupState, NodeState, StageState } from '../../src/core/state.ts'
import { realCore } from '../../src/simulation/core.ts'
import type { DecisionCore } from '../../src/simulation/world.ts'

export function withEvents(change: (event: Event, state: NodeState) => Event): DecisionCore {
  return { ...realCore, step: (state, event) => realCore.step(state, change(event, state)) }
}

export function withEffectsOf(change: (effects: readonly Effect[], event: Event) => readonly Effect[]): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: next, effects: change(effects, event) }
    },
  }
}

export function withEffects(change: (effect: Effect, state: NodeState) => readonly Effect[]): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: next, effects: effects.flatMap((effect) => change(effect, next)) }
    },
  }
}

/** Whatever it asks of the kernel, with other lifetimes. */
export function withLeases(change: (lease: Lease) => Lease): DecisionCore {
  return withEffects((effect) => ('lease' in effect && effect.lease !== undefined ? [{ ...effect, lease: change(effect.lease) }] : [effect]))
}

export function withFacts(change: (facts: Facts, state: NodeState) => Facts): DecisionCore {
  return withEvents((event, state) => {
    if (event.type !== 'packet-received' || event.packet.facts === undefined) return event
    return { ...event, packet: { ...event.packet, facts: change(event.packet.facts, state) } }
  })
}

export function withPeerGroups(change: (group: AdvertisedGroup) => AdvertisedGroup): DecisionCore {
  return withFacts((facts) => ({ ...facts, groups: facts.groups.map(change) }))
}

/** What it has decided is remembered otherwise. */
export function withState(change: (state: NodeState, event: Event) => NodeState): DecisionCore {
  return {
    ...realCore,
    step: (state, event) => {
      const { state: next, effects } = realCore.step(state, event)
      return { state: change(next, event), effects }
    },
  }
}

/** What it knew before is remembered otherwise. */
export function withMemory(change: (state: NodeState, event: Event) => NodeState): DecisionCore {
  return { ...realCore, step: (state, event) => realCore.step(change(state, event), event) }
}

export function withConfig(change: (config: CoreConfig) => CoreConfig): DecisionCore {
  return {
    ...withEvents((event) => (event.type === 'config-reloaded' ? { ...event, config: change(event.config) } : event)),
    createState: (init) => realCore.createState({ ...init, config: change(init.config) }),
  }
}

export function mapStages(state: NodeState, change: (stage: StageState, group: GroupState) => StageState): NodeState {
  return { ...state, groups: state.groups.map((group) => ({ ...group, stages: group.stages.map((stage) => change(stage, group)) })) }
}

/** Timers before sockets: after a pause every deadline that passed is judged before the packets that wait are read. */
export const timersFirst: DecisionCore = {
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

/** Each packet of the peer is taken for a confirmation of all that this node has sent. */
export const countsAsHeard = withFacts((facts, state) => ({ ...facts, confirms: { generation: state.generation, sequence: state.nextSequence - 1 } }))

/** Forgets that the peer may still go by a longer deadtime. */
export const forgetsLongerDeadtime = withState((state) => {
  const { formerDeadtime: _longer, ...contact } = state.contact
  return { ...state, contact }
})
