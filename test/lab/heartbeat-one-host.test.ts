/** hactl and Heartbeat on one host, started by hand where no systemd keeps them apart: one of them serves, the other has touched nothing. */
import { expect } from 'vitest'
import { ip, program } from './pair.ts'
import { sleep, waitFor, type Host } from './hosts.ts'
import { groups, openMixed, testMixed } from './heartbeat/mixed.ts'
import { heartbeatLines, heartbeatOn } from './heartbeat/heartbeat.ts'

/** Prints the type of every packet that is broadcast. */
const listener = `require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true }).on('message', (bytes) => console.log(/t=(\\w+)/.exec(bytes.toString('latin1'))?.[1])).bind(694, () => console.log('ready'))`

async function listen(client: Host): Promise<() => readonly string[]> {
  const running = await client.start('listener', [process.execPath, '-e', listener])
  await waitFor('the listener', () => running.log().includes('ready') || undefined)
  return () => running.log().trim().split('\n').slice(1)
}

testMixed('beside a Heartbeat hactl does not start, and migrate --check looks at it without a packet', async () => {
  const { pair, real, untilHeld, expectNeverBoth } = await openMixed({ real: 'alpha' })
  const { alpha, beta } = pair
  pair.configure(beta, { groups, more: heartbeatLines })
  const other = heartbeatOn(beta)
  await Promise.all([real.start(), other.start()])
  await untilHeld(alpha, beta)
  await Promise.all([real.untilHolding('local'), other.untilHolding('local')])

  await sleep(1_000)
  const generation = alpha.read('/var/lib/heartbeat/hb_generation')
  const heard = await listen(pair.lab.client)
  const checked = await pair.hactl(alpha, 'migrate', '--check')
  expect(checked.code).toBe(1)
  expect(checked.stdout).toMatch(/Heartbeat 3\.0\.6 runs here \(pid \d+\).* and holds 192\.0\.2\.100/)
  expect(checked.stdout).toContain('Heartbeat here says that beta is active, its links: eth0 up')
  const shown = /with generation (\d+), which is above hb_generation/.exec(checked.stdout)?.[1]
  expect(Number(shown)).toBeGreaterThan(Number(generation))
  await waitFor('packets of the pair', () => heard().length > 10 || undefined)
  expect(heard().filter((type) => type !== 'status' && type !== 'NS_ackmsg')).toEqual([])
  expect(alpha.read('/var/lib/heartbeat/hb_generation')).toBe(generation)

  const daemon = await pair.start(alpha)
  expect((await daemon.ended).code).toBe(1)
  expect(daemon.log()).toMatch(/Heartbeat runs on this host \(pid \d+\).* Type: systemctl stop heartbeat .*\n.*nothing was changed on this host/)
  // What its unit does then (ExecStopPost), and what a person may type.
  for (const [env, code] of [[{ SERVICE_RESULT: 'exit-code', EXIT_CODE: 'exited', EXIT_STATUS: '1' }, 0], [{}, 1]] as const) {
    const released = await alpha.exec([...program, 'release', '--all'], { env })
    expect(released).toMatchObject({ code, stderr: expect.stringMatching(/Heartbeat runs on this host .* nothing is released/) })
  }
  expect(await pair.lab.holders(ip)).toEqual(['alpha'])
  await real.untilHolding('local')
  expectNeverBoth()
}, 90_000)

testMixed('a Heartbeat that is started beside hactl finds the port taken, and ends itself with nothing touched', async () => {
  const { pair, real, untilHeld, expectNeverBoth } = await openMixed({ real: 'beta' })
  const { alpha, beta } = pair
  await Promise.all([real.start(), pair.start(alpha)])
  await untilHeld(alpha, beta)
  await real.untilHolding('local')
  pair.configure(alpha, { groups, more: heartbeatLines })
  const second = heartbeatOn(alpha)
  const fromMs = Date.now()
  await second.start()
  await waitFor('the end of the second program', () => second.log().includes('cannot open bcast eth0') || undefined, 30_000, 200)
  await waitFor('no Heartbeat', async () => !(await second.isRunning()) || undefined, 10_000, 200)
  expect(second.log()).not.toMatch(/ResourceManager|Local status now set to/)
  expect(pair.daemon(alpha).isRunning()).toBe(true)
  expect(real.log()).not.toMatch(/attempted replay|changed its uuid/)
  expect(pair.lab.unheldMs(ip, fromMs, Date.now())).toBe(0)
  expectNeverBoth()
}, 90_000)
