/** A daemon of which only the guard is real, and what becomes of its addresses, scripts and wills when it is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { FloatingAddress, LinkConfig, ResourceConfig } from '../../../src/core/config.ts'
import type { GuardPlan } from '../../../src/core/guard-plan.ts'
import { decodeDatagram, encodeWill } from '../../../src/protocol/datagram.ts'
import { willSequence } from '../../../src/protocol/will.ts'
import { openAddresses } from '../../../src/runtime/addresses.ts'
import { actsOf, awaitGuard, guardDirectories, openGuardDirectory, stateOfGuard } from '../../../src/runtime/guard-directory.ts'
import { openGuard, type Guard } from '../../../src/runtime/guard.ts'
import { openLinks } from '../../../src/runtime/links.ts'
import { createOperations } from '../../../src/runtime/operations.ts'
import { openState } from '../../../src/runtime/state-files.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

const port = 694
const bcast: LinkConfig = { kind: 'bcast', interface: 'eth0', port }
const mcast: LinkConfig = { kind: 'mcast', interface: 'eth0', address: '239.0.0.42', port, ttl: 1 }
const ucast: LinkConfig = { kind: 'ucast', interface: 'eth0', address: '192.0.2.2', port }
const ucast6: LinkConfig = { kind: 'ucast', interface: 'eth0', address: '2001:db8::2', port }
const keyring = { active: 1, allowCrc: false, keys: [{ index: 1, method: 'sha1' as const, key: 'secret' }] }
const state = '/run/state'
const vip: FloatingAddress = { ip: '192.0.2.100', family: 'ipv4' }
const vip6: FloatingAddress = { ip: '2001:DB8::0:100', family: 'ipv6' }

const [directory = ''] = guardDirectories(state)

function script(name: string, text: string): ResourceConfig {
  const path = `/run/scripts/${name}`
  mkdirSync('/run/scripts', { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return { script: path, args: [], warm: false, startTimeoutMs: 5_000, stopTimeoutMs: 5_000 }
}

interface Setup {
  readonly plan: GuardPlan
  readonly links?: readonly LinkConfig[]
  /** Added before the plan, in any shape. */
  readonly add?: string
  readonly peer?: 'ours' | 'classic'
  readonly environment?: Readonly<Record<string, string>>
  /** Started by the daemon before it dies. */
  readonly operation?: ResourceConfig
}

/** The daemon: everything but a core. It says `ready`, and then does what its standard input says. */
async function daemon(): Promise<void> {
  const setup = JSON.parse(process.argv[3] ?? '{}') as Setup
  const place = openGuardDirectory(state, '/run/hactl/output/running')
  const ignore = (): void => undefined
  const later: { guard?: Guard } = {}
  const addresses = await openAddresses({ onStripped: ignore, onLinkUp: ignore, onRestarted: ignore, onProgram: place.program })
  const links = await openLinks(setup.links ?? [bcast], { onPacket: ignore, onChange: ignore, onOutlets: () => later.guard?.relink() })
  const operations = createOperations({ nodeName: 'node1', peerName: 'node2', environment: setup.environment ?? {}, stateDirectory: state, onNotice: ignore })
  let method: 'sha1' | 'sha256' = 'sha1'
  const guard = await openGuard({
    directory: place,
    outlets: () => links.outlets(),
    sign(will, bytes) {
      const sequence = willSequence(will.says, will.says === 'daemon-dead' ? 0 : setup.plan.groups.findIndex(({ name }) => name === will.group)) ?? 0
      const packet = { id: { generation: 7, sequence }, from: 'node1', kind: 'will', nodeStatus: 'dead', deadtimeMs: 1_000, will } as const
      const signed = encodeWill(packet, { keyring, method, uuid: new Uint8Array(16), wallMs: 1e12 }, bytes)
      return setup.peer !== 'classic' && signed.result === 'encoded' ? signed.bytes : undefined
    },
    removals: (floating) => addresses.removals(floating),
    stopCall: (group, resource) => operations.stopCall(group, resource),
    onNotice: (code, message) => process.stdout.write(`notice ${code} ${message}\n`),
  })
  later.guard = guard
  guard.plan(setup.plan)
  const outcome = await addresses.add(setup.plan.groups.flatMap((group) => group.addresses).filter(({ ip }) => ip !== '192.0.2.199'))
  if (outcome.result !== 'ok') throw new Error(JSON.stringify(outcome))
  if (setup.operation !== undefined) void operations.run({ operationId: 1, group: 'web', resource: setup.operation, action: 'start', timeoutMs: 9_000 })
  process.stdin.on('data', (data: Buffer) => {
    const word = data.toString().trim()
    if (word === 'close') void guard.close().then(() => process.exit(0))
    if (word === 'sha256') {
      method = 'sha256'
      guard.resign()
    }
  })
  process.stdout.write(`ready ${readFileSync(`${directory}/pids`, 'utf8').split(' ')[0]}\n`)
}

