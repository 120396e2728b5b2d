/** Bad files and disagreeing nodes: a named error that says what to do, and nothing else changes. */
import { expect, test } from 'vitest'
import { sleep } from './hosts.ts'
import { deadtimeMs, haCf, ip, openPair, otherIp, type Pair } from './pair.ts'

async function refusal(pair: Pair): Promise<string> {
  const daemon = await pair.start(pair.alpha)
  const ended = await Promise.race([daemon.ended, sleep(10_000)])
  expect(ended?.code, `ends with exit code 2; log: ${daemon.log()}`).toBe(2)
  expect(daemon.log(), 'an error for people').not.toContain('    at ')
  return daemon.log()
}

test('keys that anybody can read are refused, with the chmod to type', async () => {
  const pair = await openPair()
  await pair.alpha.must('chmod 644 /etc/ha.d/authkeys')
  const said = await refusal(pair)
  expect(said).toContain('chmod 600 /etc/ha.d/authkeys')
  expect(said).not.toContain('the lab has no secrets')
  const check = await pair.hactl(pair.alpha, 'check', '/etc/ha.d')
  expect(check.code).toBe(2)
  expect(check.stdout + check.stderr).toContain('chmod 600')
  await pair.alpha.must('chmod 600 /etc/ha.d/authkeys')
  await pair.startBoth()
})

test('every error of the files is told in one run, each with file, line and column', async () => {
  const pair = await openPair()
  pair.alpha.write('/etc/ha.d/ha.cf', 'keepalive 1\ndeadtime 1\ndeadtyme 3\nbcast\nnode alpha beta\n')
  pair.alpha.write('/etc/ha.d/haresources', `gamma ${ip}\nalpha 192.0.2.300\n`)
  const said = await refusal(pair)
  expect(said).toMatch(/ha\.cf:2:\d+: .*deadtime/)
  expect(said).toMatch(/ha\.cf:3:\d+: .*deadtyme/)
  expect(said).toMatch(/haresources:1:\d+: .*gamma/)
  expect(said).toMatch(/haresources:2:\d+: .*192\.0\.2\.300/)
})

test('files that are missing or binary are named, too', async () => {
  const pair = await openPair()
  await pair.alpha.must('rm /etc/ha.d/haresources')
  expect(await refusal(pair)).toContain('haresources')
  await pair.alpha.must('head -c 4096 /dev/urandom > /etc/ha.d/haresources')
  expect(await refusal(pair)).toMatch(/haresources:\d+:\d+: /)
  await pair.alpha.must('rm -r /etc/ha.d')
  expect(await refusal(pair)).toContain('/etc/ha.d')
})

test('a host that the files do not name does not start, and is told its own name', async () => {
  const pair = await openPair()
  pair.alpha.write('/etc/ha.d/ha.cf', haCf({}, ['bcast eth0']).replace('node alpha beta', 'node gamma beta'))
  pair.alpha.write('/etc/ha.d/haresources', `gamma ${ip}/24/eth0\n`)
  const said = await refusal(pair)
  expect(said).toContain('alpha')
  expect(said).toContain('uname -n')
})

test('an interface that does not exist: named when the daemon starts', async () => {
  const pair = await openPair({ links: ['bcast eth7'] })
  const daemon = await pair.start(pair.alpha)
  const ended = await Promise.race([daemon.ended, sleep(3_000)])
  if (ended !== undefined) expect(ended.code).toBeGreaterThan(0)
  expect(daemon.log()).toContain('eth7')
})

test('a peer with a different configuration stays a peer, and both nodes name the difference', async () => {
  const pair = await openPair()
  pair.configure(pair.beta, { groups: [`alpha ${ip}/24/eth0`, `beta ${otherIp}/24/eth0`] })
  await Promise.all([pair.start(pair.alpha), pair.start(pair.beta)])
  for (const host of [pair.alpha, pair.beta]) {
    const status = await pair.untilStatus(host, 'the difference', ({ configDifferences }) => configDifferences.length > 0)
    expect(status.configDifferences).toContain('groups')
    expect(status.nodes.map((node) => node.status)).toEqual(['alive', 'alive'])
    expect(status.problems.join('\n')).toContain('groups')
  }
  await pair.untilHeldBy(pair.alpha)
  await sleep(deadtimeMs)
  await pair.expectHolder(pair.alpha)
  await pair.alpha.powerOff()
  await pair.untilHeldBy(pair.beta)
})
