/** The YAML form: everything it can say, alone and beside classic files. */
import { expect, test } from 'vitest'
import { authFileOf, loadConfig, toYaml } from '../../src/config/index.ts'
import { classic, codesOf, configOf, goodAuthkeys, goodHaCf, goodYaml, yamlSource } from './samples.ts'

test('the smallest file, with every default', () => {
  expect(configOf(yamlSource(goodYaml))).toEqual({
    nodes: ['node1', 'node2'],
    timing: { keepaliveMs: 1000, warntimeMs: 5000, deadtimeMs: 10_000, initdeadMs: 20_000 },
    autoFailback: 'on',
    groups: [{
      name: '192.0.2.100',
      preferredNode: 'node1',
      key: '192.0.2.100/24/eth0',
      resources: [
        {
          script: 'IPaddr', args: ['192.0.2.100/24/eth0'], warm: false, startTimeoutMs: 60_000, stopTimeoutMs: 60_000,
          address: { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0' },
        },
        { script: 'apache2', args: [], warm: false, startTimeoutMs: 60_000, stopTimeoutMs: 60_000, status: { intervalMs: 2000,
          timeoutMs: 10_000, fall: 2, rise: 1 } },
      ],
    }],
    digests: expect.objectContaining({ groups: expect.stringMatching(/^[0-9a-f]{16}$/) }),
    failureMemoryMs: 600_000,
    udpPort: 694,
    links: [{ kind: 'bcast', interface: 'eth0', port: 694 }],
    lease: 'auto',
    pauseLimitMs: 600_000,
    watchdog: false,
    flapGuard: { moves: 5, withinMs: 600_000 },
    auth: { active: 1, keys: [{ index: 1, method: 'sha1', key: 'a-test-key' }] },
    allowCrc: false,
    notify: [],
    resourceAgents: 'hactl',
    debugLevel: 0,
    environment: {},
  })
  expect(codesOf(loadConfig(yamlSource(goodYaml)))).toEqual({ errors: [], warnings: [] })
})

const full = `nodes: [Node1, node2]
keepalive: 200ms
warntime: 500ms
deadtime: 2s
initdead: 20s
udpport: 700
auto_failback: {after: 5m}
links:
  - {ucast: eth0, address: 192.0.2.2}
  - {ucast: eth1, address: 198.51.100.2, port: 701}
  - {mcast: eth0, address: 239.0.0.42, ttl: 2, loop: true}
  - {ucast: eth0, address: "fd00::2"}
  - {mcast: eth0, address: "ff12::694", port: 701}
  - {serial: /dev/ttyS0}
  - {serial: /dev/ttyUSB0, baud: 115200}
ping: [192.0.2.254]
start_timeout: 30s
groups:
  - name: web
    preferred_node: NODE1
    auto_failback: {at: "0 3 * * *"}
    stop_timeout: 20s
    status: {interval: 5s}
    resources:
      - 2001:db8::1/64/eth0
      - drbddisk::r0
      - {script: apache2, args: ["with blank", "010", ""], warm: true, status: {fall: 3, rise: 2, timeout: 4s}}
      - {script: "ocf:heartbeat:Filesystem", start_timeout: 2m, parameters: {device: /dev/drbd0, directory: /srv, options: ""}}
      - {resource: "systemd:nginx", status: off}
  - {preferred_node: node2, auto_failback: off, resources: [{address: 192.0.2.101}, MailTo::root]}
auth: {file: authkeys}
resources:
  drbddisk: {stop_timeout: 90s}
  drbddisk::r0: {start_timeout: 45s}
allow_crc: yes
failure_memory: 1h
notify: [/usr/local/bin/page --quiet, [/bin/sh, -c, "echo a b"]]
logfile: /var/log/hactl.log
debug: 1
env: {SITE: "a b", EMPTY: ""}
lease: 5s
`

test('everything that can be said is understood, and written back to the same', () => {
  const source = yamlSource(full)
  const config = configOf(source)
  expect(config.nodes).toEqual(['node1', 'node2'])
  expect(config.autoFailback).toEqual({ afterMs: 300_000 })
  expect(config.links).toEqual([
    { kind: 'ucast', interface: 'eth0', address: '192.0.2.2', port: 700 },
    { kind: 'ucast', interface: 'eth1', address: '198.51.100.2', port: 701 },
    { kind: 'mcast', interface: 'eth0', address: '239.0.0.42', port: 700, ttl: 2, loop: true },
    { kind: 'ucast', interface: 'eth0', address: 'fd00::2', port: 700 },
    { kind: 'mcast', interface: 'eth0', address: 'ff12::694', port: 701, ttl: 1, loop: false },
    { kind: 'serial', interface: '/dev/ttyS0', baud: 19_200 },
    { kind: 'serial', interface: '/dev/ttyUSB0', baud: 115_200 },
  ])
  const [web, second] = config.groups
  expect(web?.name).toBe('web')
  expect(web?.autoFailback).toEqual({ at: '0 3 * * *' })
  expect(second).toMatchObject({ name: '192.0.2.101', preferredNode: 'node2', autoFailback: 'off' })
  expect(web?.resources.map(({ startTimeoutMs, stopTimeoutMs }) => [startTimeoutMs / 1000, stopTimeoutMs / 1000])).toEqual([[30, 20], [45,
    90], [30, 20], [120, 20], [30, 20]])
  expect(web?.resources.map(({ status }) => status)).toEqual([
    undefined, { intervalMs: 5000, timeoutMs: 10_000, fall: 2, rise: 1 }, { intervalMs: 5000, timeoutMs: 4000, fall: 3, rise: 2 },
    { intervalMs: 5000, timeoutMs: 10_000, fall: 2, rise: 1 }, undefined,
  ])
  expect(web?.resources[2]).toMatchObject({ args: ['with blank', '010', ''], warm: true })
  expect(web?.resources[3]?.parameters).toEqual({ device: '/dev/drbd0', directory: '/srv', options: '' })
  expect(second?.resources[1]?.status, 'MailTo has no status worth asking').toBeUndefined()
  expect(config).toMatchObject({ allowCrc: true, failureMemoryMs: 3_600_000, debugLevel: 1, logFile: '/var/log/hactl.log',
    environment: { SITE: 'a b', EMPTY: '' } })
  expect(config.notify).toEqual([['/usr/local/bin/page', '--quiet'], ['/bin/sh', '-c', 'echo a b']])
  const result = loadConfig(source)
  const back = loadConfig(yamlSource(toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? ''))
  expect(back.config).toEqual(config)
  expect(config.lease).toEqual({ seconds: 5 })
})

test('beside classic files it says what those cannot', () => {
  const yaml = `auto_failback: {after: 1m}
stop_timeout: 10s
resources:
  apache2: {warm: true, status: off}
group_options:
  192.0.2.100: {auto_failback: off, start_timeout: 5s}
`
  const config = configOf(classic({ yaml }))
  expect(config.autoFailback).toEqual({ afterMs: 60_000 })
  expect(config.groups[0]?.autoFailback).toBe('off')
  expect(config.groups[0]?.resources[1]).toEqual({ script: 'apache2', args: [], warm: true, startTimeoutMs: 5000, stopTimeoutMs: 10_000 })
  expect(configOf(classic({ yaml: '# nothing\n' }))).toEqual(configOf(classic()))
})

test('both forms of one configuration have the same digests, and each part has its own', () => {
  const one = configOf(classic())
  expect(configOf(yamlSource(goodYaml)).digests).toEqual(one.digests)
  const changed = (yaml: string): readonly string[] => {
    const other = configOf(yamlSource(yaml)).digests
    return Object.keys(one.digests).filter((part) => one.digests[part] !== other[part])
  }
  expect(changed(goodYaml.replace('10s', '11s'))).toEqual(['timing'])
  expect(changed(goodYaml.replace('auto_failback: on', 'auto_failback: off'))).toEqual(['failback'])
  expect(changed(goodYaml.replace('apache2]', 'nginx]'))).toEqual(['groups'])
  expect(changed(goodYaml.replace('resources: [192.0.2.100', 'resources: [192.0.2.101')), 'another name').toEqual(['groups'])
  expect(changed(`${goodYaml}lease: 5s\n`)).toEqual(['protection'])
  expect(changed(`${goodYaml}flap_guard: off\n`)).toEqual(['protection'])
  expect(changed(goodYaml.replace('bcast: eth0', 'bcast: eth1'))).toEqual([])
})

test('all errors in one run, each at its place, also behind errors of the same group', () => {
  const yaml = goodYaml.replace('keepalive: 1s', 'keepalive: 1').replace(/groups.*\n/, `groups:
  - {preferred_node: gamma, colour: red, resources: [192.0.2.300, {script: a, warm: perhaps}]}
  - {preferred_node: node1, resources: [{address: 192.0.2.1, warm: true}, {args: [x]}]}
`)
  const { errors } = loadConfig(yamlSource(yaml))
  expect(errors.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
    '2:12 time-invalid', '8:22 node-unknown', '8:29 key-unknown', '8:54 address-invalid', '8:85 value-invalid', '9:41 warm-address',
    '9:75 value-invalid',
  ])
})

