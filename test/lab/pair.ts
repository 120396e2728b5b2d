/**
 * Two hosts with hactl's real daemon, driven by the command line contract alone (design.md section 10). A test gets a lab
 * of its own; when it fails, both logs, both views and the kernel's own account of the addresses are printed.
 */
import type { MoveExplanation } from '../../src/core/explain.ts'
import type { EventRecord } from '../../src/core/records.ts'
import type { GroupReport, NodeReport, StatusReport } from '../../src/core/report.ts'
import { openLab, repository, sleep, waitFor, type Host, type Lab, type LabOptions, type Ran, type Running } from './hosts.ts'

export const ip = '192.0.2.100'
export const otherIp = '192.0.2.101'
export const keepaliveMs = 200
export const deadtimeMs = 1_500
export const initdeadMs = 3_000
/** What a busy machine may add to any step before a test calls it wrong. Figures belong to the benches. */
export const patienceMs = 8_000

export const program = [process.execPath, `${repository}/dist/hactl.js`]

export interface PairOptions extends LabOptions {
  /** Instead of the lab's own. */
  readonly timing?: { readonly keepaliveMs: number; readonly deadtimeMs: number; readonly initdeadMs: number }
  /** Lines that replace the default links of ha.cf. */
  readonly links?: readonly string[]
  readonly autoFailback?: 'on' | 'off' | 'legacy'
  /** Lines of haresources; one group with one address on alpha unless given. */
  readonly groups?: readonly string[]
  /** More lines of ha.cf. */
  readonly more?: readonly string[]
  /** The `hactl.yaml` beside the classic files. */
  readonly yaml?: string
  /** Of the daemons. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Pair {
  readonly lab: Lab
  readonly alpha: Host
  readonly beta: Host
  /** Writes the three classic files, as for every host of the pair. */
  configure(host: Host, options?: PairOptions): void
  /** Starts the daemon and returns at once. */
  start(host: Host, env?: Readonly<Record<string, string>>): Promise<Running>
  /** Both, and waits until alpha's groups are held and each node sees the other. */
  startBoth(): Promise<{ readonly alpha: Running; readonly beta: Running }>
  /** SIGTERM, and waits for the end. */
  stop(host: Host): Promise<number | null>
  daemon(host: Host): Running
  /** What its daemons have written, or that there was none. */
  logOf(host: Host): string
  hactl(host: Host, ...words: string[]): Promise<Ran>
  status(host: Host): Promise<StatusReport>
  group(host: Host, name?: string): Promise<GroupReport>
  peerOf(host: Host): Promise<NodeReport>
  why(host: Host, group?: string): Promise<MoveExplanation>
  events(host: Host): Promise<readonly EventRecord[]>
  /** Waits until the daemon answers and its status is so. */
  untilStatus(host: Host, what: string, holds: (status: StatusReport) => boolean, timeoutMs?: number): Promise<StatusReport>
  untilEvent(host: Host, code: EventRecord['code'], timeoutMs?: number): Promise<EventRecord>
  /** By the kernel: this host alone has the address. Returns when it got it. */
  untilHeldBy(host: Host | undefined, address?: string, timeoutMs?: number): Promise<number>
  /** Nobody else has it now or had it since. */
  expectHolder(host: Host, address?: string): Promise<void>
}

export function haCf(options: PairOptions, links: readonly string[]): string {
  const timing = options.timing ?? { keepaliveMs, deadtimeMs, initdeadMs }
  return `${[`keepalive ${timing.keepaliveMs}ms`, `deadtime ${timing.deadtimeMs}ms`, `warntime ${Math.round(timing.deadtimeMs / 2)}ms`,
    `initdead ${timing.initdeadMs}ms`, 'udpport 694', ...(options.links ?? links), `auto_failback ${options.autoFailback ?? 'on'}`, 'node alpha beta', ...(options.more ?? [])].join('\n')}\n`
}

export const authkeys = 'auth 1\n1 sha1 the lab has no secrets\n'

/** Both in one moment, as when the kernel ends everything of the unit: a guard that dies alone is replaced. Nobody does anything then. */
export async function killWithGuard(pair: Pair, host: Host): Promise<void> {
  await host.must('kill -KILL $(cat /var/lib/hactl/pid) $(cut -d" " -f1 /run/hactl/guard/*/pids)')
  await pair.daemon(host).ended
}

/** For a test: explains its failure, and ends with it. */
export async function openPair(options: PairOptions = {}): Promise<Pair> {
  const { onTestFinished } = await import('vitest')
  const pair = await newPair(options)
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await explainFailure(pair).catch((error: unknown) => console.error('the lab cannot explain it:', error))
    await pair.lab.close()
  })
  return pair
}

/** Both hosts configured, no daemon started. Whoever opens it closes its lab. */
export async function newPair(options: PairOptions = {}): Promise<Pair> {
  const lab = await openLab(options)
  const pair = makePair(lab, options)
  for (const host of lab.hosts) pair.configure(host)
  return pair
}

