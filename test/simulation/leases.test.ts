/** Addresses in a simulated kernel: lives that end by its own clock, lines that are late, renewals that add nothing. */
import { expect, test } from 'vitest'
import type { Effect, Lease } from '../../src/core/effects.ts'
import { monotonicMs } from '../../src/simulation/clock.ts'
import { realCore } from '../../src/simulation/core.ts'
import { killDaemon } from '../../src/simulation/driver.ts'
import { pauseMachine } from '../../src/simulation/hosts.ts'
import type { Machine } from '../../src/simulation/machine.ts'
import { openStory } from '../../src/simulation/scenario.ts'
import { withEffects } from './broken-core.ts'
import { addresses, createPuppets, group, isUpOn, type Puppets } from './puppet.ts'

let nextId = 1

function lease({ world }: Puppets, machine: Machine, validSeconds: number, restMs: number): Lease {
  return { validSeconds, notAfterMs: monotonicMs(machine.clock, world.nowMs) + restMs }
}

function start(given: Lease): Effect {
  nextId += 1
  return { type: 'run-operation', operationId: nextId, group, stage: 0, what: addresses, action: 'start', timeoutMs: 20_000, lease: given }
}

function renew(given: Lease, serial = 1): Effect {
  return { type: 'renew-addresses', group, stage: 0, serial, what: addresses, lease: given }
}

function held(): Puppets {
  const pair = createPuppets()
  pair.perform(pair.alpha, start(lease(pair, pair.alpha, 2, 1000)))
  pair.run(100)
  expect(isUpOn(pair.alpha)).toBe(true)
  return pair
}

const renewals = ({ heard, alpha }: Puppets) => heard(alpha).flatMap((event) => (event.type === 'addresses-renewed' ? [event.result] : []))

test('an address goes when its lease is over, at most 0.76 s late, and its daemon is told', () => {
  const pair = held()
  pair.run(1900)
  expect(isUpOn(pair.alpha)).toBe(true)
  pair.run(2800 - 1900)
  expect(isUpOn(pair.alpha)).toBe(false)
  pair.run(1000)
  expect(pair.heard(pair.alpha).at(-1)).toMatchObject({ type: 'addresses-stripped', group, stage: 0 })
})

test('a renewal gives it a new life', () => {
  const pair = held()
  for (let time = 0; time < 10; time += 1) {
    pair.perform(pair.alpha, renew(lease(pair, pair.alpha, 2, 1000)))
    pair.run(1000)
  }
  expect(isUpOn(pair.alpha)).toBe(true)
  expect(renewals(pair)).toEqual(new Array(10).fill('renewed'))
})

test('a renewal of an address that has gone says so and adds nothing', () => {
  const pair = held()
  pair.run(4000)
  pair.perform(pair.alpha, renew(lease(pair, pair.alpha, 2, 1000)))
  pair.run(100)
  expect(renewals(pair)).toEqual(['gone'])
  expect(isUpOn(pair.alpha)).toBe(false)
})

test('a renewal after its not-after time removes the address', () => {
  const pair = held()
  pair.perform(pair.alpha, renew(lease(pair, pair.alpha, 2, -1)))
  pair.run(100)
  expect(renewals(pair)).toEqual(['too-late'])
  expect(isUpOn(pair.alpha)).toBe(false)
})

test('a child that is not run past the not-after time is killed, and the address removed', () => {
  const pair = held()
  pair.alpha.childBlockedUntilMs = pair.world.nowMs + 1500
  pair.perform(pair.alpha, renew(lease(pair, pair.alpha, 8, 1000)))
  pair.run(990)
  expect(isUpOn(pair.alpha)).toBe(true)
  pair.run(20)
  expect(isUpOn(pair.alpha)).toBe(false)
  pair.run(3000)
  expect(renewals(pair)).toEqual(['too-late'])
})

test('an add that comes too late does not stay, and its start has failed', () => {
  const pair = createPuppets()
  pair.alpha.childBlockedUntilMs = pair.world.nowMs + 500
  pair.perform(pair.alpha, start(lease(pair, pair.alpha, 2, 100)))
  pair.run(2000)
  expect(isUpOn(pair.alpha)).toBe(false)
  expect(pair.heard(pair.alpha).at(-1)).toMatchObject({ type: 'operation-finished', outcome: { result: 'failed' } })
})

test('a stopped daemon loses its address by the clock of the kernel', () => {
  const pair = held()
  pauseMachine(pair.world, pair.alpha, 'stop-signal', 20_000)
  pair.run(3000)
  expect(isUpOn(pair.alpha)).toBe(false)
})

test('in a guest that stands still the kernel stands still too', () => {
  const pair = held()
  pauseMachine(pair.world, pair.alpha, 'guest-pause', 20_000)
  pair.run(20_100)
  expect(isUpOn(pair.alpha)).toBe(true)
  pair.run(3000)
  expect(isUpOn(pair.alpha)).toBe(false)
})

test('a line that is in the pipe when its daemon dies adds the address, unless the guard ends the child', () => {
  const pair = createPuppets()
  pair.perform(pair.alpha, { type: 'plan-guard', plan: { asleep: false, groups: [{ name: group, addresses: addresses.kind === 'addresses' ? addresses.addresses : [], stops: [], wills: [] }] } })
  pair.beta.guard.alive = false
  for (const machine of pair.world.machines) {
    machine.childBlockedUntilMs = pair.world.nowMs + 20
    pair.perform(machine, start(lease(pair, machine, 2, 1000)))
    killDaemon(pair.world, machine, 'alone')
    pair.run(100)
  }
  expect([isUpOn(pair.alpha), isUpOn(pair.beta)]).toEqual([false, true])
  pair.run(3000)
  expect(isUpOn(pair.beta)).toBe(false)
})

/** Held by a grant alone, with a shorter deadtime since a moment ago; then the daemon stands still. */
const shorterThenStopped = 'witness grant=15s\ntiming deadtime 10s initdead 20s\ngroup web alpha 192.0.2.100\nsettle\ncrash beta\nrun 20s\nreload alpha deadtime 5s\npause alpha 12s\nrun 12s'

test('an address that was renewed before a reload ends with the lease of before, and that is no violation', () => {
  const story = openStory(realCore)
  story.follow(shorterThenStopped)
  expect(story.told.some((line) => line.includes('the lease of 192.0.2.100 ends'))).toBe(true)
  expect(story.world().ledger.violations).toEqual([])
})

test('a core whose leases are longer than its configuration says breaks P4, also after a reload', () => {
  const longer = withEffects((effect) => (effect.type === 'renew-addresses' ? [{ ...effect, lease: { ...effect.lease, validSeconds: effect.lease.validSeconds + 4 } }] : [effect]))
  const story = openStory(longer)
  story.follow(shorterThenStopped)
  expect(story.world().ledger.violations[0]).toMatchObject({ rule: 'P4' })
})

test('a lifetime stands still with its guest: counted by the kernel, not by the world, it is no violation either', () => {
  const story = openStory(realCore)
  story.follow('witness grant=15s\ntiming deadtime 10s initdead 20s\ngroup web alpha 192.0.2.100\nsettle\ncrash beta\nrun 20s\nreload alpha deadtime 5s\npause alpha 9s guest-freeze\nrun 9001ms\npause alpha 12s\nrun 12s')
  expect(story.told.some((line) => line.includes('the lease of 192.0.2.100 ends'))).toBe(true)
  expect(story.world().ledger.violations).toEqual([])
})
