/** Which of many questions to etcd goes first, and what becomes of those that wait. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WitnessAsk } from '../../src/core/effects.ts'
import type { WitnessAnswer } from '../../src/core/events.ts'
import { createWitnessQueue, type Question, type WitnessQueue } from '../../src/runtime/witness-queue.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const acquire: WitnessAsk = { type: 'acquire', number: 0 }
const renew: WitnessAsk = { type: 'renew', leaseId: '1' }

interface Rig { readonly queue: WitnessQueue; readonly begun: Question[]; most: number; ask(group: string | undefined, ask: WitnessAsk): Promise<WitnessAnswer> }

/** An etcd that takes so long for each conversation. */
function etcdTaking(tookMs: number): Rig {
  let now = 0
  const rig: Rig = {
    begun: [],
    most: 0,
    queue: createWitnessQueue(async (question) => {
      rig.begun.push(question)
      now += 1
      rig.most = Math.max(rig.most, now)
      await new Promise((resolve) => void setTimeout(resolve, tookMs))
      now -= 1
      return { result: 'seen' }
    }),
    ask: (group, ask) => rig.queue.add({ group, ask }),
  }
  return rig
}

test('a thousand groups that ask at once all get an answer, so many at a time', async () => {
  const rig = etcdTaking(20)
  const answers = Promise.all(Array.from({ length: 1_000 }, (_, index) => rig.ask(`${index}`, acquire)))
  await vi.advanceTimersByTimeAsync(700)
  expect(new Set((await answers).map(({ result }) => result))).toEqual(new Set(['seen']))
  expect([rig.begun.length, rig.most]).toEqual([1_000, 32])
})

test('renewals go before the others, and a look waits for nobody', async () => {
  const rig = etcdTaking(100)
  for (let index = 0; index < 40; index += 1) void rig.ask(`${index}`, acquire)
  void rig.ask('held', renew)
  void rig.ask(undefined, { type: 'look' })
  expect(rig.begun.at(-1)?.ask.type).toBe('look')
  await vi.advanceTimersByTimeAsync(100)
  expect(rig.begun.slice(33, 36).map(({ group }) => group)).toEqual(['held', '32', '33'])
})

test('one whose turn does not come is told so in time for the core, and takes no turn later', async () => {
  const rig = etcdTaking(2_000)
  for (let index = 0; index < 32; index += 1) void rig.ask(`${index}`, acquire)
  const waiting = rig.ask('late', acquire)
  await vi.advanceTimersByTimeAsync(900)
  expect(await waiting).toEqual({ result: 'unreachable', message: expect.stringContaining('for 900 ms') })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(rig.begun).toHaveLength(32)
})

test('a group waits once, however often it asks; leases wait each to be given back; at the end nothing waits', async () => {
  const rig = etcdTaking(2_000)
  for (let index = 0; index < 32; index += 1) void rig.ask(`${index}`, acquire)
  const [first, second] = [rig.ask('web', acquire), rig.ask('web', acquire)]
  expect(await first).toEqual({ result: 'unreachable', message: 'asked again' })
  const back = ['1', '2'].map((leaseId) => rig.ask(undefined, { type: 'give-back', leaseId }))
  rig.queue.close()
  expect((await Promise.all([second, ...back])).map((said) => ('message' in said ? said.message : said))).toEqual(Array(3).fill('given up: the daemon ends'))
})
