/** Configurations of real pairs, and hand-made corner cases: as the real Heartbeat says, but where this list says why not. */
import { describe, expect, test } from 'vitest'
import type { ConfigResult } from '../../src/config/index.ts'
import { differences, expectMixed, loadBothWays, stricter } from './expectations.ts'
import { classic, goodAuthkeys, type Probe, readSamples, type RealFiles } from './samples.ts'

/** By file and part, what differs and the codes that say so. Every entry does differ, and nothing else. */
const knownFiles: Readonly<Record<string, readonly string[]>> = {
  '001-7layer-crm haCf': ['refused: nodes-missing'],
  '001-7layer-crm together': ['refused: node-unknown nodes-missing'],
  '008-kingkami-placeholders haresources': ['refused: address-invalid'],
  '008-kingkami-placeholders together': ['refused: address-invalid'],
  '094-pbxa-xxx haresources': ['refused: address-invalid'],
  '094-pbxa-xxx together': ['refused: address-invalid'],
  '111-wind-fire haresources': ['refused: address-invalid'],
  '111-wind-fire together': ['refused: address-invalid'],
  '130-mgmt-pacemaker haresources': ['refused: address-invalid'],
  '130-mgmt-pacemaker together': ['refused: address-invalid'],
  '133-test3-comma haresources': ['refused: address-invalid'],
  '049-iscsi-comma haresources': ['groups: script-case'],
  '049-iscsi-comma together': ['groups: script-case'],
  '066-magedu-pingd haCf': ['refused: links-missing'],
  '088-russian-no-media haCf': ['refused: links-missing'],
  '088-russian-no-media together': ['refused: links-missing'],
  '070-node1-test-nfs haresources': ['refused: address-twice'],
  '085-db4-three haCf': ['refused: nodes-not-two'],
  '085-db4-three together': ['refused: nodes-not-two'],
  '121-controller-three haCf': ['refused: nodes-not-two'],
  '121-controller-three together': ['refused: nodes-not-two'],
}

const knownProbes: Readonly<Record<string, readonly string[]>> = {
  'ha.cf: bcast on a missing interface': ['accepted: interface-missing'],
  'ha.cf: second bcast on a missing interface': ['accepted: interface-missing'],
  'ha.cf: mcast missing interface': ['accepted: interface-missing'],
  'ha.cf: ucast unresolvable host name': ['accepted: host-unresolved'],
  'ha.cf: FQDN node, short hostname': ['accepted: own-name'],
  'ha.cf: crm on': ['accepted: crm-on'],
  'ha.cf: crm yes': ['accepted: crm-on'],
  'ha.cf: crm respawn': ['accepted: crm-on'],
  'ha.cf: pacemaker respawn': ['accepted: crm-on'],
  'ha.cf: pacemaker on': ['accepted: crm-on'],
  'ha.cf: serial /dev/ttyS9': ['accepted: serial-missing'],
  'ha.cf: respawn hacluster /etc/passwd': ['accepted: directive-unsupported'],
  'ha.cf: apiauth x uid=nosuchuser': ['accepted: directive-without-effect'],
  // Heartbeat has no sha256.
  'authkeys: method sha256': ['accepted: '],
  'ha.cf: ping as only medium': ['refused: links-missing'],
  'ha.cf: ping_group as only medium': ['refused: links-missing'],
  'ha.cf: only one node': ['refused: nodes-not-two'],
  'ha.cf: three nodes': ['refused: nodes-not-two'],
  'ha.cf: node named like a ping host': ['refused: nodes-not-two'],
  'ha.cf: node name of 120 characters': ['refused: node-name-invalid nodes-not-two'],
  'ha.cf: udpport 65536': ['refused: port-invalid'],
  'haresources: CRLF': ['groups: line-ends'],
  'haresources: CRLF two lines and a blank line': ['groups: line-ends'],
  'haresources: CR-only': ['groups: line-ends'],
  'haresources: script name like an ip 1a.b2.3c.4': ['refused: address-invalid'],
  'haresources: bare IPv6': ['groups: ipv6-classic'],
  'haresources: ip::arg': ['groups: address-read-otherwise'],
  'haresources: leading ::': ['refused: script-empty', 'groups: script-empty'],
  'haresources: glob in an argument': ['groups: glob-not-expanded'],
  'haresources: continuation without blank': ['groups: continuation-odd'],
  'haresources: continuation, blank after backslash': ['groups: continuation-odd'],
  'haresources: continuation at end of file': ['groups: continuation-odd'],
  'haresources: continuation at end of file, no newline': ['groups: continuation-odd'],
  'haresources: continuation, comment before the backslash': ['groups: continuation-odd'],
  'haresources: continuation, comment on 2nd line': ['groups: comment-continued'],
  'haresources: continuation into a comment line': ['groups: comment-continued'],
  'haresources: same key twice, two nodes': ['refused: address-twice'],
  'haresources: UTF-8 BOM': ['groups: byte-order-mark'],
  'haresources: UTF-8 BOM before a comment': ['groups: byte-order-mark'],
  'haresources: NUL byte': ['groups: nul-byte'],
  'haresources: -n as a resource': ['groups: script-name-odd'],
}

