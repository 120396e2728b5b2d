/** `hactl keys rotate` from the first step to the last, against two daemons that do as they are told. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StatusReport } from '../../src/core/report.ts'
import { runHactl } from '../../src/cli/program.ts'
import { plainPaint, type Terminal, type View } from '../../src/cli/terminal.ts'
import { readConfig } from '../../src/daemon/read-config.ts'
import { keyNames } from '../../src/protocol/key-names.ts'
import { openControl, type ControlServer } from '../../src/runtime/control-server.ts'
import { healthy, peerDead } from './reports.ts'

let directory: string
let server: ControlServer | undefined
let report: StatusReport
const first = 'a'.repeat(64)

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hactl-keys-'))
  write('ha.cf', 'keepalive 1\ndeadtime 5\nwarntime 2\ninitdead 30\nbcast eth0\nauto_failback on\nnode alpha beta\n')
  write('haresources', 'alpha 192.0.2.100\n')
  write('authkeys', `auth 1\n1 sha1 ${first}\n`)
  chmodSync(join(directory, 'authkeys'), 0o400)
  server = await openControl(join(directory, 'control.sock'), { request: (_request, reply) => reply.result(report) })
  report = { ...healthy, keyNames: names(), peerKeyNames: names() }
})
afterEach(async () => {
  await server?.close()
  rmSync(directory, { recursive: true })
})

const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 })
const authkeys = (): string => readFileSync(join(directory, 'authkeys'), 'utf8')

function names(): readonly string[] {
  const { config } = readConfig(directory).result
  return config === undefined ? [] : keyNames({ ...config.auth, allowCrc: false })
}

async function rotate(...words: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const view: View = { columns: 80, paint: plainPaint }
  const terminal: Terminal = { out: (text) => void (out += text), err: (text) => void (err += text), interactive: false, view, errorView: view }
  const exitCode = await runHactl(['keys', 'rotate', ...words, '--config', directory, '--control', join(directory, 'control.sock')], terminal)
  for (const { key } of readConfig(directory).result.config?.auth.keys ?? []) expect(out + err).not.toContain(key)
  return { exitCode, out, err }
}

test('three steps and a last word; none is taken before both daemons have read the one before', async () => {
  const said: string[] = []
  for (const step of ['step 1 of 3: key 2 is added', 'step 2 of 3: key 2 signs', 'step 3 of 3: key 2 is the only one left', 'done: both nodes sign with key 2']) {
    const { exitCode, out } = await rotate()
    expect(exitCode).toBe(0)
    expect(out).toContain(step)
    said.push(out)
    const text = authkeys()
    if (step.startsWith('done')) break
    const early = await rotate()
    expect(early).toMatchObject({ exitCode: 1, out: '' })
    expect(early.err).toMatch(/not yet: alpha .*\n {2}hactl reload\n$/)
    report = { ...report, keyNames: names() }
    const peerLate = await rotate()
    expect(peerLate.err).toMatch(/not yet: beta /)
    expect(peerLate.err).toContain(`scp -p ${directory}/authkeys beta:${directory}/authkeys\n  ssh beta hactl reload`)
    expect(authkeys()).toBe(text)
    report = { ...report, peerKeyNames: names() }
  }
  expect(said[0]).toContain('hactl reload')
  expect(authkeys()).toMatch(/^auth 2\n2 sha1 [0-9a-f]{64}\n$/)
  expect(authkeys()).not.toContain(first)
  expect(statSync(join(directory, 'authkeys')).mode & 0o777).toBe(0o400)
})

test('--dry-run says the step and writes nothing', async () => {
  const before = authkeys()
  expect((await rotate('--dry-run')).out).toMatch(/^would be done: step 1 of 3/)
  expect(authkeys()).toBe(before)
})

test('a second key that was added by hand is named with --to', async () => {
  write('authkeys', `auth 1\n1 sha1 ${first}\n7 sha256 ${'b'.repeat(64)}\n`)
  report = { ...report, keyNames: names(), peerKeyNames: names() }
  expect(await rotate()).toMatchObject({ exitCode: 1, err: expect.stringContaining('hactl keys rotate --to INDEX') as string })
  expect((await rotate('--to', '9')).err).toContain('has no key 9: it has 1-')
  expect((await rotate('--to', '7')).out).toContain('step 2 of 3: key 7 signs')
})

test('nothing is begun while the peer is dead, or says nothing of its keys', async () => {
  const before = authkeys()
  report = { ...peerDead, keyNames: names(), peerKeyNames: names() }
  expect((await rotate()).err).toContain('does not say which keys it accepts')
  report = { ...healthy, keyNames: names() }
  expect((await rotate()).err).toContain('beta does not say which keys it accepts')
  expect(authkeys()).toBe(before)
})

test('a configuration with errors: exit code 2; no daemon: 3; a number that no key can have: 2', async () => {
  await server?.close()
  server = undefined
  expect((await rotate()).exitCode).toBe(3)
  write('ha.cf', 'nonsense\n')
  expect(await rotate()).toMatchObject({ exitCode: 2, err: expect.stringContaining('hactl check') as string })
  expect((await rotate('--to', '16')).exitCode).toBe(2)
})
