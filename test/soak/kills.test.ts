/**
 * kill -9 of a daemon at random moments of takeovers, handovers and releases: within a bound exactly one host holds the
 * group, no address is left behind, nobody ever holds beside another, and the event history goes on.
 * KILLS and SOAK_SEED in the environment choose how many and which.
 */
import { expect, test } from 'vitest'
import { createRandom } from '../../src/simulation/random.ts'
import { sleep, type Host } from '../lab/hosts.ts'
import { ip, newPair, program, type Pair } from '../lab/pair.ts'

const kills = Number(process.env['KILLS'] ?? 200)
const seed = Number(process.env['SOAK_SEED'] ?? 1)
const timing = { keepaliveMs: 100, deadtimeMs: 1_000, initdeadMs: 2_000 }
/** Deadtime, the start of a daemon, and what a busy machine adds. */
const boundMs = 8_000

/** What systemd does: release, and a new daemon. */
async function comeBack(pair: Pair, host: Host): Promise<void> {
  await host.exec([...program, 'release', '--all'], { env: { SERVICE_RESULT: 'signal' }, timeoutMs: 60_000 })
  await pair.start(host)
  await pair.untilStatus(host, 'sees its peer', (status) => status.nodes.every((node) => node.status === 'alive'), 20_000)
}

/** Something is begun that moves the group; the kill comes somewhere in it. */
const moves: Readonly<Record<string, (pair: Pair, holder: Host, other: Host) => Promise<unknown>>> = {
  standby: (pair, holder) => pair.hactl(holder, 'standby', '--once', '--no-wait'),
  takeover: (pair, _holder, other) => pair.hactl(other, 'takeover', '--timeout', '5s'),
  shutdown: async (pair, holder) => pair.daemon(holder).kill('SIGTERM'),
  nothing: async () => undefined,
}

async function holderOf(pair: Pair): Promise<{ readonly holder: Host; readonly other: Host }> {
  const [name] = await pair.lab.holders(ip)
  return name === 'beta' ? { holder: pair.beta, other: pair.alpha } : { holder: pair.alpha, other: pair.beta }
}

test(`${kills} kills at random moments: one holder within the bound, nothing left behind`, async () => {
  const pair = await newPair({ timing, autoFailback: 'off', yaml: 'flap_guard: off\n' })
  const random = createRandom(seed)
  const unheldMs: number[] = []
  try {
    await pair.startBoth()
    for (let round = 0; round < kills; round += 1) {
      const { holder, other } = await holderOf(pair)
      const names = Object.keys(moves)
      const name = names[random.whole(0, names.length - 1)] ?? 'nothing'
      const victim = random.chance(0.6) ? holder : other
      const startMs = Date.now()
      const moving = moves[name]?.(pair, holder, other)
      // The command line takes some 80 ms to say what it wants; the move itself a few.
      await sleep(name === 'shutdown' || name === 'nothing' ? random.between(0, 15) : random.between(60, 130))
      const daemon = pair.daemon(victim)
      daemon.kill('SIGKILL')
      await daemon.ended
      await moving
      const what = `round ${round}: ${name}, ${victim.name} killed; SOAK_SEED=${seed}`
      const heldBy = victim === holder ? other : holder
      if (!(name === 'shutdown' && victim === other)) await pair.untilHeldBy(heldBy, ip, boundMs).catch(async () => {
        throw new Error(`${what}: held by [${(await pair.lab.holders(ip)).join()}] instead of ${heldBy.name}`)
      })
      if (pair.lab.overlapMs(ip, startMs) > 0) throw new Error(`${what}: two holders for ${pair.lab.overlapMs(ip, startMs)} ms`)
      if (name === 'nothing' && victim === holder) unheldMs.push(pair.lab.unheldMs(ip, startMs, Date.now()))
      for (const host of [victim, ...(name === 'shutdown' ? [holder] : [])]) {
        if (pair.daemon(host).isRunning()) await pair.daemon(host).ended
      }
      if (name === 'shutdown' && victim === other) await pair.start(holder)
      await comeBack(pair, victim)
      if (name === 'shutdown' && victim !== holder) await pair.untilStatus(holder, 'is back', (status) => status.nodes.every((node) => node.status === 'alive'), 20_000)
      expect(await pair.lab.holders(ip), what).toHaveLength(1)
      const told = await pair.events(victim)
      expect(told.filter(({ code }) => code === 'daemon-started').length, `${what}: the history`).toBeGreaterThan(1)
    }
    const sorted = [...unheldMs].sort((one, other) => one - other)
    console.log(`kill -9 of a holder at rest: unheld ${sorted[0]?.toFixed(1)} to ${sorted.at(-1)?.toFixed(1)} ms, median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(1)} ms, ${sorted.length} runs`)
  } catch (error) {
    for (const host of [pair.alpha, pair.beta]) console.error(`--- ${host.name}`, pair.logOf(host).split('\n').slice(-40).join('\n'))
    throw error
  } finally {
    await pair.lab.close()
  }
}, kills * 20_000 + 60_000)