test('scalars stay what was typed', () => {
  const config = configOf(yamlSource(goodYaml.replace('[node1, node2]', '[010, yes]').replace('preferred_node: node1',
    'preferred_node: 010').replace('apache2]', 'null]')))
  expect(config.nodes).toEqual(['010', 'yes'])
  expect(config.groups[0]?.resources[1]?.script).toBe('null')
})

test('the key file is found beside the YAML', () => {
  expect(authFileOf('/etc/hactl/hactl.yaml', goodYaml)).toBe('/etc/hactl/authkeys')
  expect(authFileOf('hactl.yaml', goodYaml)).toBe('authkeys')
  expect(authFileOf('/a/b.yaml', 'auth: {file: /etc/ha.d/authkeys}')).toBe('/etc/ha.d/authkeys')
  for (const text of ['', 'auth: x', 'auth: {file: [a]}', '[', 'auth: {file: ""}']) expect(authFileOf('/a/b.yaml', text),
    text).toBeUndefined()
})

test('no message and nothing shown has a key in it', () => {
  const secret = 'hunter2secret'
  const sources = [
    ...[`auth 1\n1 sha1 ${secret}\n`, `auth 1\n1 ${secret}\n`, `${secret}\n`, `auth ${secret}\n`, `1 sha1 ${secret}\n`,
      `auth 1\n1 crc ${secret}\n`, `auth 1\n1 sha1 x ${secret}\n`, `auth 1\n${secret} sha1 x\n`,
      `auth 1\n1 sha1 ${secret}\nauth 2\n1 md5 ${secret}\n`, `//${secret}\n`,
        `${secret.repeat(600)}\n`].map((authkeys) => classic({ authkeys })),
    ...[`{file: authkeys, keys: [${secret}]}`, `{file: authkeys, ${secret}: 1}`, `${secret}`, `[${secret}]`, `{file: [${secret}]}`,
      `{key: ${secret}`,
      `{file: a, key: "${secret}`]
      .map((auth) => yamlSource(goodYaml.replace('{file: authkeys}', auth))),
  ]
  for (const source of sources) {
    const { errors, warnings, shown } = loadConfig(source, { ownUid: 0 })
    expect(JSON.stringify({ errors, warnings, shown })).not.toContain(secret)
  }
  expect(toYaml(loadConfig(classic({ authkeys: goodAuthkeys })))).not.toContain('a-test-key')
})