async function receiver(): Promise<void> {
  const here = [bcast, mcast, { ...ucast, address: '192.0.2.1' }, { ...ucast6, address: '2001:db8::1' }]
  await openLinks(here, {
    onPacket(link, bytes) {
      const decoded = decodeDatagram(bytes, keyring)
      const what = decoded.result === 'packet' ? { ...decoded.packet.will, sequence: decoded.packet.id.sequence, method: decoded.method } : { bad: decoded.result }
      process.stdout.write(`${JSON.stringify({ atMs: performance.timeOrigin + performance.now(), link: link.split(' ')[0], bytes: bytes.length, ...what })}\n`)
    },
    onChange: () => undefined,
  })
  process.stdout.write('ready\n')
  await sleep(20_000)
}

interface Heard { readonly atMs: number; readonly link: string; readonly bytes: number; readonly says?: string; readonly group?: string; readonly method?: string; readonly bad?: string }

interface Scene {
  readonly child: ChildProcess
  readonly guardPid: number
  readonly output: () => string
  readonly heard: () => readonly Heard[]
  kill(): Promise<number>
  end(): void
  /** `daemon-dead`, `addresses-gone web`: how often, over all links. */
  wills(): Readonly<Record<string, number>>
}

async function lines(child: ChildProcess, onLine: (line: string) => void): Promise<void> {
  let rest = ''
  await new Promise<void>((resolve) => child.stdout?.on('data', (data: Buffer) => {
    const all = (rest + data.toString()).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) {
      onLine(line)
      if (line.startsWith('ready')) resolve()
    }
  }))
}

async function stage(setup: Setup, env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  mkdirSync(state, { recursive: true, mode: 0o700 })
  if (setup.add !== undefined) sh(setup.add)
  // Keepalives would have found the neighbour long before.
  const mac = /ether (\S+)/.exec(sh('ip -n beta link show eth0'))?.[1] ?? ''
  sh(`ip neigh replace 2001:db8::2 lladdr ${mac} dev eth0; ip neigh replace 192.0.2.2 lladdr ${mac} dev eth0`)
  const heard: Heard[] = []
  const ears = spawn('nsenter', ['--net=/run/netns/beta', process.execPath, process.argv[1] ?? '', 'receiver'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await lines(ears, (line) => { if (line.startsWith('{')) heard.push(JSON.parse(line) as Heard) })
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'daemon', JSON.stringify(setup)], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  let guardPid = 0
  child.stderr?.on('data', (data: Buffer) => { output += data.toString() })
  await Promise.race([
    lines(child, (line) => {
      output += `${line}\n`
      if (line.startsWith('ready')) guardPid = Number(line.split(' ')[1])
    }),
    new Promise((_resolve, reject) => child.once('exit', () => reject(new Error(`the daemon ended: ${output}`)))),
  ])
  return {
    child, guardPid, output: () => output, heard: () => heard, end: () => void ears.kill('SIGKILL'),
    async kill() {
      const atMs = performance.timeOrigin + performance.now()
      child.kill('SIGKILL')
      await until(() => child.exitCode !== null || child.signalCode !== null)
      return atMs
    },
    wills() {
      const counts: Record<string, number> = {}
      for (const { says = 'unreadable', group } of heard) {
        const key = [says, ...(group === undefined ? [] : [group])].join(' ')
        counts[key] = (counts[key] ?? 0) + 1
      }
      return counts
    },
  }
}

function standing(): readonly string[] {
  return [...sh('ip -o addr show').matchAll(/inet6? (\S+)/g)].map((found) => found[1] ?? '').filter((one) => /\.1\d\d\/|::1\d\d\//.test(one))
}

/** After the guard has ended; what it did, and what it left. */
async function outcomeOf(scene: Scene): Promise<Record<string, unknown>> {
  const trouble = await awaitGuard(directory)
  await sleep(50)
  return { standing: standing(), wills: scene.wills(), acts: actsOf(directory).map(({ message }) => message), trouble, output: scene.output(), state: stateOfGuard(directory), bad: scene.heard().filter(({ bad }) => bad !== undefined) }
}

function commandLines(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()]
    } catch {
      return [] // It has ended.
    }
  })
}

