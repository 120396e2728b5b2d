/** systemd/hactl.service under a real systemd, on two hosts installed as README section 2 says. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ip, openSoakPair, packAndInstall, patienceMs, removePacked, type SoakPair } from './installed-pair.ts'
import { sleep, waitFor, type Machine } from './machines.ts'

let packed = ''
beforeAll(() => {
  packed = packAndInstall()
})
afterAll(() => removePacked(packed))

const web = [`alpha ${ip}/24/host0 apache2`]

async function preparePage(machine: Machine): Promise<void> {
  machine.write('/var/www/html/node', machine.name)
  await machine.must('echo "ServerName $(uname -n)" > /etc/apache2/conf-enabled/soak.conf; systemctl disable --quiet --now apache2')
}

/** What a client sees on the floating address. */
async function page(pair: SoakPair, path = 'node'): Promise<string | undefined> {
  const get = `fetch('http://${ip}/${path}', { signal: AbortSignal.timeout(500), headers: { connection: 'close' } }).then((r) => r.text()).then(console.log, () => process.exit(1))`
  const ran = await pair.machines.inSwitch([process.execPath, '-e', get])
  return ran.code === 0 ? ran.stdout.trim() : undefined
}

async function untilPageOf(pair: SoakPair, machine: Machine, path = 'node'): Promise<void> {
  await waitFor(`the page of ${machine.name}`, async () => (await page(pair, path)) === machine.name || undefined, patienceMs, 50)
}

const openWeb = (): Promise<SoakPair> => openSoakPair(packed, { groups: web, prepare: preparePage })
const mainPid = (pair: SoakPair, machine: Machine, unit = 'hactl'): Promise<string> => pair.property(machine, 'MainPID', unit)

/** Takes notes on how it is called; its first look takes a while. */
const slowLook = `#!/bin/sh
case $1 in
  start) : >/run/slow-look ;;
  stop) rm -f /run/slow-look ;;
  status) sleep 2; if [ -e /run/slow-look ]; then echo running; else echo stopped; exit 3; fi ;;
esac
`

test('Type=notify: active, and healthy, only once the daemon has looked at its services', async () => {
  const pair = await openSoakPair(packed, {
    groups: [`alpha ${ip}/24/host0 slow-look`],
    prepare: (machine) => Promise.resolve(machine.write('/etc/hactl/resource.d/slow-look', slowLook, 0o755)),
  })
  const { beta } = pair
  await beta.must('systemctl stop hactl')
  await beta.must('systemctl start --no-block hactl')
  await waitFor('the daemon runs', async () => (await mainPid(pair, beta)) !== '0' || undefined, patienceMs)
  expect(await pair.property(beta, 'ActiveState')).toBe('activating')
  await sleep(1_000)
  expect(await pair.property(beta, 'ActiveState'), 'the look takes 2 s').toBe('activating')
  await beta.must('systemctl start hactl')
  expect(await pair.property(beta, 'ActiveState')).toBe('active')
  expect((await pair.events(beta)).at(-1)?.code).not.toBe('daemon-started')
  await pair.untilHealthy()
  await pair.untilHeldBy(pair.alpha)
})

test('systemctl status says what the node holds and whether its peer is there', async () => {
  const pair = await openSoakPair(packed)
  const statusText = async (machine: Machine): Promise<string> => /Status: "(.*)"/.exec(await machine.must('systemctl status --no-pager hactl'))?.[1] ?? ''
  expect(await statusText(pair.alpha)).toBe(`alpha holds ${ip}; beta is alive`)
  expect(await statusText(pair.beta)).toBe('beta holds nothing; alpha is alive')
  await pair.alpha.powerOff()
  await pair.untilHeldBy(pair.beta)
  await waitFor('the new status', async () => (await statusText(pair.beta)) === `beta holds ${ip}; alpha is dead` || undefined, patienceMs, 100)
})

