/** A real web server behind the address: it moves with it, or, when it may run on both nodes, waits there already. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { waitFor, type Host } from './hosts.ts'
import { ip, openPair, patienceMs, type Pair } from './pair.ts'
import { isRoot } from './sandbox.ts'
import { warmServices } from './service.ts'

const missing = !existsSync('/usr/sbin/apache2') ? 'the package apache2 is not installed' : isRoot ? undefined : 'apache2 needs users of its own, so root'
const title = (text: string): string => (missing === undefined ? text : `${text} (skipped: ${missing})`)

/** What the client sees on the page, or undefined. */
async function page(pair: Pair): Promise<string | undefined> {
  const get = `fetch('http://${ip}/node', { signal: AbortSignal.timeout(500), headers: { connection: 'close' } }).then((r) => r.text()).then(console.log, () => process.exit(1))`
  const ran = await pair.lab.client.exec([process.execPath, '-e', get])
  return ran.code === 0 ? ran.stdout.trim() : undefined
}

async function untilPageOf(pair: Pair, host: Host): Promise<void> {
  await waitFor(`the page of ${host.name}`, async () => (await page(pair)) === host.name || undefined, 15_000, 50)
}

async function apacheRuns(host: Host): Promise<boolean> {
  return (await host.exec('pgrep -x apache2')).code === 0
}

async function openWebPair(yaml?: string): Promise<Pair> {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0 apache2`], ...(yaml === undefined ? {} : { yaml }) })
  for (const host of [pair.alpha, pair.beta]) {
    host.write('/var/www/html/node', host.name)
    await host.must('mkdir -p /var/log/apache2; echo "ServerName $(uname -n)" > /etc/apache2/conf-enabled/lab.conf')
  }
  return pair
}

test.skipIf(missing !== undefined)(title('apache2 moves with its address, in order, and survives the crash of its host'), async () => {
  const pair = await openWebPair()
  await pair.startBoth()
  await untilPageOf(pair, pair.alpha)
  expect(await apacheRuns(pair.beta)).toBe(false)
  expect((await pair.hactl(pair.alpha, 'standby')).code).toBe(0)
  await untilPageOf(pair, pair.beta)
  expect(await apacheRuns(pair.alpha)).toBe(false)
  expect((await pair.hactl(pair.alpha, 'online')).code).toBe(0)
  await untilPageOf(pair, pair.alpha)
  await pair.alpha.powerOff()
  await untilPageOf(pair, pair.beta)
  expect(pair.lab.overlapMs(ip)).toBe(0)
})

test.skipIf(missing !== undefined)(title('apache2 that dies is started again'), async () => {
  const pair = await openWebPair()
  await pair.startBoth()
  await untilPageOf(pair, pair.alpha)
  await pair.alpha.must('kill -9 $(cat /run/apache2/apache2.pid)')
  await pair.untilEvent(pair.alpha, 'resource-recovered', 30_000).catch(() => undefined)
  await untilPageOf(pair, pair.alpha)
  await pair.expectHolder(pair.alpha)
})

test.skipIf(missing !== undefined)(title('warm apache2 runs on both nodes, so that only the address moves'), async () => {
  const pair = await openWebPair(warmServices('apache2'))
  await pair.startBoth()
  await untilPageOf(pair, pair.alpha)
  await waitFor('apache2 runs on the other node, too', async () => (await apacheRuns(pair.beta)) || undefined, patienceMs)
  const probe = await pair.lab.probe(ip)
  await probe.firstAnswerOf('alpha', 0)
  const takeoverMs = Date.now()
  expect((await pair.hactl(pair.beta, 'takeover')).code).toBe(0)
  await untilPageOf(pair, pair.beta)
  expect((await probe.longestGap(takeoverMs)).ms, 'without waiting for apache2').toBeLessThan(500)
  expect(await apacheRuns(pair.alpha)).toBe(true)
  // A node in standby is freed for maintenance, of what is warm too, but only once the address is away.
  expect((await pair.hactl(pair.beta, 'standby')).code).toBe(0)
  await untilPageOf(pair, pair.alpha)
  await waitFor('apache2 stopped in standby', async () => !(await apacheRuns(pair.beta)) || undefined, patienceMs)
  const codes = (await pair.events(pair.beta)).filter((record) => record.code === 'resource-stopped').map((record) => record.message.includes('apache2'))
  expect(codes, 'the address, then apache2').toEqual([false, true])
  expect(pair.lab.overlapMs(ip)).toBe(0)
})