test('serial lines and IPv6 of ha.cf are written as YAML that reads back to the same', () => {
  const links = 'baud 115200\nserial /dev/ttyS0 /dev/ttyS1\nucast6 eth1 fe80::2%eth1\nmcast6 eth1 ff12::694 694 1 0\nping6 2001:db8::fe\n'
  const result = loadConfig(classic({ haCf: `${goodHaCf}${links}` }))
  expect(result.config?.links.slice(1)).toEqual([
    { kind: 'serial', interface: '/dev/ttyS0', baud: 115_200 }, { kind: 'serial', interface: '/dev/ttyS1', baud: 115_200 },
    { kind: 'ucast', interface: 'eth1', address: 'fe80::2', port: 694 },
    { kind: 'mcast', interface: 'eth1', address: 'ff12::694', port: 694, ttl: 1, loop: false },
  ])
  expect(result.shown?.links.at(1)).toEqual({ kind: 'serial', interface: '/dev/ttyS0', address: null, port: null, baud: 115_200 })
  const back = loadConfig(yamlSource(toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? ''))
  expect(back.config?.links).toEqual(result.config?.links)
  expect(back.config?.pings).toEqual(result.config?.pings)
})

const badLinks: readonly { link: string; code: string; says: RegExp }[] = [
  { link: '{serial: ttyS0}', code: 'link-invalid', says: /full path/ },
  { link: '{serial: /dev/ttyS0, baud: 1200}', code: 'link-invalid', says: /baud 1200: it is one of 9600/ },
  { link: '{serial: /dev/ttyS0, port: 694}', code: 'link-invalid', says: /has port; a serial line has nothing but baud/ },
  { link: '{bcast: eth0, baud: 9600}', code: 'link-address', says: /has baud, which only serial takes/ },
  { link: '{ucast: eth0, address: "::1"}', code: 'link-address', says: /no address of a host/ },
  { link: '{mcast: eth0, address: "2001:db8::1"}', code: 'link-address', says: /starts with ff/ },
  { link: '{serial: /dev/ttyS0, bcast: eth0}', code: 'link-invalid', says: /exactly one of/ },
]
for (const { link, code, says } of badLinks) {
  test(`the link ${link} is refused`, () => {
    const { errors } = loadConfig(yamlSource(goodYaml.replace(/links:.*\n(?: .*\n)*/, `links: [${link}]\n`)))
    expect(errors.map((error) => error.code)).toContain(code)
    expect(errors.map(({ message }) => message).join('\n')).toMatch(says)
  })
}

test('a group keeps the word by which a Heartbeat calls it, also as YAML', () => {
  const haresources = 'node1 192.0.2.100/24/eth0 apache2\nnode2 IPaddr2::192.0.2.101/24/eth0\nnode2 drbddisk::r0 192.0.2.102\n'
  const result = loadConfig(classic({ haresources }))
  const keys = (groups: readonly { readonly key?: string }[] | undefined) => groups?.map(({ key }) => key)
  expect(keys(result.config?.groups)).toEqual(['192.0.2.100/24/eth0', undefined, undefined])
  const back = loadConfig(yamlSource(toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? ''))
  expect(keys(back.config?.groups)).toEqual(['192.0.2.100/24/eth0', undefined, undefined])
})