test('realtime for the daemon alone; limits as the unit says', async () => {
  const pair = await openSoakPair(packed, { groups: [`alpha ${ip}/24/host0 apache2 webdemo::8080`], prepare: preparePage })
  const { alpha } = pair
  await untilPageOf(pair, alpha)
  expect(await alpha.must(`chrt -p ${await mainPid(pair, alpha)}`)).toMatch(/SCHED_RR\|SCHED_RESET_ON_FORK\n.*priority: 5/)
  const others = (await alpha.must('pgrep -x apache2; pgrep -f HACTL_WEBDEMO_PORT || true; cat /sys/fs/cgroup/hactl.service/cgroup.procs')).split('\n')
  const policies = await Promise.all([...new Set(others)].filter((pid) => pid !== '').map(async (pid) => [pid, (await alpha.exec(`chrt -p ${pid}`)).stdout] as const))
  const realtime = policies.filter(([, said]) => said.includes('SCHED_RR')).map(([pid]) => pid)
  expect(realtime).toEqual([await mainPid(pair, alpha)])
  expect(policies.filter(([, said]) => said.includes('SCHED_OTHER')).length, 'apache2, webdemo, ip').toBeGreaterThan(3)
  // Only who may raise a limit (CAP_SYS_RESOURCE) may lower this; systemd says nothing where it may not.
  const mayProtect = (BigInt(`0x${/CapEff:\s*(\w+)/.exec(alpha.read('/proc/1/status'))?.[1] ?? '0'}`) >> 24n) % 2n === 1n
  expect(alpha.read(`/proc/${await mainPid(pair, alpha)}/oom_score_adj`).trim()).toBe(mayProtect ? '-900' : '0')
  const shown = await alpha.must('systemctl show -p OOMScoreAdjust -p MemorySwapMax -p MemoryMin -p Slice -p ControlGroup -p KillMode -p LimitCORE hactl')
  for (const line of ['OOMScoreAdjust=-900', 'MemorySwapMax=0', `MemoryMin=${64 * 1024 * 1024}`, 'Slice=-.slice', 'ControlGroup=/hactl.service', 'KillMode=process', 'LimitCORE=0']) {
    expect(shown.split('\n')).toContain(line)
  }
  // Absent where the kernel's memory controller is one of version 1.
  const swapLimit = await alpha.exec('cat /sys/fs/cgroup/hactl.service/memory.swap.max')
  if (swapLimit.code === 0) expect(swapLimit.stdout.trim()).toBe('0')
  console.log(`out of memory score: ${mayProtect ? 'protected' : 'systemd may not set it here'}; memory controller: ${swapLimit.code === 0 ? 'yes' : 'none here'}`)
  // Services are fair game for the memory killer, whatever protects the daemon.
  for (const pid of (await alpha.must('pgrep -x apache2')).split('\n')) expect(alpha.read(`/proc/${pid}/oom_score_adj`).trim()).toBe('0')
})

test('kill -9 of the daemon: what it held is released, it is started again, and one node holds the group', async () => {
  const pair = await openWeb()
  const { alpha, beta } = pair
  await untilPageOf(pair, alpha)
  const killedMs = Date.now()
  await alpha.must(`kill -9 ${await mainPid(pair, alpha)}`)
  await waitFor('the address is released', () => pair.machines.tenures(ip).find((tenure) => tenure.host === 'alpha' && tenure.toMs !== undefined), patienceMs, 20)
  const releasedMs = (pair.machines.tenures(ip)[0]?.toMs ?? 0) - killedMs
  await waitFor('a new daemon', async () => (await pair.property(alpha, 'NRestarts')) === '1' && (await pair.property(alpha, 'ActiveState')) === 'active' || undefined, patienceMs, 50)
  await pair.untilHealthy()
  await pair.untilHeldBy(alpha, 30_000)
  await untilPageOf(pair, alpha)
  expect((await beta.exec('pgrep -x apache2')).code, 'apache2 on the other node').toBe(1)
  expect(await pair.journal(alpha)).toContain('hactl guard: every floating address is off this host')
  expect(await pair.journal(alpha), 'release --all waited for it').toContain('guard: every floating address is off this host')
  expect(pair.machines.overlapMs(ip)).toBe(0)
  console.log(`kill -9: released after ${releasedMs.toFixed(0)} ms; nobody had it for ${pair.machines.unheldMs(ip, killedMs, Date.now()).toFixed(0)} ms`)
})

