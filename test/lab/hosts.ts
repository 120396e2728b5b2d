/**
 * Hosts on one machine, for tests, the demo and the benches: a bridge, two hosts and a client in namespaces inside one
 * sandbox. A host has its own network, name, processes, mounts, /run, /tmp, /etc and /var; its disk outlives its power.
 * Nothing outside the sandbox is touched, and all of it vanishes with this process, however that ends.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { answerWords } from './programs.ts'
import { startProbe, type Probe } from './probe.ts'
import { anchor, childrenOf, cleanEnvironment, enterWords, must, pidSeenFrom, run, sleep, waitFor } from './sandbox.ts'
import type { Anchor, Namespaces, Ran, RunOptions } from './sandbox.ts'
import { bootScript, switchScript } from './scripts.ts'
import { overlapMs, parseAddressEvent, tenuresOf, unheldMs, type AddressEvent, type Tenure } from './truth.ts'

export { sleep, waitFor } from './sandbox.ts'
export type { Ran, RunOptions } from './sandbox.ts'
export type { Probe } from './probe.ts'
export type { Tenure } from './truth.ts'

export interface LabOptions {
  /** The hosts besides the client; `['alpha', 'beta']` unless given. */
  readonly hosts?: readonly string[]
  /** Every host also gets eth1 on a second bridge. */
  readonly secondLink?: boolean
  /** Host answers the probe's questions (a small Node program each); true unless given. */
  readonly answering?: boolean
}

/** A program started in a host. `pid` is as this process sees it, so `process.kill` works on it. */
export interface Running {
  readonly pid: number
  readonly logPath: string
  log(): string
  kill(signal?: NodeJS.Signals): void
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  isRunning(): boolean
}

export interface Host {
  readonly name: string
  /** On eth0 and, with a second link, on eth1. */
  readonly address: string
  readonly address6: string
  readonly secondAddress: string
  isUp(): boolean
  exec(command: readonly string[] | string, options?: RunOptions): Promise<Ran>
  /** Throws when the command fails; its standard output otherwise. */
  must(command: readonly string[] | string, options?: RunOptions): Promise<string>
  /** Output goes to a log file of the lab; the program is known there by `logName`. */
  start(logName: string, command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Running>
  /** A file of the running host, as this process can open it. */
  path(inside: string): string
  read(inside: string): string
  write(inside: string, text: string, mode?: number): void
  /** Pulls the cables first, as a dead machine sends no last packets, then ends everything that ran there. */
  powerOff(): Promise<void>
  /** /etc and /var are as they were; /run and /tmp are empty; no cable is pulled. */
  powerOn(): Promise<void>
  /** The kernel's answer, now. */
  addresses(): Promise<readonly string[]>
}

export interface Lab {
  readonly dir: string
  readonly hosts: readonly Host[]
  readonly client: Host
  host(name: string): Host
  /** The cable between the bridge and the host's eth0 (link 0) or eth1 (link 1). */
  cable(host: string, state: 'up' | 'down', link?: 0 | 1): Promise<void>
  /** What `from` sends no longer reaches `to`, on this link or on all. */
  cutOneWay(from: string, to: string, link?: 0 | 1): Promise<void>
  cutBothWays(one: string, other: string, link?: 0 | 1): Promise<void>
  /** This share of the packets between the two is lost, in both directions. */
  lose(one: string, other: string, percent: number): Promise<void>
  /** No cuts, no losses. */
  heal(): Promise<void>
  /** The hosts that have the address now, by the kernel's answer; what `tenures` tells has caught up with it. */
  holders(ip: string): Promise<readonly string[]>
  /** Who had it when, since the lab began. */
  tenures(ip: string): readonly Tenure[]
  overlapMs(ip: string, fromMs?: number, toMs?: number): number
  unheldMs(ip: string, fromMs: number, toMs: number): number
  /** From the client. Asks until stopped. */
  probe(ip: string, everyMs?: number): Promise<Probe>
  /** Runs in the network of the bridges. */
  inSwitch(command: readonly string[] | string, options?: RunOptions): Promise<Ran>
  close(): Promise<void>
}

interface Cut { readonly from: string; readonly to: string; readonly link: 0 | 1; readonly percent: number }

interface Shared {
  readonly base: Anchor
  readonly dir: string
  readonly links: readonly (0 | 1)[]
  readonly answering: boolean
  readonly nsids: Map<number, string>
  readonly events: AddressEvent[]
  readonly up: Map<string, Anchor>
}

/** The nearest directory above with a package.json: this text may run from a bundle, too. */
function repositoryAbove(dir: string): string {
  if (existsSync(`${dir}/package.json`) || dir === '/') return dir
  return repositoryAbove(dirname(dir))
}

export const repository = repositoryAbove(import.meta.dirname)

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const mountPoint = ['/srv', '/media', '/mnt', '/opt'].find((dir) => existsSync(dir) && !repository.startsWith(`${dir}/`)) ?? '/srv'
  const links: readonly (0 | 1)[] = options.secondLink === true ? [0, 1] : [0]
  const base = await anchor(undefined, ['--mount-proc'], switchScript(mountPoint, repository, links), [])
  const shared: Shared = {
    base, links, dir: `/proc/${base.inside.pid}/root${mountPoint}`, answering: options.answering ?? true, nsids: new Map(), events: [], up: new Map(),
  }
  const monitor = await startMonitor(shared)
  const names = options.hosts ?? ['alpha', 'beta']
  const hosts = names.map((name, index) => makeHost(shared, mountPoint, name, index + 1))
  const client = makeHost({ ...shared, answering: false }, mountPoint, 'client', 9)
  await Promise.all([...hosts, client].map((host) => host.powerOn()))
  return makeLab(shared, hosts, client, monitor)
}

