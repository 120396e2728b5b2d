/** Debian's resource agents, each as it is, through the code that calls them; and Heartbeat's own address scripts beside a real Heartbeat. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/events.ts'
import { bundle } from '../fixtures/bundled-program.ts'
import { joinMs, openMixed, quiet, testMixed } from '../lab/heartbeat/mixed.ts'
import { openLab, repository, type Host, type Lab } from '../lab/hosts.ts'
import { lacks } from '../lab/needs.ts'

interface Agent {
  readonly word: string
  readonly prepare?: string
  /** Fails unless it runs. */
  readonly runs: string
}

const agents: readonly Agent[] = [
  { word: 'IPaddr::192.0.2.100/24/eth0', runs: 'ip -o addr show dev eth0 | grep -q " 192.0.2.100/24"' },
  { word: 'IPaddr2::192.0.2.100/24/eth0:web/192.0.2.255', runs: 'ip -o addr show dev eth0 | grep -q " 192.0.2.100/24 brd 192.0.2.255 .*eth0:web"' },
  { word: 'IPv6addr::2001:db8:1:0:0:0:0:64/64/eth0', runs: 'ip -o addr show dev eth0 | grep -q " 2001:db8:1::64/64"' },
  { word: 'IPsrcaddr::192.0.2.77', prepare: 'ip addr add 192.0.2.77/24 dev eth0; ip route add default via 192.0.2.254', runs: 'ip route | grep -q "^default.*src 192.0.2.77"' },
  { word: 'Filesystem::/var/lab/disk::/var/lab/data::none::bind', prepare: 'mkdir -p /var/lab/disk /var/lab/data', runs: 'mountpoint -q /var/lab/data' },
  { word: 'Filesystem::tmpfs::/var/lab/data::tmpfs::size=1m', prepare: 'mkdir -p /var/lab/data', runs: 'findmnt -n -o FSTYPE /var/lab/data | grep -q tmpfs' },
  { word: 'apache::/etc/apache2/apache2.conf', prepare: 'mkdir -p /var/log/apache2; echo ServerName a > /etc/apache2/conf-enabled/lab.conf', runs: 'pgrep -x apache2 >/dev/null' },
  { word: '/etc/init.d/apache2', runs: 'pgrep -x apache2 >/dev/null' },
  { word: 'OCF::IPaddr2::web', prepare: 'mkdir -p /etc/ha.d/conf/OCF/IPaddr2; echo OCF_RESKEY_ip=192.0.2.78 > /etc/ha.d/conf/OCF/IPaddr2/web', runs: 'ip -o addr show | grep -q " 192.0.2.78/24"' },
  { word: 'SendArp::192.0.2.77/eth0', runs: 'ls /run/resource-agents | grep -q ^SendArp' },
  { word: 'mute::a::b::c', prepare: 'printf "%s\\n" "#!/bin/sh" "echo \\$*" "case \\$4 in start) touch /run/mute;; stop) rm -f /run/mute;; status) [ -e /run/mute ] && echo OK;; esac" "exit 0" > /etc/ha.d/resource.d/mute; chmod 755 /etc/ha.d/resource.d/mute', runs: 'test -e /run/mute' },
]

/** Without what it needs: what is said, and that nothing is left which could not be stopped. */
const lacking: readonly { readonly word: string; readonly start: Outcome['result']; readonly says: RegExp; readonly needs: string }[] = [
  { word: 'LVM::vg0', start: 'not-runnable', says: /LVM start failed.*could not determine LVM version.*Program is not installed/, needs: 'vgchange' },
  { word: 'Raid1::/etc/mdadm.conf::/dev/md0', start: 'not-runnable', says: /Configuration file \[\/etc\/mdadm.conf\] does not exist/, needs: 'mdadm' },
  { word: 'Xinetd::tftp', start: 'not-runnable', says: /xinetd not running/, needs: 'xinetd' },
  { word: 'drbddisk::r0', start: 'not-runnable', says: /there is no resource script drbddisk: tried .*install the package that brings it/, needs: 'drbdadm' },
  { word: 'ldirectord::www', start: 'not-runnable', says: /there is no resource script ldirectord/, needs: 'ldirectord' },
  { word: 'portblock::tcp::80::block!', start: 'failed', says: /iptables: not found/, needs: 'iptables' },
]

