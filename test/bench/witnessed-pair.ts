/**
 * What a witness is worth, by the kernels' own account of the address on both hosts: the holder's daemon stands still for
 * three deadtimes, and the network is cut in every way. One JSON line for each. `witnessed-pair.mjs OUT STOPS CUTS [DEADTIME_MS]`
 */
import { appendFileSync } from 'node:fs'
import { sleep } from '../lab/hosts.ts'
import { ip } from '../lab/pair.ts'
import { calm, cuts, startWitnessedPair, type Cut, type WitnessedPair } from '../lab/witnessed.ts'

const [, , outPath = '', stopsWord = '10', roundsWord = '3', deadtimeWord = '5000'] = process.argv
const [stops, rounds, deadtimeMs] = [Number(stopsWord), Number(roundsWord), Number(deadtimeWord)]

function emit(what: string, values: readonly number[], remark?: string): void {
  console.log(`${what}: ${values.map((value) => Math.round(value)).join(' ')}`)
  appendFileSync(outPath, `${JSON.stringify({ what, values, ...(remark === undefined ? {} : { remark }) })}\n`)
}

/** After `sinceMs`: how long two hosts had it, and how long nobody. */
async function account({ pair }: WitnessedPair, sinceMs: number): Promise<{ readonly overlap: number; readonly unheld: number }> {
  await sleep(200)
  return { overlap: pair.lab.overlapMs(ip, sinceMs), unheld: pair.lab.unheldMs(ip, sinceMs, Date.now()) }
}

async function standsStill(witnessed: WitnessedPair): Promise<void> {
  const overlaps: number[] = []
  const unheld: number[] = []
  const taken: number[] = []
  for (let round = 0; round < stops; round += 1) {
    const { pair } = witnessed
    await calm(witnessed)
    const startMs = Date.now()
    pair.daemon(pair.alpha).kill('SIGSTOP')
    taken.push((await pair.untilHeldBy(pair.beta, ip, 2 * deadtimeMs)) - startMs)
    await sleep(3 * deadtimeMs - (Date.now() - startMs))
    pair.daemon(pair.alpha).kill('SIGCONT')
    await sleep(deadtimeMs)
    const seen = await account(witnessed, startMs)
    overlaps.push(seen.overlap)
    unheld.push(seen.unheld)
  }
  const remark = `SIGSTOP for ${3 * deadtimeMs} ms, deadtime ${deadtimeMs} ms, witness`
  emit('stopped-holder-overlap-ms', overlaps, remark)
  emit('stopped-holder-taken-ms', taken, remark)
  emit('stopped-holder-unheld-ms', unheld, remark)
}

async function cut(witnessed: WitnessedPair, { cuts: pairs, holder }: Cut): Promise<{ readonly overlap: number; readonly taken?: number }> {
  const { pair } = witnessed
  await calm(witnessed)
  const startMs = Date.now()
  for (const [from, to] of pairs) await pair.lab.cutOneWay(from, to)
  const moves = holder === 'beta'
  const taken = moves ? (await pair.untilHeldBy(pair.beta, ip, 3 * deadtimeMs)) - startMs : undefined
  await sleep(Math.max(0, 2.5 * deadtimeMs - (Date.now() - startMs)))
  await pair.lab.heal()
  await sleep(1_500)
  const { overlap, unheld } = await account(witnessed, startMs)
  // Where the holder is to keep it, nobody may ever have been without.
  return { overlap, ...(holder === 'nobody' ? {} : { taken: taken ?? unheld }) }
}

async function everyCut(witnessed: WitnessedPair): Promise<void> {
  const overlaps: number[] = []
  for (const one of cuts) {
    const seen = []
    for (let round = 0; round < rounds; round += 1) seen.push(await cut(witnessed, one))
    overlaps.push(...seen.map(({ overlap }) => overlap))
    const taken = seen.flatMap(({ taken: ms }) => (ms === undefined ? [] : [ms]))
    if (taken.length > 0) emit(`cut-unheld-ms: ${one.title}`, taken, one.holder === 'beta' ? 'until beta has it' : 'without a holder in the whole cut')
  }
  emit('cut-overlap-ms', overlaps, `${cuts.length} cuts, ${rounds} rounds each, deadtime ${deadtimeMs} ms`)
}

const witnessed = await startWitnessedPair(deadtimeMs)
try {
  await standsStill(witnessed)
  await everyCut(witnessed)
} finally {
  await witnessed.pair.lab.close()
}
