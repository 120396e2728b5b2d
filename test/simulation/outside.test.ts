/** Guard, witness, fencing, ping nodes and watchdog as the simulator has them. */
import { expect, test } from 'vitest'
import type { Effect, WitnessAsk } from '../../src/core/effects.ts'
import type { WitnessAnswer } from '../../src/core/events.ts'
import type { GuardPlan } from '../../src/core/guard-plan.ts'
import { killDaemon, startDaemon } from '../../src/simulation/driver.ts'
import { elect, keyHolder } from '../../src/simulation/etcd.ts'
import { pauseMachine } from '../../src/simulation/hosts.ts'
import { truthOf, type Machine } from '../../src/simulation/machine.ts'
import { setTruth } from '../../src/simulation/operations.ts'
import { scriptResource } from '../../src/simulation/options.ts'
import { setPing } from '../../src/simulation/pings.ts'
import { setWitnessCut } from '../../src/simulation/witness.ts'
import { addresses, createPuppets, group, ip, isUpOn, type Puppets } from './puppet.ts'

const plan: GuardPlan = {
  asleep: false,
  groups: [{ name: group, addresses: [{ ip, family: 'ipv4' }], stops: [scriptResource('apache2', false, 20_000)], wills: ['addresses-gone', 'stopped'] }],
}

function serving(given: GuardPlan): Puppets {
  const pair = createPuppets()
  pair.perform(pair.alpha, { type: 'plan-guard', plan: given }, { type: 'run-operation', operationId: 1, group, stage: 0, what: addresses, action: 'start', timeoutMs: 20_000 })
  for (const stage of [0, 1]) {
    const truth = truthOf(pair.alpha, group, stage)
    if (truth !== undefined) setTruth(pair.world, pair.alpha, truth, true)
  }
  pair.run(100)
  return pair
}

const wills = (pair: Puppets) => pair.heard(pair.beta).flatMap((event) => (event.type === 'packet-received' && event.packet.will !== undefined ? [event.packet.will.says] : []))

test('guard: addresses go within milliseconds, the wills follow what was done, and the next daemon waits for it', () => {
  const pair = serving(plan)
  killDaemon(pair.world, pair.alpha, 'alone')
  startDaemon(pair.world, pair.alpha)
  pair.run(10)
  expect(isUpOn(pair.alpha)).toBe(false)
  expect(wills(pair)).toEqual(['daemon-dead', 'addresses-gone'])
  expect(pair.alpha.daemon).toBeUndefined()
  pair.run(1000)
  expect(wills(pair)).toEqual(['daemon-dead', 'addresses-gone', 'stopped'])
  expect(truthOf(pair.alpha, group, 1)?.running).toBe(false)
  expect(pair.alpha.daemon).toBeDefined()
})

test('guard: asleep, or killed with its daemon, it does nothing', () => {
  for (const death of ['alone', 'with-guard'] as const) {
    const pair = serving({ ...plan, asleep: death === 'alone' })
    killDaemon(pair.world, pair.alpha, death)
    pair.run(1000)
    expect(isUpOn(pair.alpha)).toBe(true)
    expect(wills(pair)).toEqual([])
  }
})

test('guard: a stop that fails is written down, and no will says that it was done', () => {
  const pair = serving(plan)
  pair.alpha.disk.state = { pause: { paused: false, number: 0, sinceWallMs: 0 }, groups: [{ name: group, claimLimit: 0, unclean: false, pinned: false }] }
  const truth = truthOf(pair.alpha, group, 1)
  if (truth !== undefined) truth.stopBrokenUntilMs = Infinity
  killDaemon(pair.world, pair.alpha, 'alone')
  pair.run(2000)
  expect(wills(pair)).toEqual(['daemon-dead', 'addresses-gone'])
  expect(pair.alpha.disk.state.groups[0]?.unclean).toBe(true)
})

let nextRequest = 1
function ask(what: WitnessAsk): Effect {
  nextRequest += 1
  return { type: 'ask-witness', requestId: nextRequest, group, ask: what }
}

const answers = (pair: Puppets, machine: Machine): readonly WitnessAnswer[] => pair.heard(machine).flatMap((event) => (event.type === 'witness-answered' ? [event.answer] : []))

test('witness: one of two gets the key, the other when the grant has ended, with a higher number', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, ask({ type: 'acquire', number: 4 }))
  pair.run(100)
  pair.perform(pair.beta, ask({ type: 'acquire', number: 0 }))
  pair.run(100)
  expect(answers(pair, pair.alpha)).toMatchObject([{ result: 'granted', number: 5, lifeMs: 5000 }])
  expect(answers(pair, pair.beta)).toMatchObject([{ result: 'refused', holder: 'alpha', number: 5 }])
  pair.run(6000)
  pair.perform(pair.beta, ask({ type: 'acquire', number: 0 }))
  pair.run(100)
  expect(answers(pair, pair.beta).at(-1)).toMatchObject({ result: 'granted', number: 6 })
})

