/** Whatever is heard in whatever order: the dialogue throws nothing, stays small, and says `done` once for each exchange that it has entered. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dialogueDueMs, dialogueStep } from '../../src/classic/dialogue.ts'
import type { Holding, Sign, Word } from '../../src/classic/words.ts'
import type { AdvertisedGroup, AdvertisedState } from '../../src/core/packet.ts'
import { speech, type Speech } from './speech.ts'

const holding = fc.constantFrom<Holding>('none', 'local', 'foreign', 'all')
const word: fc.Arbitrary<Word> = fc.oneof(
  fc.constant<Word>({ word: 'reqnodes' }),
  fc.constant<Word>({ word: 'repnodes', nodes: ['a', 'b'] }),
  fc.constant<Word>({ word: 'starting' }),
  fc.record({ word: fc.constant('resource' as const), holds: holding, full: fc.boolean() }),
  fc.record({ word: fc.constant('resource' as const), holds: holding, full: fc.boolean(), stable: fc.boolean(), info: fc.constantFrom('standby', 'shutdown', 'mach_down', 'req_our_resources()') }),
  fc.record({ word: fc.constant('resource' as const), holds: holding, full: fc.constant(true), stable: fc.constant(true) }),
  fc.record({ word: fc.constant('ask' as const), holds: holding, step: fc.constantFrom('me' as const, 'other' as const, 'done' as const) }),
  fc.record({ word: fc.constant('ip-request' as const), key: fc.constantFrom('web', 'db', 'other') }),
  fc.record({ word: fc.constant('ip-answer' as const), key: fc.constantFrom('web', 'db', 'other'), owned: fc.boolean() }),
  fc.record({ word: fc.constant('takeover' as const), holds: holding }),
  fc.record({ word: fc.constant('pings' as const), seen: fc.nat(3) }),
  fc.record({ word: fc.constant('pings-answer' as const), answer: fc.constantFrom('you-are-dead' as const, 'abort-giveup' as const) }),
)
const sign: fc.Arbitrary<Sign> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ sign: fc.constant('status' as const), nodeStatus: fc.constantFrom('init' as const, 'up' as const, 'active' as const, 'active' as const, 'active' as const), deadtimeMs: fc.constant(30_000) }) },
  { weight: 1, arbitrary: fc.constant<Sign>({ sign: 'goodbye' }) },
)
const states: readonly AdvertisedState[] = ['unknown', 'stopped', 'starting', 'held', 'stopping', 'unclean']
const group: fc.Arbitrary<Partial<AdvertisedGroup>> = fc.record({ state: fc.constantFrom(...states), claiming: fc.boolean(), failed: fc.boolean(), claimNumber: fc.nat(9) })
const offer = fc.constantFrom<'none' | 'admin'>('none', 'admin')

type Act =
  | { readonly type: 'hear'; readonly heard: Word | Sign; readonly late: number; readonly restarted: boolean }
  | { readonly type: 'core'; readonly web: Partial<AdvertisedGroup>; readonly db: Partial<AdvertisedGroup>; readonly offers: readonly ['none' | 'admin', 'none' | 'admin']; readonly pingsSeen: number }
  | { readonly type: 'wait'; readonly forMs: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('hear' as const), heard: fc.oneof({ weight: 4, arbitrary: word }, { weight: 1, arbitrary: sign }), late: fc.constantFrom(0, 0, 0, 1, 5), restarted: fc.constantFrom(false, false, false, false, false, false, false, true) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('core' as const), web: group, db: group, offers: fc.tuple(offer, offer), pingsSeen: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), forMs: fc.constantFrom(100, 3_000, 12_000, 40_000) }) },
)

function perform(one: Speech, acts: readonly Act[], look: () => void): void {
  let generation = 1
  let sequence = 0
  one.core({})
  for (const each of acts) {
    sequence += 1
    switch (each.type) {
      case 'wait':
        one.wait(each.forMs)
        break
      case 'core':
        one.core({ web: { ...each.web, offer: each.offers[0] }, db: { ...each.db, offer: each.offers[1] }, pingsSeen: each.pingsSeen })
        break
      case 'hear':
        if (each.restarted) { generation += 1; sequence = 1 }
        one.hear(each.heard, { generation, sequence: Math.max(0, sequence - each.late) })
    }
    look()
  }
}

test('any words in any order: nothing is thrown, and the state stays small', () => {
  fc.assert(fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
    const one = speech()
    perform(one, acts, () => expect(JSON.stringify({ ...one.state, spoken: undefined }).length).toBeLessThan(1_500))
  }), { numRuns: 1_000 })
})

test('a `done` is said at most once for each exchange, and only of one that was entered; what is left over is named `none`, twice', () => {
  fc.assert(fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
    const one = speech()
    let promised = 0
    perform(one, acts, () => {
      for (const line of one.taken()) {
        // We have said `other`; we have heard it and said that we stop; or it says that it stops.
        if (/^ask \w+ other$/.test(line) || /info=standby$/.test(line)) promised += 1
        if (/^ask (local|foreign|all) done$/.test(line)) promised -= 1
        if (line.startsWith('fed:') && / stopping/.test(line) && one.state.exchange?.role === 'takes') promised = Math.max(promised, 1)
        expect(promised).toBeGreaterThanOrEqual(0)
      }
    })
  }), { numRuns: 1_000 })
})

test('a tick before its time changes nothing, and what is due does not stay due', () => {
  fc.assert(fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
    const one = speech()
    perform(one, acts, () => {
      const dueMs = dialogueDueMs(one.state)
      if (dueMs === undefined) return
      expect(dueMs).toBeGreaterThanOrEqual(one.nowMs)
      const early = dialogueStep(one.state, { type: 'tick', nowMs: Math.max(one.nowMs, dueMs - 1) })
      if (dueMs - 1 >= one.nowMs) expect(early.outputs).toEqual([])
      const due = dialogueStep(one.state, { type: 'tick', nowMs: dueMs })
      expect(dialogueDueMs(due.state) ?? Infinity).toBeGreaterThan(dueMs)
    })
  }), { numRuns: 1_000 })
})
