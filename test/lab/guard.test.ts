/** A daemon that dies while its host lives: its guard, its last will, and what `hactl release --all` does after both. */
import { expect, test } from 'vitest'
import type { Host, Ran } from './hosts.ts'
import { ip, killWithGuard, openPair, program, type Pair, type PairOptions } from './pair.ts'
import { behave, callsOf, installService, quickServices, serviceRuns } from './service.ts'

/** Long enough that nothing here can be the silence of a dead peer. */
const timing = { keepaliveMs: 500, deadtimeMs: 20_000, initdeadMs: 20_000 }

async function openServing(options: PairOptions = {}): Promise<Pair> {
  const pair = await openPair({ timing, groups: [`alpha ${ip}/24/eth0 notes`], yaml: quickServices('notes'), autoFailback: 'off', ...options })
  installService([pair.alpha, pair.beta])
  await pair.startBoth()
  return pair
}

async function crash(pair: Pair): Promise<number> {
  const killMs = Date.now()
  pair.daemon(pair.alpha).kill('SIGKILL')
  await pair.daemon(pair.alpha).ended
  return killMs
}

function release(host: Host, result: string): Promise<Ran> {
  return host.exec([...program, 'release', '--all'], { env: { SERVICE_RESULT: result } })
}

async function guardActs(pair: Pair): Promise<readonly string[]> {
  return (await pair.events(pair.alpha)).filter(({ code }) => code === 'guard-acted').map(({ message }) => message)
}

test('kill -9 of the holder: the address is gone at once, the peer holds it by the last will, and both say so afterwards', async () => {
  const pair = await openPair({ timing, autoFailback: 'off' })
  await pair.startBoth()
  const killMs = await crash(pair)
  const heldMs = await pair.untilHeldBy(pair.beta)
  expect(heldMs - killMs).toBeLessThan(timing.deadtimeMs / 4)
  await pair.expectHolder(pair.beta)
  const why = await pair.why(pair.beta)
  expect(JSON.stringify(why)).toContain('its guard says that it is gone there')
  expect((await pair.events(pair.beta)).map(({ code }) => code)).toEqual(expect.arrayContaining(['peer-died', 'will-heard']))
  await pair.start(pair.alpha)
  await pair.untilStatus(pair.alpha, 'healthy', ({ health }) => health === 'healthy')
  await pair.expectHolder(pair.beta)
  expect(await guardActs(pair)).toEqual(expect.arrayContaining([
    expect.stringMatching(/the daemon \(pid \d+\) died/), expect.stringContaining('every floating address is off this host'),
    expect.stringContaining(`the addresses are gone of: ${ip}`),
  ]))
})

test('a service that may run once is stopped by the guard, and starts on the peer only after that', async () => {
  const pair = await openServing()
  await crash(pair)
  await pair.untilHeldBy(pair.beta)
  await pair.untilStatus(pair.beta, 'holds the group', ({ groups }) => groups[0]?.state === 'held')
  expect(await serviceRuns(pair.alpha)).toBe(false)
  const [stopped] = await callsOf(pair.alpha, 'stop')
  const [started] = await callsOf(pair.beta, 'start')
  expect(started?.atMs).toBeGreaterThanOrEqual(stopped?.atMs ?? Infinity)
  await pair.expectHolder(pair.beta)
})

test('a stop that fails under the guard: the peer starts nothing, and the next daemon knows that the group is unclean', async () => {
  const pair = await openServing()
  await behave(pair.alpha, 'stop', 'fail')
  await crash(pair)
  await pair.untilHeldBy(undefined)
  await pair.start(pair.alpha)
  await pair.untilStatus(pair.beta, 'the peer is unclean', ({ groups }) => groups[0]?.peerState === 'unclean' || groups[0]?.peerState === 'stopping')
  expect(await callsOf(pair.beta, 'start')).toEqual([])
  expect((await guardActs(pair)).join('\n')).toMatch(/notes stop failed with exit code 1: notes: told to fail this stop/)
  await behave(pair.alpha, 'stop', 'well')
  await pair.untilStatus(pair.beta, 'the group is held again', ({ groups }) => groups[0]?.holder !== undefined, 30_000)
})

test('a pair that is paused: the daemon dies, and everything stays', async () => {
  const pair = await openServing()
  expect((await pair.hactl(pair.alpha, 'pause')).code).toBe(0)
  await crash(pair)
  // The command was answered when the kernel had it: minutes, not the seconds of a lease.
  expect(await pair.alpha.must('ip -4 -o address show dev eth0')).toMatch(new RegExp(`inet ${ip.replaceAll('.', '\\.')}/.* valid_lft [1-9]\\d\\dsec`))
  const ran = await release(pair.alpha, 'signal')
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('paused')])
  expect(await pair.alpha.addresses()).toContain(ip)
  expect(await serviceRuns(pair.alpha)).toBe(true)
})

test('a daemon that leaves in order takes its guard with it', async () => {
  const pair = await openServing()
  expect(await pair.stop(pair.alpha)).toBe(0)
  expect(await pair.alpha.must('ls /run/hactl/guard')).toBe('')
  expect((await pair.alpha.exec('pgrep -f hactl/guard')).stdout).toBe('')
  expect(await callsOf(pair.alpha, 'stop')).toHaveLength(1)
})

test('release --all after a failure waits for the guard, says what it did, and does no more', async () => {
  const pair = await openServing()
  await behave(pair.alpha, 'stop', 'slow')
  await crash(pair)
  const ran = await release(pair.alpha, 'signal')
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(`hactl cleanup ${ip} --i-have-checked`)])
  expect(ran.stdout).toMatch(/guard: .*notes stop was not done after 3 s/)
  expect(await callsOf(pair.alpha, 'stop')).toHaveLength(1)
})

test('release --all in the place of a guard that was killed too: addresses, services, and the last will', async () => {
  const pair = await openServing()
  await killWithGuard(pair, pair.alpha)
  expect(await pair.alpha.addresses(), 'nobody has done anything yet').toContain(ip)
  const ran = await release(pair.alpha, 'oom-kill')
  expect(ran.code, ran.stdout + ran.stderr).toBe(0)
  expect(ran.stdout).toContain('the guard died with its daemon')
  expect(await pair.alpha.addresses()).not.toContain(ip)
  expect(await serviceRuns(pair.alpha)).toBe(false)
  await pair.untilStatus(pair.beta, 'holds the group', ({ groups }) => groups[0]?.state === 'held')
  await pair.expectHolder(pair.beta)
})