/** One socket in the switch's namespace for the addresses of all hosts, so that the order of what it tells is certain. */
export async function startMonitor(shared: Pick<Shared, 'base' | 'nsids' | 'events'>): Promise<ChildProcess> {
  const [program = '', ...args] = enterWords(shared.base.inside, ['ip', '-ts', '-o', 'monitor', 'all-nsid', 'address'])
  const monitor = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...cleanEnvironment(), TZ: 'UTC' } })
  let rest = ''
  monitor.stdout.on('data', (part: Buffer) => {
    const lines = (rest + part.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = parseAddressEvent(line, (nsid) => shared.nsids.get(nsid))
      if (event !== undefined) shared.events.push(event)
    }
  })
  await waitFor('the monitor of addresses', () => {
    const pid = childrenOf(monitor.pid ?? 0)[0]
    return pid !== undefined && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'ip\n' ? pid : undefined
  })
  return monitor
}

function bash(command: readonly string[] | string): readonly string[] {
  return typeof command === 'string' ? ['bash', '--norc', '-c', command] : command
}

function makeHost(shared: Shared, mountPoint: string, name: string, number: number): Host {
  const inside = (): Namespaces => {
    const machine = shared.up.get(name)
    if (machine === undefined) throw new Error(`${name} has no power`)
    return machine.inside
  }
  const root = (): string => `/proc/${inside().pid}/root`
  const onSwitch = (command: string): Promise<string> => must(enterWords(shared.base.inside, ['bash', '--norc', '-c', command]))
  const host: Host = {
    name, address: `192.0.2.${number}`, address6: `2001:db8:1::${number}`, secondAddress: `198.51.100.${number}`,
    isUp: () => shared.up.has(name),
    exec: (command, options) => run(enterWords(inside(), bash(command)), options),
    must: (command, options) => must(enterWords(inside(), bash(command)), options),
    start: (logName, command, env) => startIn(inside(), `${shared.dir}/logs/${name}-${logName}.log`, command, env),
    path: (file) => `${root()}${file}`,
    read: (file) => readFileSync(`${root()}${file}`, 'utf8'),
    write: (file, text, mode = 0o644) => {
      mkdirSync(dirname(`${root()}${file}`), { recursive: true })
      writeFileSync(`${root()}${file}`, text, { mode })
    },
    powerOff: async () => {
      const machine = shared.up.get(name)
      if (machine === undefined) return
      await onSwitch(shared.links.map((link) => `ip link set ${name}${link} down`).join('; '))
      const atMs = Date.now()
      shared.up.delete(name)
      await machine.kill()
      await onSwitch(`ip netns del ${name}`)
      for (const ip of new Set(shared.events.map((event) => event.ip))) shared.events.push({ atMs, host: name, what: 'removed', ip })
    },
    powerOn: async () => {
      if (shared.up.has(name)) throw new Error(`${name} has power already`)
      const machine = await anchor(shared.base.inside, ['--uts', '--ipc', '--mount-proc'], bootScript, [mountPoint, name, repository])
      const nsid = Math.max(0, ...shared.nsids.keys()) + 1
      shared.nsids.set(nsid, name)
      await onSwitch(wireScript(name, number, pidSeenFrom(machine.inside.pid, 1), nsid, shared.links))
      shared.up.set(name, machine)
      if (shared.answering) {
        const answering = await host.start('answer', answerWords(name))
        await waitFor(`${name} answers the probe`, () => answering.log().includes('ready') || undefined)
      }
    },
    addresses: async () => {
      // Asked from the switch: the answer does not depend on what the host has left to run.
      const out = await onSwitch(`ip -n ${name} -j address`)
      const all = JSON.parse(out) as readonly { readonly addr_info?: readonly { readonly local?: string }[] }[]
      return all.flatMap((one) => one.addr_info ?? []).flatMap((info) => info.local ?? [])
    },
  }
  return host
}

