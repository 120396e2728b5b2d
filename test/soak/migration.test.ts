/**
 * docs/migration.md, followed from its own text on two hosts with a real systemd and Debian's Heartbeat: there with auto_failback on and back from both
 * hosts; with it off, back from the first host, and there again.
 */
import { cpSync, symlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { followGuide, guideBlocks, guideFile, type FollowOptions, type GuideBlock, type Typed } from '../lab/guide.ts'
import { packAndInstall, removePacked } from './installed-pair.ts'
import { openMachines, sleep, waitFor, type Machine, type Machines } from './machines.ts'

const ip = '192.0.2.100'
let packed = ''
beforeAll(() => { packed = packAndInstall() })
afterAll(() => removePacked(packed))

/** Two Heartbeats that serve, on hosts of which hactl knows nothing yet. */
async function openHeartbeats(autoFailback: 'on' | 'off'): Promise<{ readonly machines: Machines; readonly follow: FollowOptions }> {
  const machines = await openMachines(process.env['HACTL_IMAGE'] ?? '', ['alpha', 'beta'])
  onTestFinished(() => machines.close())
  await Promise.all(machines.machines.map((machine) => machine.powerOn()))
  for (const machine of machines.machines) {
    machine.write('/etc/ha.d/ha.cf', guideFile('ha.cf').replaceAll('eth0', 'host0').replace('auto_failback on', `auto_failback ${autoFailback}`))
    machine.write('/etc/ha.d/haresources', guideFile('haresources').replaceAll('eth0', 'host0'))
    machine.write('/etc/ha.d/authkeys', 'auth 1\n1 sha1 secret\n', 0o600)
    await machine.must('systemctl enable --quiet --now heartbeat')
  }
  await waitFor('alpha serves', async () => (await machines.holders(ip)).join() === 'alpha' || undefined, 40_000)
  return { machines, follow: { hosts: machines.machines, renamed: [['eth0', 'host0']] } }
}

/** README section 2: there is no registry to install from, so what `npm install -g` makes is copied. */
function install(machine: Machine): void {
  const modules = `${machine.disk}/usr/lib/node_modules`
  cpSync(`${packed}/usr/lib/node_modules/hactl`, `${modules}/hactl`, { recursive: true, verbatimSymlinks: true })
  symlinkSync('../lib/node_modules/hactl/dist/hactl.js', `${machine.disk}/usr/bin/hactl`)
  cpSync(`${modules}/hactl/systemd/hactl.service`, `${machine.disk}/etc/systemd/system/hactl.service`)
}

const blocks = guideBlocks()
const typedWhen = (...words: readonly string[]) => ({ when }: GuideBlock): boolean => when === '' || words.includes(when)

/** What each command that changes something did to the address, by the kernel. */
function told(machines: Machines, typed: readonly Typed[]): void {
  const rows = typed.filter(({ step }) => /systemctl .*(start|stop|--now)/.test(step.command)).map(({ step, fromMs }, index, all) => ({
    host: step.host, command: step.command, 'nobody had the address, ms': Math.round(machines.unheldMs(ip, fromMs, all[index + 1]?.fromMs ?? Date.now())),
  }))
  console.table(rows)
}

/** A Heartbeat that has just joined may be in flux, and heeds no standby then. */
async function standBy(machines: Machines): Promise<void> {
  const [alpha, beta] = machines.machines
  const holding = async (machine: Machine | undefined): Promise<string | undefined> => (await machine?.exec('cl_status rscstatus'))?.stdout.trim()
  await waitFor('both Heartbeats at rest', async () => ((await holding(alpha)) === 'none' && (await holding(beta)) === 'all') || undefined, 30_000, 200)
  await waitFor('alpha serves again', async () => {
    if ((await machines.holders(ip)).join() === 'alpha') return true
    if ((await holding(beta)) === 'all') await beta?.must('/usr/share/heartbeat/hb_standby all')
    return undefined
  }, 40_000, 2_000)
}

test('auto_failback on: there, and back from both hosts', async () => {
  const { machines, follow } = await openHeartbeats('on')
  const typed = [...await followGuide(blocks.filter(({ section }) => section === 1), follow)]
  for (const machine of machines.machines) install(machine)
  typed.push(...await followGuide(blocks.filter(({ section }) => section > 1).filter(typedWhen('auto_failback on', 'back from both hosts')), follow))
  await sleep(2_000)
  told(machines, typed)
  expect(machines.overlapMs(ip)).toBe(0)
}, 300_000)

test('auto_failback off: back from the first host, and there after all', async () => {
  const { machines, follow } = await openHeartbeats('off')
  for (const machine of machines.machines) install(machine)
  const typed = [...await followGuide(blocks.filter(({ section }) => section === 4).filter(typedWhen('auto_failback off', 'back from the first host')), follow)]
  // Nothing brings the group back to alpha, from where the page begins.
  await standBy(machines)
  typed.push(...await followGuide(blocks.filter(({ section }) => section >= 4).filter(typedWhen('auto_failback off')), follow))
  await sleep(2_000)
  told(machines, typed)
  expect(machines.overlapMs(ip)).toBe(0)
}, 300_000)
