/**
 * How long a client that asks every millisecond hears nothing, conversation by conversation: of two real Heartbeats, and of a Heartbeat
 * with our daemon on the other host. The figures are printed; ours may not be longer beyond what a busy machine adds.
 */
import { expect } from 'vitest'
import { ip, otherIp } from '../lab/pair.ts'
import { heartbeatLines, heartbeatOn, type Heartbeat } from '../lab/heartbeat/heartbeat.ts'
import { groups, openMixed, testMixed, type Mixed } from '../lab/heartbeat/mixed.ts'
import { sleep, type Host, type Probe } from '../lab/hosts.ts'

const rounds = Number(process.env['OUTAGE_ROUNDS'] ?? 3)
const timing = { keepaliveMs: 200, deadtimeMs: 1_500, initdeadMs: 3_000 }
/** What a busy machine may add. */
const slackMs = 400

interface Side { readonly host: Host; start(): Promise<unknown>; stop(): Promise<unknown>; giveAll(): Promise<unknown>; takeOwn(): Promise<unknown> }

const heartbeatSide = (real: Heartbeat): Side =>
  ({ host: real.host, start: () => real.start(), stop: () => real.stop(), giveAll: () => real.standby('all'), takeOwn: () => real.takeover('local') })

function ourSide({ pair, ours }: Mixed): Side {
  const hactl = async (...words: string[]): Promise<void> => {
    const ran = await pair.hactl(ours, ...words)
    expect(ran.code, ran.stdout + ran.stderr).toBe(0)
  }
  return { host: ours, start: () => pair.start(ours), stop: () => pair.stop(ours), giveAll: () => hactl('standby', '--once'), takeOwn: () => hactl('takeover', 'local') }
}

async function open(kind: 'pure' | 'mixed'): Promise<{ readonly mixed: Mixed; readonly alpha: Side; readonly beta: Side }> {
  const mixed = await openMixed({ real: 'alpha', timing })
  if (kind === 'mixed') return { mixed, alpha: heartbeatSide(mixed.real), beta: ourSide(mixed) }
  mixed.pair.configure(mixed.ours, { groups, timing, more: heartbeatLines })
  return { mixed, alpha: heartbeatSide(mixed.real), beta: heartbeatSide(heartbeatOn(mixed.ours)) }
}

/** What clients of the address that moves noticed, by conversation. */
async function measure(kind: 'pure' | 'mixed'): Promise<ReadonlyMap<string, number>> {
  const { mixed, alpha, beta } = await open(kind)
  const { pair } = mixed
  const gaps = new Map<string, number>()
  await Promise.all([alpha.start(), beta.start()])
  await mixed.untilHeld(pair.alpha, pair.beta)
  await mixed.real.untilHolding('local')
  const probes = new Map<string, Probe>([[ip, await pair.lab.probe(ip, 1)], [otherIp, await pair.lab.probe(otherIp, 1)]])
  const step = async (title: string, address: string, run: () => Promise<unknown>, holders: readonly [Host, Host]): Promise<void> => {
    await sleep(2_500)
    const fromMs = Date.now()
    await run()
    await mixed.untilHeld(...holders)
    await sleep(1_000)
    gaps.set(title, Math.round((await probes.get(address)?.longestGap(fromMs))?.ms ?? NaN))
  }
  const [a, b] = [pair.alpha, pair.beta]
  await step('alpha gives all', ip, alpha.giveAll, [b, b])
  await step('alpha takes its own', ip, alpha.takeOwn, [a, b])
  await step('beta gives all', otherIp, beta.giveAll, [a, a])
  await step('beta takes its own', otherIp, beta.takeOwn, [a, b])
  await step('alpha stops', ip, alpha.stop, [b, b])
  await step('alpha starts: failback', ip, alpha.start, [a, b])
  await step('beta stops', otherIp, beta.stop, [a, a])
  await step('beta starts: failback', otherIp, beta.start, [a, b])
  await step('alpha loses its power', ip, () => a.powerOff(), [b, b])
  await step('alpha is back: failback', ip, async () => (await a.powerOn(), alpha.start()), [a, b])
  await step('beta loses its power', otherIp, () => b.powerOff(), [a, a])
  await step('beta is back: failback', otherIp, async () => (await b.powerOn(), beta.start()), [a, b])
  if (kind === 'mixed') mixed.expectNeverBoth()
  await pair.lab.close()
  return gaps
}

testMixed(`${rounds} rounds of every conversation: no client waits longer than with two Heartbeats`, async () => {
  const figures = new Map<string, { readonly pure: number[]; readonly mixed: number[] }>()
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ['pure', 'mixed'] as const) {
      for (const [title, ms] of await measure(kind)) {
        const row = figures.get(title) ?? { pure: [], mixed: [] }
        row[kind].push(ms)
        figures.set(title, row)
      }
    }
  }
  const middle = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
  const rows = [...figures].map(([title, { pure, mixed }]) => ({ title, pure: middle(pure), mixed: middle(mixed) }))
  console.log(`longest silence, middle of ${rounds}, ms`)
  console.table(rows)
  expect(rows.filter(({ pure, mixed }) => !(mixed <= pure + slackMs))).toEqual([])
}, rounds * 240_000)
