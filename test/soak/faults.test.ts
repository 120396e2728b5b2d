/**
 * Half an hour of whatever can happen, in the lab, with a witness: daemons killed and stopped, their guards killed, hosts
 * without power, cables and the witness cut, packets lost, administrators at work. Two clients write to a counting service
 * behind the address all the time; no write may be taken by two holders, and by the kernel's account two hosts never have
 * the address. SOAK_MINUTES and SOAK_SEED in the environment choose the length and the run.
 */
import { expect, test } from 'vitest'
import { createRandom, type Random } from '../../src/simulation/random.ts'
import { onHost, startEtcd, type Etcd } from '../lab/etcd.ts'
import { sleep, type Host } from '../lab/hosts.ts'
import { ip, killWithGuard, newPair, program, type Pair } from '../lab/pair.ts'
import { installCounter, overlaps, startWriter, takenBy, takenTwice } from './counter.ts'

const minutes = Number(process.env['SOAK_MINUTES'] ?? 30)
const seed = Number(process.env['SOAK_SEED'] ?? 1)
const timing = { keepaliveMs: 200, deadtimeMs: 4_000, initdeadMs: 5_000 }

interface World { readonly pair: Pair; readonly etcd: Etcd; readonly random: Random; readonly told: string[] }

/** What systemd does: release, then a new daemon a second later. */
async function comeBack({ pair }: World, host: Host): Promise<void> {
  if (!host.isUp()) return
  await host.exec([...program, 'release', '--all'], { env: { SERVICE_RESULT: 'signal' }, timeoutMs: 60_000 })
  await sleep(1_000)
  if (host.isUp()) await pair.start(host)
}

async function restart(world: World, host: Host): Promise<void> {
  const daemon = world.pair.daemon(host)
  daemon.kill('SIGKILL')
  await daemon.ended
  await comeBack(world, host)
}

type Fault = (world: World, host: Host, other: Host) => Promise<void>

const faults: Readonly<Record<string, Fault>> = {
  'kill -9': async (world, host) => restart(world, host),
  'kill -9 of daemon and guard': async (world, host) => {
    await killWithGuard(world.pair, host)
    await comeBack(world, host)
  },
  'kill -9 of the guard': async (_world, host) => {
    await host.exec('kill -KILL $(cut -d" " -f1 /run/hactl/guard/*/pids)')
  },
  'stand still': async ({ pair, random }, host) => {
    const daemon = pair.daemon(host)
    daemon.kill('SIGSTOP')
    await sleep(random.between(100, 3 * timing.deadtimeMs))
    daemon.kill('SIGCONT')
  },
  'no power': async ({ pair, random }, host) => {
    await host.powerOff()
    await sleep(random.between(500, 8_000))
    await host.powerOn()
    await pair.start(host)
  },
  partition: async ({ pair, random }, host, other) => {
    await pair.lab.cutBothWays(host.name, other.name)
    await sleep(random.between(500, 12_000))
    await pair.lab.heal()
  },
  'one way': async ({ pair, random }, host, other) => {
    await pair.lab.cutOneWay(host.name, other.name)
    await sleep(random.between(500, 12_000))
    await pair.lab.heal()
  },
  'cut from everything': async ({ pair, random }, host, other) => {
    for (const name of [other.name, 'witness']) await pair.lab.cutBothWays(host.name, name)
    await sleep(random.between(500, 12_000))
    await pair.lab.heal()
  },
  'no witness': async ({ pair, random }, host) => {
    await pair.lab.cutBothWays(host.name, 'witness')
    await sleep(random.between(500, 8_000))
    await pair.lab.heal()
  },
  'the witness dies': async ({ etcd, random }) => {
    etcd.members[0]?.kill('SIGKILL')
    await sleep(random.between(500, 5_000))
    await etcd.members[0]?.start()
  },
  'lost packets': async ({ pair, random }, host, other) => {
    await pair.lab.lose(host.name, other.name, 20)
    await sleep(random.between(2_000, 10_000))
    await pair.lab.heal()
  },
  switchover: async ({ pair }, host) => {
    await pair.hactl(host, 'standby', '--timeout', '10s')
    await sleep(500)
    const { code, stderr } = await pair.hactl(host, 'online')
    if (code !== 0 && host.isUp()) throw new Error(`hactl online on ${host.name}: exit code ${code}: ${stderr}`)
  },
  stripped: async (_world, host) => {
    await host.exec(`ip address del ${ip}/32 dev eth0 2>/dev/null; true`)
  },
}

const names = Object.keys(faults)

/** A fault that hangs is a fault of this test or a find: either way its name is wanted, not a test that is out of time. */
async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come to its end within ${limitMs} ms`)), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

async function worlds(): Promise<World> {
  const pair = await newPair({
    hosts: ['alpha', 'beta', 'witness'], timing, autoFailback: 'off', groups: [`alpha ${ip}/24/eth0 counter`],
    yaml: 'witness: {etcd: {endpoints: ["http://192.0.2.3:2379"], prefix: /hactl/soak}}\nflap_guard: off\nresources: {counter: {start_timeout: 5s, stop_timeout: 5s}}\n',
  })
  installCounter([pair.alpha, pair.beta])
  const etcd = await startEtcd([onHost(pair.lab.host('witness'))])
  await pair.startBoth()
  return { pair, etcd, random: createRandom(seed), told: [] }
}

test(`${minutes} minutes of random faults: no write is taken by two holders`, async () => {
  const world = await worlds()
  const { pair, random, told } = world
  try {
    const writers = [await startWriter(pair.lab.client, 'one', ip), await startWriter(pair.lab.client, 'two', ip)]
    const endMs = Date.now() + minutes * 60_000
    while (Date.now() < endMs) {
      const name = names[random.whole(0, names.length - 1)] ?? ''
      const [host, other] = random.chance(0.5) ? [pair.alpha, pair.beta] : [pair.beta, pair.alpha]
      told.push(`${new Date().toISOString().slice(11, 23)} ${name} on ${host.name}`)
      await within(90_000, name, faults[name]?.(world, host, other) ?? Promise.resolve())
      await sleep(random.between(200, 6_000))
      const overlapMs = pair.lab.overlapMs(ip)
      if (overlapMs > 0) throw new Error(`two hosts had ${ip} for ${overlapMs} ms; SOAK_SEED=${seed}\n${told.slice(-8).join('\n')}`)
    }
    await pair.lab.heal()
    await sleep(timing.deadtimeMs * 3)
    const taken = takenBy(writers)
    console.log(`${told.length} faults, ${taken.length} writes taken, by ${new Set(taken.map(({ run }) => run)).size} runs of the service`)
    expect(overlaps(taken)).toEqual([])
    expect(takenTwice(taken)).toEqual([])
    expect(taken.length).toBeGreaterThan(minutes * 60 * 20)
    expect(await pair.lab.holders(ip)).toHaveLength(1)
  } catch (error) {
    console.error(told.join('\n'))
    for (const host of [pair.alpha, pair.beta]) console.error(`--- ${host.name}`, pair.logOf(host).split('\n').slice(-60).join('\n'))
    throw error
  } finally {
    await pair.lab.close()
  }
}, (minutes + 5) * 60_000)
