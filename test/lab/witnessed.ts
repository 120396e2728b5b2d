/** Two daemons and a real etcd as their witness, on a network that is cut in every way: for the test and for the bench. */
import { onHost, startEtcd, type Etcd } from './etcd.ts'
import { sleep } from './hosts.ts'
import { ip, newPair, type Pair } from './pair.ts'

export interface WitnessedPair { readonly pair: Pair; readonly etcd: Etcd; readonly deadtimeMs: number }

export async function startWitnessedPair(deadtimeMs: number): Promise<WitnessedPair> {
  const pair = await newPair({
    hosts: ['alpha', 'beta', 'witness'], timing: { keepaliveMs: 200, deadtimeMs, initdeadMs: deadtimeMs + 1_000 }, autoFailback: 'off',
    yaml: 'witness: {etcd: {endpoints: ["http://192.0.2.3:2379"], prefix: /hactl/lab}}\n',
  })
  const etcd = await startEtcd([onHost(pair.lab.host('witness'))])
  await pair.startBoth()
  return { pair, etcd, deadtimeMs }
}

/** To a calm pair with alpha as the holder. */
export async function calm({ pair }: WitnessedPair): Promise<void> {
  await pair.lab.heal()
  for (const host of [pair.alpha, pair.beta]) await pair.untilStatus(host, 'sees its peer', (status) => status.nodes.every((node) => node.status === 'alive'), 20_000)
  if ((await pair.group(pair.alpha)).holder !== 'alpha') await pair.hactl(pair.alpha, 'takeover')
  await pair.untilHeldBy(pair.alpha, ip, 20_000)
  await pair.untilStatus(pair.alpha, 'the witness is reachable', (status) => status.witness?.status === 'reachable', 20_000)
  // Grants of the cut before have been given back, or have run out.
  await sleep(1_000)
}

type Place = 'alpha' | 'beta' | 'witness'

/** `holder`: who is to hold it in the end. */
export interface Cut { readonly title: string; readonly cuts: readonly (readonly [Place, Place])[]; readonly holder: 'alpha' | 'beta' | 'nobody' }

const both = (one: Place, other: Place): readonly (readonly [Place, Place])[] => [[one, other], [other, one]]

export const cuts: readonly Cut[] = [
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
