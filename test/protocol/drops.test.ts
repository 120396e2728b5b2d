import { expect, test } from 'vitest'
import { countDrop, noDrops, type DropCounters } from '../../src/protocol/drops.ts'
import { refusalCauses, refusalSentences, type RefusalCause } from '../../src/protocol/refusals.ts'

function countAll(drops: readonly (readonly [RefusalCause, nowMs: number])[]): { lines: string[]; counters: DropCounters } {
  let counters = noDrops
  const lines: string[] = []
  for (const [cause, nowMs] of drops) {
    const counted = countDrop(counters, cause, nowMs)
    counters = counted.counters
    if (counted.logLine !== undefined) lines.push(counted.logLine)
  }
  return { lines, counters }
}

test('one line per cause and minute, with the number of those that had none', () => {
  const { lines, counters } = countAll([['stale', 5], ['stale', 6], ['malformed', 7], ['stale', 60_004], ['stale', 60_005],
    ['stale', 60_006]])
  expect(lines).toEqual([
    `dropped a packet (stale): ${refusalSentences.stale}`,
    `dropped a packet (malformed): ${refusalSentences.malformed}`,
    `dropped a packet (stale): ${refusalSentences.stale}; 2 more since the last line about this`,
  ])
  expect(counters).toEqual({ stale: { total: 5, suppressed: 1, loggedAtMs: 60_005 },
    malformed: { total: 1, suppressed: 0, loggedAtMs: 7 } })
})

test('what is part of an ordinary day is counted and never logged', () => {
  expect(countAll([['own-packet', 0], ['own-packet', 90_000], ['unsequenced', 0]])).toEqual({
    lines: [], counters: { 'own-packet': { total: 2, suppressed: 0 }, unsequenced: { total: 1, suppressed: 0 } },
  })
})

test('every cause has its own sentence', () => {
  expect(Object.keys(refusalSentences).sort()).toEqual([...refusalCauses].sort())
  expect(new Set(Object.values(refusalSentences)).size).toBe(refusalCauses.length)
})
