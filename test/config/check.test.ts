/** `hactl check` and `hactl import` on real files, and the reading of files that are none. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCheck } from '../../src/cli/check.ts'
import { runImport } from '../../src/cli/import.ts'
import { readConfig } from '../../src/daemon/read-config.ts'
import { colourPaint, plainPaint, type Terminal } from '../../src/cli/terminal.ts'
import { gatherMachineFacts, ownNodeName } from '../../src/runtime/machine-facts.ts'
import { goodAuthkeys, goodYaml } from './samples.ts'

let directory = ''
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'hactl-check-')) })
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function write(name: string, text: string | Uint8Array, mode = 0o600): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** A pair of this host and another, over an interface that every host has: nothing here to warn of. */
function writePair(haresources = `${ownNodeName()} 192.0.2.100/24/lo webdemo\n`): void {
  write('ha.cf', `keepalive 1\ndeadtime 10\ninitdead 20\nbcast lo\nauto_failback on\nnode ${ownNodeName()} other\n`)
  write('haresources', haresources)
  write('authkeys', goodAuthkeys)
}

function recorder(paint = plainPaint): { readonly terminal: Terminal; readonly out: () => string; readonly err: () => string } {
  let out = ''
  let err = ''
  const view = { columns: Infinity, paint }
  return { terminal: { out: (text) => { out += text }, err: (text) => { err += text }, interactive: false, view, errorView: view },
    out: () => out, err: () => err }
}

async function check(path: string, json = false): Promise<{ readonly code: number; readonly text: string }> {
  const { terminal, out, err } = recorder()
  const code = await runCheck(path, { json }, terminal)
  expect(err()).toBe('')
  return { code, text: out() }
}

test('a good pair: nothing to warn of but what the machine lacks', async () => {
  writePair()
  const { code, text } = await check(directory, true)
  const result = JSON.parse(text)
  expect(result).toMatchObject({ ok: true, errors: [], config: { nodes: [ownNodeName(), 'other'], keepaliveMs: 1000, udpPort: 694,
    links: [{ kind: 'bcast', interface: 'lo', address: null, port: 694 }] } })
  expect(result.config.auth).toEqual({ active: 1, keys: [{ index: 1, method: 'sha1' }] })
  expect(result.config.groups).toEqual([{ preferredNode: ownNodeName(), resources: [{ script: 'IPaddr', args: ['192.0.2.100/24/lo'] },
    { script: 'webdemo', args: [] }] }])
  const machine = ['program-missing', 'native-calls-missing']
  expect(result.warnings.filter((warning: { code: string }) => !machine.includes(warning.code))).toEqual([])
  expect(code).toBe(result.warnings.length > 0 ? 1 : 0)
})

test('errors: exit code 2, each with its line and a pointer under the word', async () => {
  writePair()
  write('ha.cf', 'keepalive 1\n\tdeadtyme 3\nbcast\nnode alpha beta\n')
  const { code, text } = await check(directory)
  expect(code).toBe(2)
  expect(text).toContain(`${directory}/ha.cf:2:2: "deadtyme" is no directive of ha.cf. Did you mean deadtime? [directive-unknown]\n    ` +
    ` deadtyme 3\n     ^\n`)
  expect(text).toMatch(/haresources:1:1: the group prefers/)
  expect(text).not.toContain('\u001b')
})

test('warnings: exit code 1; facts of the machine are among them', async () => {
  writePair(`${ownNodeName()} 192.0.2.100/24/nosuch0 nosuchscript\n`)
  const { code, text } = await check(directory)
  expect(code).toBe(1)
  expect(text).toMatch(/haresources:1:\d+: 192\.0\.2\.100: this host has no interface nosuch0/)
  expect(text).toMatch(/haresources:1:\d+: group 192\.0\.2\.100 cannot start here: there is no resource script nosuchscript: tried .*\.d/)
})

test('colours only where the terminal has them', async () => {
  writePair()
  const { terminal, out } = recorder(colourPaint)
  await runCheck(directory, {}, terminal)
  expect(out()).toContain('\u001b[1m')
})

test('keys that others can read: refused, with the chmod; the key is not shown', async () => {
  writePair()
  chmodSync(join(directory, 'authkeys'), 0o644)
  write('ha.cf', 'auth 1\n1 sha1 a-test-key\nnode a b\nbcast lo\n')
  const { code, text } = await check(directory)
  expect(code).toBe(2)
  expect(text).toContain(`chmod 600 ${directory}/authkeys`)
  expect(text).not.toContain('a-test-key')
})

test('a YAML file with its key file, and one whose keys were written into it', async () => {
  write('authkeys', goodAuthkeys)
  const path = write('hactl.yaml', goodYaml)
  expect(JSON.parse((await check(path, true)).text).errors).toEqual([])
  expect(JSON.parse((await check(directory, true)).text).errors).toEqual([])
  write('hactl.yaml', goodYaml.replace('{file: authkeys}', '\n  keys:\n    - hunter2\n'))
  const { code, text } = await check(path)
  expect(code).toBe(2)
  expect(text).not.toContain('hunter2')
})

