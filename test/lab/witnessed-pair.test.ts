/**
 * Two daemons and a real etcd as their witness, on a network that is cut in every way (promise P1): by the kernel's own
 * account never two hosts have the address, and a host that can reach the witness holds it within deadtime and a second.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { sleep, waitFor } from './hosts.ts'
import { lacks, testWith } from './needs.ts'
import { ip, type Pair } from './pair.ts'
import { calm, cuts, startWitnessedPair, type WitnessedPair } from './witnessed.ts'

const needed = ['etcd', 'etcdctl', 'nft']
/** `hactl check` has no warning for it. */
const deadtimeMs = 4_000
/** What a busy machine may add. */
const slackMs = 1_500

/** Each test waits for deadtimes most of its time, so two of them run side by side. */
const free: WitnessedPair[] = []
const all: WitnessedPair[] = []

beforeAll(async () => {
  if (lacks(...needed).length > 0) return
  all.push(...await Promise.all([startWitnessedPair(deadtimeMs), startWitnessedPair(deadtimeMs)]))
  free.push(...all)
})
afterAll(() => Promise.all(all.map(({ pair }) => pair.lab.close())))

function testPair(title: string, body: (pair: Pair, witnessed: WitnessedPair) => Promise<void>): void {
  testWith(needed, title, async () => {
    const witnessed = await waitFor('a pair that no other test uses', () => free.pop(), 300_000)
    try {
      await calm(witnessed)
      await body(witnessed.pair, witnessed)
    } finally {
      free.push(witnessed)
    }
  }, 400_000)
}

describe.concurrent('a witnessed pair', () => {
  for (const { title, cuts: pairs, holder } of cuts) {
    testPair(`${title}: ${holder === 'nobody' ? 'nobody holds' : `${holder} holds`}, and never two`, async (pair) => {
      const cutMs = Date.now()
      for (const [from, to] of pairs) await pair.lab.cutOneWay(from, to)
      if (holder === 'nobody') {
        await pair.untilHeldBy(undefined, ip, deadtimeMs + slackMs)
        await sleep(2_000)
        expect(await pair.lab.holders(ip)).toEqual([])
      } else {
        const host = pair.lab.host(holder)
        await pair.untilHeldBy(host, ip, deadtimeMs + 1_000 + slackMs)
        // Grants must be renewed, and the other side must not get one meanwhile.
        await sleep(deadtimeMs + 1_000)
        expect(await pair.lab.holders(ip)).toEqual([holder])
      }
      expect(pair.lab.overlapMs(ip, cutMs)).toBe(0)
      await pair.lab.heal()
      await sleep(1_500)
      expect(pair.lab.overlapMs(ip, cutMs)).toBe(0)
    })
  }

  testPair('the witness dies while the nodes see each other: nothing changes but the status', async (pair, witnessed) => {
    const startMs = Date.now()
    await witnessed.etcd.members[0]?.kill('SIGKILL')
    await pair.untilEvent(pair.alpha, 'witness-unreachable', 30_000)
    expect(pair.lab.overlapMs(ip, startMs)).toBe(0)
    await pair.expectHolder(pair.alpha)
    await witnessed.etcd.members[0]?.start()
    await pair.untilEvent(pair.alpha, 'witness-reachable', 30_000)
  })

  testPair('the holder stands still for three deadtimes: its kernel takes the address away before the peer has it', async (pair) => {
    const startMs = Date.now()
    pair.daemon(pair.alpha).kill('SIGSTOP')
    await pair.untilHeldBy(pair.beta, ip, deadtimeMs + 1_000 + slackMs)
    await sleep(3 * deadtimeMs - (Date.now() - startMs))
    pair.daemon(pair.alpha).kill('SIGCONT')
    await pair.untilEvent(pair.alpha, 'was-stalled', 10_000)
    await sleep(2_000)
    await pair.untilHeldBy(pair.beta)
    expect(pair.lab.overlapMs(ip, startMs)).toBe(0)
  })
})
