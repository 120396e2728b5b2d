/** `hactl migrate --check` as typed: on this host, which may or may not have a Heartbeat. What it says of each is in test/config/migration.test.ts. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runHactl } from '../../src/cli/program.ts'
import { plainPaint } from '../../src/cli/terminal.ts'
import { ownNodeName } from '../../src/runtime/machine-facts.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hactl-migrate-'))
  write('ha.cf', `keepalive 1\ndeadtime 10\ninitdead 20\nlogfacility local0\nbcast lo\nauto_failback on\nnode ${ownNodeName()} other\n`)
  write('haresources', `${ownNodeName()} 192.0.2.100/24/lo webdemo\n`)
  write('authkeys', 'auth 1\n1 sha1 secret\n')
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text, { mode: 0o600 })
}

async function migrate(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', '']
  const view = { columns: Infinity, paint: plainPaint }
  const code = await runHactl(['--config', directory, '--state-dir', join(directory, 'state'), '--control', join(directory, 'no-socket'), 'migrate', ...words],
    { out: (text) => void (out += text), err: (text) => void (err += text), interactive: false, view, errorView: view })
  return { code, out, err }
}

test('it says what will happen, and changes nothing', async () => {
  const { code, out, err } = await migrate('--check')
  expect(err).toBe('')
  expect(code).toBe(1)
  expect(out).toMatch(new RegExp(`^${directory} on ${ownNodeName()}: nothing stops the move; `))
  expect(out.indexOf('\nnow\n')).toBeLessThan(out.indexOf('\nwhat will happen\n'))
  expect(out).toMatch(/\nwhat has no effect any more .*\n {4}\S+ha\.cf:4: logfacility has no effect/)
  expect(readdirSync(directory).sort()).toEqual(['authkeys', 'ha.cf', 'haresources'])
})

test('a configuration that hactl would not start with: exit code 2, the line, and no key in it', async () => {
  write('ha.cf', `bcast lo\nnode ${ownNodeName()} other\ndeadtime 1\nkeepalive 1\n`)
  write('authkeys', 'auth 1\n1 sha1024 secret\n')
  const { code, out } = await migrate('--check')
  expect(code).toBe(2)
  expect(out).toContain('hactl would not start here')
  expect(out).toMatch(/ha\.cf:3: deadtime is 1 ?s.* \[deadtime-small\]\n {6}deadtime 1\n/)
  expect(out).not.toContain('secret')
})

test('--json: every finding with its part, level, code and place', async () => {
  const { code, out } = await migrate('--check', '--json')
  const answer = JSON.parse(out) as { ok: boolean; node: string; peer: string; findings: readonly { part: string; level: string; code: string; message: string; file?: string; line?: number }[] }
  expect([code, answer.ok, answer.node, answer.peer]).toEqual([1, true, ownNodeName(), 'other'])
  expect(answer.findings).toContainEqual(expect.objectContaining({ part: 'no-effect', level: 'warning', code: 'directive-without-effect', file: join(directory, 'ha.cf'), line: 4 }))
  expect(answer.findings.every(({ part, level, message }) => part !== '' && ['error', 'warning', 'note'].includes(level) && message !== '')).toBe(true)
})

test('without --check nothing is done', async () => {
  const { code, err } = await migrate()
  expect(code).toBe(2)
  expect(err).toContain("required option '--check'")
})
