/** What an administrator types to put a witness into a configuration, or to do without one that is gone for good (README section 5). */
import { expect } from 'vitest'
import { onHost, startEtcd } from './etcd.ts'
import { sleep } from './hosts.ts'
import { testWith } from './needs.ts'
import { ip, openPair } from './pair.ts'

const needed = ['etcd', 'etcdctl']
const hosts = ['alpha', 'beta', 'witness']
const timing = { keepaliveMs: 200, deadtimeMs: 4_000, initdeadMs: 5_000 }
const yaml = 'witness: {etcd: {endpoints: ["http://192.0.2.3:2379"], prefix: /hactl/lab}}\n'

testWith(needed, 'peer and witness are both gone for good: status says what to type, and after that restart and initdead the survivor holds', async () => {
  const pair = await openPair({ hosts, timing, autoFailback: 'off', yaml })
  const etcd = await startEtcd([onHost(pair.lab.host('witness'))])
  await pair.startBoth()
  etcd.members[0]?.kill('SIGKILL')
  await pair.alpha.powerOff()
  await pair.untilHeldBy(undefined)
  await pair.untilStatus(pair.beta, 'its peer is dead', ({ nodes }) => nodes.some(({ self, status }) => !self && status === 'dead'), 20_000)
  await sleep(2_000)
  expect(await pair.lab.holders(ip), 'nobody permits it').toEqual([])
  expect((await pair.hactl(pair.beta, 'status')).stdout).toContain('systemctl restart hactl')
  pair.beta.write('/etc/ha.d/hactl.yaml', '')
  expect((await pair.hactl(pair.beta, 'reload')).stderr).toContain('etcd changed')
  expect(await pair.stop(pair.beta)).toBe(0)
  const startMs = Date.now()
  await pair.start(pair.beta)
  expect(await pair.untilHeldBy(pair.beta, ip, timing.initdeadMs + 10_000) - startMs).toBeGreaterThan(timing.initdeadMs - 100)
  expect(pair.lab.overlapMs(ip)).toBe(0)
}, 90_000)

testWith(needed, 'a witness is added to a running pair: pause, restart one after the other, resume, and the address was never away', async () => {
  const pair = await openPair({ hosts, timing, autoFailback: 'off' })
  await startEtcd([onHost(pair.lab.host('witness'))])
  await pair.startBoth()
  expect((await pair.hactl(pair.alpha, 'pause')).code).toBe(0)
  for (const host of [pair.alpha, pair.beta]) {
    host.write('/etc/ha.d/hactl.yaml', yaml)
    expect(await pair.stop(host)).toBe(0)
    await pair.start(host)
    await pair.untilStatus(host, 'sees its peer again', ({ nodes }) => nodes.every(({ status }) => status === 'alive'), 15_000)
  }
  expect((await pair.hactl(pair.alpha, 'resume')).code).toBe(0)
  for (const host of [pair.alpha, pair.beta]) {
    await pair.untilStatus(host, 'healthy, with a witness', ({ health, witness }) => health === 'healthy' && witness?.status === 'reachable', 20_000)
  }
  expect(pair.lab.tenures(ip).map(({ host, toMs }) => [host, toMs])).toEqual([['alpha', undefined]])
}, 90_000)
