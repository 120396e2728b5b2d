/** Chance plays both administrators, the hosts and the network of one couple; afterwards everything must be at rest again. */
import type { Scope } from '../../src/core/packet.ts'
import { couple, type Couple } from './couple.ts'

function generator(seed: number): () => number {
  let x = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let t = Math.imul(x ^ (x >>> 15), 1 | x)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Outcome { readonly faults: readonly string[]; readonly acts: readonly string[]; readonly pair: Couple }

/** `cuts`: packets are lost for a while, one way or both. `failures`: starts and stops fail here. `legacy`: the Heartbeat's auto_failback. */
export interface Allowed { readonly cuts: boolean; readonly failures: boolean; readonly legacy?: boolean }

const scopes: readonly Scope[] = ['all', 'local', 'foreign']

export function play(seed: number, allowed: Allowed): Outcome {
  const random = generator(seed)
  function pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    const item = items[Math.floor(random() * items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }
  const we = pick(['a', 'b'] as const)
  const pair = couple({ we, legacy: allowed.legacy ?? false, failback: random() < 0.5, oneGroup: random() < 0.3, operationMs: pick([10, 50, 400, 2_000]), random, jitterMs: pick([0, 5, 100, 400]) })
  for (const name of ['start apache2', 'stop apache2', 'start 192.0.2.101']) pair.tookMs.set(name, pick([5, 50, 300, 3_000]))
  const { heartbeat } = pair
  let generation = 1
  let longCut = false

  /** A script that still runs in the Heartbeat makes a mess of whatever it is told beside it, in the real one too. */
  const isIdle = (): boolean => pair.isUp() && heartbeat.isUp() && !heartbeat.isBusy()
  function start(): void {
    generation += 10
    if (!pair.isUp()) pair.startOurs(generation)
    if (!heartbeat.isUp()) pair.startTheirs(generation)
  }
  let cutMs = -Infinity
  function cut(): void {
    // Two in a row are a long one.
    longCut ||= pair.nowMs < cutMs + 1_500
    const side = pick(['ours', 'theirs', 'both'] as const)
    const forMs = pick([200, 500, 3_000, 9_000])
    if (side !== 'theirs') pair.cut.add('ours')
    if (side !== 'ours') pair.cut.add('theirs')
    longCut ||= forMs > 600
    pair.run(forMs)
    pair.cut.clear()
    cutMs = pair.nowMs
  }
  const actions: readonly (readonly [string, () => void])[] = [
    ['their standby', () => { if (isIdle()) heartbeat.standby(pick(scopes)) }],
    ['their takeover', () => { if (isIdle()) heartbeat.takeover(pick(scopes)) }],
    ...(allowed.legacy === true ? [['their request', () => { if (isIdle()) heartbeat.request(pick(pair.state().groups).name) }] as const] : []),
    ['our standby once', () => pair.ask({ type: 'standby', scope: pick(scopes), once: true, timeoutMs: 30_000 })],
    ['our takeover', () => pair.ask({ type: 'takeover', target: pick(scopes), force: random() < 0.3, timeoutMs: 30_000 })],
    ['our standby', () => pair.ask({ type: 'standby', scope: pick(scopes), once: false, timeoutMs: 30_000 })],
    ['our online', () => pair.ask({ type: 'online', timeoutMs: 30_000 })],
    ['they crash', () => heartbeat.crash()],
    // In an exchange it would leave the Heartbeat waiting for an hour, as one of its own kind would.
    ['we crash', () => { if (!heartbeat.isBusy() && pair.dialogue().exchange === undefined) pair.killOurs() }],
    ['they stop', () => { if (heartbeat.isUp()) heartbeat.shutDown() }],
    ['we stop', () => { if (pair.isUp()) pair.stopOurs() }],
    ['both start', start], ['both start', start], ['both start', start],
    ...(allowed.cuts ? [['cut', cut] as const] : []),
    ...(allowed.failures ? [
      ['start fails', () => pair.outcomes.set(pick(['start apache2', 'start 192.0.2.101']), { result: 'failed', message: 'no' })] as const,
      ['stop fails', () => pair.outcomes.set(pick(['stop apache2', 'stop 192.0.2.101']), { result: 'failed', message: 'no' })] as const,
      ['all well', () => pair.outcomes.clear()] as const,
    ] : []),
  ]

  const acts: string[] = [`we are ${we}`]
  if (random() < 0.8) pair.startOurs()
  pair.run(pick([0, 0, 5_000]) * random())
  if (random() < 0.8) pair.startTheirs()
  for (let count = 0; count < 8; count += 1) {
    pair.run(pick([0, 1, 30, 100, 700, 3_000, 12_000]) * random())
    const [name, act] = pick(actions)
    acts.push(`${Math.round(pair.nowMs)} ${name}`)
    act()
  }
  pair.outcomes.clear()
  // Twice: a shutdown that was delayed may come to its end only now.
  for (const afterMs of [5_000, 60_000]) {
    pair.run(afterMs)
    start()
  }
  pair.ask({ type: 'online', timeoutMs: 30_000 })
  pair.run(80_000)
  return { faults: faultsOf(pair, longCut), acts, pair }
}

function faultsOf(pair: Couple, longCut: boolean): readonly string[] {
  const faults: string[] = []
  for (const { name, hold } of pair.state().groups) {
    const where = pair.at(name)
    if (where !== 'ours' && where !== 'theirs') faults.push(`${name} is at ${where}`)
    if ((where === 'ours') !== (hold?.heldSinceMs !== undefined)) faults.push(`the core is wrong about ${name}`)
  }
  const { exchange } = pair.dialogue()
  if (exchange !== undefined) faults.push(`an exchange is left: ${JSON.stringify(exchange)}`)
  if (!pair.heartbeat.isStable()) faults.push('the Heartbeat is not stable')
  // A Heartbeat that hears our goodbye starts what could not be stopped here (and so would one that does not hear it, later).
  const uncleanEnd = pair.log.some((line) => line.includes('has left: a stop failed'))
  if (!longCut && !uncleanEnd) for (const [name, ms] of pair.overlapMs) if (ms > 0) faults.push(`${name} ran on both for ${Math.round(ms)} ms`)
  return faults
}
