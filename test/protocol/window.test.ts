import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accept, emptyWindow, lastOrdinarySequence, type Verdict, type Window } from '../../src/protocol/window.ts'

const will = lastOrdinarySequence + 1
const self = { name: 'node-a', generation: 7 }

function verdicts(ids: readonly (readonly [generation: number, sequence: number])[]): Verdict[] {
  let window: Window = emptyWindow
  return ids.map(([generation, sequence]) => {
    const accepted = accept(window, self, 'node-b', { from: 'node-b', id: { generation, sequence } })
    if (accepted.verdict !== 'new' && accepted.verdict !== 'duplicate') expect(accepted.window).toBe(window)
    window = accepted.window
    return accepted.verdict
  })
}

const cases: [title: string, ids: [number, number][], want: Verdict[]][] = [
  ['each packet is used once, a second link brings duplicates', [[1, 1], [1, 1], [1, 2], [1, 2]],
    ['new', 'duplicate', 'new', 'duplicate']],
  ['a first packet may have any sequence', [[1, 500], [1, 501]], ['new', 'new']],
  ['a lost packet that comes late is not used', [[1, 1], [1, 3], [1, 2]], ['new', 'new', 'stale']],
  ['two packets in a row on the slower link are duplicates both', [[1, 1], [1, 2], [1, 1], [1, 2]],
    ['new', 'new', 'duplicate', 'duplicate']],
  ['a packet heard 31 packets ago is known', [[1, 1], [1, 32], [1, 1]], ['new', 'new', 'duplicate']],
  ['one heard 32 packets ago is not', [[1, 1], [1, 33], [1, 1]], ['new', 'new', 'stale']],
  ['a new generation starts anywhere', [[1, 900], [2, 1], [2, 2]], ['new', 'new', 'new']],
  ['nothing of an older generation is used', [[1, 900], [2, 1], [1, 901], [1, 900], [1, 1]],
    ['new', 'new', 'old-generation', 'old-generation', 'old-generation']],
  ['only the newest generation is remembered', [[1, 5], [3, 5], [2, 5], [3, 5]], ['new', 'new', 'old-generation', 'duplicate']],
  ['after a will only further wills, each once, in any order',
    [[1, 5], [1, will + 2], [1, 6], [1, will], [1, will + 3], [1, will + 2], [1, will], [1, 0xffff_ffff], [1, 7]],
    ['new', 'new', 'stale', 'new', 'new', 'duplicate', 'duplicate', 'new', 'stale']],
  ['a copy of the last packet that comes after a will is a duplicate', [[1, 5], [1, will], [1, 5], [1, 4]],
    ['new', 'new', 'duplicate', 'stale']],
  ['a will may be the first that is heard of a generation', [[1, 5], [2, will], [2, 1], [2, will], [2, will + 1], [3, 1]],
    ['new', 'new', 'stale', 'duplicate', 'new', 'new']],
  ['a will of an older generation is not used', [[1, 5], [2, 1], [1, will], [2, 2]], ['new', 'new', 'old-generation', 'new']],
  ['a new generation forgets the wills of the one before', [[1, will], [2, 1], [2, 2], [2, will]], ['new', 'new', 'new', 'new']],
]
for (const [title, ids, want] of cases) test(`accept: ${title}`, () => expect(verdicts(ids)).toEqual(want))

test('accept: below the highest generation that an earlier daemon heard nothing is used, a will neither', () => {
  const verdictOf = (generation: number, sequence: number, floor?: number) =>
    accept(emptyWindow, self, 'node-b', { from: 'node-b', id: { generation, sequence } }, floor).verdict
  expect([verdictOf(4, 9, 5), verdictOf(4, will, 5), verdictOf(5, 1, 5), verdictOf(5, will, 5), verdictOf(0, 1)])
    .toEqual(['old-generation', 'old-generation', 'new', 'new', 'new'])
})

test('accept: own packets, those of another host of this name, and those of strangers', () => {
  const id = { generation: 7, sequence: 1 }
  expect(accept(emptyWindow, self, 'node-b', { from: 'node-a', id })).toEqual({ window: emptyWindow, verdict: 'own-packet' })
  expect(accept(emptyWindow, self, 'node-b', { from: 'node-a', id: { generation: 6, sequence: 1 } }).verdict).toBe('name-conflict')
  expect(accept(emptyWindow, self, 'node-b', { from: 'node-c', id }).verdict).toBe('foreign-node')
  expect(accept(emptyWindow, self, 'node-b', { from: 'Node-B', id }).verdict).toBe('foreign-node')
})

test('accept: whatever arrives, what is new only goes up, and a duplicate was new before', () => {
  const ids = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 80 })), { maxLength: 200 })
  fc.assert(fc.property(ids, (list) => {
    const used = new Set<string>()
    let newest: readonly [number, number] = [-1, -1]
    verdicts(list).forEach((verdict, n) => {
      const [generation, sequence] = list[n]!
      const newer = generation > newest[0] || (generation === newest[0] && sequence > newest[1])
      expect(verdict === 'new').toBe(newer)
      if (verdict === 'new') newest = [generation, sequence]
      if (verdict === 'duplicate') expect(used.has(`${generation},${sequence}`)).toBe(true)
      if (verdict === 'new') used.add(`${generation},${sequence}`)
    })
  }), { seed: 694 })
})