test('a frozen daemon: the watchdog ends it, what it held is released, and one node holds the group', async () => {
  const pair = await openWeb()
  const { alpha } = pair
  await untilPageOf(pair, alpha)
  const frozenMs = Date.now()
  await alpha.must(`kill -STOP ${await mainPid(pair, alpha)}`)
  await waitFor('a new daemon', async () => (await pair.property(alpha, 'NRestarts')) === '1' && (await pair.property(alpha, 'ActiveState')) === 'active' || undefined, 40_000, 50)
  const restartedMs = Date.now() - frozenMs
  await pair.untilHealthy()
  await pair.untilHeldBy(alpha, 30_000)
  await untilPageOf(pair, alpha)
  expect(await pair.journal(alpha)).toContain('hactl guard: every floating address is off this host')
  // The peer took over after deadtime; until the watchdog, the frozen host still had the address (README section 1).
  console.log(`frozen: new daemon after ${restartedMs} ms; both had the address for ${pair.machines.overlapMs(ip).toFixed(0)} ms`)
  expect(pair.machines.tenures(ip).filter((tenure) => tenure.toMs === undefined).map((tenure) => tenure.host)).toEqual(['alpha'])
})

test('systemctl stop hands over in order, and start brings the group back', async () => {
  const pair = await openWeb()
  const { alpha, beta } = pair
  await untilPageOf(pair, alpha)
  const stopMs = Date.now()
  await alpha.must('systemctl stop hactl', { timeoutMs: 100_000 })
  const tookMs = Date.now() - stopMs
  await pair.untilHeldBy(beta)
  await untilPageOf(pair, beta)
  expect(await pair.property(alpha, 'Result')).toBe('success')
  expect((await alpha.exec('pgrep -x apache2')).code).toBe(1)
  expect(await alpha.must('systemctl is-failed hactl apache2 || true')).toBe('inactive\ninactive')
  const codes = (await pair.events(beta)).map((record) => record.code)
  expect(codes).not.toContain('peer-dead')
  expect(codes).toContain('peer-left')
  expect(tookMs).toBeLessThan(10_000)
  console.log(`systemctl stop: ${tookMs} ms; nobody had the address for ${pair.machines.unheldMs(ip, stopMs, Date.now()).toFixed(0)} ms`)
  await alpha.must('systemctl start hactl')
  await pair.untilHeldBy(alpha)
  await pair.untilHealthy()
  expect(pair.machines.overlapMs(ip)).toBe(0)
})

test('systemctl restart during hactl pause moves nothing and ends no service', async () => {
  const pair = await openSoakPair(packed, { groups: [`alpha ${ip}/24/host0 apache2 webdemo::8080`], prepare: preparePage })
  const { alpha } = pair
  await untilPageOf(pair, alpha)
  // webdemo is no unit: it lives on in the cgroup of hactl.service.
  const services = (): Promise<string> => alpha.must('pgrep -x apache2; pgrep -f "node -e.*createServer"')
  const [daemonBefore, before] = [await mainPid(pair, alpha), await services()]
  expect(before.split('\n').length).toBeGreaterThan(2)
  expect((await pair.hactl(alpha, 'pause')).code).toBe(0)
  await alpha.must('systemctl restart hactl')
  expect(await mainPid(pair, alpha)).not.toBe(daemonBefore)
  expect((await pair.hactl(alpha, 'resume')).code).toBe(0)
  await pair.untilHealthy()
  expect(await services()).toBe(before)
  expect((await pair.events(alpha)).map((record) => record.code)).toContain('group-adopted')
  expect(pair.machines.tenures(ip).map((tenure) => [tenure.host, tenure.toMs]), 'the address was never away').toEqual([['alpha', undefined]])
  await untilPageOf(pair, alpha)
})

