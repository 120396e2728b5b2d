/** Two hosts on which hactl is installed as README section 2 says: the packed program, the unit, three files, `systemctl enable --now`. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { EventRecord } from '../../src/core/records.ts'
import type { StatusReport } from '../../src/core/report.ts'
import { repository } from '../lab/hosts.ts'
import type { Ran } from '../lab/hosts.ts'
import { openMachines, waitFor, type Machine, type Machines } from './machines.ts'

export const ip = '192.0.2.100'
export const deadtimeMs = 1_000
/** What a busy machine may add to any step. */
export const patienceMs = 15_000

export interface SoakOptions {
  /** Lines of haresources. */
  readonly groups?: readonly string[]
  /** The `hactl.yaml` beside the classic files. */
  readonly yaml?: string
  /** Before `systemctl enable --now`. */
  readonly prepare?: (machine: Machine) => Promise<void>
}

export interface SoakPair {
  readonly machines: Machines
  readonly alpha: Machine
  readonly beta: Machine
  hactl(machine: Machine, ...words: string[]): Promise<Ran>
  status(machine: Machine): Promise<StatusReport>
  events(machine: Machine): Promise<readonly EventRecord[]>
  untilHealthy(): Promise<void>
  /** By the kernel: this host alone. Returns when it got the address. */
  untilHeldBy(machine: Machine, timeoutMs?: number): Promise<number>
  /** A property of a unit; hactl unless named. */
  property(machine: Machine, name: string, unit?: string): Promise<string>
  journal(machine: Machine): Promise<string>
}

/** Where `npm install -g` puts things, made once for all tests of a run: the hosts have no registry to install from. */
export function packAndInstall(): string {
  const work = mkdtempSync(join(tmpdir(), 'hactl-soak-'))
  const npm = (...words: string[]): void => {
    execFileSync('npm', [...words, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  // Built by run.sh; the script that packing runs would rewrite the program under others who use it.
  npm('pack', '--ignore-scripts', '--pack-destination', work)
  const { version } = JSON.parse(readFileSync(`${repository}/package.json`, 'utf8')) as { readonly version: string }
  npm('install', '--global', '--prefer-offline', '--prefix', `${work}/usr`, `${work}/hactl-${version}.tgz`)
  return work
}

export function removePacked(work: string): void {
  rmSync(work, { recursive: true, force: true })
}

const haCf = `keepalive 200ms
deadtime ${deadtimeMs / 1_000}
warntime 500ms
initdead 10
bcast host0
auto_failback on
node alpha beta
`

function install(machine: Machine, packed: string, options: SoakOptions): void {
  const modules = `${machine.disk}/usr/lib/node_modules`
  cpSync(`${packed}/usr/lib/node_modules/hactl`, `${modules}/hactl`, { recursive: true, verbatimSymlinks: true })
  symlinkSync('../lib/node_modules/hactl/dist/hactl.js', `${machine.disk}/usr/bin/hactl`)
  cpSync(`${modules}/hactl/systemd/hactl.service`, `${machine.disk}/etc/systemd/system/hactl.service`)
  machine.write('/etc/ha.d/ha.cf', haCf)
  machine.write('/etc/ha.d/haresources', `${(options.groups ?? [`alpha ${ip}/24/host0`]).join('\n')}\n`)
  if (options.yaml !== undefined) machine.write('/etc/ha.d/hactl.yaml', options.yaml)
}

/** For a test: both hosts up, hactl running and healthy; explains its failure and ends with it. */
export async function openSoakPair(packed: string, options: SoakOptions = {}): Promise<SoakPair> {
  const image = process.env['HACTL_IMAGE'] ?? ''
  if (!existsSync(`${image}/etc/hactl-soak-image`)) throw new Error(`HACTL_IMAGE=${image} is no image of a host: type bash test/soak/run.sh`)
  const machines = await openMachines(image, ['alpha', 'beta'])
  const pair = makePair(machines)
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await explainFailure(pair).catch((error: unknown) => console.error('no explanation:', error))
    await machines.close()
  })
  const both = [pair.alpha, pair.beta]
  await Promise.all(both.map((machine) => machine.powerOn()))
  for (const machine of both) install(machine, packed, options)
  await pair.alpha.must('hactl keys new -o /etc/ha.d/authkeys')
  pair.beta.write('/etc/ha.d/authkeys', pair.alpha.read('/etc/ha.d/authkeys'), 0o600)
  for (const machine of both) await options.prepare?.(machine)
  await Promise.all(both.map(async (machine) => {
    const check = await machine.exec('hactl check')
    if (check.code > 1) throw new Error(`hactl check on ${machine.name}: ${check.stdout}${check.stderr}`)
    await machine.must('systemctl daemon-reload && systemctl enable --quiet --now hactl')
  }))
  await pair.untilHealthy()
  return pair
}

function makePair(machines: Machines): SoakPair {
  const [alpha, beta] = machines.machines as [Machine, Machine]
  const pair: SoakPair = {
    machines, alpha, beta,
    hactl: (machine, ...words) => machine.exec(['hactl', ...words], { timeoutMs: 90_000 }),
    status: async (machine) => {
      const ran = await pair.hactl(machine, 'status', '--json')
      if (ran.stdout === '') throw new Error(`hactl status --json on ${machine.name}: exit code ${ran.code}: ${ran.stderr}`)
      return JSON.parse(ran.stdout) as StatusReport
    },
    events: async (machine) => {
      const ran = await pair.hactl(machine, 'events', '--json')
      return ran.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as EventRecord)
    },
    untilHealthy: async () => {
      for (const machine of [alpha, beta]) {
        await waitFor(`${machine.name} says healthy`, async () => (await machine.exec('hactl status')).code === 0 || undefined, 30_000, 100)
      }
    },
    untilHeldBy: async (machine, timeoutMs = patienceMs) => {
      await waitFor(`${ip} held by ${machine.name} alone`, async () => (await machines.holders(ip)).join() === machine.name || undefined, timeoutMs, 20)
      return machines.tenures(ip).findLast((tenure) => tenure.host === machine.name)?.fromMs ?? Date.now()
    },
    property: (machine, name, unit = 'hactl') => machine.must(['systemctl', 'show', '--value', `--property=${name}`, unit]),
    journal: (machine) => machine.must('journalctl --no-pager -o short-precise -u hactl'),
  }
  return pair
}

async function explainFailure(pair: SoakPair): Promise<void> {
  const lines = pair.machines.tenures(ip).map(({ host, fromMs, toMs }) =>
    `${ip} ${host}: from ${new Date(fromMs).toISOString()} to ${toMs === undefined ? 'now' : new Date(toMs).toISOString()}`)
  for (const machine of [pair.alpha, pair.beta]) {
    if (!machine.isUp()) {
      lines.push(`--- ${machine.name} has no power; its console:`, machine.consoleText().slice(-3_000))
      continue
    }
    for (const command of ['hactl status', 'systemctl status --no-pager hactl', 'systemctl list-jobs --no-pager', 'journalctl --no-pager -n 120 -o short-precise']) {
      const ran = await machine.exec(command)
      lines.push(`--- ${machine.name}: ${command} (exit code ${ran.code})`, ran.stdout + ran.stderr)
    }
  }
  console.error(lines.join('\n'))
}