const missing = lacks('apache2', 'ha_logger', 'heartbeat').filter((name) => name !== 'heartbeat')

describe.skipIf(missing.length > 0)(`agents of Debian${missing.length > 0 ? ` (without ${missing.join(', ')})` : ''}`, () => {
  const cache = join(repository, `node_modules/.cache/hactl-agents-${process.pid}`)
  let lab: Lab
  let host: Host
  let program: string
  beforeAll(async () => {
    program = bundle('agent', cache)
    lab = await openLab({ hosts: ['alpha'], answering: false })
    host = lab.host('alpha')
    host.write('/var/lab/bin/modprobe', '#!/bin/sh\nexit 0\n', 0o755)
  })
  afterAll(async () => {
    await lab.close()
    rmSync(cache, { recursive: true, force: true })
  })
  const call = async (word: string, ...actions: string[]): Promise<readonly { result: Outcome['result']; message?: string }[]> => {
    const ran = await host.exec(['env', 'PATH=/var/lab/bin:/usr/sbin:/usr/bin:/sbin:/bin', process.execPath, program, word, ...actions], { timeoutMs: 120_000 })
    return ran.stdout.trim().split('\n').map((line) => JSON.parse(line) as { result: Outcome['result']; message?: string })
  }
  const results = async (word: string, ...actions: string[]): Promise<string> => (await call(word, ...actions)).map(({ result }) => result).join(' ')
  const runs = async (agent: Agent): Promise<boolean> => (await host.exec(agent.runs)).code === 0

  for (const agent of agents) {
    test(`${agent.word} is started twice, runs, is stopped twice, and runs no more`, async () => {
      if (agent.prepare !== undefined) await host.must(agent.prepare)
      const before = await results(agent.word, 'status')
      // One script says nothing while it does not run, which Heartbeat takes for "not running".
      expect(before).toMatch(/^(not-running|unknown)$/)
      expect(await results(agent.word, 'start', 'start', 'status')).toBe('ok ok ok')
      expect(await runs(agent)).toBe(true)
      expect(await results(agent.word, 'stop', 'stop')).toMatch(/^ok (ok|not-running)$/)
      expect(await results(agent.word, 'status')).toBe(before)
      expect(await runs(agent)).toBe(false)
    })
  }

  for (const { word, start, says, needs } of lacking) {
    const there = lacks(needs).length === 0
    test.skipIf(there)(`${word} without ${needs}: ${start}, and why${there ? ' (it is here)' : ''}`, async () => {
      const [outcome] = await call(word, 'start')
      expect(outcome).toMatchObject({ result: start, message: expect.stringMatching(says) as string })
    })
  }
})

testMixed('beside a real Heartbeat, with resource_agents: original on our side: each gives and takes as before, and an address is never on both', async () => {
  const mixed = await openMixed({ real: 'alpha', yaml: 'resource_agents: original\n' })
  const { pair, real, ours, theirs } = mixed
  await Promise.all([real.start(), pair.start(ours)])
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.untilHolding('local')
  await real.standby('all')
  await mixed.untilHeld(ours, ours)
  await real.takeover('local')
  await mixed.untilHeld(theirs, ours)
  expect((await pair.hactl(ours, 'standby')).code).toBe(0)
  await mixed.untilHeld(theirs, theirs)
  expect((await pair.hactl(ours, 'online')).code).toBe(0)
  await mixed.untilHeld(theirs, ours)
  await theirs.powerOff()
  await mixed.untilHeld(ours, ours)
  await quiet()
  mixed.expectNeverBoth()
  expect((await pair.status(ours)).groups.flatMap(({ resources }) => resources.map(({ kind }) => kind))).toEqual(['script', 'script'])
}, joinMs + 120_000)
