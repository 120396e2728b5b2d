/**
 * The witness as a daemon meets it: the real conversation (protocol/witness-conversation.ts) over a network that loses,
 * delays and doubles its requests, and that may deliver one long after its client has given up. After the witness timeout
 * the daemon hears `unreachable`; what its requests have done to the witness stands.
 */
import type { Effect } from '../core/effects.ts'
import type { WitnessAnswer } from '../core/events.ts'
import { beginConversation, continueConversation, type EtcdRequest, type EtcdResult, type Step } from '../protocol/witness-conversation.ts'
import { monotonicMs } from './clock.ts'
import { answer, whenAwake } from './driver.ts'
import { prefix, serve } from './etcd.ts'
import type { Daemon, Machine } from './machine.ts'
import { after, someMs, whileUp, type World } from './world.ts'

/** The ways of one machine to the witness and back. Cut: lost, or held back until it heals. */
export interface WitnessWay { readonly cut: Record<Leg, boolean>; healed: (() => void)[]; slowMs: number }

export type Leg = 'there' | 'back'

export function askWitness(world: World, machine: Machine, daemon: Daemon, effect: Effect & { type: 'ask-witness' }): void {
  const { requestId, group, ask } = effect
  const timing = daemon.state.config.witness
  if (timing === undefined) return
  let over = false
  const reply = (given: WitnessAnswer): void => {
    over = true
    world.tell?.({ trueMs: world.nowMs, who: machine.name, text: `witness on ${group ?? 'no group'}, ${ask.type}: ${describe(given)}`, code: 'witness-exchange' })
    answer(world, machine, daemon.life, { type: 'witness-answered', requestId, answer: given })
  }
  const goOn = (step: Step): void => {
    if (over) return
    if (step.next === 'answer') return reply(step.answer)
    const { request, conversation } = step
    const sentMs = Math.max(monotonicMs(machine.clock, world.nowMs), daemon.lastMs)
    send(world, machine, daemon, request, (result) => {
      const { countsFromSending } = world.options.adapter
      goOn(continueConversation(conversation, result, countsFromSending ? sentMs : monotonicMs(machine.clock, world.nowMs)))
    })
  }
  const giveUp = (): void => {
    if (!over) reply({ result: 'unreachable', message: 'no answer in time' })
  }
  whileUp(world, machine, timing.timeoutMs + someMs(world, 0, 2 * world.options.timerLateMs), () => whenAwake(machine, daemon.life, giveUp))
  const asker = { self: machine.name, peer: machine.peerName, generation: daemon.generation, prefix, grantMs: timing.grantMs }
  goOn(beginConversation(asker, group, ask))
}

function describe(given: WitnessAnswer): string {
  switch (given.result) {
    case 'granted':
      return `granted, number ${given.number}`
    case 'refused':
      return `refused, ${given.holder} has number ${given.number}`
    case 'renewed':
    case 'lost':
    case 'given-back':
    case 'seen':
      return given.result
    case 'unreachable':
      return `unreachable (${given.message})`
  }
}

function send(world: World, machine: Machine, daemon: Daemon, request: EtcdRequest, receive: (result: EtcdResult) => void): void {
  const { random, options, faultsOn, witness } = world
  let received = false
  const deliver = (result: EtcdResult): void => {
    whenAwake(machine, daemon.life, () => {
      if (!received) receive(result)
      received = true
    })
  }
  const reach = (): void => {
    if (witness.down) return
    const result = serve(witness.etcd, request, world.nowMs, random)
    onWay(world, machine, 'back', () => deliver(result))
  }
  onWay(world, machine, 'there', reach)
  // A second member is asked beside a slow one, which may have done it already.
  if (faultsOn && random.chance(options.witness.doubleProbability)) after(world, random.between(0, 1000), () => onWay(world, machine, 'there', reach))
}

/** One way: some milliseconds, lost, or as late as TCP delivers what its sender no longer waits for. */
function onWay(world: World, machine: Machine, leg: Leg, act: () => void): void {
  const { random, options, faultsOn } = world
  const way = world.witness.ways[machine.index]
  if (way.cut[leg]) {
    if (way.healed.length < 20 && random.chance(0.5)) way.healed.push(act)
    return
  }
  if (faultsOn && random.chance(options.witness.lossProbability)) return
  const lateMs = faultsOn && random.chance(options.witness.lateProbability) ? random.between(0, 3 * options.config.timing.deadtimeMs) : 0
  after(world, someMs(world, 0.2, 2) + way.slowMs + lateMs, act)
}

export function setWitnessCut(world: World, machine: Machine, cut: boolean, legs: readonly Leg[] = ['there', 'back']): void {
  const way = world.witness.ways[machine.index]
  for (const leg of legs) way.cut[leg] = cut
  for (const act of way.healed.splice(0)) if (!cut) after(world, someMs(world, 1, 1000), act)
}
