/** What stands behind a dead, hung or cut-off node, in both forms. */
import { expect, test } from 'vitest'
import { loadConfig, secretFilesOf, toYaml } from '../../src/config/index.ts'
import { classic, codesOf, configOf, goodHaCf, goodYaml, yamlSource } from './samples.ts'

const yaml = (more: string) => yamlSource(goodYaml + more)
const haCf = (more: string, beside?: string) => classic({ haCf: goodHaCf + more, ...(beside === undefined ? {} : { yaml: beside }) })

function roundTrip(source: Parameters<typeof loadConfig>[0]): void {
  const result = loadConfig(source, { ownUid: 0 })
  const back = loadConfig(yamlSource(toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? ''))
  expect(back.errors).toEqual([])
  expect(back.config).toEqual(result.config)
  expect(back.shown).toEqual(result.shown)
}

test('a witness by its endpoints alone: times follow deadtime, the keys are of this pair', () => {
  const source = yaml('witness: {etcd: {endpoints: ["http://192.0.2.50:2379/"]}}\n')
  const config = configOf(source)
  expect(config.witness).toEqual({ timeoutMs: 500, grantMs: 10_000, renewMs: 1_666 })
  expect(config.etcd).toEqual({ endpoints: ['http://192.0.2.50:2379'], prefix: '/hactl/node1+node2' })
  expect(configOf(yamlSource(goodYaml.replace('[node1, node2]', '[node2, node1]') + 'witness: {etcd: {endpoints: "http://a:1"}}\n')).etcd?.prefix)
    .toBe('/hactl/node1+node2')
  expect(codesOf(loadConfig(source)).warnings).toEqual([])
  roundTrip(source)
})

test('everything of a witness, beside classic files as well', () => {
  const text = `witness:
  etcd:
    endpoints: ["https://192.0.2.50:2379", "https://[2001:db8::5]:2379"]
    prefix: /hactl/web
    ca: /etc/hactl/ca.pem
    cert: /etc/hactl/client.pem
    key: /etc/hactl/client.key
    user: pair
    password_file: /etc/hactl/etcd-password
  timeout: 300ms
  grant: 6s
  renew: 700ms
`
  const config = configOf(classic({ yaml: text }))
  expect(config.witness).toEqual({ timeoutMs: 300, grantMs: 6_000, renewMs: 700 })
  expect(config.etcd).toEqual({
    endpoints: ['https://192.0.2.50:2379', 'https://[2001:db8::5]:2379'], prefix: '/hactl/web', caFile: '/etc/hactl/ca.pem',
    certificateFile: '/etc/hactl/client.pem', keyFile: '/etc/hactl/client.key', user: { name: 'pair', passwordFile: '/etc/hactl/etcd-password' },
  })
  roundTrip(classic({ yaml: text }))
  expect(configOf(yaml(text)).etcd).toEqual(config.etcd)
})

test('a witness that cannot be one is refused where it is wrong', () => {
  const errorsOf = (witness: string) => loadConfig(yaml(`witness: ${witness}\n`)).errors.map(({ column, code, message }) => `${column} ${code} ${message}`)
  expect(errorsOf('etcd')).toEqual(['10 yaml-shape witness: it must be a mapping.'])
  expect(errorsOf('{}')).toEqual([expect.stringMatching(/^10 key-missing .*endpoints/)])
  expect(errorsOf('{etcd: {endpoints: []}}')).toEqual([expect.stringMatching(/^29 .*at least one/)])
  expect(errorsOf('{etcd: {endpoints: ["http://a:1", "192.0.2.50"]}}')).toEqual([expect.stringMatching(/^44 value-invalid .*with its port/)])
  expect(errorsOf('{etcd: {endpoints: "http://a:1", cert: /c}}')).toEqual([expect.stringMatching(/^49 value-invalid .*Write key too/)])
  expect(errorsOf('{etcd: {endpoints: "http://a:1", ca: /c}}')).toEqual([expect.stringMatching(/Write https:/)])
  expect(errorsOf('{etcd: {endpoints: "https://a:1", ca: c}}')).toEqual([expect.stringMatching(/no absolute path/)])
  expect(errorsOf('{etcd: {endpoints: "https://a:1"}, grant: 2500ms}')).toEqual([expect.stringMatching(/whole seconds/)])
})

