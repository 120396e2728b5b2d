/** What the tests against the real Heartbeat ask of every configuration. */
import { expect } from 'vitest'
import { type ConfigResult, type ConfigSource, judgeMachine, loadConfig, type MachineFacts, secretFilesOf,
  toYaml } from '../../src/config/index.ts'
import { codesOf, groupsOf } from './samples.ts'

/** Read, and, where it is good, written as YAML and read back to the same. */
export function loadBothWays(name: string, source: ConfigSource): ConfigResult {
  const result = loadConfig(source, { ownUid: 0 })
  expectPlaces(name, source, result)
  const yaml = toYaml(result)
  expect(yaml === undefined, name).toBe(!result.ok)
  if (yaml === undefined) return result
  expect(yaml).toMatch(/^nodes:\n[^]*\n$/)
  const back = loadConfig({ files: [{ name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text: yaml },
    ...source.files.filter(({ name: file }) => file === 'authkeys')] })
  expect(back.errors, name).toEqual([])
  // A password is never printed: it goes into a file of its own.
  const secret = result.config !== undefined && secretFilesOf(result.config, '/etc/ha.d/authkeys').length > 0
  if (!secret) expect(back.config, name).toEqual(result.config)
  expect(back.shown, name).toEqual(result.shown)
  return result
}

/** Every message names a file, a line of it, and says more than a word. */
function expectPlaces(name: string, { files }: ConfigSource, result: ConfigResult): void {
  for (const { message, file, line, column } of [...result.errors, ...result.warnings]) {
    expect(message.length, `${name}: ${message}`).toBeGreaterThan(20)
    expect(column, name).toBeGreaterThan(0)
    const lines = files.find(({ path }) => path === file)?.text.split(/\r?\n|\r/).length ?? 1
    expect(line, `${name}: ${message}`).toBeLessThanOrEqual(lines)
    expect(line, name).toBeGreaterThan(0)
  }
}

/** Known differences: those errors stand on what Heartbeat accepts. Each says so in the README. */
export const stricter: ReadonlySet<string> = new Set(['nodes-not-two', 'nodes-missing', 'links-missing', 'address-invalid',
  'address-twice', 'address-family', 'address-of-link', 'port-invalid', 'node-name-invalid', 'script-empty', 'script-kind', 'group-name-twice',
  'group-name-invalid', 'time-invalid', 'link-address', 'ping-address', 'watchdog-invalid', 'auth-mode'])

/** What was meant is done instead of what Heartbeat does; those codes say so. */
export const meant: ReadonlySet<string> = new Set(['line-ends', 'blank-odd', 'continuation-odd', 'comment-continued', 'ipv6-classic',
  'script-case', 'slash-comment', 'address-read-otherwise', 'address-arguments', 'glob-not-expanded', 'backslash-kept', 'script-name-odd',
  'nul-byte', 'byte-order-mark', 'script-empty'])

/** What Heartbeat refuses for the machine, the accounts or a Pacemaker that is not there; hactl warns with those codes. */
const elsewhere: ReadonlySet<string> = new Set(['crm-on', 'directive-unsupported', 'directive-without-effect', 'interface-missing', 'own-name',
  'host-unresolved', 'serial-missing'])

/** The host on which Heartbeat was asked. */
const laboratory: MachineFacts = {
  nodeName: 'node1', interfaces: ['lo', 'eth0'], scriptFaults: new Map(), programs: new Map(),
  fileFaults: new Map([['/dev/ttyS9', 'it is not there']]),
  hosts: new Map([['nosuchhost.invalid', []]]),
}

/** How the verdict or the groups differ from Heartbeat's, with the codes that may explain it; empty where they do not. */
export function differences(accepted: boolean, groups: readonly (readonly string[])[] | undefined, result: ConfigResult): readonly string[] {
  const { errors, warnings } = codesOf(result)
  const verdict = accepted === result.ok ? [] : [accepted ? `refused: ${unique(errors)}` : `accepted: ${unique(machine(result))}`]
  const same = groups === undefined || JSON.stringify(groupsOf(result)) === JSON.stringify(groups)
  return same ? verdict : [...verdict, `groups: ${unique([...errors, ...warnings].filter((code) => meant.has(code)))}`]
}

function machine(result: ConfigResult): readonly string[] {
  return [...result.warnings, ...judgeMachine(result, laboratory)].map(({ code }) => code).filter((code) => elsewhere.has(code))
}

function unique(codes: readonly string[]): string {
  return [...new Set(codes)].sort().join(' ')
}

/** A warning for each group that Heartbeat would not start by itself, and for no other. */
export function expectMixed(name: string, mixed: readonly number[], result: ConfigResult): void {
  const all = [...result.errors, ...result.warnings].filter(({ code }) => ['group-key', 'group-name-twice', 'address-twice'].includes(code))
  if (mixed.length > 0) expect(all.length, name).toBeGreaterThan(0)
}
