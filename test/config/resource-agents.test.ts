/** `resource_agents: original`, and what ha.cf says of logging for scripts. */
import { expect, test } from 'vitest'
import { loadConfig, machineQuestions, toYaml } from '../../src/config/index.ts'
import { classic, codesOf, configOf, goodHaCf, yamlSource } from './samples.ts'

const haresources = 'node1 192.0.2.100/24/eth0 IPaddr2::192.0.2.101/24/eth0:web Filesystem::/dev/sdb1::/data apache\n'
const original = classic({ haresources, yaml: 'resource_agents: original\n' })

test('addresses are scripts then, called and named as before', () => {
  const before = configOf(classic({ haresources }))
  const config = configOf(original)
  const calls = ({ groups }: typeof config) => groups.map(({ name, resources }) => [name, ...resources.map(({ script, args }) => [script, ...args].join('::'))])
  expect(calls(config)).toEqual(calls(before))
  expect(config.groups[0]?.resources.slice(0, 2)).toMatchObject([
    { script: 'IPaddr', scriptAddress: { ip: '192.0.2.100', prefixLength: 24, interface: 'eth0' }, status: { intervalMs: 2_000 } },
    { script: 'IPaddr2', scriptAddress: { ip: '192.0.2.101', label: 'web' }, status: { intervalMs: 2_000 } },
  ])
  expect(config.groups[0]?.resources.some(({ address }) => address !== undefined)).toBe(false)
  expect([...machineQuestions(config).scripts.keys()]).toEqual(['IPaddr', 'IPaddr2', 'Filesystem', 'apache'])
  expect([...machineQuestions(before).scripts.keys()]).toEqual(['Filesystem', 'apache'])
})

test('it is shown, and two nodes that differ in it are told so', () => {
  expect(loadConfig(original).shown?.resourceAgents).toBe('original')
  expect(loadConfig(classic()).shown?.resourceAgents).toBe('hactl')
  expect(configOf(original).digests['protection']).not.toBe(configOf(classic({ haresources })).digests['protection'])
  expect(configOf(original).digests['groups']).toBe(configOf(classic({ haresources })).digests['groups'])
})

test('import carries it', () => {
  const result = loadConfig(original)
  const yaml = toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? ''
  expect(yaml).toMatch(/^resource_agents: original$/m)
  const { resourceAgents, groups } = configOf(yamlSource(yaml))
  expect({ resourceAgents, groups }).toEqual({ resourceAgents: 'original', groups: result.config?.groups })
  expect(toYaml({ ...loadConfig(classic()), authFile: '/etc/hactl/authkeys' })).not.toContain('resource_agents')
})

test('timeouts and status of an address that a script serves can be set; what another lease would mean is not said', () => {
  const yaml = 'resource_agents: original\nlease: 20s\nresources: {IPaddr2: {start_timeout: 5s, status: {interval: 10s}}}\n'
  const result = loadConfig(classic({ haresources, yaml }))
  expect(result.config?.groups[0]?.resources[1]).toMatchObject({ startTimeoutMs: 5_000, status: { intervalMs: 10_000 } })
  expect(codesOf(result)).toEqual({ errors: [], warnings: ['agents-original'] })
})

const logging = ['debugfile /var/log/ha-debug', 'logfacility local0', 'use_logd yes'].join('\n')

test('what ha.cf says of logging is kept for scripts, and import carries it', () => {
  const result = loadConfig(classic({ haCf: `${goodHaCf}${logging}\n` }))
  const scriptLog = { debugFile: '/var/log/ha-debug', facility: 'local0', logd: true }
  expect(result.config?.scriptLog).toEqual(scriptLog)
  expect(codesOf(result).warnings).toEqual(['directive-without-effect', 'directive-without-effect', 'directive-without-effect'])
  expect(configOf(yamlSource(toYaml({ ...result, authFile: '/etc/hactl/authkeys' }) ?? '')).scriptLog).toEqual(scriptLog)
  expect(configOf(classic()).scriptLog).toBeUndefined()
  const off = loadConfig(classic({ haCf: `${goodHaCf}use_logd off\n` }))
  expect(configOf(yamlSource(toYaml({ ...off, authFile: '/etc/hactl/authkeys' }) ?? '')).scriptLog).toEqual({ logd: false })
})

test('beside ha.cf these stand there', () => {
  expect(codesOf(loadConfig(classic({ yaml: 'logfacility: local0\n' }))).errors).toEqual(['overlay-key'])
})
