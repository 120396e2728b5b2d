/**
 * What clients that ask every millisecond wait for while a live pair of two Heartbeats becomes a pair of ours, beside what the same pair's own
 * hb_standby costs them in the same run. MIGRATION_ROUNDS says how often.
 */
import { expect } from 'vitest'
import { ip } from '../lab/pair.ts'
import { heartbeatLines, heartbeatOn } from '../lab/heartbeat/heartbeat.ts'
import { openMixed, testMixed } from '../lab/heartbeat/mixed.ts'
import { sleep, waitFor, type Host } from '../lab/hosts.ts'

const rounds = Number(process.env['MIGRATION_ROUNDS'] ?? 5)
const timing = { keepaliveMs: 1_000, deadtimeMs: 10_000, initdeadMs: 20_000 }
const groups = [`alpha IPaddr2::${ip}/24/eth0`]
/** What a busy machine may add to a median. */
const slackMs = 200

/** Of one step: the longest silence that a client saw, and how long no host had the address, by their kernels. */
interface Outage { readonly clientMs: number; readonly unheldMs: number }
type Measured = ReadonlyMap<string, Outage>

async function migrate(autoFailback: 'on' | 'off'): Promise<Measured> {
  const mixed = await openMixed({ real: 'alpha', timing, groups, autoFailback })
  const { pair, real } = mixed
  const { alpha, beta, lab } = pair
  pair.configure(beta, { groups, timing, autoFailback, more: heartbeatLines })
  const other = heartbeatOn(beta)
  await Promise.all([real.start(), other.start()])
  await pair.untilHeldBy(alpha, ip, 40_000)
  await Promise.all([real.untilHolding('local'), other.untilHolding('local')])
  const probe = await lab.probe(ip, 1)
  const measured = new Map<string, Outage>()
  const step = async (title: string, holder: Host, run: () => Promise<unknown>): Promise<void> => {
    await sleep(2_500)
    const fromMs = Date.now()
    await run()
    await pair.untilHeldBy(holder, ip, 20_000)
    await sleep(1_500)
    measured.set(title, { clientMs: (await probe.longestGap(fromMs)).ms, unheldMs: lab.unheldMs(ip, fromMs, Date.now()) })
  }
  const start = async (host: Host): Promise<void> => {
    pair.configure(host, { groups, timing, autoFailback })
    await pair.start(host)
    await pair.untilStatus(host, 'it sees its peer', ({ nodes }) => nodes.every(({ status }) => status === 'alive'), 15_000)
  }
  await step('hb_standby, alpha to beta', beta, () => real.standby('all'))
  await Promise.all([real.untilHolding('none'), other.untilHolding('all')])
  await step('hb_standby, beta to alpha', alpha, () => other.standby('all'))
  await Promise.all([real.untilHolding('all'), other.untilHolding('none')])

  await step('alpha: Heartbeat is stopped', beta, () => real.stop())
  await step('alpha: hactl is started', autoFailback === 'on' ? alpha : beta, () => start(alpha))
  await step('beta: Heartbeat is stopped', alpha, () => other.stop())
  await step('beta: hactl is started', alpha, async () => {
    await start(beta)
    await waitFor('both are ours', async () => (await pair.peerOf(alpha)).dialogue === 'hactl' || undefined, 15_000, 200)
  })
  mixed.expectNeverBoth()
  await lab.close()
  return measured
}

/** The first is that Heartbeat is stopped on alpha. */
const second = { on: 'alpha: hactl is started', off: 'beta: Heartbeat is stopped' } as const

function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}

for (const autoFailback of ['on', 'off'] as const) {
  testMixed(`${rounds} migrations of a live pair, auto_failback ${autoFailback}: two interruptions, neither longer than hb_standby, and none when both are ours`, async () => {
    const all = new Map<string, Outage[]>()
    for (let round = 0; round < rounds; round += 1) {
      for (const [title, outage] of await migrate(autoFailback)) all.set(title, [...(all.get(title) ?? []), outage])
    }
    const rows = [...all].map(([step, outages]) => {
      const client = outages.map(({ clientMs }) => Math.round(clientMs))
      return { step, client: middle(client), least: Math.min(...client), most: Math.max(...client), unheld: Math.ceil(middle(outages.map(({ unheldMs }) => unheldMs))) }
    })
    console.log(`auto_failback ${autoFailback}, ${rounds} rounds: longest silence for a client in each step, median, least and most; no host had the address, median; ms`)
    console.table(rows)
    const standbyMs = Math.max(...rows.filter(({ step }) => step.startsWith('hb_standby')).map(({ client }) => client))
    const steps = rows.filter(({ step }) => !step.startsWith('hb_standby'))
    expect(steps.filter(({ unheld }) => unheld > 0).map(({ step }) => step), 'interruptions').toEqual(['alpha: Heartbeat is stopped', second[autoFailback]])
    expect(steps.filter(({ client }) => client > standbyMs + slackMs), `longer than hb_standby (${standbyMs} ms)`).toEqual([])
    expect([...all.values()].at(-1)?.every(({ unheldMs }) => unheldMs === 0), 'the change of dialogue').toBe(true)
  }, rounds * 180_000)
}
