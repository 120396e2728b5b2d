/** Services that fail: to start, to stop, while they run; and scripts that cannot be run at all. */
import { expect, test } from 'vitest'
import { sleep, waitFor } from './hosts.ts'
import { deadtimeMs, ip, openPair, patienceMs, type PairOptions } from './pair.ts'
import { behave, callsOf, installService, killService, quickServices, serviceRuns } from './service.ts'

const withService: PairOptions = { groups: [`alpha ${ip}/24/eth0 notes`], yaml: quickServices('notes') }

async function openServicePair(options: PairOptions = {}): Promise<Awaited<ReturnType<typeof openPair>>> {
  const pair = await openPair({ ...withService, ...options })
  installService([pair.alpha, pair.beta])
  return pair
}

test('a service starts after its address, stops before it, and runs on one node only', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  expect(await serviceRuns(pair.alpha)).toBe(true)
  expect(await serviceRuns(pair.beta)).toBe(false)
  const addedMs = pair.lab.tenures(ip)[0]?.fromMs ?? Infinity
  expect((await callsOf(pair.alpha, 'start'))[0]?.atMs).toBeGreaterThanOrEqual(Math.floor(addedMs) - 50)
  expect((await pair.hactl(pair.alpha, 'standby')).code).toBe(0)
  await pair.expectHolder(pair.beta)
  expect([await serviceRuns(pair.alpha), await serviceRuns(pair.beta)]).toEqual([false, true])
  const removedMs = pair.lab.tenures(ip)[0]?.toMs ?? 0
  expect((await callsOf(pair.alpha, 'stop')).at(-1)?.atMs).toBeLessThanOrEqual(removedMs + 50)
  expect((await callsOf(pair.beta, 'start'))[0]?.atMs).toBeGreaterThanOrEqual(removedMs - 50)
})

test('a start that fails on the target: the group returns, the command fails and says why', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await behave(pair.beta, 'start', 'fail')
  const standby = await pair.hactl(pair.alpha, 'standby')
  expect(standby.code).toBe(1)
  expect(standby.stdout + standby.stderr).toMatch(/notes/)
  await pair.untilHeldBy(pair.alpha)
  await waitFor('the service is back', async () => (await serviceRuns(pair.alpha)) || undefined, patienceMs)
  await pair.expectHolder(pair.alpha)
  expect(await serviceRuns(pair.beta)).toBe(false)
  expect((await pair.group(pair.beta)).failedHere).toBe(true)
  expect((await pair.group(pair.alpha)).failedOnPeer).toBe(true)
})

test('a start that fails with nobody else there: the group is taken down whole and status says what failed', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await behave(pair.beta, 'start', 'fail')
  await pair.alpha.powerOff()
  await pair.untilEvent(pair.beta, 'group-failed', deadtimeMs + patienceMs)
  await pair.untilHeldBy(undefined)
  const status = await pair.status(pair.beta)
  expect(status.health).toBe('degraded')
  expect(JSON.stringify(status)).toContain('told to fail this start')
  await behave(pair.beta, 'start', 'well')
  expect((await pair.hactl(pair.beta, 'takeover', '--force')).code).toBe(0)
  await pair.expectHolder(pair.beta)
  expect(await serviceRuns(pair.beta)).toBe(true)
})

test('a stop that fails: the group is unclean, nobody else starts it, and it moves when the stop succeeds', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await behave(pair.alpha, 'stop', 'fail')
  const standby = await pair.hactl(pair.alpha, 'standby', '--timeout', '4s')
  expect(standby.code).not.toBe(0)
  await pair.untilStatus(pair.alpha, 'unclean here', ({ groups }) => groups[0]?.state === 'unclean')
  const seen = await pair.untilStatus(pair.beta, 'unclean there', ({ groups }) => groups[0]?.peerState === 'unclean')
  expect([seen.health, seen.groups[0]?.reason]).toEqual(['degraded', 'unclean-there'])
  await sleep(2 * deadtimeMs)
  expect(await serviceRuns(pair.alpha)).toBe(true)
  expect(await callsOf(pair.beta, 'start')).toEqual([])
  expect(pair.lab.tenures(ip).some((tenure) => tenure.host === 'beta')).toBe(false)
  await behave(pair.alpha, 'stop', 'well')
  await waitFor('the stop is tried again and the group moves', async () => (await serviceRuns(pair.beta)) || undefined, 40_000, 200)
  await pair.expectHolder(pair.beta)
  expect(await serviceRuns(pair.alpha)).toBe(false)
})

test('a failed stop on a node that then dies: the survivor does not start the group before cleanup is typed', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await behave(pair.alpha, 'stop', 'fail')
  await pair.hactl(pair.alpha, 'standby', '--timeout', '2s')
  await pair.untilStatus(pair.beta, 'unclean there', ({ groups }) => groups[0]?.peerState === 'unclean')
  await pair.alpha.powerOff()
  await pair.untilStatus(pair.beta, 'the peer is dead', ({ nodes }) => nodes.some((node) => node.status === 'dead'))
  await sleep(deadtimeMs)
  expect(await callsOf(pair.beta, 'start')).toEqual([])
  expect((await pair.hactl(pair.beta, 'cleanup', ip)).code, 'not without --i-have-checked').toBe(2)
  expect((await pair.hactl(pair.beta, 'cleanup', ip, '--i-have-checked')).code).toBe(0)
  await pair.untilHeldBy(pair.beta)
  await waitFor('the service runs', async () => (await serviceRuns(pair.beta)) || undefined, patienceMs)
})

