/** What `hactl migrate --check` says of a configuration and a machine: every code is reached, at its level and in its part. */
import { expect, test } from 'vitest'
import { type ConfigSource, judgeMigration, loadConfig, type MachineFacts, migrationCodes, type MigrationFacts, type MigrationFinding, migrationParts } from '../../src/config/index.ts'
import { classic, goodHaCf, readSamples, type RealFiles } from './samples.ts'

const machine: MachineFacts = { nodeName: 'node1', interfaces: ['lo', 'eth0'], scriptFaults: new Map(), programs: new Map(), fileFaults: new Map(), hosts: new Map() }
const says = { holding: 'local', peerStatus: 'active', links: [{ name: 'eth0', status: 'up' }] }
const healthy: MigrationFacts = {
  heartbeat: { version: '3.0.6', atBoot: true, pid: 93 }, says, identity: { generation: 'kept', uuid: 'kept', next: 1_700_000_001, own: false },
  addresses: ['192.0.2.1', '192.0.2.100'], otherScripts: new Map(), hactl: { runs: false, unit: true, program: true }, portTaken: true,
}

function judge(facts: Partial<MigrationFacts> = {}, source: ConfigSource = classic(), on: Partial<MachineFacts> = {}): readonly MigrationFinding[] {
  return judgeMigration(loadConfig(source, { ownUid: 0 }), { ...machine, ...on }, { ...healthy, ...facts })
}

const stopped = { atBoot: false, version: '3.0.6' }
interface Case { readonly code: keyof typeof migrationCodes; readonly level: MigrationFinding['level']; readonly facts?: Partial<MigrationFacts>; readonly source?: ConfigSource; readonly says: RegExp }
const cases: readonly Case[] = [
  { code: 'heartbeat-runs', level: 'note', says: /^Heartbeat 3\.0\.6 runs here \(pid 93\), is started at boot and holds 192\.0\.2\.100\. It has UDP port 694/ },
  { code: 'heartbeat-runs', level: 'note', facts: { addresses: ['192.0.2.1'] }, says: /holds nothing/ },
  { code: 'heartbeat-unsettled', level: 'warning', facts: { says: { ...says, holding: 'transition' } }, says: /cl_status rscstatus/ },
  { code: 'heartbeat-missing', level: 'warning', facts: { heartbeat: stopped, portTaken: false }, says: /installed here and does not run/ },
  { code: 'peer-seen', level: 'note', says: /node2 is active, its links: eth0 up$/ },
  { code: 'peer-seen', level: 'warning', facts: { says: { ...says, links: [{ name: 'eth0', status: 'up' }, { name: 'eth1', status: 'dead' }] } }, says: /eth1 dead/ },
  { code: 'peer-gone', level: 'warning', facts: { says: { ...says, peerStatus: 'dead' } }, says: /node2 is dead: nobody would take over/ },
  { code: 'port-taken', level: 'warning', facts: { heartbeat: stopped }, says: /ss -ulpn 'sport = :694'/ },
  { code: 'identity-kept', level: 'note', says: /generation 1700000001, which is above hb_generation/ },
  { code: 'identity-kept', level: 'note', facts: { identity: { ...healthy.identity, own: true } }, says: /has run here before/ },
  { code: 'identity-new', level: 'warning', facts: { identity: { generation: 'damaged', uuid: 'missing', next: 5, own: false } }, says: /hb_generation is damaged: .*; hb_uuid is missing/ },
  { code: 'files-compare', level: 'note', says: /sha256sum \/etc\/ha\.d\/ha\.cf/ },
  { code: 'hactl-runs', level: 'warning', facts: { hactl: { runs: true, unit: true, program: true } }, says: /hactl status/ },
  { code: 'hactl-unit', level: 'warning', facts: { hactl: { runs: false, unit: false, program: false } }, says: /cp .*hactl\.service.*; \/usr\/bin\/hactl/ },
  { code: 'step-stop', level: 'note', says: /node2 takes over 192\.0\.2\.100\..* while apache2 stops here and starts there/ },
  { code: 'step-stop', level: 'note', facts: { addresses: [] }, says: /nothing moves/ },
  { code: 'step-stop', level: 'note', facts: { says: { ...says, holding: 'transition' } }, source: classic({ haresources: 'node1 apache2\n' }), says: /takes over what this host holds/ },
  { code: 'step-start', level: 'note', says: /192\.0\.2\.100 returns at once.*ha\.cf of node2 decides/ },
  { code: 'step-start', level: 'note', source: classic({ haCf: goodHaCf.replace('auto_failback on', 'auto_failback off') }), says: /auto_failback is off\. hactl takeover local/ },
  { code: 'step-start', level: 'note', source: classic({ haresources: 'node2 192.0.2.100/24/eth0\n' }), says: /No group prefers this host/ },
  { code: 'step-other', level: 'note', says: /the same on node2/ },
  { code: 'step-back', level: 'note', says: /systemctl enable --now heartbeat/ },
  { code: 'failback-legacy-mode', level: 'warning', source: classic({ haCf: goodHaCf.replace('auto_failback on\n', '') }), says: /there is no auto_failback, which is legacy/ },
  { code: 'failback-legacy-mode', level: 'warning', source: classic({ haCf: goodHaCf.replace('auto_failback on', 'auto_failback legacy') }), says: /has no standby/ },
  { code: 'script-other', level: 'warning', facts: { otherScripts: new Map([['apache2', { heartbeat: '/etc/init.d/apache2', hactl: '/opt/apache2' }]]) }, says: /Heartbeat runs \/etc\/init\.d\/apache2/ },
  { code: 'address-own', level: 'note', says: /192\.0\.2\.100: hactl serves addresses itself/ },
  { code: 'address-lease', level: 'note', says: /at most 7 s/ },
  { code: 'times', level: 'note', source: classic({ haCf: `${goodHaCf}ping 192.0.2.254\nwatchdog /dev/watchdog\n` }), says: /dead after 10 s .*deadping.*watchdog resets after 9 s/ },
  { code: 'tools-differ', level: 'note', says: /hb_standby.*hactl standby --once/ },
  { code: 'mixed-promises', level: 'note', says: /promise P2.*after 10 s/ },
  { code: 'mixed-time', level: 'note', says: /do not change ha\.cf/ },
]