/** Runs in the switch (the old cable may outlive a machine that was switched off by a moment): a cable from each bridge to the new machine, its addresses, and a name for its network. */
function wireScript(name: string, number: number, pid: number, nsid: number, links: readonly (0 | 1)[]): string {
  const cables = links.map((link) => `ip link del ${name}${link} 2>/dev/null || true
ip link add ${name}${link} type veth peer name eth${link} netns ${name}
ip link set ${name}${link} master bridge${link} up
ip -n ${name} address add ${link === 0 ? '192.0.2' : '198.51.100'}.${number}/24 broadcast + dev eth${link}
ip -n ${name} address add 2001:db8:${link + 1}::${number}/64 dev eth${link} nodad
ip -n ${name} link set eth${link} up`)
  return `set -e\nip netns attach ${name} ${pid}\nip netns set ${name} ${nsid}\nip -n ${name} link set lo up\n${cables.join('\n')}`
}

async function startIn(inside: Namespaces, logPath: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const log = openSync(logPath, 'a')
  const [program = '', ...args] = enterWords(inside, ['setsid', ...command])
  const child = spawn(program, args, { stdio: ['ignore', log, log], env: cleanEnvironment(env) })
  closeSync(log)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }))
  })
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const pid = await waitFor(`the start of ${command.join(' ')}`, () => childrenOf(child.pid ?? 0)[0] ?? (isRunning() ? undefined : 0), 10_000, 2)
  return {
    pid, logPath, ended, isRunning,
    log: () => readFileSync(logPath, 'utf8'),
    kill: (signal = 'SIGTERM') => {
      if (pid === 0 || !isRunning()) return
      process.kill(pid, signal)
      // nsenter stops itself together with the program that it waits for, and would never tell of its end.
      if (signal === 'SIGCONT') child.kill(signal)
    },
  }
}

function makeLab(shared: Shared, hosts: readonly Host[], client: Host, monitor: ChildProcess): Lab {
  const cuts: Cut[] = []
  const inSwitch = (command: readonly string[] | string, options?: RunOptions): Promise<Ran> =>
    run(enterWords(shared.base.inside, bash(command)), options)
  const applyCuts = async (): Promise<void> => {
    const rules = cuts.map(({ from, to, link, percent }) =>
      `iifname "${from}${link}" oifname "${to}${link}" ${percent >= 100 ? '' : `numgen random mod 100 < ${percent} `}drop`)
    const table = 'table bridge lab {}\ndelete table bridge lab\n'
    const chain = rules.length === 0 ? '' : `table bridge lab {\nchain cuts {\ntype filter hook forward priority 0;\n${rules.join('\n')}\n}\n}\n`
    await must(enterWords(shared.base.inside, ['nft', '-f', '-']), { input: table + chain })
  }
  const cut = async (from: string, to: string, both: boolean, link: 0 | 1 | undefined, percent: number): Promise<void> => {
    for (const one of link === undefined ? shared.links : [link]) {
      cuts.push({ from, to, link: one, percent })
      if (both) cuts.push({ from: to, to: from, link: one, percent })
    }
    await applyCuts()
  }
  const probes: Probe[] = []
  return {
    dir: shared.dir, hosts, client, inSwitch,
    host: (name) => {
      const found = [...hosts, client].find((host) => host.name === name)
      if (found === undefined) throw new Error(`the lab has no host ${name}`)
      return found
    },
    cable: async (host, state, link = 0) => {
      await must(enterWords(shared.base.inside, ['ip', 'link', 'set', `${host}${link}`, state]))
    },
    cutOneWay: (from, to, link) => cut(from, to, false, link, 100),
    cutBothWays: (one, other, link) => cut(one, other, true, link, 100),
    lose: (one, other, percent) => cut(one, other, true, undefined, percent),
    heal: () => {
      cuts.length = 0
      return applyCuts()
    },
    holders: async (ip) => {
      // The monitor reads the kernel's events a moment later than the question is answered.
      let found: readonly string[] = []
      for (let tries = 0; tries < 20; tries += 1) {
        const each = await Promise.all(hosts.filter((host) => host.isUp()).map(async (host) => ((await host.addresses()).includes(ip) ? [host.name] : [])))
        found = each.flat()
        const told = new Set(tenuresOf(shared.events, ip).filter((tenure) => tenure.toMs === undefined).map((tenure) => tenure.host))
        if (told.size === found.length && found.every((name) => told.has(name))) break
        await sleep(5)
      }
      return found
    },
    tenures: (ip) => tenuresOf(shared.events, ip),
    overlapMs: (ip, fromMs = 0, toMs = Date.now()) => overlapMs(tenuresOf(shared.events, ip), fromMs, toMs),
    unheldMs: (ip, fromMs, toMs) => unheldMs(tenuresOf(shared.events, ip), fromMs, toMs),
    probe: async (ip, everyMs = 2) => {
      const probe = await startProbe((words) => client.start(`probe-${probes.length}`, words), ip, everyMs)
      probes.push(probe)
      return probe
    },
    close: async () => {
      shared.up.clear()
      monitor.kill('SIGKILL')
      await shared.base.kill()
    },
  }
}
