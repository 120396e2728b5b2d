/**
 * P1 is worth little if nobody holds. Six ways can be cut, each by itself: between the nodes, and between each node and the
 * witness. In every combination of them at most one node holds at any time, and where a node still reaches the witness both
 * ways, or the nodes each other, somebody holds within deadtime and a second, and goes on holding.
 */
import { expect, test } from 'vitest'
import { realCore } from '../../src/simulation/core.ts'
import { holdersOf } from '../../src/simulation/holders.ts'
import { setCut } from '../../src/simulation/network.ts'
import { openStory } from '../../src/simulation/scenario.ts'
import { setWitnessCut } from '../../src/simulation/witness.ts'
import { runUntil, type World } from '../../src/simulation/world.ts'

const deadtimeMs = 5000
const goesOnMs = 25_000

/** Each is one way of two: `ab`, what alpha sends to beta; `aw`, its requests to the witness; `wa`, the answers. */
const ways = ['ab', 'ba', 'aw', 'wa', 'bw', 'wb'] as const
type Way = (typeof ways)[number]
type Cut = ReadonlySet<Way>

function cutsOf(bits: number): Cut {
  return new Set(ways.filter((_way, at) => (bits >> at) % 2 === 1))
}

function apply(world: World, cut: Cut): void {
  const [alpha, beta] = world.machines
  for (const link of world.links) {
    setCut(link, 0, cut.has('ab'))
    setCut(link, 1, cut.has('ba'))
  }
  setWitnessCut(world, alpha, cut.has('aw'), ['there'])
  setWitnessCut(world, alpha, cut.has('wa'), ['back'])
  setWitnessCut(world, beta, cut.has('bw'), ['there'])
  setWitnessCut(world, beta, cut.has('wb'), ['back'])
}

function reachesWitness(name: string, cut: Cut): boolean {
  return name === 'alpha' ? !cut.has('aw') && !cut.has('wa') : !cut.has('bw') && !cut.has('wb')
}

const areInContact = (cut: Cut) => !cut.has('ab') && !cut.has('ba')

/** From `fromMs` after now on, ten times a second: who holds, where nobody does or the wrong one. */
function faultsAfter(world: World, cut: Cut, fromMs: number): readonly string[] {
  const beganMs = world.nowMs
  const seen = new Set<string>()
  const somebodyCan = areInContact(cut) || ['alpha', 'beta'].some((name) => reachesWitness(name, cut))
  while (world.nowMs < beganMs + goesOnMs && world.ledger.violations.length === 0) {
    runUntil(world, world.nowMs + 100)
    if (world.nowMs < beganMs + fromMs) continue
    const holders = holdersOf(world, 'web').map((machine) => machine.name)
    if (holders.length > 1) seen.add(`both hold`)
    if (somebodyCan && holders.length === 0) seen.add(`nobody holds`)
    if (!areInContact(cut)) for (const name of holders) if (!reachesWitness(name, cut)) seen.add(`${name} holds without the witness`)
  }
  return [...seen, ...world.ledger.violations.map(({ rule, message }) => `${rule}: ${message}`)]
}

const setting = 'witness\nauto_failback off\ngroup web alpha 192.0.2.100'

test('whatever is cut while the nodes see each other, whoever reaches the witness holds within deadtime and a second', { timeout: 120_000 }, () => {
  const faults = Array.from({ length: 64 }, (_, bits) => cutsOf(bits)).flatMap((cut) => {
    const story = openStory(realCore)
    story.follow(`${setting}\nsettle\nrun 1300ms`)
    apply(story.world(), cut)
    return faultsAfter(story.world(), cut, deadtimeMs + 1000).map((fault) => `${[...cut].join(' ')}: ${fault}`)
  })
  expect(faults).toEqual([])
})

// The holder's grant ends at the witness first, and requests of which it hears no answers may still have kept it alive.
test('whatever is cut while the holder holds by a grant, whoever reaches the witness holds once that grant has ended', { timeout: 120_000 }, () => {
  const grantMs = 5000
  const faults = Array.from({ length: 64 }, (_, bits) => cutsOf(bits)).flatMap((cut) => {
    const story = openStory(realCore)
    story.follow(`${setting}\nsettle\nrun 1300ms\ncut all\nrun 15s`)
    apply(story.world(), cut)
    return faultsAfter(story.world(), cut, deadtimeMs + grantMs * 1.01 + 1000).map((fault) => `${[...cut].join(' ')}: ${fault}`)
  })
  expect(faults).toEqual([])
})