test('ping nodes in YAML: a list, or a mapping with groups and options', () => {
  const list = configOf(yaml('ping: [192.0.2.254, 2001:db8::fe, gateway]\n'))
  expect(list.ping).toEqual({ names: ['192.0.2.254', '2001:db8::fe', 'gateway'], balances: true, releases: false, settleMs: 4_000 })
  expect(list.pings).toMatchObject({ intervalMs: 1_000, deadpingMs: 5_000 })
  const source = yaml('ping: {nodes: 192.0.2.254, groups: {isp: [198.51.100.1, 198.51.100.2]}, interval: 250ms, deadping: 3s, balance: off, ' +
    'release: on, settle: 5s}\n')
  const config = configOf(source)
  expect(config.ping).toEqual({ names: ['192.0.2.254', 'isp'], balances: false, releases: true, settleMs: 5_000 })
  expect(config.pings).toEqual({
    targets: [{ name: '192.0.2.254', addresses: ['192.0.2.254'] }, { name: 'isp', addresses: ['198.51.100.1', '198.51.100.2'] }],
    intervalMs: 250, deadpingMs: 3_000,
  })
  expect(loadConfig(source).shown?.pingNodes).toEqual(['192.0.2.254', '198.51.100.1', '198.51.100.2'])
  roundTrip(source)
  roundTrip(yaml('ping: [gateway]\n'))
  expect(loadConfig(yaml('ping: [192.0.2.254, -f, 224.0.0.1]\n')).errors.map(({ column }) => column)).toEqual([21, 25])
})

test('ping nodes in ha.cf: groups count as one, and balance only with ipfail', () => {
  const text = 'ping_group isp 198.51.100.1 198.51.100.2\nping 192.0.2.254\nping6 2001:db8::fe\ndeadping 4\n'
  const config = configOf(haCf(text))
  expect(config.ping).toMatchObject({ names: ['192.0.2.254', '2001:db8::fe', 'isp'], balances: false, releases: false })
  expect(config.pings?.deadpingMs).toBe(4_000)
  const ipfail = 'respawn hacluster /usr/lib/heartbeat/ipfail\n'
  expect(codesOf(loadConfig(haCf(text + ipfail), { ownUid: 0 }))).toEqual({ errors: [], warnings: [] })
  const moved = configOf(haCf(text + ipfail, 'ping: {release: on, settle: 3s, interval: 500ms}\n'))
  expect(moved.ping).toMatchObject({ balances: true, releases: true, settleMs: 3_000 })
  expect(moved.pings?.intervalMs).toBe(500)
  roundTrip(haCf(text + ipfail, 'ping: {release: on}\n'))
  roundTrip(haCf(text))
})

test('stonith_host names who reaches the device, so that the other node is fenced; * is either', () => {
  const config = configOf(haCf('stonith_host node1 external/ipmi node2 192.0.2.2\nstonith_host Node2 external/ipmi node1 192.0.2.1\n'))
  expect(config.fenceDevices).toEqual({
    node2: [[{ kind: 'stonith', agent: 'external/ipmi', parameters: {}, words: ['node2', '192.0.2.2'] }]],
    node1: [[{ kind: 'stonith', agent: 'external/ipmi', parameters: {}, words: ['node1', '192.0.2.1'] }]],
  })
  expect(config.fencing).toEqual({
    levels: { node1: [{ name: 'external/ipmi', timeoutMs: 60_000, retries: 2 }], node2: [{ name: 'external/ipmi', timeoutMs: 60_000, retries: 2 }] },
    delaysMs: { node1: 0, node2: 0 },
  })
  const file = configOf(haCf('stonith apcmaster /etc/ha.d/apc.conf\n')).fenceDevices
  expect(file?.['node1']).toEqual([[{ kind: 'stonith', agent: 'apcmaster', parameters: {}, parameterFile: '/etc/ha.d/apc.conf' }]])
  expect(file?.['node2']).toEqual(file?.['node1'])
  roundTrip(haCf('stonith_host * apcmaster 192.0.2.9\n'))
  const above = classic({ haCf: `stonith_host node1 external/ipmi node2\n${goodHaCf}` })
  expect(configOf(above).fencing?.levels, 'also above the node lines').toHaveProperty('node2')
})