test('systemctl reload takes a new configuration, and fails on a bad one', async () => {
  const pair = await openSoakPair(packed)
  const { alpha, beta } = pair
  const daemon = await mainPid(pair, alpha)
  for (const machine of [alpha, beta]) machine.write('/etc/ha.d/haresources', `alpha ${ip}/24/host0\nalpha 192.0.2.101/24/host0\n`)
  await alpha.must('systemctl reload hactl')
  await beta.must('systemctl reload hactl')
  await waitFor('the second address', async () => (await alpha.addresses()).includes('192.0.2.101') || undefined, patienceMs, 50)
  await pair.untilHealthy()
  alpha.write('/etc/ha.d/haresources', 'nobody 192.0.2.300\n')
  const refused = await alpha.exec('systemctl reload hactl')
  expect(refused.code).not.toBe(0)
  expect(await pair.property(alpha, 'ActiveState')).toBe('active')
  expect(await mainPid(pair, alpha)).toBe(daemon)
  await pair.untilHeldBy(alpha)
  expect(pair.machines.overlapMs(ip)).toBe(0)
})

test('systemctl reboot of the holder: handed over before it goes down; it comes back and gets its group again', async () => {
  const pair = await openWeb()
  const { alpha, beta } = pair
  await untilPageOf(pair, alpha)
  const rebootMs = Date.now()
  await alpha.must('systemctl --no-block reboot')
  const heldByBetaMs = await waitFor('beta has it', () => pair.machines.tenures(ip).find((tenure) => tenure.host === 'beta')?.fromMs, 90_000, 5)
  await waitFor('alpha has gone down and come up', () => alpha.reboots() === 1 || undefined, 90_000, 5)
  const downMs = Date.now()
  expect(heldByBetaMs).toBeLessThan(downMs)
  const codes = (await pair.events(beta)).map((record) => record.code)
  expect(codes).toContain('peer-left')
  expect(codes).not.toContain('peer-dead')
  await alpha.untilReady()
  await pair.untilHealthy()
  await pair.untilHeldBy(alpha, 30_000)
  await untilPageOf(pair, alpha)
  expect(pair.machines.overlapMs(ip)).toBe(0)
  console.log(`reboot: down after ${downMs - rebootMs} ms, back on its preferred node after ${Date.now() - rebootMs} ms; ` +
    `nobody had the address for ${pair.machines.unheldMs(ip, rebootMs, Date.now()).toFixed(0)} ms`)
})

const note = `[Unit]
Description=A service that notes when it stops
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'echo note >> /var/lib/stopped'
`
const reader = `[Unit]
Description=A service that needs the other one
Requires=note.service
After=note.service
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'echo reader >> /var/lib/stopped'
`

test('a unit as a resource, even one that hactl.service is ordered after, and what needs it stops with it', async () => {
  const pair = await openSoakPair(packed, {
    groups: [`alpha ${ip}/24/host0 systemd:note`],
    prepare: async (machine) => {
      machine.write('/etc/systemd/system/note.service', note)
      machine.write('/etc/systemd/system/reader.service', reader)
      machine.write('/etc/systemd/system/hactl.service.d/order.conf', '[Unit]\nAfter=note.service\n')
      await machine.must('systemctl daemon-reload')
    },
  })
  const { alpha, beta } = pair
  expect(await alpha.must('systemctl is-active note')).toBe('active')
  expect(await beta.must('systemctl is-active note || true')).toBe('inactive')
  await alpha.must('systemctl start reader')
  const stopMs = Date.now()
  await alpha.must('systemctl stop hactl', { timeoutMs: 100_000 })
  expect(Date.now() - stopMs).toBeLessThan(10_000)
  await waitFor('note runs on beta', async () => (await beta.must('systemctl is-active note || true')) === 'active' || undefined, patienceMs, 50)
  expect(await alpha.must('systemctl is-active note reader || true')).toBe('inactive\ninactive')
  expect(alpha.read('/var/lib/stopped')).toBe('reader\nnote\n')
  await alpha.must('systemctl start hactl')
  await pair.untilHeldBy(alpha)
  await pair.untilHealthy()
  // A service that dies is noticed, and started again here.
  const before = await mainPid(pair, alpha, 'note')
  await alpha.must('systemctl kill -s KILL note')
  await waitFor('note runs again', async () => !['0', before].includes(await mainPid(pair, alpha, 'note')) || undefined, 30_000, 100)
  await pair.untilHealthy()
  await alpha.must('systemctl --no-block reboot')
  await waitFor('alpha has gone down and come up', () => alpha.reboots() === 1 || undefined, 90_000, 20)
  await alpha.untilReady()
  await pair.untilHealthy()
  await pair.untilHeldBy(alpha, 30_000)
  expect((await pair.events(beta)).map((record) => record.code)).not.toContain('peer-dead')
  expect(pair.machines.overlapMs(ip)).toBe(0)
})

