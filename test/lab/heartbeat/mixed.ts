/** A real Heartbeat on one host, our daemon on the other: the pair in the middle of a migration. */
import { onTestFinished, test } from 'vitest'
import { ip, newPair, otherIp, type Pair, type PairOptions } from '../pair.ts'
import { sleep, waitFor, type Host } from '../hosts.ts'
import { heartbeatLines, heartbeatMissing, heartbeatOn, type Heartbeat } from './heartbeat.ts'

export type Side = 'alpha' | 'beta'

export interface MixedOptions extends PairOptions {
  /** Where the Heartbeat runs; our daemon is on the other host. */
  readonly real: Side
  /** Of its ha.cf alone. */
  readonly theirFailback?: 'on' | 'off' | 'legacy'
}

export interface Mixed {
  readonly pair: Pair
  readonly real: Heartbeat
  /** The host of our daemon. */
  readonly ours: Host
  readonly theirs: Host
  /** Alpha's own group has the first address, beta's the second. */
  untilHeld(alphas: Host | undefined, betas: Host | undefined, timeoutMs?: number): Promise<void>
  /** No address was on both at any time since the lab began. */
  expectNeverBoth(): void
}

/** One group for each node: so `local` and `foreign` are something on both. */
export const groups = [`alpha IPaddr2::${ip}/24/eth0`, `beta IPaddr2::${otherIp}/24/eth0`]
/** A Heartbeat waits 10 s for its peer to come to rest before it takes anything, and then starts scripts. */
export const joinMs = 30_000

export async function openMixed(options: MixedOptions): Promise<Mixed> {
  const all: PairOptions = { groups, ...options }
  const pair = await newPair(all)
  const theirs = options.real === 'alpha' ? pair.alpha : pair.beta
  const ours = options.real === 'alpha' ? pair.beta : pair.alpha
  pair.configure(theirs, { ...all, ...(options.theirFailback === undefined ? {} : { autoFailback: options.theirFailback }), more: [...heartbeatLines, ...(options.more ?? [])] })
  const real = heartbeatOn(theirs)
  const mixed: Mixed = {
    pair, real, ours, theirs,
    untilHeld: async (alphas, betas, timeoutMs = joinMs) => {
      const want = [alphas, betas].map((host) => host?.name ?? '').join('; ')
      let last = ''
      await waitFor(`${ip} and ${otherIp} held by ${want}`, async () => {
        last = (await Promise.all([ip, otherIp].map((address) => pair.lab.holders(address)))).map((holders) => holders.join()).join('; ')
        return last === want || undefined
      }, timeoutMs, 50).catch((error: unknown) => {
        throw new Error(`${String(error)}; they are held by ${last}`)
      })
    },
    expectNeverBoth: () => {
      const overlaps = [ip, otherIp].map((address) => pair.lab.overlapMs(address))
      if (overlaps.some((ms) => ms > 0)) throw new Error(`two hosts had an address: ${ip} for ${overlaps[0]} ms, ${otherIp} for ${overlaps[1]} ms`)
    },
  }
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await explain(mixed).catch((error: unknown) => console.error('the lab cannot explain it:', error))
    await pair.lab.close()
  })
  return mixed
}

async function explain({ pair, real, ours }: Mixed): Promise<void> {
  const lines: string[] = []
  for (const address of [ip, otherIp]) {
    for (const { host, fromMs, toMs } of pair.lab.tenures(address)) lines.push(`${address} ${host}: from ${clock(fromMs)} to ${toMs === undefined ? 'now' : clock(toMs)}`)
  }
  lines.push('--- the Heartbeat', ...real.log().split('\n').slice(-120))
  if (ours.isUp()) {
    lines.push(`--- ${ours.name}: hactl status`, (await pair.hactl(ours, 'status')).stdout, `--- ${ours.name}: the daemon`, ...pair.logOf(ours).split('\n').slice(-120))
  }
  console.error(lines.join('\n'))
}

function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 23)
}

/** Both in their places, for as long as anything late would take. */
export async function quiet(ms = 1_500): Promise<void> {
  await sleep(ms)
}

/** Skipped with the reason in its title where no Heartbeat can run. */
export function testMixed(title: string, body: () => Promise<void>, timeoutMs = 120_000): void {
  const missing = heartbeatMissing()
  test.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, body, timeoutMs)
}