test('witness: kept alive, given back, lost', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, ask({ type: 'acquire', number: 0 }))
  pair.run(100)
  const [granted] = answers(pair, pair.alpha)
  const leaseId = granted?.result === 'granted' ? granted.leaseId : ''
  for (let time = 0; time < 4; time += 1) {
    pair.perform(pair.alpha, ask({ type: 'renew', leaseId }))
    pair.run(2000)
  }
  expect(keyHolder(pair.world.witness.etcd, group, pair.world.nowMs)).toBeDefined()
  pair.perform(pair.alpha, ask({ type: 'give-back', leaseId }))
  pair.run(100)
  pair.perform(pair.alpha, ask({ type: 'renew', leaseId }), ask({ type: 'look' }))
  pair.run(100)
  expect(answers(pair, pair.alpha).map((one) => one.result)).toEqual(['granted', 'renewed', 'renewed', 'renewed', 'renewed', 'given-back', 'lost', 'seen'])
})

test('witness: out of reach it is unreachable after the timeout; a request may still reach it later', () => {
  const reached = new Set<boolean>()
  for (let seed = 1; seed < 20; seed += 1) {
    const pair = createPuppets((options) => ({ ...options, seed }))
    pair.perform(pair.alpha, ask({ type: 'acquire', number: 0 }))
    pair.run(100)
    const [granted] = answers(pair, pair.alpha)
    setWitnessCut(pair.world, pair.alpha, true)
    pair.perform(pair.alpha, ask({ type: 'give-back', leaseId: granted?.result === 'granted' ? granted.leaseId : '' }))
    pair.run(600)
    setWitnessCut(pair.world, pair.alpha, false)
    pair.run(2000)
    expect(answers(pair, pair.alpha).map((one) => one.result)).toEqual(['granted', 'unreachable'])
    reached.add(keyHolder(pair.world.witness.etcd, group, pair.world.nowMs) === undefined)
  }
  expect([...reached].sort()).toEqual([false, true])
})

test('witness: a new leader gives every lease its whole life again', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, ask({ type: 'acquire', number: 0 }))
  pair.run(4900)
  elect(pair.world.witness.etcd, pair.world.nowMs, pair.world.random, false)
  pair.run(4900)
  expect(keyHolder(pair.world.witness.etcd, group, pair.world.nowMs)).toBeDefined()
})

test('witness: the fenced peer is no obstacle, up to the generation that was fenced', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, ask({ type: 'acquire', number: 0 }))
  pair.run(100)
  pair.perform(pair.beta, ask({ type: 'acquire', number: 0, overwrite: { generation: 0 } }))
  pair.run(100)
  pair.perform(pair.beta, ask({ type: 'acquire', number: 0, overwrite: { generation: 1 } }))
  pair.run(100)
  expect(answers(pair, pair.beta).map((one) => one.result)).toEqual(['refused', 'granted'])
})

test('a daemon that stands still goes on with its requests when it wakes', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, ask({ type: 'acquire', number: 0 }))
  pauseMachine(pair.world, pair.alpha, 'stop-signal', 3000)
  pair.run(2900)
  expect(answers(pair, pair.alpha)).toEqual([])
  pair.run(1000)
  expect(answers(pair, pair.alpha)).toMatchObject([{ result: 'unreachable' }])
})

test('fencing switches the other machine off before it is confirmed', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, { type: 'run-fence', fenceId: 1, node: 'beta', level: 0, timeoutMs: 10_000 })
  pair.run(10_000)
  expect(pair.beta.running).toBe(false)
  expect(pair.heard(pair.alpha).at(-1)).toMatchObject({ type: 'fence-finished', fenceId: 1, result: 'confirmed' })
})

test('a fencing device that is broken leaves the other machine alone', () => {
  const pair = createPuppets()
  pair.world.fencingBroken = true
  pair.perform(pair.alpha, { type: 'run-fence', fenceId: 1, node: 'beta', level: 0, timeoutMs: 10_000 })
  pair.run(10_000)
  expect(pair.beta.running).toBe(true)
  expect(pair.heard(pair.alpha).at(-1)).toMatchObject({ type: 'fence-finished', result: 'failed' })
})

test('a watchdog that is fed no more resets its host, which boots again', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, { type: 'reset-host' })
  pair.run(15_000)
  expect(pair.told()).toContain('alpha: machine loses power')
  pair.run(60_000)
  expect(pair.alpha.daemon).toBeDefined()
})

test('a ping node that no longer answers is news a little later, and so is its return', () => {
  const pair = createPuppets((options) => ({ ...options, config: { ...options.config, ping: { names: ['192.0.2.254'], balances: false, releases: false, settleMs: 1000 } } }))
  pair.run(1000)
  setPing(pair.world, pair.alpha, '192.0.2.254', false)
  pair.run(5000)
  setPing(pair.world, pair.alpha, '192.0.2.254', true)
  pair.run(5000)
  const seen = pair.heard(pair.alpha).flatMap((event) => (event.type === 'ping-changed' ? [event.reachable] : []))
  expect(seen).toEqual([true, false, true])
})