test('a stop that hangs is ended, counts as failed, and leads to no second start', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await behave(pair.alpha, 'stop', 'hang')
  const standby = await pair.hactl(pair.alpha, 'standby', '--timeout', '8s')
  expect(standby.code).not.toBe(0)
  await pair.untilStatus(pair.alpha, 'unclean', ({ groups }) => groups[0]?.state === 'unclean', 15_000)
  expect(await callsOf(pair.beta, 'start')).toEqual([])
  await behave(pair.alpha, 'stop', 'well')
  await waitFor('the group moves at last', async () => (await serviceRuns(pair.beta)) || undefined, 40_000, 200)
  expect((await pair.alpha.exec('pgrep -f "sleep 300"')).stdout, 'nothing of the hung script is left').toBe('')
})

test('a service that dies is restarted here once, and moved to the peer when it dies again', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  await killService(pair.alpha)
  await waitFor('a restart here', async () => (await callsOf(pair.alpha, 'start')).length === 2 || undefined, 15_000, 100)
  await waitFor('it runs again', async () => (await serviceRuns(pair.alpha)) || undefined, patienceMs)
  await pair.untilStatus(pair.alpha, 'runs again', ({ groups }) => groups[0]?.resources.every((resource) => resource.status === 'running') ?? false)
  await pair.expectHolder(pair.alpha)
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  await killService(pair.alpha)
  await waitFor('it moves', async () => (await serviceRuns(pair.beta)) || undefined, 15_000, 100)
  await pair.untilHeldBy(pair.beta)
  await pair.expectHolder(pair.beta)
  await sleep(2 * deadtimeMs)
  await pair.expectHolder(pair.beta)
  expect((await pair.why(pair.beta)).group).toBe(ip)
})

test('a service that runs nowhere does not wander for ever between the nodes', async () => {
  const pair = await openServicePair()
  await pair.startBoth()
  for (const host of [pair.alpha, pair.beta]) await behave(host, 'start', 'fail')
  await killService(pair.alpha)
  await pair.untilStatus(pair.beta, 'failed on both', ({ groups }) => groups[0]?.failedHere === true && groups[0].failedOnPeer, 20_000)
  await sleep(1_000)
  const before = (await callsOf(pair.alpha, 'start')).length + (await callsOf(pair.beta, 'start')).length
  await sleep(3 * deadtimeMs)
  const after = (await callsOf(pair.alpha, 'start')).length + (await callsOf(pair.beta, 'start')).length
  expect(after - before).toBeLessThanOrEqual(3)
  expect((await pair.status(pair.alpha)).health).toBe('degraded')
})

test('a start that hangs is ended after its timeout and the group goes to the peer', async () => {
  const pair = await openServicePair()
  await behave(pair.alpha, 'start', 'hang')
  await Promise.all([pair.start(pair.alpha), pair.start(pair.beta)])
  await waitFor('the peer runs it', async () => (await serviceRuns(pair.beta)) || undefined, 30_000, 100)
  await pair.untilHeldBy(pair.beta)
  expect(pair.lab.overlapMs(ip)).toBe(0)
  const status = await pair.status(pair.alpha)
  expect([status.groups[0]?.failedHere, status.nodes.every((node) => node.status === 'alive')]).toEqual([true, true])
})

test('a script that prints megabytes slows nothing down, and the log stays small', async () => {
  const pair = await openServicePair()
  for (const action of ['start', 'status', 'stop'] as const) await behave(pair.alpha, action, 'flood')
  const probe = await pair.lab.probe(ip)
  await pair.startBoth()
  await probe.firstAnswerOf('alpha', 0)
  await sleep(3 * deadtimeMs)
  await pair.expectHolder(pair.alpha)
  expect((await pair.events(pair.alpha)).filter((record) => record.code === 'was-stalled')).toEqual([])
  expect((await pair.hactl(pair.alpha, 'standby')).code).toBe(0)
  await pair.expectHolder(pair.beta)
  expect(pair.logOf(pair.alpha).length).toBeLessThan(2_000_000)
  const kept = Number((await pair.alpha.must('du -sk /var/lib/hactl')).split('\t')[0])
  expect(kept, 'KiB in the state directory').toBeLessThan(4_000)
})

test('a script that is missing, or not executable: the daemon refuses to start and names it', async () => {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0 nosuchscript`] })
  const missing = await pair.start(pair.alpha)
  expect((await missing.ended).code).toBe(2)
  expect(missing.log()).toMatch(/haresources:1:\d+.*nosuchscript/)
  expect(missing.log()).toContain('resource.d')

  pair.alpha.write('/etc/ha.d/resource.d/nosuchscript', '#!/bin/sh\nexit 0\n', 0o644)
  const plain = await pair.start(pair.alpha)
  expect((await plain.ended).code).toBe(2)
  expect(plain.log()).toMatch(/chmod/)
  expect(await pair.lab.holders(ip)).toEqual([])
  expect((await pair.hactl(pair.alpha, 'check', '/etc/ha.d')).code, 'a fact of the machine is a warning for check').toBe(1)
})
