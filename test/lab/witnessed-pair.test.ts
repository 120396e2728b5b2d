/**
 * Two daemons and a real etcd as their witness, on a network that is cut in every way (promise P1): by the kernel's own
 * account never two hosts have the address, and a host that can reach the witness holds it within deadtime and a second.
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { onHost, startEtcd, type Etcd } from './etcd.ts'
import { sleep } from './hosts.ts'
import { lacks, testWith } from './needs.ts'
import { ip, newPair, type Pair } from './pair.ts'

const needed = ['etcd', 'etcdctl', 'nft']
/** `hactl check` has no warning for these. */
const timing = { keepaliveMs: 200, deadtimeMs: 4_000, initdeadMs: 5_000 }
/** What a busy machine may add. */
const slackMs = 1_500

let pair: Pair
let etcd: Etcd

beforeAll(async () => {
  if (lacks(...needed).length > 0) return
  pair = await newPair({
    hosts: ['alpha', 'beta', 'witness'], timing, autoFailback: 'off',
    yaml: 'witness: {etcd: {endpoints: ["http://192.0.2.3:2379"], prefix: /hactl/lab}}\n',
  })
  etcd = await startEtcd([onHost(pair.lab.host('witness'))])
  await pair.startBoth()
})
afterAll(() => pair?.lab.close())

type Place = 'alpha' | 'beta' | 'witness'

/** From a calm pair with alpha as the holder. */
async function calm(): Promise<void> {
  await pair.lab.heal()
  for (const host of [pair.alpha, pair.beta]) await pair.untilStatus(host, 'sees its peer', (status) => status.nodes.every((node) => node.status === 'alive'), 20_000)
  if ((await pair.group(pair.alpha)).holder !== 'alpha') await pair.hactl(pair.alpha, 'takeover')
  await pair.untilHeldBy(pair.alpha, ip, 20_000)
  await pair.untilStatus(pair.alpha, 'the witness is reachable', (status) => status.witness?.status === 'reachable', 20_000)
  // Grants of the cut before have been given back, or have run out.
  await sleep(1_000)
}

interface Cut { readonly title: string; readonly cuts: readonly (readonly [Place, Place])[]; readonly holder: 'alpha' | 'beta' | 'either' | 'nobody' }

const both = (one: Place, other: Place): readonly (readonly [Place, Place])[] => [[one, other], [other, one]]

const directions: readonly Cut[] = [
  { title: 'beta no longer hears alpha', cuts: [['alpha', 'beta']], holder: 'alpha' },
  { title: 'alpha no longer hears beta', cuts: [['beta', 'alpha']], holder: 'alpha' },
  { title: 'the witness no longer hears alpha', cuts: [['alpha', 'witness']], holder: 'alpha' },
  { title: 'alpha no longer hears the witness', cuts: [['witness', 'alpha']], holder: 'alpha' },
  { title: 'the witness no longer hears beta', cuts: [['beta', 'witness']], holder: 'alpha' },
  { title: 'beta no longer hears the witness', cuts: [['witness', 'beta']], holder: 'alpha' },
  { title: 'the nodes are cut from each other, both reach the witness', cuts: both('alpha', 'beta'), holder: 'alpha' },
  { title: 'alpha is cut from everything', cuts: [...both('alpha', 'beta'), ...both('alpha', 'witness')], holder: 'beta' },
  { title: 'beta is cut from everything', cuts: [...both('alpha', 'beta'), ...both('beta', 'witness')], holder: 'alpha' },
  { title: 'beta no longer hears alpha, and alpha does not reach the witness', cuts: [['alpha', 'beta'], ...both('alpha', 'witness')], holder: 'beta' },
  { title: 'everybody is cut from everybody: P1 goes before service', cuts: [...both('alpha', 'beta'), ...both('alpha', 'witness'), ...both('beta', 'witness')], holder: 'nobody' },
]

for (const { title, cuts, holder } of directions) {
  testWith(needed, `${title}: ${holder === 'nobody' ? 'nobody holds' : `${holder} holds`}, and never two`, async () => {
    await calm()
    const cutMs = Date.now()
    for (const [from, to] of cuts) await pair.lab.cutOneWay(from, to)
    if (holder === 'nobody') {
      await pair.untilHeldBy(undefined, ip, timing.deadtimeMs + slackMs)
      await sleep(2_000)
      expect(await pair.lab.holders(ip)).toEqual([])
    } else {
      const host = pair.lab.host(holder)
      await pair.untilHeldBy(host, ip, timing.deadtimeMs + 1_000 + slackMs)
      // Grants must be renewed, and the other side must not get one meanwhile.
      await sleep(timing.deadtimeMs + 1_000)
      expect(await pair.lab.holders(ip)).toEqual([holder])
    }
    expect(pair.lab.overlapMs(ip, cutMs)).toBe(0)
    await pair.lab.heal()
    await sleep(1_500)
    expect(pair.lab.overlapMs(ip, cutMs)).toBe(0)
  }, 90_000)
}

testWith(needed, 'the witness dies while the nodes see each other: nothing changes but the status', async () => {
  await calm()
  const startMs = Date.now()
  await etcd.members[0]?.kill('SIGKILL')
  await pair.untilEvent(pair.alpha, 'witness-unreachable', 30_000)
  expect(pair.lab.overlapMs(ip, startMs)).toBe(0)
  await pair.expectHolder(pair.alpha)
  await etcd.members[0]?.start()
  await pair.untilEvent(pair.alpha, 'witness-reachable', 30_000)
}, 90_000)

testWith(needed, 'the holder stands still for three deadtimes: its kernel takes the address away before the peer has it', async () => {
  await calm()
  const startMs = Date.now()
  pair.daemon(pair.alpha).kill('SIGSTOP')
  await pair.untilHeldBy(pair.beta, ip, timing.deadtimeMs + 1_000 + slackMs)
  await sleep(3 * timing.deadtimeMs - (Date.now() - startMs))
  pair.daemon(pair.alpha).kill('SIGCONT')
  await pair.untilEvent(pair.alpha, 'was-stalled', 10_000)
  await sleep(2_000)
  await pair.untilHeldBy(pair.beta)
  expect(pair.lab.overlapMs(ip, startMs)).toBe(0)
}, 90_000)
