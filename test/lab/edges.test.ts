/** Ping nodes, fencing and the hardware watchdog, on two real daemons. */
import { expect, onTestFinished, test } from 'vitest'
import type { StatusReport } from '../../src/core/report.ts'
import { waitFor, type Host } from './hosts.ts'
import { testWith } from './needs.ts'
import { ip, openPair, patienceMs, program, type Pair } from './pair.ts'
import { openPowerSwitch, type PowerSwitch } from './power-switch.ts'

const sees = (reachable: boolean) => ({ pings }: StatusReport): boolean => pings?.some((one) => one.name === '192.0.2.9' && one.reachable === reachable) ?? false

testWith(['ping'], 'a ping node that answers, falls silent and comes back is told by status and by events', async () => {
  const pair = await openPair({ more: ['ping 192.0.2.9', 'deadping 1'] })
  await pair.startBoth()
  await pair.untilStatus(pair.alpha, 'the ping node answers', sees(true))
  await pair.lab.cable('client', 'down')
  await pair.untilStatus(pair.alpha, 'the ping node is silent', sees(false))
  await pair.lab.cable('client', 'up')
  await pair.untilStatus(pair.alpha, 'the ping node answers again', sees(true))
  const codes = (await pair.events(pair.alpha)).map(({ code }) => code)
  expect(codes).toEqual(expect.arrayContaining(['ping-up', 'ping-down']))
  expect(codes).not.toContain('ping-failed')
  expect(pair.lab.tenures(ip)).toHaveLength(1)
})

async function openFencedPair(): Promise<{ pair: Pair; power: PowerSwitch }> {
  const pair = await openPair()
  const power = openPowerSwitch(pair.lab)
  onTestFinished(() => power.close())
  const device = `[{agent: ${power.agent}, parameters: {switch: ${power.parameters['switch'] ?? ''}}, timeout: 10s}]`
  for (const host of pair.lab.hosts) host.write('/etc/ha.d/hactl.yaml', `fence: {alpha: ${device}, beta: ${device}}\n`)
  return { pair, power }
}

test('the survivor fences the silent holder before it takes the group, and hactl fence --test switches nothing', async () => {
  const { pair, power } = await openFencedPair()
  await pair.startBoth()
  const tested = await pair.hactl(pair.beta, 'fence', '--test')
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining('fence_lab answers: alpha is on') as string })
  expect(power.done).toEqual([])
  pair.daemon(pair.alpha).kill('SIGSTOP')
  await pair.untilHeldBy(pair.beta, ip, 20_000)
  expect(power.done).toEqual(['off alpha'])
  expect(pair.alpha.isUp()).toBe(false)
  expect((await pair.status(pair.beta)).lastMove?.explanation).toContain('fenced')
  await pair.expectHolder(pair.beta)
})

test('while fencing fails nobody takes the group', async () => {
  const { pair, power } = await openFencedPair()
  await pair.startBoth()
  power.become('broken')
  expect((await pair.hactl(pair.beta, 'fence', '--test')).code).toBe(1)
  await pair.alpha.powerOff()
  await pair.untilEvent(pair.beta, 'fence-failed', 20_000)
  expect(await pair.lab.holders(ip)).toEqual([])
  expect((await pair.status(pair.beta)).fencing).toMatchObject({ message: expect.stringContaining('the switch is broken') as string })
})

async function fed(host: Host): Promise<string> {
  return (await host.must('tr "\\0" "." < /var/tmp/watchdog')).trim()
}

test('the hardware watchdog is fed by a daemon that runs, switched off by one that is stopped, and left alone by one that dies', async () => {
  const pair = await openPair({ more: ['watchdog /var/tmp/watchdog'], yaml: 'watchdog: {timeout: 2s}\n' })
  const missing = await pair.alpha.exec([...program, 'daemon', '--foreground'])
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('modprobe softdog') as string })
  for (const host of pair.lab.hosts) host.write('/var/tmp/watchdog', '')
  const daemons = await pair.startBoth()
  await waitFor('the watchdog is fed', async () => /^\.{4,}$/.test(await fed(pair.alpha)) || undefined, patienceMs, 200)
  daemons.beta.kill('SIGKILL')
  await daemons.beta.ended
  expect(await fed(pair.beta)).toMatch(/^\.+$/)
  expect(await pair.stop(pair.alpha)).toBe(0)
  expect(await fed(pair.alpha)).toMatch(/^\.+V$/)
})