test('fence in YAML: levels in order, of each level all devices', () => {
  const source = yaml(`fence:
  node1:
    - {agent: fence_ipmilan, parameters: {ip: 192.0.2.66, username: admin, lanplus: "1"}, timeout: 20s, retries: 1, delay: 5s}
    - [{agent: fence_apc_snmp, parameters: {ip: 192.0.2.67, plug: "3"}, timeout: 10s}, {agent: /opt/fence_other, timeout: 30s}]
  node2:
    - {stonith: external/ipmi, parameters_file: /etc/hactl/ipmi}
`)
  const config = configOf(source)
  expect(config.fencing).toEqual({
    levels: {
      node1: [{ name: 'fence_ipmilan', timeoutMs: 20_000, retries: 1 }, { name: 'fence_apc_snmp + fence_other', timeoutMs: 30_000, retries: 2 }],
      node2: [{ name: 'external/ipmi', timeoutMs: 60_000, retries: 2 }],
    },
    delaysMs: { node1: 5_000, node2: 0 },
  })
  expect(config.fenceDevices?.['node1']?.[1]?.map(({ agent }) => agent)).toEqual(['fence_apc_snmp', '/opt/fence_other'])
  expect(loadConfig(source).shown?.fencing).toEqual({ node1: [['fence_ipmilan'], ['fence_apc_snmp', '/opt/fence_other']], node2: [['external/ipmi']] })
  expect(configOf(classic({ yaml: source.files[0]?.text.slice(goodYaml.length) ?? '' })).fencing).toEqual(config.fencing)
  roundTrip(source)
})

test('a device that cannot be one is refused, and its neighbours do not count without it', () => {
  const errorsOf = (fence: string) => loadConfig(yaml(`fence: ${fence}\n`)).errors.map(({ message }) => message)
  expect(errorsOf('[fence_ipmilan]')).toEqual([expect.stringMatching(/mapping of the nodes/)])
  expect(errorsOf('{node1: fence_ipmilan}')).toEqual([expect.stringMatching(/list of devices/)])
  expect(errorsOf('{node1: [[]], node2: [{}]}')).toEqual([expect.stringMatching(/list of devices is empty/), expect.stringMatching(/exactly one of agent/)])
  expect(errorsOf('{node1: [{agent: fence_a, stonith: b}]}')).toEqual([expect.stringMatching(/exactly one of agent/)])
  expect(errorsOf('{node1: [{agent: "fence_a; reboot"}, {stonith: ../../x}]}')).toHaveLength(2)
  expect(errorsOf('{node1: [{agent: fence_a, parameters: {ip: "a\\nplug=2"}}]}')).toEqual([expect.stringMatching(/line end/)])
  expect(errorsOf('{node1: [{agent: fence_a, pasword: x}]}')).toEqual([expect.stringMatching(/there is no key "pasword" here/)])
})

test('a password is in no message, in nothing shown and in no import, which says where it goes', () => {
  const secret = 'hunter2secret'
  const sources = [
    haCf(`stonith_host node1 external/ipmi node2 192.0.2.66 admin ${secret} lan\nstonith_host node2 external/ipmi node1 192.0.2.65 admin ${secret} lan\n`),
    haCf(`stonith_host node3 external/ipmi ${secret}\nstonith_host ;${secret}\nstonith external/ipmi ${secret}\nstonith_host * external/ipmi ${secret}\n`),
    yaml(`fence: {node1: [{agent: fence_ipmilan, parameters: {ip: 192.0.2.66, password: ${secret}}}]}\n`),
    ...['{password: x, a b: y}', '[x]', '{ip: [x]}', '"x\\n"', 'x', '{ip: "x\\n"}'].map((parameters) =>
      yaml(`fence: {node1: [{agent: fence_a, parameters: ${parameters.replaceAll('x', secret)}}]}\n`)),
    yaml(`fence: {node1: [${secret}, {agent: a, parameters_file: "${secret}\\n"}]}\n`),
    yaml(`witness: {etcd: {endpoints: ["https://root:${secret}@a:2379"], password: ${secret}}}\n`),
  ]
  for (const source of sources) {
    const { config: _, ...result } = loadConfig(source, { ownUid: 0 })
    expect(JSON.stringify(result)).not.toContain(secret)
    expect(toYaml({ ...result, config: _ }) ?? '').not.toContain(secret)
  }
  const [words, , named] = sources
  if (words === undefined || named === undefined) throw new Error('no sources')
  expect(secretFilesOf(configOf(words), '/etc/ha.d/authkeys')).toEqual([
    { path: '/etc/ha.d/fence-node2-1', target: 'node2', agent: 'external/ipmi', form: 'words' },
    { path: '/etc/ha.d/fence-node1-1', target: 'node1', agent: 'external/ipmi', form: 'words' },
  ])
  expect(secretFilesOf(configOf(named), '/etc/hactl/authkeys')).toEqual([
    { path: '/etc/hactl/fence-node1-1', target: 'node1', agent: 'fence_ipmilan', form: ['password'] },
  ])
  const imported = configOf(yamlSource(toYaml({ ...loadConfig(named), authFile: '/etc/hactl/authkeys' }) ?? ''))
  expect(imported.fenceDevices?.['node1']).toEqual([[
    { kind: 'fence-agent', agent: 'fence_ipmilan', parameters: { ip: '192.0.2.66' }, parameterFile: '/etc/hactl/fence-node1-1' },
  ]])
})

