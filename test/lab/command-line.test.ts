/** The commands that do without a daemon, or start one: `daemon` in the background, `release --all`. */
import { expect, test } from 'vitest'
import { waitFor, type Host } from './hosts.ts'
import { ip, killWithGuard, openPair, patienceMs, program, type Pair } from './pair.ts'
import { behave, installService, serviceRuns } from './service.ts'

const yaml = 'resources: { notes: { stop_timeout: 1s }, lasting: { warm: true } }\n'

async function openServing(): Promise<Pair> {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0 notes lasting`], yaml })
  for (const name of ['notes', 'lasting']) installService([pair.alpha, pair.beta], name)
  return pair
}

async function released(host: Host, result: string | undefined): Promise<{ readonly code: number; readonly said: string }> {
  const ran = await host.exec([...program, 'release', '--all'], { env: result === undefined ? {} : { SERVICE_RESULT: result } })
  return { code: ran.code, said: ran.stdout + ran.stderr }
}

/** The guard with its daemon: what is left is for `release` to do. */
function crash(pair: Pair): Promise<void> {
  return killWithGuard(pair, pair.alpha)
}

test('daemon without --foreground returns when the daemon answers, which outlives its shell; a second one is refused', async () => {
  const { alpha, hactl } = await openPair()
  const started = await hactl(alpha, 'daemon')
  expect(started.code, started.stderr).toBe(0)
  const pid = /pid (\d+)/.exec(started.stdout)?.[1] ?? ''
  expect(await alpha.must(`cut -d' ' -f4,6 /proc/${pid}/stat`), 'child of the first process, leader of its session').toBe(`1 ${pid}\n`)
  expect(await alpha.must(`readlink /proc/${pid}/cwd`)).toBe('/\n')
  expect((await hactl(alpha, 'status')).code).toBeLessThanOrEqual(1)
  expect(alpha.read('/var/lib/hactl/daemon.log')).toContain('daemon-started')
  const second = await hactl(alpha, 'daemon')
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('answers on /run/hactl/control.sock already')])
})

test('daemon without --foreground tells why it did not start', async () => {
  const { alpha, hactl } = await openPair()
  alpha.write('/etc/ha.d/ha.cf', 'keepalive soon\n')
  const { code, stderr } = await hactl(alpha, 'daemon')
  expect(code).toBe(2)
  expect(stderr).toContain('/etc/ha.d/ha.cf:1:11')
  expect(stderr).toContain('did not start')
})

test('release --all is refused while a daemon answers', async () => {
  const pair = await openServing()
  await pair.startBoth()
  const { code, said } = await released(pair.alpha, undefined)
  expect([code, said]).toEqual([1, expect.stringContaining('a daemon runs')])
  await pair.expectHolder(pair.alpha)
  expect(await serviceRuns(pair.alpha)).toBe(true)
})

test('release --all after a crash: addresses go, scripts stop, warm ones go on; then by hand everything stops', async () => {
  const pair = await openServing()
  await pair.startBoth()
  await crash(pair)
  expect(await pair.lab.holders(ip)).toContain('alpha')
  expect((await released(pair.alpha, 'success')).said).toContain('left in good order')
  const { code, said } = await released(pair.alpha, 'signal')
  expect(code, said).toBe(0)
  expect(said).toContain('every floating address is off this host')
  expect(await pair.alpha.addresses()).not.toContain(ip)
  expect([await serviceRuns(pair.alpha, 'notes'), await serviceRuns(pair.alpha, 'lasting')]).toEqual([false, true])
  expect((await released(pair.alpha, undefined)).code).toBe(0)
  expect(await serviceRuns(pair.alpha, 'lasting')).toBe(false)
})

test('release --all without a plan of a guard, and a stop that hangs: exit code 1, and the next daemon knows that the group is unclean', async () => {
  const pair = await openServing()
  await pair.startBoth()
  await crash(pair)
  await pair.alpha.must('rm -r /run/hactl/guard')
  await behave(pair.alpha, 'stop', 'hang')
  const { code, said } = await released(pair.alpha, 'signal')
  expect(code, said).toBe(1)
  expect(said).toContain(`hactl cleanup ${ip} --i-have-checked`)
  expect(await pair.alpha.addresses(), 'the address goes all the same').not.toContain(ip)
  expect(JSON.parse(pair.alpha.read('/var/lib/hactl/state.json'))).toMatchObject({ groups: [{ name: ip, unclean: true }] })
  await pair.start(pair.alpha)
  await pair.untilStatus(pair.beta, 'the peer says unclean', ({ groups }) => groups[0]?.peerState === 'unclean' || groups[0]?.peerState === 'stopping')
})

test('after a daemon that was not started for its configuration nothing is released', async () => {
  const { alpha } = await openServing()
  await alpha.must(`ip address add ${ip}/24 dev eth0`)
  const ran = await alpha.exec([...program, 'release', '--all'], { env: { SERVICE_RESULT: 'exit-code', EXIT_CODE: 'exited', EXIT_STATUS: '2' } })
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing is released') })
  expect(await alpha.addresses()).toContain(ip)
})

test('release --all leaves a paused pair as it is', async () => {
  const pair = await openServing()
  await pair.startBoth()
  expect((await pair.hactl(pair.alpha, 'pause')).code).toBe(0)
  await crash(pair)
  const { code, said } = await released(pair.alpha, 'signal')
  expect([code, said]).toEqual([0, expect.stringContaining('paused')])
  expect(await pair.alpha.addresses()).toContain(ip)
  expect(await serviceRuns(pair.alpha)).toBe(true)
})

test('status --watch draws again, and says so when the daemon is gone', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const watching = await pair.alpha.start('watch', [...program, 'status', '--watch'])
  await waitFor('a second status', () => (watching.log().split('healthy: alpha').length > 2 ? true : undefined), patienceMs, 100)
  await crash(pair)
  await waitFor('the daemon is missed', () => (watching.log().includes('no daemon answers') ? true : undefined), patienceMs, 100)
  watching.kill('SIGINT')
})