test('power loss of the holder: the peer takes over after deadtime; the host comes back and gets its group again', async () => {
  const pair = await openWeb()
  const { alpha, beta } = pair
  await untilPageOf(pair, alpha)
  const lostMs = Date.now()
  await alpha.powerOff()
  const takenMs = await pair.untilHeldBy(beta)
  await untilPageOf(pair, beta)
  expect((await pair.events(beta)).map((record) => record.code)).toContain('peer-dead')
  await alpha.powerOn()
  await pair.untilHealthy()
  await pair.untilHeldBy(alpha, 30_000)
  await untilPageOf(pair, alpha)
  expect(pair.machines.overlapMs(ip)).toBe(0)
  console.log(`power loss: beta had the address ${(takenMs - lostMs).toFixed(0)} ms after the cable was pulled`)
})

test('both hosts reboot at once: one holds the group when they are back', async () => {
  const pair = await openWeb()
  const both = [pair.alpha, pair.beta]
  await Promise.all(both.map((machine) => machine.must('systemctl --no-block reboot')))
  await waitFor('both are down and up', () => both.every((machine) => machine.reboots() === 1) || undefined, 90_000, 20)
  for (const machine of both) await machine.untilReady()
  await pair.untilHealthy()
  await pair.untilHeldBy(pair.alpha, 30_000)
  await untilPageOf(pair, pair.alpha)
  expect(pair.machines.overlapMs(ip)).toBe(0)
})

test('without the native calls systemd is told by systemd-notify', async () => {
  const pair = await openSoakPair(packed, {
    prepare: (machine) => Promise.resolve(machine.write('/etc/systemd/system/hactl.service.d/soak.conf', '[Service]\nEnvironment=HACTL_NO_NATIVE=1\nWatchdogSec=2\n')),
  })
  const { alpha } = pair
  await sleep(5_000)
  expect(await pair.property(alpha, 'NRestarts'), 'pings of the watchdog arrive').toBe('0')
  expect(await pair.property(alpha, 'StatusText')).toBe(`alpha holds ${ip}; beta is alive`)
  expect((await pair.events(alpha)).map((record) => record.code)).toContain('native-calls-missing')
  expect(await pair.journal(alpha)).not.toContain('notify-failed')
  await alpha.must('systemctl stop hactl')
  await pair.untilHeldBy(pair.beta)
})

test('a broken configuration: start fails and says where; corrected, the daemon comes up by itself', async () => {
  const pair = await openSoakPair(packed)
  const { alpha } = pair
  await alpha.must('systemctl stop hactl')
  const good = alpha.read('/etc/ha.d/haresources')
  alpha.write('/etc/ha.d/haresources', 'alpha 192.0.2.300/24/host0\n')
  expect((await alpha.exec('systemctl start hactl')).code).not.toBe(0)
  expect(await pair.journal(alpha)).toContain('/etc/ha.d/haresources:1:')
  alpha.write('/etc/ha.d/haresources', good)
  await pair.untilHeldBy(alpha)
  await pair.untilHealthy()
  expect(pair.machines.overlapMs(ip)).toBe(0)
})

test('killed while the configuration on disk is broken: what the daemon held is released even so', async () => {
  const pair = await openWeb()
  const { alpha, beta } = pair
  await untilPageOf(pair, alpha)
  alpha.write('/etc/ha.d/haresources', 'alpha 192.0.2.300/24/host0\n')
  await alpha.must(`kill -9 ${await mainPid(pair, alpha)}`)
  await pair.untilHeldBy(beta)
  await untilPageOf(pair, beta)
  expect((await alpha.exec('pgrep -x apache2')).code).toBe(1)
  expect(pair.machines.overlapMs(ip)).toBe(0)
})