test('lease, pause limit, watchdog and flap guard', () => {
  const config = configOf(yaml('lease: 5s\npause_limit: 3m\nwatchdog: {device: /dev/watchdog1, timeout: 5s}\nflap_guard: {moves: 3}\n'))
  expect(config).toMatchObject({
    lease: { seconds: 5 }, pauseLimitMs: 180_000, watchdog: true, watchdogDevice: { path: '/dev/watchdog1', timeoutMs: 5_000 },
    flapGuard: { moves: 3, withinMs: 600_000 },
  })
  roundTrip(yaml('lease: 5s\npause_limit: 3m\nwatchdog: {device: /dev/watchdog1, timeout: 5s}\nflap_guard: {moves: 3}\n'))
  expect(configOf(yaml('watchdog: /dev/watchdog\n')).watchdogDevice, 'before the peer takes over').toEqual({ path: '/dev/watchdog', timeoutMs: 9_000 })
  expect(configOf(haCf('watchdog /dev/watchdog\n', 'watchdog: {timeout: 4s}\n')).watchdogDevice?.timeoutMs).toBe(4_000)
  expect(configOf(yaml('flap_guard: off\nlease: off\n'))).not.toHaveProperty('flapGuard')
  roundTrip(yaml('flap_guard: off\nlease: off\n'))
  roundTrip(haCf('watchdog /dev/watchdog\n', 'flap_guard: {moves: 9, within: 1h}\n'))
  for (const wrong of ['lease: 1500ms', 'lease: 5', 'lease: {}', 'flap_guard: 5', 'flap_guard: {moves: 1}', 'watchdog: dev', 'watchdog: {timeout: 1500ms}', 'pause_limit: 5']) {
    expect(codesOf(loadConfig(yaml(`${wrong}\n`))).errors, wrong).toHaveLength(1)
  }
})

test('what a warning about the watchdog tells to write ends it, whatever the deadtime', () => {
  const warnings = (deadtimeMs: number, timeout: string): readonly string[] =>
    loadConfig(yamlSource(`${goodYaml.replace('deadtime: 10s', `deadtime: ${deadtimeMs}ms`).replace('keepalive: 1s', 'keepalive: 100ms')}watchdog: {device: /dev/watchdog${timeout}}\n`))
      .warnings.filter(({ code }) => code.startsWith('watchdog')).map(({ message }) => message)
  for (let deadtimeMs = 300; deadtimeMs <= 12_000; deadtimeMs += 400) {
    for (const timeout of ['', ', timeout: 1s', ', timeout: 3s', ', timeout: 11s']) {
      const said = warnings(deadtimeMs, timeout).join(' ')
      const deadtimes = [...said.matchAll(/deadtime to at least ([\d.]+) s/g)].map(([, seconds]) => Number(seconds) * 1_000)
      const [, written] = /Write timeout: (\d+)s/.exec(said) ?? []
      const better = said.includes('leave') ? '' : written === undefined ? timeout : `, timeout: ${written}s`
      expect(warnings(Math.max(deadtimeMs, ...deadtimes), better), `${deadtimeMs} ms${timeout}`).toEqual([])
      if (written !== undefined) expect(warnings(Math.max(deadtimeMs, ...deadtimes), `, timeout: ${written}s`), `${deadtimeMs} ms${timeout}`).toEqual([])
    }
  }
})

test('both nodes must agree on what the pair rests on, not on how each reaches it', () => {
  const digest = (more: string): string | undefined => configOf(yaml(more)).digests['protection']
  const witness = (inside: string, beside = ''): string => `witness: {etcd: {endpoints: "https://a:1"${inside}}${beside}}\n`
  const different = ['', 'lease: off\n', 'flap_guard: off\n', 'pause_limit: 1h\n', witness(''), witness(', prefix: /x'), witness('', ', timeout: 1s'),
    'ping: [192.0.2.254]\n', 'ping: [192.0.2.253]\n', 'ping: {nodes: 192.0.2.254, release: on}\n', 'fence: {node1: [{agent: a}]}\n',
    'fence: {node1: [{agent: a}], node2: [{agent: a}]}\n'].map(digest)
  expect(new Set(different).size).toBe(different.length)
  expect(digest(witness('').replace('//a:', '//b:'))).toBe(digest(witness(', ca: /ca.pem')))
  expect(digest('fence: {node1: [{agent: b, timeout: 9s}]}\n')).toBe(digest('fence: {node1: [{agent: a}]}\n'))
  expect(digest('watchdog: /dev/watchdog1\n')).toBe(digest(''))
})