function makePair(lab: Lab, options: PairOptions): Pair {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  const daemons = new Map<string, Running>()
  const links = options.secondLink === true ? ['bcast eth0', 'bcast eth1'] : ['bcast eth0']
  const pair: Pair = {
    lab, alpha, beta,
    configure: (host, own = options) => {
      host.write('/etc/ha.d/ha.cf', haCf(own, links))
      host.write('/etc/ha.d/haresources', `${(own.groups ?? [`alpha ${ip}/24/eth0`]).join('\n')}\n`)
      host.write('/etc/ha.d/authkeys', authkeys, 0o600)
      if (own.yaml !== undefined) host.write('/etc/ha.d/hactl.yaml', own.yaml)
    },
    start: async (host, env = options.env) => {
      const running = await host.start('daemon', [...program, 'daemon', '--foreground'], env)
      daemons.set(host.name, running)
      return running
    },
    startBoth: async () => {
      const [one, other] = await Promise.all([pair.start(alpha), pair.start(beta)])
      // Held, with all of its scripts started: a service may answer before its script has seen it do so.
      const isHeld = (group: GroupReport, node: string): boolean =>
        group.holder === group.preferredNode && (group.holder === node ? group.state : group.peerState) === 'held'
      const settled = (status: StatusReport): boolean =>
        status.nodes.every((node) => node.status === 'alive') && status.groups.every((group) => isHeld(group, status.node))
      await Promise.all([alpha, beta].map((host) => pair.untilStatus(host, 'both nodes alive, each group on its preferred node', settled, 15_000)))
      return { alpha: one, beta: other }
    },
    daemon: (host) => {
      const running = daemons.get(host.name)
      if (running === undefined) throw new Error(`no daemon was started on ${host.name}`)
      return running
    },
    stop: async (host) => {
      pair.daemon(host).kill('SIGTERM')
      const ended = await Promise.race([pair.daemon(host).ended, sleep(15_000)])
      if (ended === undefined) throw new Error(`the daemon of ${host.name} has not ended 15 s after SIGTERM`)
      return ended.code
    },
    logOf: (host) => daemons.get(host.name)?.log() ?? 'no daemon was started',
    hactl: (host, ...words) => host.exec([...program, ...words], { timeoutMs: 90_000 }),
    status: async (host) => {
      const ran = await pair.hactl(host, 'status', '--json')
      if (ran.code > 1) throw new Error(`hactl status --json on ${host.name}: exit code ${ran.code}: ${ran.stderr}${ran.stdout}`)
      return JSON.parse(ran.stdout) as StatusReport
    },
    group: async (host, name = ip) => {
      const found = (await pair.status(host)).groups.find((group) => group.name === name)
      if (found === undefined) throw new Error(`${host.name} has no group ${name}`)
      return found
    },
    peerOf: async (host) => {
      const found = (await pair.status(host)).nodes.find((node) => !node.self)
      if (found === undefined) throw new Error(`${host.name} shows no peer`)
      return found
    },
    why: async (host, group) => {
      const ran = await pair.hactl(host, 'why', ...(group === undefined ? [] : [group]), '--json')
      if (ran.code !== 0) throw new Error(`hactl why on ${host.name}: exit code ${ran.code}: ${ran.stderr}`)
      return JSON.parse(ran.stdout) as MoveExplanation
    },
    events: async (host) => {
      const ran = await pair.hactl(host, 'events', '--json')
      return ran.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as EventRecord)
    },
    untilStatus: (host, what, holds, timeoutMs = patienceMs) =>
      waitFor(`${host.name}: ${what}`, async () => {
        const ran = await pair.hactl(host, 'status', '--json')
        if (ran.code > 1 || ran.stdout === '') return undefined
        const status = JSON.parse(ran.stdout) as StatusReport
        return holds(status) ? status : undefined
      }, timeoutMs, 200),
    untilEvent: (host, code, timeoutMs = patienceMs) =>
      waitFor(`the event ${code} on ${host.name}`, async () => (await pair.events(host)).findLast((record) => record.code === code), timeoutMs, 200),
    untilHeldBy: async (host, address = ip, timeoutMs = patienceMs) => {
      const want = host === undefined ? [] : [host.name]
      await waitFor(`${address} held by ${host?.name ?? 'nobody'} alone`, async () => (await lab.holders(address)).join() === want.join() || undefined, timeoutMs, 20)
      return lab.tenures(address).findLast((tenure) => tenure.host === host?.name)?.fromMs ?? Date.now()
    },
    expectHolder: async (host, address = ip) => {
      const holders = await lab.holders(address)
      const overlapMs = lab.overlapMs(address)
      if (holders.join() !== host.name) throw new Error(`${address} is held by [${holders.join()}], expected ${host.name}`)
      if (overlapMs > 0) throw new Error(`${address} had two holders for ${overlapMs.toFixed(1)} ms`)
    },
  }
  return pair
}

async function explainFailure(pair: Pair): Promise<void> {
  const lines: string[] = []
  for (const address of [ip, otherIp]) {
    for (const { host, fromMs, toMs } of pair.lab.tenures(address)) {
      lines.push(`${address} ${host}: from ${clock(fromMs)} to ${toMs === undefined ? 'now' : clock(toMs)}`)
    }
  }
  for (const host of pair.lab.hosts) {
    if (!host.isUp()) {
      lines.push(`--- ${host.name} has no power`)
      continue
    }
    const status = await pair.hactl(host, 'status')
    lines.push(`--- ${host.name}: hactl status (exit code ${status.code})`, status.stdout + status.stderr)
    lines.push(`--- ${host.name}: end of the daemon's log`, ...pair.logOf(host).split('\n').slice(-80))
  }
  console.error(lines.join('\n'))
}

function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 23)
}