const probes = readSamples<Probe>('probes')
const real = readSamples<RealFiles>('files')

test('the samples are there, and no entry is about another', () => {
  expect(probes.length).toBe(331)
  expect(real.length).toBe(85)
  const parts = real.flatMap((sample) => (['haCf', 'haresources', 'authkeys', 'together'] as const)
    .filter((part) => sample[part] !== undefined).map((part) => `${sample.name} ${part}`))
  expect(Object.keys(knownFiles).filter((name) => !parts.includes(name))).toEqual([])
  expect(Object.keys(knownProbes).filter((name) => !probes.some((probe) => probe.name === name))).toEqual([])
})

test('what is refused though Heartbeat accepts it is refused for a documented difference', () => {
  const codes = [...Object.values(knownFiles), ...Object.values(knownProbes)].flat()
    .flatMap((text) => (text.startsWith('refused: ') ? text.slice(9).split(' ') : []))
  // Without nodes no group can prefer one.
  expect(codes.filter((code) => !stricter.has(code))).toEqual(['node-unknown'])
})

describe('files of real pairs', () => {
  for (const sample of real) {
    test(sample.name, () => {
      const { name, files, haCf, haresources, authkeys, together } = sample
      if (haCf !== undefined) {
        const result = loadBothWays(name, classic({ haCf: files['ha.cf'], haresources: '', authkeys: goodAuthkeys }))
        expect(differences(haCf.verdict === 'accepted', undefined, result)).toEqual(knownFiles[`${name} haCf`] ?? [])
        if (haCf.deadtimeMs !== undefined) expect(result.shown?.deadtimeMs).toBe(haCf.deadtimeMs)
      }
      if (haresources !== undefined) expectGroups(sample, haresources)
      if (authkeys !== undefined) {
        const result = loadBothWays(name, classic({ haresources: '', authkeys: files.authkeys }))
        expect(differences(authkeys.verdict === 'accepted', undefined, result)).toEqual(knownFiles[`${name} authkeys`] ?? [])
        if (authkeys.verdict === 'accepted') expectKeys(authkeys, result)
      }
      if (together !== undefined) {
        const result = loadBothWays(name, classic({ haCf: files['ha.cf'], haresources: files.haresources ?? '',
          authkeys: files.authkeys ?? goodAuthkeys }))
        expect(differences(together === 'accepted', haresources?.groups, result)).toEqual(knownFiles[`${name} together`] ?? [])
      }
    })
  }
})

function expectGroups({ name, files }: RealFiles, { verdict, nodes, groups, mixed = [] }: NonNullable<RealFiles['haresources']>): void {
  const pair = [...nodes, 'made1', 'made2'].slice(0, Math.max(2, nodes.length))
  const result = loadBothWays(name, classic({ haCf: `keepalive 1\ndeadtime 10\nbcast eth0\nauto_failback on\nnode ${pair.join(' ')}\n`,
    haresources: files.haresources }))
  expect(differences(verdict === 'accepted', groups, result)).toEqual(knownFiles[`${name} haresources`] ?? [])
  expectMixed(name, mixed, result)
}

function expectKeys(
  { methods, outboundIndex, outboundKey }: Pick<Probe, 'methods' | 'outboundIndex' | 'outboundKey'>, result: ConfigResult,
): void {
  expect(Object.fromEntries((result.shown?.auth.keys ?? []).map(({ index, method }) => [String(index), method]))).toEqual(methods)
  expect(result.shown?.auth.active).toBe(outboundIndex)
  const key = result.config?.auth.keys.find(({ index }) => index === outboundIndex)?.key
  if (outboundKey !== undefined && outboundKey !== null) expect(/^\d+ characters$/.test(outboundKey) ? `${key?.length} characters`
    : key).toBe(outboundKey)
}

describe('probes', () => {
  for (const probe of probes) {
    test(probe.name, () => {
      const texts: Readonly<Record<string, string | undefined>> = { haresources: '', authkeys: 'auth 1\n1 sha1 test\n', ...probe.otherFiles,
        [probe.file]: probe.content ?? undefined }
      const haCf = probe.file === 'ha.cf' || probe.otherFiles?.['ha.cf'] !== undefined ? { haCf: texts['ha.cf'] } : {}
      const mode = probe.file === 'authkeys' && probe.mode !== undefined ? { mode: Number.parseInt(probe.mode, 8) } : {}
      const result = loadBothWays(probe.name, classic({ ...haCf, haresources: texts['haresources'], authkeys: texts['authkeys'], ...mode }))
      const groups = probe.content === null ? undefined : probe.groups
      expect(differences(probe.verdict === 'accepted', groups, result)).toEqual(knownProbes[probe.name] ?? [])
      if (probe.deadtimeMs !== undefined) expect(result.shown?.deadtimeMs).toBe(probe.deadtimeMs)
      if (probe.methods !== undefined) expectKeys(probe, result)
      expectMixed(probe.name, probe.mixed ?? [], result)
    })
  }
})
