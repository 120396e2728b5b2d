/** The verdicts of the real Heartbeat: the same but where a documented code says why not. */
import { describe, expect, test } from 'vitest'
import { type ConfigResult, type ConfigSource, loadConfig, toYaml } from '../../src/config/index.ts'
import { classic, codesOf, goodAuthkeys, groupsOf, type Probe, readSamples, type RealFiles } from './samples.ts'

/** Errors of ours for what Heartbeat accepts. */
const stricter = new Set(['nodes-not-two', 'nodes-missing', 'links-missing', 'address-invalid', 'address-twice', 'port-invalid',
  'node-name-invalid', 'script-empty'])

/** What only the machine, the accounts or a Pacemaker could tell, or what hactl has and Heartbeat has not. */
const acceptedHere = new Set([
  'ha.cf: bcast on a missing interface', 'ha.cf: second bcast on a missing interface', 'ha.cf: mcast missing interface',
    'ha.cf: ucast unresolvable host name',
  'ha.cf: FQDN node, short hostname', 'ha.cf: serial /dev/ttyS9', 'ha.cf: respawn hacluster /etc/passwd',
    'ha.cf: apiauth x uid=nosuchuser',
  'ha.cf: crm on', 'ha.cf: crm yes', 'ha.cf: crm respawn', 'ha.cf: pacemaker on', 'ha.cf: pacemaker respawn', 'authkeys: method sha256',
])

/** Groups that are understood as they were meant, each with the code that says so. */
const groupsAsMeant: Readonly<Record<string, string>> = {
  'haresources: CRLF': 'line-ends',
  'haresources: CRLF two lines and a blank line': 'line-ends',
  'haresources: CR-only': 'line-ends',
  'haresources: bare IPv6': 'ipv6-classic',
  'haresources: ip::arg': 'address-read-otherwise',
  'haresources: leading ::': 'script-empty',
  'haresources: glob in an argument': 'glob-not-expanded',
  'haresources: continuation without blank': 'continuation-odd',
  'haresources: continuation, blank after backslash': 'continuation-odd',
  'haresources: continuation at end of file': 'continuation-odd',
  'haresources: continuation at end of file, no newline': 'continuation-odd',
  'haresources: continuation, comment on 2nd line': 'comment-continued',
  'haresources: continuation, comment before the backslash': 'continuation-odd',
  'haresources: continuation into a comment line': 'comment-continued',
  'haresources: UTF-8 BOM': 'byte-order-mark',
  'haresources: UTF-8 BOM before a comment': 'byte-order-mark',
  'haresources: NUL byte': 'nul-byte',
  'haresources: -n as a resource': 'script-name-odd',
  '049-iscsi-comma': 'script-case',
}

function expectVerdict(name: string, verdict: string, result: ConfigResult): void {
  const { errors } = codesOf(result)
  if (verdict === 'accepted') expect(errors.filter((code) => !stricter.has(code)), name).toEqual([])
  else if (!acceptedHere.has(name)) expect(errors, name).not.toEqual([])
  for (const { message, line, column } of [...result.errors, ...result.warnings]) {
    expect(message.length, `${name}: ${message}`).toBeGreaterThan(20)
    expect(Math.min(line, column), name).toBeGreaterThan(0)
  }
}

function expectGroups(name: string, groups: readonly (readonly string[])[], result: ConfigResult): void {
  const meant = groupsAsMeant[name]
  if (meant === undefined) expect(groupsOf(result), name).toEqual(groups)
  else expect([...codesOf(result).errors, ...codesOf(result).warnings], name).toContain(meant)
}

function expectRoundTrip(name: string, source: ConfigSource, result: ConfigResult): void {
  const yaml = toYaml(result)
  expect(yaml === undefined, name).toBe(!result.ok)
  if (yaml === undefined) return
  expect(yaml).toMatch(/^nodes:\n[^]*\n$/)
  const back = loadConfig({ files: [{ name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text: yaml },
    ...source.files.filter(({ name: file }) => file === 'authkeys')] })
  expect(back.errors, name).toEqual([])
  expect(back.config, name).toEqual(result.config)
  expect(back.shown, name).toEqual(result.shown)
}

function load(name: string, source: ConfigSource): ConfigResult {
  const result = loadConfig(source, { ownUid: 0 })
  expectRoundTrip(name, source, result)
  return result
}

const probes = readSamples<Probe>('probes')
const real = readSamples<RealFiles>('files')

test('the samples are there', () => {
  expect(probes.length).toBe(331)
  expect(real.length).toBe(83)
})

describe('probes', () => {
  for (const probe of probes) {
    test(probe.name, () => {
      const texts = { 'ha.cf': undefined, haresources: '', authkeys: 'auth 1\n1 sha1 test\n', ...probe.otherFiles,
        [probe.file]: probe.content ?? undefined } as Record<string, string | undefined>
      const haCf = probe.file === 'ha.cf' || probe.otherFiles?.['ha.cf'] !== undefined ? { haCf: texts['ha.cf'] } : {}
      const mode = probe.file === 'authkeys' && probe.mode !== undefined ? { mode: Number.parseInt(probe.mode, 8) } : {}
      const result = load(probe.name, classic({ ...haCf, haresources: texts['haresources'], authkeys: texts['authkeys'], ...mode }))
      expectVerdict(probe.name, probe.verdict, result)
      if (probe.deadtimeMs !== undefined) expect(result.shown?.deadtimeMs).toBe(probe.deadtimeMs)
      if (probe.groups !== undefined) expectGroups(probe.name, probe.groups, result)
      if (probe.methods !== undefined) expectKeys(probe, result)
    })
  }
})

function expectKeys({ methods, outboundIndex, outboundKey }: Probe, result: ConfigResult): void {
  expect(Object.fromEntries((result.shown?.auth.keys ?? []).map(({ index, method }) => [String(index), method]))).toEqual(methods)
  expect(result.shown?.auth.active).toBe(outboundIndex)
  const key = result.config?.auth.keys.find(({ index }) => index === outboundIndex)?.key
  if (outboundKey !== undefined && outboundKey !== null) expect(/^\d+ characters$/.test(outboundKey) ? `${key?.length} characters`
    : key).toBe(outboundKey)
}

describe('files of real pairs', () => {
  for (const { name, files, haCf, haresources, authkeys } of real) {
    test(name, () => {
      if (haCf !== undefined) {
        const result = load(name, classic({ haCf: files['ha.cf'], haresources: '', authkeys: goodAuthkeys }))
        expectVerdict(name, haCf.verdict, result)
        if (haCf.deadtimeMs !== undefined) expect(result.shown?.deadtimeMs).toBe(haCf.deadtimeMs)
      }
      if (haresources !== undefined) {
        const nodes = [...haresources.nodes, 'made1', 'made2'].slice(0, Math.max(2, haresources.nodes.length))
        const result = load(name, classic({ haCf: `keepalive 1\ndeadtime 10\nbcast eth0\nauto_failback on\nnode ${nodes.join(' ')}\n`,
          haresources: files.haresources }))
        expectVerdict(name, haresources.verdict, result)
        expectGroups(name, haresources.groups, result)
      }
      if (authkeys !== undefined) {
        const result = load(name, classic({ authkeys: files.authkeys }))
        expectVerdict(name, authkeys.verdict, result)
        if (authkeys.verdict === 'accepted') expect(result.shown?.auth.active).toBe(authkeys.outboundIndex)
      }
    })
  }
})
