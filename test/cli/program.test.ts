/** The command line as typed: words to requests, answers to text and exit codes, against a real control socket. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AdminReply } from '../../src/core/admin.ts'
import { runHactl } from '../../src/cli/program.ts'
import { plainPaint, type Terminal, type View } from '../../src/cli/terminal.ts'
import { type ControlReply, type ControlRequest, type ControlServer, openControl } from '../../src/runtime/control-server.ts'
import { explanation, healthy, peerDead, records } from './reports.ts'

process.env['TZ'] = 'UTC'
let directory: string
let control: string
let server: ControlServer | undefined
let follow = (reply: ControlReply): void => reply.result({})
const requests: ControlRequest[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hactl-cli-'))
  control = join(directory, 'control.sock')
  requests.length = 0
  follow = (reply) => reply.result({})
})
afterEach(async () => {
  await server?.close()
  server = undefined
  rmSync(directory, { recursive: true })
})

interface Said { readonly exitCode: number; readonly out: string; readonly err: string }

async function hactl(...words: readonly string[]): Promise<Said> {
  let [out, err] = ['', '']
  const view: View = { columns: 80, paint: plainPaint }
  const terminal: Terminal = { out: (text) => void (out += text), err: (text) => void (err += text), interactive: false, view,
    errorView: view }
  const exitCode = await runHactl(words, terminal)
  return { exitCode, out, err }
}

async function daemonSays(answer: (request: ControlRequest, reply: ControlReply) => void): Promise<void> {
  server = await openControl(control, {
    request: (request, reply) => {
      if (request.command === 'events' && request.follow) return follow(reply)
      requests.push(request)
      answer(request, reply)
    },
  })
}

function replies(reply: AdminReply): Promise<void> {
  return daemonSays((_, answer) => answer.result(reply))
}

const done: AdminReply = { result: 'done', message: 'it is so', moves: [] }

// A word or an option that does not exist, or exists in vain: exit 2, and what was meant if it can be guessed.
const usage: { words: string[]; says: string }[] = [
  { words: [], says: 'Usage: hactl' },
  { words: ['stauts'], says: 'Did you mean status?' },
  { words: ['status', '--jsn'], says: 'Did you mean --json?' },
  { words: ['status', 'extra'], says: 'too many arguments' },
  { words: ['standby', 'al'], says: 'one of all, local' },
  { words: ['standby', '--timeout', '5'], says: 'Did you mean 5s?' },
  { words: ['standby', '--timeout', '0ms'], says: 'from 1ms to 24h' },
  { words: ['release'], says: '--all' },
  { words: ['cleanup', '192.0.2.100'], says: '--i-have-checked' },
  { words: ['cleanup', '--i-have-checked'], says: 'missing required argument' },
  { words: ['clear'], says: 'missing required argument' },
  { words: ['fence'], says: '--test' },
  { words: ['keys'], says: 'new' },
  { words: ['keys', 'rotate', '--to', 'two'], says: '0 to 15' },
  { words: ['status', '--control'], says: 'argument missing' },
]
for (const { words, says } of usage) {
  test(`hactl ${words.join(' ')}: exit code 2 and "${says}"`, async () => {
    const { exitCode, out, err } = await hactl(...words)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain(says)
  })
}

test('help and version go to standard output with exit code 0, and fit 80 columns', async () => {
  const help = await hactl('--help')
  expect(help).toMatchObject({ exitCode: 0, err: '' })
  expect(help.out.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect((await hactl('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('every command takes --config, --state-dir and --control before or after its own words', async () => {
  await daemonSays((_, reply) => reply.result(healthy))
  for (const words of [['--control', control, 'status', '--json'], ['status', '--json', '--control', control], ['status',
    `--control=${control}`, '--json']]) {
    expect(await hactl(...words, '--config', '/nowhere', '--state-dir', '/nowhere')).toMatchObject({ exitCode: 0, err: '' })
  }
})

// The words of design.md section 10, and what the daemon is asked.
const asked: { words: string[]; admin: object }[] = [
  { words: ['standby'], admin: { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 } },
  { words: ['standby', 'local', '--once', '--wait', '--timeout', '2s'], admin: { type: 'standby', scope: 'local', once: true,
    timeoutMs: 2_000 } },
  { words: ['standby', '--timeout=1.5m', 'foreign'], admin: { type: 'standby', scope: 'foreign', once: false, timeoutMs: 90_000 } },
  { words: ['standby', '--no-wait'], admin: { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 } },
  { words: ['online'], admin: { type: 'online', timeoutMs: 60_000 } },
  { words: ['takeover'], admin: { type: 'takeover', target: 'all', force: false, timeoutMs: 60_000 } },
  { words: ['takeover', 'foreign', '--force'], admin: { type: 'takeover', target: 'foreign', force: true, timeoutMs: 60_000 } },
  { words: ['takeover', '192.0.2.100'], admin: { type: 'takeover', target: { group: '192.0.2.100' }, force: false, timeoutMs: 60_000 } },
  { words: ['pause'], admin: { type: 'pause' } },
  { words: ['resume'], admin: { type: 'resume' } },
  { words: ['cleanup', '192.0.2.100', '--i-have-checked'], admin: { type: 'cleanup', group: '192.0.2.100', timeoutMs: 60_000 } },
  { words: ['clear', '192.0.2.100'], admin: { type: 'clear', group: '192.0.2.100', timeoutMs: 60_000 } },
]
for (const { words, admin } of asked) {
  test(`hactl ${words.join(' ')} asks the daemon for just that`, async () => {
    await replies(done)
    expect(await hactl(...words, '--control', control)).toEqual({ exitCode: 0, out: 'done: it is so\n', err: '' })
    expect(requests).toEqual([{ command: 'admin', admin }])
  })
}

const outcomes: { result: AdminReply['result']; exitCode: number }[] = [
  { result: 'done', exitCode: 0 }, { result: 'refused', exitCode: 1 }, { result: 'failed', exitCode: 1 }, { result: 'timed-out',
    exitCode: 4 },
]
for (const { result, exitCode } of outcomes) {
  test(`a reply "${result}" is exit code ${exitCode}`, async () => {
    await replies({ ...done, result })
    const said = await hactl('takeover', '--control', control)
    expect(said.exitCode).toBe(exitCode)
    expect(result === 'done' ? said.out : said.err).toContain('it is so')
  })
}

test('a long operation shows its steps as they happen, and what clients noticed', async () => {
  await daemonSays((_, reply) => {
    reply.progress({ group: '192.0.2.100', message: 'alpha stops apache2' })
    reply.progress({ message: '192.0.2.100 is given to beta' })
    reply.result({ ...done, moves: [{ group: '192.0.2.100', holder: 'beta', unheldMs: 7 }] } satisfies AdminReply)
  })
  const { out } = await hactl('standby', '--control', control)
  expect(out.replace(/ +\+\d\.\d{3} s/g, '+T')).toBe(
    '+T  192.0.2.100: alpha stops apache2\n+T  192.0.2.100 is given to beta\ndone: it is so\n'
    + '  192.0.2.100: held by beta; clients noticed: no node held it for at most 7 ms\n')
})

test('the records that the daemon writes meanwhile are shown as steps, older ones and the request itself are not', async () => {
  const now = { wallMs: Date.now() + 60_000, nowMs: 1, level: 'info' } as const
  follow = (reply) => {
    reply.record({ ...now, wallMs: 1, code: 'group-released', message: 'long ago' })
    reply.record({ ...now, code: 'admin-requested', message: 'an administrator typed: standby' })
    reply.record({ ...now, code: 'resource-stopped', message: 'apache2 is stopped, in 12 ms' })
  }
  await daemonSays((_, reply) => void setTimeout(() => reply.result(done), 50))
  const { out } = await hactl('standby', '--control', control)
  expect(out.replace(/ +\+\d\.\d{3} s/g, '+T')).toBe('+T  apache2 is stopped, in 12 ms\ndone: it is so\n')
})

test('--no-wait returns once the daemon is at work, but stays to hear a refusal', async () => {
  await daemonSays((_, reply) => {
    if (requests.length === 1) reply.progress({ message: 'begun' })
    else reply.result({ ...done, result: 'refused' } satisfies AdminReply)
  })
  expect(await hactl('standby', '--no-wait', '--control', control)).toMatchObject({ exitCode: 0, err: '' })
  expect(await hactl('standby', '--no-wait', '--control', control)).toMatchObject({ exitCode: 1, out: '' })
})

test('status: 0 healthy, 1 degraded, and --json is the report as it came', async () => {
  await daemonSays((_, reply) => reply.result(requests.length === 1 ? healthy : peerDead))
  const json = await hactl('status', '--json', '--control', control)
  expect([json.exitCode, JSON.parse(json.out)]).toEqual([0, healthy])
  const text = await hactl('status', '--control', control)
  expect(text.exitCode).toBe(1)
  expect(text.out).toContain('DEGRADED: beta with peer alpha')
})

test('why asks for the group that was named, or for any', async () => {
  await daemonSays((_, reply) => reply.result(explanation))
  expect((await hactl('why', '192.0.2.100', '--control', control)).out).toContain('beta acquires 192.0.2.100: alpha is dead')
  expect(JSON.parse((await hactl('why', '--json', '--control', control)).out)).toEqual(explanation)
  expect(requests).toEqual([{ command: 'why', group: '192.0.2.100' }, { command: 'why' }])
})

test('events are written one after the other, as text or as JSON lines', async () => {
  await daemonSays((_, reply) => {
    for (const record of records) reply.record(record)
    reply.result({})
  })
  expect((await hactl('events', '--control', control)).out).toContain('03:12:44.137   beta holds 192.0.2.100 [group-held]')
  const lines = (await hactl('events', '--json', '--control', control)).out.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(records)
  expect(requests[0]).toMatchObject({ command: 'events', follow: false })
})

test('reload: done, or refused with what is wrong with the files', async () => {
  await daemonSays((_, reply) => reply.result(requests.length === 1 ? done : { ...done, result: 'refused',
    message: 'ha.cf:3:1: unknown directive' } satisfies AdminReply))
  expect(await hactl('reload', '--control', control)).toEqual({ exitCode: 0, out: 'done: it is so\n', err: '' })
  expect(await hactl('reload', '--control', control)).toEqual({ exitCode: 1, out: '', err: 'refused: ha.cf:3:1: unknown directive\n' })
})

test('why without a move in the history: exit code 1, and JSON stays JSON', async () => {
  await daemonSays((_, reply) => reply.result(null))
  expect(await hactl('why', 'www', '--control', control)).toEqual({
    exitCode: 1, out: '', err: 'hactl: the history knows no move of a group www. `hactl status` lists the groups.\n',
  })
  expect((await hactl('why', '--json', '--control', control)).out).toBe('null\n')
})

test('without a daemon: exit code 3 and what to type', async () => {
  for (const words of [['status'], ['standby'], ['why'], ['events'], ['reload']]) {
    const { exitCode, out, err } = await hactl(...words, '--control', control)
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
    expect(err).toContain(`no daemon answers at ${control}`)
    expect(err).toContain('systemctl start hactl')
  }
})

test('keys new: a file that only its owner reads, a key of its own each time, never over an older one', async () => {
  const file = join(directory, 'authkeys')
  expect((await hactl('keys', 'new', '-o', file)).exitCode).toBe(0)
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(/^auth 1\n1 sha256 [0-9a-f]{64}\n$/m)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const again = await hactl('keys', 'new', '-o', file)
  expect(again).toMatchObject({ exitCode: 1, out: '' })
  expect(again.err).toContain('exists and is not overwritten')
  expect(readFileSync(file, 'utf8')).toBe(text)
  const printed = (await hactl('keys', 'new')).out
  expect(printed).not.toBe(text)
  expect(printed.split('\n')).toHaveLength(text.split('\n').length)
})

test('keys new into a directory that does not exist says so', async () => {
  const { exitCode, err } = await hactl('keys', 'new', '-o', join(directory, 'none', 'authkeys'))
  expect(exitCode).toBe(1)
  expect(err).toContain('mkdir -p')
})

test('a socket file that nobody listens on any more is no daemon', async () => {
  writeFileSync(control, '')
  expect((await hactl('status', '--control', control)).exitCode).toBe(3)
})
