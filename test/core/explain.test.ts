/** Promise P7: every move was written down when it was decided, with its reason and what that rests on; `hactl why` tells it. */
import { expect, test } from 'vitest'
import { explainMove } from '../../src/core/explain.ts'
import type { EventRecord } from '../../src/core/records.ts'
import { address, configuration, group, pairOf, script, standbyAll, type Host } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])
const decisions = ['group-acquiring', 'group-adopted', 'group-releasing', 'permission-lost']

function decisionsOf({ records }: Host): readonly EventRecord[] {
  return records.filter(({ code }) => decisions.includes(code))
}

test('every move of a long story has its reason, its number, and the proof that it rests on', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', standbyAll)
  pair.run(1_000)
  pair.ask('a', { type: 'online', timeoutMs: 10_000 })
  pair.run(1_000)
  pair.cut.add('a>b').add('b>a')
  pair.run(3_000)
  pair.cut.clear()
  pair.run(2_000)
  pair.kill('a')
  pair.run(3_000)
  pair.start('a', 2)
  pair.run(3_000)
  const decided = [...decisionsOf(pair.hosts.a), ...decisionsOf(pair.hosts.b)]
  expect(decided.length).toBeGreaterThan(8)
  for (const { code, reason, move, group: name, message, figures } of decided) {
    expect(reason, message).toMatch(/^[a-z-]+$/)
    expect(move, message).toBe(`${name}#${figures?.['claimNumber']}`)
    if (code === 'group-acquiring') expect(figures?.['permission'], message).toMatch(/^(consent|deadtime-alone)$/)
  }
})

test('the explanation of the last move names its reason and proof, how long it took, and the silence before it', () => {
  const pair = pairOf(configuration([web]))
  pair.kill('a')
  pair.run(3_000)
  const told = explainMove(pair.hosts.b.records, 'web')
  expect(told).toMatchObject({ group: 'web', reason: 'peer-dead', evidence: { permission: 'deadtime-alone' } })
  expect(told?.durationMs).toBeLessThan(100)
  expect(told?.timeline.map(({ code }) => code)).toEqual(expect.arrayContaining(['peer-late', 'peer-dead', 'group-acquiring', 'group-held']))
})
