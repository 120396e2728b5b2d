/** The daemon under hardship: killed, without its tools, without rights, without room on the disk. */
import { expect, test } from 'vitest'
import { sleep, waitFor } from './hosts.ts'
import { testWith } from './needs.ts'
import { deadtimeMs, ip, killWithGuard, openPair, patienceMs, program } from './pair.ts'
import { isRoot } from './sandbox.ts'
import { callsOf, installService, quickServices, serviceRuns } from './service.ts'

test('kill -9 of the holder\'s daemon together with its guard, and a quick restart: the address and the service stay, and are adopted', async () => {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0 notes`], yaml: quickServices('notes') })
  installService([pair.alpha, pair.beta])
  await pair.startBoth()
  const probe = await pair.lab.probe(ip)
  await probe.firstAnswerOf('alpha', 0)
  const killMs = Date.now()
  await killWithGuard(pair, pair.alpha)
  await pair.start(pair.alpha)
  await pair.untilStatus(pair.alpha, 'holds the group again', ({ groups }) => groups[0]?.state === 'held', 15_000)
  await pair.untilStatus(pair.beta, 'healthy', ({ health }) => health === 'healthy')
  expect(pair.lab.tenures(ip), 'the address was never away').toHaveLength(1)
  await pair.expectHolder(pair.alpha)
  expect(await callsOf(pair.alpha, 'start')).toHaveLength(1)
  expect(await callsOf(pair.alpha, 'stop')).toEqual([])
  expect(await serviceRuns(pair.alpha)).toBe(true)
  expect((await pair.events(pair.alpha)).map((record) => record.code)).toContain('group-adopted')
  expect((await probe.longestGap(killMs)).ms).toBeLessThan(500)
})

test('kill -9 of the other node\'s daemon and its restart move nothing, and its generation rises', async () => {
  const pair = await openPair()
  const daemons = await pair.startBoth()
  const before = (await pair.peerOf(pair.alpha)).generation ?? NaN
  daemons.beta.kill('SIGKILL')
  await daemons.beta.ended
  await pair.start(pair.beta)
  await pair.untilStatus(pair.alpha, 'a new generation of the peer', ({ nodes }) => nodes.some((node) => !node.self && (node.generation ?? 0) > before))
  await pair.untilStatus(pair.beta, 'healthy', ({ health }) => health === 'healthy')
  expect(pair.lab.tenures(ip)).toHaveLength(1)
})

test('the history outlives a kill -9: why still explains the move that came before', async () => {
  const pair = await openPair()
  const daemons = await pair.startBoth()
  const before = await pair.why(pair.alpha)
  daemons.alpha.kill('SIGKILL')
  await daemons.alpha.ended
  await pair.start(pair.alpha)
  await waitFor('the daemon answers', async () => ((await pair.hactl(pair.alpha, 'status')).code <= 1 ? true : undefined), patienceMs, 100)
  const events = await pair.events(pair.alpha)
  expect(events.some((record) => record.move === before.move && record.code === 'group-held')).toBe(true)
  expect(events.filter((record) => record.code === 'daemon-started')).toHaveLength(2)
})

testWith(['arping'], 'without koffi: start, takeover and announcements work by other means, and check says so', async () => {
  const pair = await openPair({ env: { HACTL_NO_NATIVE: '1' }, secondLink: true })
  await pair.startBoth()
  const probe = await pair.lab.probe(ip)
  await probe.firstAnswerOf('alpha', 0)
  expect((await pair.status(pair.alpha)).links.map((link) => link.status)).toEqual(['up', 'up'])
  const crashMs = Date.now()
  await pair.alpha.powerOff()
  const heldMs = await pair.untilHeldBy(pair.beta)
  const answer = await probe.firstAnswerOf('beta', crashMs)
  expect(answer.atMs - heldMs, 'the client learns the new place from the announcement').toBeLessThan(1_500)
  const check = await pair.beta.exec([...program, 'check', '/etc/ha.d'], { env: { HACTL_NO_NATIVE: '1' } })
  expect(check.stdout + check.stderr).toMatch(/native calls.*arping/)
})

test('no `ip`: the daemon does not start as if all were well, and names the program', async () => {
  const pair = await openPair()
  await pair.alpha.must('echo > /tmp/nothing; for ip in /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip; do [ ! -e $ip ] || mount --bind /tmp/nothing $ip; done')
  const daemon = await pair.start(pair.alpha)
  const ended = await Promise.race([daemon.ended, sleep(10_000)])
  expect(ended?.code, 'it ends with an error').toBeGreaterThan(0)
  expect(daemon.log()).toMatch(/\bip\b.*(iproute2|not be run|permission|missing|EACCES|ENOENT)/i)
})

test.skipIf(!isRoot)('no permission: as an ordinary user the daemon says what it lacks (tested by root only)', async () => {
  const pair = await openPair()
  // A copy, since the repository may lie where only its owner can read.
  await pair.alpha.must(`install -m 644 ${program[1] ?? ''} /tmp/hactl.mjs`)
  const words = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '/tmp/hactl.mjs', 'daemon', '--foreground']
  const daemon = await pair.alpha.start('daemon', words)
  const ended = await Promise.race([daemon.ended, sleep(10_000)])
  expect(ended?.code, 'it ends with an error').toBeGreaterThan(0)
  expect(daemon.log()).toMatch(/permission|EACCES|not allowed|root/i)
  expect(daemon.log(), 'an error for people').not.toContain('    at ')
})

test('the port is taken: said with the port, and the pair works once it is free', async () => {
  const pair = await openPair()
  const squatter = await pair.alpha.start('squatter', [process.execPath, '-e', 'require("node:dgram").createSocket("udp4").bind(694, () => console.log("bound"))'])
  await waitFor('the squatter', () => squatter.log().includes('bound') || undefined)
  const daemon = await pair.start(pair.alpha)
  await waitFor('a word about the port', () => daemon.log().includes('694') || undefined, patienceMs)
  expect(daemon.log()).toMatch(/694.*(in use|taken|EADDRINUSE)|(in use|taken|EADDRINUSE).*694/)
  squatter.kill('SIGKILL')
  await squatter.ended
  await Promise.race([daemon.ended, sleep(3_000)])
  if (!daemon.isRunning()) await pair.start(pair.alpha)
  await pair.start(pair.beta)
  await pair.untilStatus(pair.alpha, 'healthy', ({ health }) => health === 'healthy', 20_000)
  expect(pair.lab.overlapMs(ip)).toBe(0)
})

test('a second daemon on one host is refused, and the first is not disturbed', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const second = await pair.alpha.exec([...program, 'daemon', '--foreground'], { timeoutMs: 10_000 })
  expect([1, 2]).toContain(second.code)
  expect(second.stderr + second.stdout).toMatch(/another daemon|already/)
  await pair.expectHolder(pair.alpha)
  expect((await pair.hactl(pair.alpha, 'status')).code).toBe(0)
})

test('no room for the state at the start: the daemon refuses, because it could not count its generation', async () => {
  const pair = await openPair()
  await pair.alpha.must('mount -t tmpfs -o size=16k,mode=700 small /var/lib/hactl; head -c 100000 /dev/zero > /var/lib/hactl/ballast || true')
  const daemon = await pair.start(pair.alpha)
  const ended = await Promise.race([daemon.ended, sleep(10_000)])
  expect(ended?.code, 'it ends with an error').toBeGreaterThan(0)
  expect(daemon.log()).toMatch(/ENOSPC|no space|full/i)
  expect(daemon.log()).toContain('/var/lib/hactl')
})

test('the disk fills up later: the pair goes on, takes over, and says that it cannot write', async () => {
  const pair = await openPair()
  await pair.beta.must('mount -t tmpfs -o size=256k,mode=700 small /var/lib/hactl')
  await pair.startBoth()
  await pair.beta.must('head -c 1000000 /dev/zero > /var/lib/hactl/ballast || true')
  // Each writes records and the state; the files' last blocks have room for a few.
  for (let time = 0; time < 8; time += 1) await pair.hactl(pair.beta, time % 2 === 0 ? 'pause' : 'resume')
  await pair.untilStatus(pair.beta, 'no pause', ({ pause }) => !pause.paused)
  await pair.alpha.powerOff()
  await pair.untilHeldBy(pair.beta)
  await sleep(deadtimeMs)
  await pair.expectHolder(pair.beta)
  const status = await pair.status(pair.beta)
  expect(`${pair.logOf(pair.beta)}${JSON.stringify(status)}`).toMatch(/ENOSPC|no space/i)
  await pair.beta.must('rm /var/lib/hactl/ballast')
  await pair.alpha.powerOn()
  await pair.start(pair.alpha)
  await pair.untilHeldBy(pair.alpha, ip, 15_000)
  expect(pair.lab.overlapMs(ip)).toBe(0)
})

test('the configuration is reread all or nothing', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const good = pair.alpha.read('/etc/ha.d/ha.cf')
  pair.alpha.write('/etc/ha.d/ha.cf', `${good}deadtyme 3\n`)
  const refused = await pair.hactl(pair.alpha, 'reload')
  expect([1, 2]).toContain(refused.code)
  expect(refused.stderr).toContain('deadtyme')
  await pair.expectHolder(pair.alpha)
  for (const host of [pair.alpha, pair.beta]) {
    host.write('/etc/ha.d/ha.cf', good.replace(`deadtime ${deadtimeMs}ms`, 'deadtime 2500ms'))
    expect((await pair.hactl(host, 'reload')).code).toBe(0)
  }
  await pair.untilStatus(pair.beta, 'the peer\'s new deadtime', ({ nodes }) => nodes.some((node) => !node.self && node.deadtimeMs === 2_500))
  expect(pair.lab.tenures(ip)).toHaveLength(1)
})
