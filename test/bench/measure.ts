/** Figures that need nobody beside hactl: cold start, apache2 kept warm, idle cost, `hactl status`. One JSON line for each. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { childrenOf } from '../lab/sandbox.ts'
import { ip, newPair, program, type Pair, type PairOptions } from '../lab/pair.ts'
import { sleep, waitFor } from '../lab/hosts.ts'
import { warmServices } from '../lab/service.ts'

const [, , outPath = '', roundsWord = '10', idleSecondsWord = '60'] = process.argv
const rounds = Number(roundsWord)
const idleSeconds = Number(idleSecondsWord)
const timing = { keepaliveMs: 200, deadtimeMs: 1_000, initdeadMs: 3_000 }

interface Row { readonly what: string; readonly values: readonly number[]; readonly remark?: string }

function emit(row: Row): void {
  console.log(`${row.what}: ${row.values.map((value) => value.toFixed(1)).join(' ')}${row.remark === undefined ? '' : ` (${row.remark})`}`)
  appendFileSync(outPath, `${JSON.stringify(row)}\n`)
}

async function withPair<T>(options: PairOptions, work: (pair: Pair) => Promise<T>): Promise<T> {
  const pair = await newPair({ timing, ...options })
  try {
    return await work(pair)
  } finally {
    await pair.lab.close()
  }
}

async function coldStart(): Promise<void> {
  const values: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    values.push(await withPair({}, async (pair) => {
      const probe = await pair.lab.probe(ip, 1)
      const startMs = Date.now()
      await Promise.all([pair.start(pair.alpha), pair.start(pair.beta)])
      return (await probe.firstAnswerOf('alpha', startMs)).atMs - startMs
    }))
  }
  emit({ what: 'cold-start-ms', values })
}

/** Switches over and back again; for each the longest time without an answer, and how long two hosts had the address. */
async function switchovers(pair: Pair): Promise<{ readonly gaps: number[]; readonly overlaps: number[] }> {
  const gaps: number[] = []
  const overlaps: number[] = []
  const probe = await pair.lab.probe(ip, 1)
  await probe.firstAnswerOf('alpha', 0)
  for (let round = 0; round < rounds; round += 1) {
    for (const [command, target] of [['standby', 'beta'], ['online', 'alpha']] as const) {
      await sleep(500)
      const startMs = Date.now()
      const ran = await pair.hactl(pair.alpha, command)
      if (ran.code !== 0) throw new Error(`hactl ${command}: ${ran.stderr}`)
      await probe.firstAnswerOf(target, startMs)
      await sleep(300)
      gaps.push((await probe.longestGap(startMs)).ms)
      overlaps.push(pair.lab.overlapMs(ip, startMs))
    }
  }
  return { gaps, overlaps }
}

async function plainSwitchover(): Promise<void> {
  const { gaps, overlaps } = await withPair({}, async (pair) => {
    await pair.startBoth()
    return switchovers(pair)
  })
  emit({ what: 'switchover-ms', values: gaps, remark: 'address alone, probe in Node every 1 ms' })
  emit({ what: 'switchover-overlap-ms', values: overlaps })
}

/** Asks for the page every 5 ms, each on a connection of its own, and writes when each answer came. */
const webClient = `const http = require('node:http')
const ask = () => http.get({ host: '${ip}', path: '/', agent: false, timeout: 1000 }, (r) => { r.resume(); r.on('end', () => console.log(performance.timeOrigin + performance.now())) }).on('error', () => {})
setInterval(ask, 5)`

async function warmApache(): Promise<void> {
  if (!existsSync('/usr/sbin/apache2')) {
    console.log('apache2 is not installed: no figure for it')
    return
  }
  await withPair({ groups: [`alpha ${ip}/24/eth0 apache2`], yaml: warmServices('apache2') }, async (pair) => {
    for (const host of [pair.alpha, pair.beta]) await host.must('mkdir -p /var/log/apache2; echo "ServerName $(uname -n)" > /etc/apache2/conf-enabled/lab.conf')
    await pair.startBoth()
    await waitFor('apache2 on both', async () => (await pair.beta.exec('pgrep -x apache2')).code === 0 || undefined, 20_000, 100)
    const web = await pair.lab.client.start('web', [process.execPath, '-e', webClient])
    await sleep(500)
    const startMs = Date.now()
    const { gaps, overlaps } = await switchovers(pair)
    web.kill('SIGKILL')
    emit({ what: 'warm-apache-switchover-ms', values: gaps, remark: 'address' })
    emit({ what: 'warm-apache-overlap-ms', values: overlaps })
    const pages = web.log().split('\n').map(Number).filter((atMs) => atMs > startMs)
    const webGaps = pages.slice(1).map((atMs, index) => atMs - (pages[index] ?? atMs)).sort((one, other) => other - one)
    emit({ what: 'warm-apache-page-gaps-ms', values: webGaps.slice(0, 2 * rounds), remark: 'the longest times between two pages, one client, a new connection every 5 ms' })
  })
}

function family(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(family)]
}

/** User and system time of the daemon, its children, and those it has waited for, in ms. */
function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
    return sum + [11, 12, 13, 14].reduce((own, index) => own + Number(fields[index] ?? 0), 0) * 10
  }, 0)
}

function pssKiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0), 0)
}

function manyAddresses(count: number): string {
  return Array.from({ length: count }, (_, index) => `IPaddr::198.18.${1 + Math.floor(index / 250)}.${1 + (index % 250)}/16/eth0`).join(' ')
}

async function idleCost(count: number): Promise<void> {
  const first = '198.18.1.1'
  await withPair({ groups: [`alpha ${manyAddresses(count)}`], answering: false }, async (pair) => {
    await pair.startBoth()
    await pair.untilHeldBy(pair.alpha, first, 30_000)
    await sleep(8_000)
    for (const [host, role] of [[pair.alpha, 'holder'], [pair.beta, 'other']] as const) {
      const pid = pair.daemon(host).pid
      const before = processorMs(family(pid))
      const startMs = Date.now()
      await sleep(idleSeconds * 1_000)
      const percent = (processorMs(family(pid)) - before) / (Date.now() - startMs) * 100
      emit({ what: `idle-percent-${role}-${count}`, values: [percent], remark: `${idleSeconds} s, keepalive 200 ms, daemon and children` })
      emit({ what: `pss-mib-${role}-${count}`, values: [pssKiB(family(pid)) / 1024], remark: `${family(pid).length} processes` })
    }
    if (count === 1) await statusTime(pair)
  })
}

async function statusTime(pair: Pair): Promise<void> {
  const values: number[] = []
  for (let round = 0; round < Math.max(10, rounds); round += 1) {
    const script = `const t = performance.now(); const r = require('node:child_process').spawnSync(process.execPath, ${JSON.stringify([program[1], 'status'])}); if (r.status > 1) throw r.stderr.toString(); console.log(performance.now() - t)`
    values.push(Number(await pair.alpha.must([process.execPath, '-e', script])))
  }
  emit({ what: 'status-ms', values })
}

for (const measure of [coldStart, plainSwitchover, warmApache, () => idleCost(1), () => idleCost(1_000)]) {
  try {
    await measure()
  } catch (error) {
    // The other figures are still worth having; the table shows which one is missing.
    console.log(`no figure: ${error instanceof Error ? error.message : String(error)}`)
  }
}
