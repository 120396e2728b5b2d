/** Debian's own resource agents under the real daemon, and the environment that a real Heartbeat gives a script beside ours. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { lacksHeartbeat, prepareHeartbeat, heartbeatProgram } from './heartbeat.ts'
import { deadtimeMs, ip, openPair, patienceMs, type Pair } from './pair.ts'
import { waitFor, type Host } from './hosts.ts'

const lacking = [...lacksHeartbeat(), ...['/usr/sbin/apache2', '/usr/lib/ocf/resource.d/heartbeat/IPaddr2'].filter((path) => !existsSync(path))]

function agentTest(title: string, body: () => Promise<void>): void {
  test.skipIf(lacking.length > 0)(lacking.length === 0 ? title : `${title} (without ${lacking.join(', ')})`, body)
}

/** Programs that agents call and this machine need not have; a mail is a line of a file. */
const programs = { PATH: '/var/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

async function preparePrograms(host: Host): Promise<void> {
  host.write('/var/lab/bin/modprobe', '#!/bin/sh\nexit 0\n', 0o755)
  host.write('/var/lab/bin/mail', '#!/bin/sh\necho "$2" >> /var/lab/mails\n', 0o755)
  host.write('/var/www/html/node', host.name)
  await host.must('mkdir -p /var/log/apache2 /var/lab/disk /var/lab/data; echo "ServerName $(uname -n)" > /etc/apache2/conf-enabled/lab.conf')
}

async function page({ lab }: Pair): Promise<string> {
  const get = `fetch('http://${ip}/node', { signal: AbortSignal.timeout(500), headers: { connection: 'close' } }).then((r) => r.text()).then(console.log, () => 0)`
  return (await lab.client.exec([process.execPath, '-e', get])).stdout.trim()
}

interface Traces { readonly mounted: boolean; readonly apache: boolean; readonly mails: string }

async function tracesOn(host: Host): Promise<Traces> {
  const code = async (command: string): Promise<boolean> => (await host.exec(command)).code === 0
  return {
    mounted: await code('mountpoint -q /var/lab/data'), apache: await code('pgrep -x apache2'),
    mails: (await host.exec('cut -d" " -f1-3 /var/lab/mails 2>/dev/null')).stdout.trim().replaceAll('\n', '; '),
  }
}

agentTest('a group of Filesystem, an address, MailTo and apache starts in order, moves whole, and leaves nothing behind', async () => {
  const group = `alpha Filesystem::/var/lab/disk::/var/lab/data::none::bind IPaddr2::${ip}/24/eth0 MailTo::root::Web apache::/etc/apache2/apache2.conf`
  const pair = await openPair({ groups: [group], env: programs })
  await Promise.all([pair.alpha, pair.beta].map(preparePrograms))
  await pair.startBoth()
  await waitFor('the page of alpha', async () => (await page(pair)) === 'alpha' || undefined, patienceMs)
  expect(await tracesOn(pair.alpha)).toEqual({ mounted: true, apache: true, mails: 'Web Takeover in' })
  expect(await tracesOn(pair.beta)).toEqual({ mounted: false, apache: false, mails: '' })
  const standby = await pair.hactl(pair.alpha, 'standby')
  expect(standby.code, standby.stderr).toBe(0)
  expect(await page(pair)).toBe('beta')
  expect(await tracesOn(pair.alpha)).toEqual({ mounted: false, apache: false, mails: 'Web Takeover in; Web Migrating resource' })
  expect(await tracesOn(pair.beta)).toEqual({ mounted: true, apache: true, mails: 'Web Takeover in' })
  const codes = (await pair.events(pair.beta)).map(({ code }) => code)
  for (const trouble of ['resource-failed', 'status-unknown', 'group-unclean']) expect(codes).not.toContain(trouble)
  await pair.expectHolder(pair.beta)
})

agentTest('resource_agents: original: its own script holds the address through a switchover, the death of a daemon and that of a host', async () => {
  const name = `IPaddr2::${ip}/24/eth0:web`
  const pair = await openPair({ groups: [`alpha ${name}`], yaml: 'resource_agents: original\n', autoFailback: 'off' })
  await pair.startBoth()
  const shown = await pair.alpha.must('ip -o address show dev eth0')
  expect(shown).toMatch(new RegExp(`${ip}/24 .*eth0:web.*valid_lft forever`))
  expect((await pair.group(pair.alpha)).resources).toMatchObject([{ name, kind: 'script', status: 'running' }])
  const check = await pair.hactl(pair.alpha, 'check', '/etc/ha.d')
  expect([check.code, check.stdout + check.stderr]).toEqual([1, expect.stringContaining('agents-original') as string])
  expect((await pair.hactl(pair.beta, 'takeover')).code).toBe(0)
  await pair.expectHolder(pair.beta)
  // The guard runs the script's stop; the peer need not wait for deadtime.
  const killedMs = Date.now()
  pair.daemon(pair.beta).kill('SIGKILL')
  await pair.untilHeldBy(pair.alpha)
  expect((await pair.group(pair.alpha)).explanation).toBeDefined()
  const { message } = await pair.untilEvent(pair.alpha, 'will-heard')
  expect(message).toContain(ip)
  expect(pair.lab.tenures(ip).find(({ host }) => host === 'beta')?.toMs ?? 0).toBeGreaterThan(killedMs)
  await pair.start(pair.beta)
  await pair.untilStatus(pair.beta, 'both nodes alive', ({ nodes }) => nodes.every(({ status }) => status === 'alive'), 15_000)
  await pair.alpha.powerOff()
  await pair.untilHeldBy(pair.beta, ip, deadtimeMs + patienceMs)
  await pair.expectHolder(pair.beta)
})

agentTest('a script of Heartbeat, or the agent behind it, that is missing keeps the daemon from starting and is named', async () => {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0 OCF::Dummy::one`], yaml: 'resource_agents: original\n', answering: false })
  await pair.alpha.must('rm /etc/ha.d/resource.d/IPaddr')
  const { ended } = await pair.start(pair.alpha)
  expect((await ended).code).toBe(2)
  expect(pair.logOf(pair.alpha)).toMatch(/there is no resource script IPaddr: tried .*\/etc\/ha\.d\/resource\.d\/IPaddr/)
  expect(pair.logOf(pair.alpha)).toMatch(/OCF::Dummy::one has no file of parameters \/etc\/ha\.d\/conf\/OCF\/Dummy\/one/)
  const check = await pair.hactl(pair.alpha, 'check', '/etc/ha.d')
  expect([check.code, check.stdout + check.stderr]).toEqual([1, expect.stringContaining('script-missing') as string])
})

/** Writes down how it was called, once for each action. */
const dump = `#!/bin/sh
for action; do :; done
[ -e "/var/lab/$action" ] || { echo "words $*"; env; } > "/var/lab/$action"
echo stopped
`

type Variables = Readonly<Record<string, string>>

async function callOn(host: Host): Promise<{ readonly words: string; readonly variables: Variables }> {
  const text = await waitFor(`the script was asked on ${host.name}`, async () => (await host.exec('cat /var/lab/status')).stdout || undefined, 15_000)
  const [words = '', ...lines] = text.trimEnd().split('\n')
  return { words, variables: Object.fromEntries(lines.filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])) }
}

agentTest('a script finds the words and the environment that a real Heartbeat gives it; what differs is named here', async () => {
  const more = ['logfile /var/log/ha-log', 'debugfile /var/log/ha-debug', 'logfacility local0', 'debug 1', 'env SITE=east']
  const pair = await openPair({ groups: ['alpha dump::one::two'], more })
  pair.configure(pair.alpha, { groups: ['alpha dump::one::two'], more: [...more, 'realtime false'] })
  await pair.lab.cutBothWays('alpha', 'beta')
  for (const host of [pair.alpha, pair.beta]) host.write('/etc/ha.d/resource.d/dump', dump, 0o755)
  await Promise.all([pair.alpha, pair.beta].map((host) => host.must('mkdir -p /var/lab')))
  await prepareHeartbeat(pair.alpha)
  await Promise.all([pair.alpha.must(`ulimit -c 0; ${heartbeatProgram} </dev/null >/var/log/ha-start 2>&1`), pair.start(pair.beta)])
  const [theirs, ours] = await Promise.all([callOn(pair.alpha), callOn(pair.beta)])
  expect(ours.words).toBe('words one two status')
  expect(theirs.words).toBe(ours.words)

  const same = ['HA_DIR', 'HA_FUNCS', 'HA_RESOURCEDIR', 'HA_RCDIR', 'HA_BIN', 'HA_LOGFILE', 'HA_DEBUGLOG', 'HA_LOGFACILITY', 'HA_LOGD', 'HA_DATEFMT', 'HA_debug', 'HA_SITE', 'OCF_ROOT', 'LC_ALL', 'HOME']
  const pick = (variables: Variables) => Object.fromEntries(same.map((name) => [name, variables[name]?.replace('//', '/')]))
  expect(pick(ours.variables)).toEqual(pick(theirs.variables))
  expect([theirs.variables['HA_CURHOST'], ours.variables['HA_CURHOST']]).toEqual(['alpha', 'beta'])
  // One too deep for the script OCF, which looks for */TYPE in it.
  expect([theirs.variables['OCF_AGENTS'], ours.variables['OCF_AGENTS']]).toEqual(['/usr/lib/ocf/resource.d/heartbeat/', '/usr/lib/ocf/resource.d'])
  for (const directory of ['/usr/libexec/heartbeat', '/usr/share/heartbeat', '/usr/sbin', '/sbin']) {
    for (const { variables } of [theirs, ours]) expect(variables['PATH']?.split(':')).toContain(directory)
  }
  // A real one runs its scripts where it dumps core.
  expect([theirs.variables['PWD'], ours.variables['PWD']]).toEqual(['/var/lib/heartbeat/cores/root', '/'])

  const explained = [...same, 'HA_CURHOST', 'OCF_AGENTS', 'PATH', 'PWD']
  const onlyTheirs = Object.keys(theirs.variables).filter((name) => !explained.includes(name) && ours.variables[name] === undefined)
  const directives = /^HA_(keepalive|deadtime|warntime|initdead|udpport|auto_failback|realtime|logfile|debugfile|logfacility|[a-z_]+)$/
  const internal = ['HA_FIFO', 'HA_DOCDIR', 'HA_COMPRESSION', 'HA_NICEFAILBACK', 'HA_DONTASK', 'HA_OSTATUS', 'SHLVL', '_']
  expect(onlyTheirs.filter((name) => !directives.test(name) && !internal.includes(name)), 'directives, fields of messages, its own').toEqual([])
  const onlyOurs = Object.keys(ours.variables).filter((name) => !explained.includes(name) && theirs.variables[name] === undefined)
  expect(onlyOurs.filter((name) => !/^HACTL_/.test(name) && name !== 'NODE')).toEqual([])
})