test.each(cases.map((one) => [one.code, one] as const))('%s is said where it is so', (code, { level, facts, source, says: pattern }) => {
  const found = judge(facts, source).filter((one) => one.code === code)
  expect(found).toHaveLength(1)
  expect(found[0]?.level).toBe(level)
  expect(found[0]?.message).toMatch(pattern)
})

test('every code but that of the command itself is reached', () => {
  const reached = new Set<string>([...cases.map(({ code }) => code), 'yaml-counts'])
  expect(Object.keys(migrationCodes).filter((code) => !reached.has(code))).toEqual([])
})

test('the parts come in the order in which the administrator meets them', () => {
  const parts = judge({}, classic({ haCf: `${goodHaCf}logfacility local0\n` }), { scriptFaults: new Map([['apache2', 'it is not there']]) }).map(({ part }) => part)
  expect([...new Set(parts)]).toEqual([...migrationParts])
})

test('what a Heartbeat in legacy mode says of itself is not believed: the addresses of the host count', () => {
  const none = { says: { ...says, holding: 'none' } }
  expect(judge(none).find(({ code }) => code === 'heartbeat-runs')?.message).toContain('holds 192.0.2.100')
  const unknown = judge(none, classic({ haresources: 'node1 apache2\n' })).find(({ code }) => code === 'heartbeat-runs')?.message
  expect(unknown).toContain('runs here')
  expect(unknown, 'a group without addresses cannot be told').not.toContain('holds')
})

test('what keeps the daemon from starting is an error, and said once', () => {
  const missing = judge({}, undefined, { scriptFaults: new Map([['apache2', 'there is no resource script apache2']]) }).filter(({ code }) => code === 'script-missing')
  expect(missing).toMatchObject([{ part: 'stops', level: 'error' }])
  expect(judge({}, undefined, { nodeName: 'node3' }).filter(({ level }) => level === 'error').map(({ code }) => code)).toEqual(['own-name'])
  const crc = judge({}, classic({ authkeys: 'auth 1\n1 crc\n' })).filter(({ level }) => level === 'error').map(({ code }) => code)
  expect(crc).toEqual(['crc-refused'])
})

test('directives without effect are kept apart from what changes', () => {
  const found = judge({}, classic({ haCf: `${goodHaCf}logfacility local0\nrespawn hacluster /usr/lib/heartbeat/dopd\n` }))
  expect(found.filter(({ part }) => part === 'no-effect').map(({ code }) => code)).toEqual(['directive-without-effect'])
  expect(found.filter(({ part, level }) => part === 'changes' && level === 'warning').map(({ code }) => code)).toEqual(['directive-unsupported'])
})

test('a witness or fencing that the other host would not heed is named', () => {
  const yaml = 'witness: {etcd: {endpoints: ["https://192.0.2.50:2379"]}}\n'
  expect(judge({}, classic({ yaml })).find(({ code }) => code === 'mixed-promises')?.message).toContain('the witness is not asked')
})

test('of every configuration of a real pair it is said whether hactl would start, and what will happen if it would', () => {
  for (const { files } of readSamples<RealFiles>('files')) {
    const source = classic({ haCf: files['ha.cf'], haresources: files.haresources, authkeys: files.authkeys })
    const result = loadConfig(source, { ownUid: 0 })
    const parts = new Set(judge({}, source, { nodeName: result.config?.nodes[0] ?? '', interfaces: result.config?.links.map((link) => link.interface) ?? [] }).map(({ part }) => part))
    expect([parts.has('stops'), parts.has('steps')]).toEqual(result.config === undefined ? [true, false] : [parts.has('stops'), true])
  }
})
