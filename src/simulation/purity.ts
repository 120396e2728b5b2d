/** S5, S8 and S9: `step` is a function of its arguments and changes neither; a double changes nothing; deadlines are honest. */
import type { Effect } from '../core/effects.ts'
import type { Event } from '../core/events.ts'
import type { NodeState } from '../core/state.ts'
import type { Daemon, Machine } from './machine.ts'
import { violate } from './violations.ts'
import type { World } from './world.ts'

/** A core that wakes itself more often than this in a virtual second is busy with nothing. */
const maxTicksASecond = 400

/**
 * Chooses the steps that are looked at closely. Their input is compared afterwards with what it was: freezing it would say
 * the same, but makes everything that stems from it slow for the rest of the run.
 */
export function chooseStep(world: World, daemon: Daemon, event: Event): void {
  const { ledger, options } = world
  const isChosen = ledger.random.chance(event.type === 'duplicate-received' ? options.scrutiny * 3 : options.scrutiny)
  ledger.input = isChosen ? JSON.stringify([daemon.state, event]) : undefined
}

/** One step as it was made. */
export interface MadeTurn {
  readonly event: Event
  readonly before: NodeState
  readonly effects: readonly Effect[]
  readonly deadlineBeforeMs: number | undefined
}

export function checkStep(world: World, machine: Machine, daemon: Daemon, turn: MadeTurn): void {
  const { event, before, effects } = turn
  const after = daemon.state
  if (event.type === 'tick') checkTick(world, machine, daemon, turn)
  if (effects.length > fewEffects) checkRest(world, machine, turn)
  const { input } = world.ledger
  if (input === undefined) return
  if (JSON.stringify([before, event]) !== input) violate(world, 'S8', `${machine.name}: the step of a ${event.type} changed its input`)
  const again = world.core.step(before, event)
  if (JSON.stringify([again.state, again.effects]) !== JSON.stringify([after, effects])) {
    violate(world, 'S8', `${machine.name}: the same ${event.type} on the same state gave two answers`)
  }
  if (event.type === 'duplicate-received') checkDouble(world, machine, event, before, effects)
  checkEarlyTick(world, machine, after, event)
}

/** One move of a group writes more than this. */
const fewEffects = 4

/** The rules of a turn come to rest: none takes a group that another of them has just let go. */
function checkRest(world: World, machine: Machine, { event, effects }: MadeTurn): void {
  const taken = effects.flatMap((effect) => (effect.type === 'record' && (effect.record.code === 'group-acquiring' || effect.record.code === 'group-adopted') ? [effect.record.group] : []))
  const twice = taken.find((group, index) => taken.indexOf(group) !== index)
  if (twice !== undefined) violate(world, 'L2', `${machine.name} takes ${twice} ${taken.length} times within one ${event.type}`)
}

function checkTick(world: World, machine: Machine, daemon: Daemon, turn: MadeTurn): void {
  const node = world.ledger.nodes[machine.index]
  const second = Math.floor(world.nowMs / 1000)
  node.ticksInSecond = node.tickSecond === second ? node.ticksInSecond + 1 : 1
  node.tickSecond = second
  if (node.ticksInSecond > maxTicksASecond) violate(world, 'S9', `${machine.name} ticked ${node.ticksInSecond} times within a second`)
  const { deadlineMs } = daemon
  if (turn.effects.length > 0 || deadlineMs === undefined || deadlineMs > turn.event.nowMs) return
  if (deadlineMs === turn.deadlineBeforeMs) violate(world, 'S9', `${machine.name}: a tick at the deadline ${deadlineMs} did nothing and left it standing`)
}

/** A packet heard before shows that its link works, and nothing else. */
function checkDouble(world: World, machine: Machine, event: Event, before: NodeState, effects: readonly Effect[]): void {
  const plain = world.core.step(before, { type: 'tick', nowMs: event.nowMs, wallMs: event.wallMs })
  // Figures may name how many links are up; everything else must be the same.
  const ofLinks = (list: readonly Effect[]): string => {
    const others = list.filter((effect) => effect.type !== 'record' || !effect.record.code.startsWith('link-'))
    return JSON.stringify(others.map((effect) => (effect.type === 'record' ? effect.record.code : effect)))
  }
  if (ofLinks(effects) !== ofLinks(plain.effects)) violate(world, 'S5', `${machine.name}: a packet heard before changed something: ${ofLinks(effects)}`)
}

/** Before the deadline a tick does nothing, and what follows is as if it had not been. */
function checkEarlyTick(world: World, machine: Machine, state: NodeState, event: Event): void {
  const { core } = world
  const deadlineMs = core.nextDeadlineMs(state)
  if (deadlineMs === undefined || deadlineMs - event.nowMs < 0.01) return
  const earlyMs = event.nowMs + (deadlineMs - event.nowMs) * world.ledger.random.between(0.01, 0.99)
  const tickAt = (nowMs: number): Event => ({ type: 'tick', nowMs, wallMs: Math.round(event.wallMs + nowMs - event.nowMs) })
  const early = core.step(state, tickAt(earlyMs))
  if (early.effects.length > 0) {
    violate(world, 'S9', `${machine.name}: a tick ${Math.round(deadlineMs - earlyMs)} ms before the deadline did ${JSON.stringify(early.effects)}`)
    return
  }
  const direct = JSON.stringify(core.step(state, tickAt(deadlineMs)).effects)
  const over = JSON.stringify(core.step(early.state, tickAt(deadlineMs)).effects)
  if (direct !== over) violate(world, 'S9', `${machine.name}: an early tick changed what the deadline does: ${direct} became ${over}`)
}

/** P9: the journal of a daemon's life replays to the same state. */
export function checkJournals(world: World): void {
  for (const { init, events, end } of world.ledger.journals) {
    let state = world.core.createState(init)
    for (const event of events) state = world.core.step(state, event).state
    if (end !== undefined && JSON.stringify(state) !== JSON.stringify(end)) {
      violate(world, 'S8', `the journal of ${init.self}, generation ${init.generation}, replays to another state`)
    }
  }
}