test('what is not there, or is no file, is named and never waited for', async () => {
  mkdirSync(join(directory, 'empty'))
  execFileSync('mkfifo', [join(directory, 'pipe.yaml')])
  symlinkSync('/nonexistent', join(directory, 'dangling.yaml'))
  for (const name of ['nonexistent', 'empty', 'pipe.yaml', 'dangling.yaml', 'empty/ha.cf']) {
    const { code, text } = await check(join(directory, name))
    expect(code, name).toBe(2)
    expect(text, name).toContain(directory)
  }
  writePair()
  rmSync(join(directory, 'haresources'))
  mkdirSync(join(directory, 'haresources'))
  expect((await check(directory)).text).toContain('haresources is no regular file')
})

test('one of the classic files names its directory', () => {
  writePair()
  expect(readConfig(join(directory, 'ha.cf')).result.ok).toBe(true)
})

test('bytes that are no UTF-8: harmless in comments, refused in a key', () => {
  writePair()
  write('ha.cf', Buffer.concat([Buffer.from(`# caf\xe9\nnode ${ownNodeName()} other\nbcast lo\n`, 'latin1')]))
  expect(readConfig(directory).result.errors).toEqual([])
  write('authkeys', Buffer.from('auth 1\n1 sha1 p\xe4ss\n', 'latin1'))
  expect(readConfig(directory).result.errors.map(({ code }) => code)).toEqual(['auth-key'])
})

test('import prints YAML that check reads to the same, from anywhere, with the key file by its absolute path', async () => {
  writePair()
  const { terminal, out } = recorder()
  expect(await runImport(directory, terminal)).toBe(0)
  expect(out()).toContain(`auth:\n  file: ${directory}/authkeys\n`)
  mkdirSync(join(directory, 'elsewhere'))
  const path = write('elsewhere/pair.yaml', out())
  expect(readConfig(path).result.config).toEqual(readConfig(directory).result.config)
})

test('a password of a fencing device is shown nowhere; import says which file to write', async () => {
  writePair()
  const fence = `fence:\n  other:\n    - agent: fence_ipmilan\n      parameters:\n        password: hunter2\n        a b: hunter2\n`
  write('hactl.yaml', fence)
  expect(await check(directory)).toMatchObject({ code: 2, text: expect.not.stringContaining('hunter2') })
  write('hactl.yaml', fence.replace(/.*a b.*\n/, ''))
  expect((await check(directory, true)).text).not.toContain('hunter2')
  const { terminal, out, err } = recorder()
  expect(await runImport(directory, terminal)).toBe(0)
  expect(out() + err()).not.toContain('hunter2')
  expect(err()).toContain(`Write ${directory}/fence-other-1 with mode 0600: password=...`)
  rmSync(join(directory, 'hactl.yaml'))
  write('ha.cf', `node ${ownNodeName()} other\nbcast lo\nstonith_hst other external/ipmi other 192.0.2.66 admin hunter2 lan\n`)
  expect((await check(directory)).text).not.toContain('hunter2')
})

test('what the pair promises is printed below, and is no warning', async () => {
  writePair()
  const { text } = await check(directory)
  expect(text).toMatch(/what it promises\n  P2, without witness and fencing: when no packet passes on any link for 10 s/)
  const { notes } = JSON.parse((await check(directory, true)).text)
  expect(notes.map(({ code }: { code: string }) => code)).toEqual(['note-holders', 'note-hung'])
})

test('import of files with errors prints nothing and exits with 2', async () => {
  writePair('gamma 192.0.2.1\n')
  const { terminal, out, err } = recorder()
  expect(await runImport(directory, terminal)).toBe(2)
  expect(out()).toBe('')
  expect(err()).toMatch(/error: .*haresources:1:1: the group prefers "gamma"/)
})

test('facts of this machine: its name, its interfaces, programs and names', async () => {
  const facts = await gatherMachineFacts({
    scripts: new Map(), programs: ['sh', 'no-such-program', '/bin/sh', '/bin/no-such-program'], files: ['/etc/passwd', '/no/such/file'],
    hosts: ['localhost', 'no-such-host.invalid'],
  })
  expect(facts.nodeName).toBe(ownNodeName())
  expect(facts.interfaces).toContain('lo')
  expect([...facts.programs]).toEqual([['sh', true], ['no-such-program', false], ['/bin/sh', true], ['/bin/no-such-program', false]])
  expect([...facts.fileFaults]).toEqual([['/no/such/file', 'it is not there']])
  expect(facts.hosts.get('localhost')).toContain('127.0.0.1')
  expect(facts.hosts.get('no-such-host.invalid')).toEqual([])
})