const web = (addresses: readonly FloatingAddress[], stops: readonly ResourceConfig[] = []): GuardPlan =>
  ({ asleep: false, groups: [{ name: 'web', addresses, stops, wills: ['addresses-gone', 'stopped'] }] })

await runDriver({
  daemon: () => daemon().then(() => sleep(20_000)),
  receiver,
  // Two groups, both families, every kind of link; the second group has no address here.
  async 'all-links'() {
    const plan: GuardPlan = { asleep: false, groups: [...web([vip, vip6]).groups, { name: 'a group, 100 % odd', addresses: [], stops: [], wills: ['addresses-gone'] }] }
    const scene = await stage({ plan, links: [bcast, mcast, ucast, ucast6] })
    const before = standing()
    await scene.kill()
    return { before, ...await outcomeOf(scene), links: [...new Set(scene.heard().map(({ link }) => link))].sort(), bytes: [...new Set(scene.heard().map(({ bytes }) => bytes))],
      sequences: new Set(scene.heard().map((one) => JSON.stringify(one).replace(/.*"sequence":(\d+).*/, '$1'))).size }
  },
  // Another prefix length, another interface, and both at once: each copy answers, so each has to go.
  async copies() {
    const scene = await stage({ plan: web([vip]) })
    sh('ip link add dummy0 type veth peer name dummy1; ip link set dummy0 up; ip addr add 192.0.2.100/25 dev dummy0; ip addr add 192.0.2.100/24 dev eth0')
    const before = standing()
    await scene.kill()
    return { before, ...await outcomeOf(scene) }
  },
  async asleep() {
    const scene = await stage({ plan: { ...web([]), asleep: true }, add: 'ip addr add 192.0.2.100/32 dev eth0' })
    await scene.kill()
    return { ...await outcomeOf(scene), output: scene.output() }
  },
  // The plan could not be written, or the daemon died before it had one.
  async 'no-plan'() {
    const scene = await stage({ plan: web([vip]) })
    rmSync(`${directory}/current`)
    await scene.kill()
    return outcomeOf(scene)
  },
  async closed() {
    const scene = await stage({ plan: web([vip]) })
    const ended = new Promise((resolve) => scene.child.once('exit', resolve))
    scene.child.stdin?.write('close\n')
    await ended
    return { ...await outcomeOf(scene), left: existsSync(directory) }
  },
  async classic() {
    const scene = await stage({ plan: web([vip]), peer: 'classic' })
    await scene.kill()
    return outcomeOf(scene)
  },
  // `ip` does what the daemon asks, and nothing for the guard.
  async 'ip-fails'() {
    mkdirSync('/run/bin')
    const ip = sh('command -v ip').trim()
    writeFileSync('/run/bin/ip', `#!/bin/sh\nif [ -e /run/broken ]; then echo 'RTNETLINK answers: Operation not permitted' >&2; exit 1; fi\nexec ${ip} "$@"\n`)
    chmodSync('/run/bin/ip', 0o755)
    const scene = await stage({ plan: web([vip], [script('service', 'exit 0')]) }, { PATH: `/run/bin:${process.env['PATH'] ?? ''}` })
    writeFileSync('/run/broken', '')
    await scene.kill()
    return outcomeOf(scene)
  },
  // The kernel refuses nothing, but one address comes back: the other group is told all the same.
  async 'one-stays'() {
    mkdirSync('/run/bin')
    const ip = sh('command -v ip').trim()
    writeFileSync('/run/bin/ip', `#!/bin/sh\n[ -e /run/broken ] || exec ${ip} "$@"\n${ip} addr add 192.0.2.101/32 dev eth0 2>/dev/null\ngrep -v 192.0.2.101 "$4" > /run/rest\nexec ${ip} -force -o -batch /run/rest\n`)
    chmodSync('/run/bin/ip', 0o755)
    const plan: GuardPlan = { asleep: false, groups: [...web([vip]).groups, { name: 'db', addresses: [{ ip: '192.0.2.101', family: 'ipv4' }], stops: [], wills: ['addresses-gone', 'stopped'] }] }
    const scene = await stage({ plan }, { PATH: `/run/bin:${process.env['PATH'] ?? ''}` })
    writeFileSync('/run/broken', '')
    await scene.kill()
    return outcomeOf(scene)
  },
  async 'guard-killed'() {
    const scene = await stage({ plan: web([vip]) })
    await sleep(1_100)
    process.kill(scene.guardPid, 'SIGKILL')
    const told = await until(() => scene.output().includes('notice guard-restarted'))
    const pids = (): string => readFileSync(`${directory}/pids`, 'utf8').split(' ')[0] ?? ''
    const other = await until(() => pids() !== '' && pids() !== String(scene.guardPid))
    await scene.kill()
    return { told, other, ...await outcomeOf(scene) }
  },
  // Signals that end other programs are none of its business: only the end of the daemon is.
  async 'guard-signalled'() {
    const scene = await stage({ plan: web([vip]) })
    // What comes before it has said that it ignores them ends it, as any process.
    await until(() => !/^SigIgn:\s+0+$/m.test(readFileSync(`/proc/${scene.guardPid}/status`, 'utf8')))
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGPIPE'] as const) process.kill(scene.guardPid, signal)
    await sleep(100)
    const before = standing()
    await scene.kill()
    return { before, ...await outcomeOf(scene) }
  },
  async stops() {
    const order = script('order', 'echo "$0 $* $A $(cat /proc/$$/oom_score_adj)" >> /run/order; env > /run/env.$(basename "$0"); pwd >> /run/order')
    const second = script('second=2', 'echo "$0 $*" >> /run/order; sleep 0.2')
    const hostile = { ...order, args: ['two words', '$(touch /run/hacked)', '`touch /run/hacked`', '"', "'", '\\n \\', ' ', '', '*', 'ЁЂ€漢', ';touch /run/hacked'], parameters: { A: 'x; touch /run/hacked "$(id)" \\', limit: '9', PATH: '/usr/bin:/bin' } }
    const scene = await stage({ plan: web([vip], [hostile, second]), environment: { odd: "it's \"$HOME\"" } })
    await scene.kill()
    const outcome = await outcomeOf(scene)
    return { ...outcome, hacked: existsSync('/run/hacked'), order: readFileSync('/run/order', 'utf8'), env: readFileSync('/run/env.order', 'utf8') }
  },
  // Whoever lists the processes of this host while a script stops; HACTL_BASH: with a /bin/sh that is bash.
  async secrets() {
    if (process.env['HACTL_BASH'] !== undefined) sh('mount --bind "$(command -v bash)" /bin/sh')
    const service = { ...script('service', "tr '\\0' '\\n' < /proc/$$/environ > /run/env.service; sleep 0.5"), parameters: { password: 'open sesame', limit: '9' } }
    const scene = await stage({ plan: web([], [service]) })
    // The daemon of this test has its whole plan among its words.
    await scene.kill()
    const seen = new Set<string>()
    await until(() => {
      for (const line of commandLines()) seen.add(line)
      return existsSync(`${directory}/done`)
    })
    const outcome = await outcomeOf(scene)
    return { ...outcome, seen: [...seen].filter((line) => line.includes('service') || line.includes('sesame')), env: readFileSync('/run/env.service', 'utf8') }
  },
  async 'stop-fails'() {
    const plan: GuardPlan = { asleep: false, groups: [
      ...web([vip], [script('bad', 'echo "cannot: $(date)"; exit 3'), script('never', 'touch /run/never')]).groups,
      { name: 'slow one', addresses: [], stops: [{ ...script('slow', 'trap "" TERM; while :; do sleep 1; done'), stopTimeoutMs: 300 }], wills: ['stopped'] },
      { name: 'lines', addresses: [], stops: [{ ...script('lines', ''), args: ['one\ntwo'] }], wills: ['stopped'] },
      { name: 'odd', addresses: [], stops: [{ ...script('odd', ''), parameters: { '-u': 'PATH' } }], wills: ['stopped'] },
      { name: 'gone', addresses: [], stops: [{ ...script('gone', ''), script: 'no-such-script' }], wills: ['stopped'] },
      { name: 'good', addresses: [], stops: [script('good', 'exit 0')], wills: ['stopped'] },
    ] }
    const scene = await stage({ plan })
    await scene.kill()
    const outcome = await outcomeOf(scene)
    const files = await openState(state)
    const merged = await files.mergeUnclean()
    await files.close()
    const again = await openState(state)
    return { ...outcome, never: existsSync('/run/never'), unclean: merged?.groups.filter((group) => group.unclean).map(({ name }) => name).sort(), again: again.persistent, left: existsSync(`${state}/unclean-by-guard`) }
  },
  // A start under way, and an address program with an add in its pipe.
  async operations() {
    const scene = await stage({ plan: web([vip]), operation: script('start', 'echo $$ > /run/start.pid; sleep 15; touch /run/started') })
    await until(() => existsSync('/run/start.pid') && readFileSync('/run/start.pid', 'utf8') !== '')
    const pid = Number(readFileSync('/run/start.pid', 'utf8'))
    const programs = readdirSync(`${directory}/programs`).map((name) => Number(name.split('.')[0]))
    await scene.kill()
    const outcome = await outcomeOf(scene)
    return { ...outcome, programs: programs.length, left: [pid, ...programs].filter((one) => existsSync(`/proc/${one}/exe`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${one}/status`, 'utf8'))) }
  },
  // The moment between the start of a script and the note of its number.
  async 'unknown-operation'() {
    const scene = await stage({ plan: web([vip], [script('service', 'exit 0')]) })
    const settings = readFileSync(`${directory}/settings`, 'utf8').split('\n')[0] ?? ''
    writeFileSync(`/run/hactl/output/running/begin-${settings.replace(' ', '-')}-99`, '')
    await scene.kill()
    return { ...await outcomeOf(scene), unclean: readFileSync(`${state}/unclean-by-guard`, 'utf8') }
  },
  async resigned() {
    const scene = await stage({ plan: web([vip]) })
    scene.child.stdin?.write('sha256\n')
    await sleep(200)
    await scene.kill()
    return { ...await outcomeOf(scene), methods: [...new Set(scene.heard().map(({ method }) => method))] }
  },
  // The interface is made anew: a socket that was bound to the old one would send into nothing.
  async relinked() {
    const scene = await stage({ plan: web([vip]) })
    sh(`ip link del eth0; ip link add eth0 type veth peer name eth0 netns beta; ip addr add 192.0.2.1/24 brd + dev eth0; ip link set eth0 up
      ip -n beta addr add 192.0.2.2/24 brd + dev eth0; ip -n beta link set eth0 up`)
    const other = await until(() => (readFileSync(`${directory}/pids`, 'utf8').split(' ')[0] ?? '') !== String(scene.guardPid))
    await sleep(500)
    await scene.kill()
    return { other, ...await outcomeOf(scene) }
  },
  async measure() {
    const gone: number[] = []
    const told: number[] = []
    let rss = ''
    const monitor = spawn('ip', ['-ts', '-o', 'monitor', 'address'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TZ: 'UTC' } })
    let events = ''
    monitor.stdout.on('data', (data: Buffer) => { events += data.toString() })
    for (let run = 0; run < Number(process.env['RUNS'] ?? 20); run += 1) {
      const scene = await stage({ plan: web([vip]) })
      rss = /VmRSS:\s+(\d+ kB)/.exec(readFileSync(`/proc/${scene.guardPid}/status`, 'utf8'))?.[1] ?? ''
      await sleep(300)
      const atMs = await scene.kill()
      await until(() => scene.wills()['addresses-gone web'] !== undefined)
      const deleted = [...events.matchAll(/\[(\S+)\] ?Deleted \d+: eth0\s+inet 192\.0\.2\.100/g)].at(-1)?.[1] ?? ''
      gone.push(Date.parse(`${deleted.slice(0, 19)}Z`) + Number(`0.${deleted.slice(20)}`) * 1_000 - atMs)
      told.push((scene.heard().find(({ says }) => says === 'addresses-gone')?.atMs ?? NaN) - atMs)
      await awaitGuard(directory)
      scene.end()
      await sleep(50)
    }
    const median = (all: number[]): string => {
      const sorted = [...all].sort((a, b) => a - b)
      return `${(sorted[Math.floor(sorted.length / 2)] ?? NaN).toFixed(2)} (${(sorted[0] ?? NaN).toFixed(2)} to ${(sorted.at(-1) ?? NaN).toFixed(2)}) ms`
    }
    return { gone: median(gone), told: median(told), rss }
  },
})
