import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import type { EventRecord } from '../../src/core/records.ts'
import { createNotifier, type Notifier, type NotifyOptions } from '../../src/runtime/notify-commands.ts'

const scripts = fileURLToPath(new URL('../fixtures/scripts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'hactl-notify-'))
const open: Notifier[] = []
let notices: string[] = []
let count = 0

afterEach(() => {
  for (const notifier of open.splice(0)) notifier.close()
  notices = []
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function newFile(): string {
  count += 1
  return join(directory, `${count}.txt`)
}

function create(commands: readonly (readonly string[])[], options: Partial<NotifyOptions> = {}): Notifier {
  const notifier = createNotifier({
    nodeName: 'alpha', peerName: 'beta', environment: {}, commands, outputDirectory: join(directory, 'output'),
    onNotice: ({ message }) => notices.push(message), ...options,
  })
  open.push(notifier)
  return notifier
}

function record(code: Code, message = 'a message'): EventRecord {
  return { wallMs: 1_790_000_000_000, nowMs: 1, level: 'warning', code, message, group: 'web', figures: { silentMs: 1_004 } }
}

const linesOf = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [])

test('records go one at a time, in order, as environment and as JSON on standard input', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'notify-log'), out, '0.05']])
  const codes: Code[] = ['peer-late', 'peer-dead', 'group-held']
  for (const code of codes) notifier.notify(record(code))
  await expect.poll(() => linesOf(out).length, { timeout: 5_000 }).toBe(9)
  const lines = linesOf(out)
  expect(lines.filter((line) => !line.startsWith('{'))).toEqual(codes.flatMap((code) => [`begin ${code} 1004`, `end ${code}`]))
  expect(JSON.parse(lines[1]!)).toEqual(record('peer-late'))
})

test('several commands each hear of a record before the next record', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'notify-log'), out], [join(scripts, 'notify-log'), out]])
  notifier.notify(record('peer-late'))
  notifier.notify(record('peer-dead'))
  await expect.poll(() => linesOf(out).filter((line) => line.startsWith('end')), { timeout: 5_000 })
    .toEqual(['end peer-late', 'end peer-late', 'end peer-dead', 'end peer-dead'])
})

test('text of a record is data, also a zero byte', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'show-call'), out, '$HACTL_MESSAGE']])
  notifier.notify(record('peer-late', '$(touch /tmp/never) `x`\0y'))
  await expect.poll(() => linesOf(out)).toContain('HACTL_MESSAGE=$(touch /tmp/never) `x` y')
  expect(linesOf(out)).toContain('word $HACTL_MESSAGE')
})

test('a command that hangs is ended and told, and the next record goes on', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'hang')], [join(scripts, 'notify-log'), out]], { timeoutMs: 200 })
  notifier.notify(record('peer-late'))
  notifier.notify(record('peer-dead'))
  await expect.poll(() => linesOf(out).filter((line) => line.startsWith('end')), { timeout: 10_000 })
    .toEqual(['end peer-late', 'end peer-dead'])
  expect(notices).toHaveLength(1)
  expect(notices[0]).toMatch(/hang was not done after 0.2 s and was ended, saying: waiting for something/)
})

test('a command that fails, or is not there, is told once a minute and passed over', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'exit-code'), '7'], ['/nowhere/notify'], [join(scripts, 'notify-log'), out]])
  for (let index = 0; index < 5; index += 1) notifier.notify(record('peer-late'))
  await expect.poll(() => linesOf(out).filter((line) => line.startsWith('end')).length, { timeout: 10_000 }).toBe(5)
  expect(notices).toHaveLength(2)
  expect(notices.join()).toMatch(/exit code 7, saying: first line/)
  expect(notices.join()).toMatch(/\/nowhere\/notify cannot be run \(ENOENT\)/)
})

test('a flood of records is bounded, and it is told', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'notify-log'), out, '0.2']], { queueLimit: 3 })
  for (let index = 0; index < 100; index += 1) notifier.notify(record('peer-late'))
  expect(notices.join()).toContain('3 records wait for the notify commands')
  await expect.poll(() => linesOf(out).filter((line) => line.startsWith('end')).length, { timeout: 10_000 }).toBe(4)
  await sleep(300)
  expect(linesOf(out).filter((line) => line.startsWith('end'))).toHaveLength(4)
})

test('its own failures are not told to it', async () => {
  const out = newFile()
  const notifier = create([[join(scripts, 'notify-log'), out]])
  notifier.notify(record('notify-failed'))
  await sleep(100)
  expect(existsSync(out)).toBe(false)
})

test('commands of a reloaded configuration take over', async () => {
  const [first, second] = [newFile(), newFile()]
  const notifier = create([[join(scripts, 'notify-log'), first]])
  notifier.notify(record('peer-late'))
  await expect.poll(() => linesOf(first).length).toBe(3)
  notifier.setCommands([[join(scripts, 'notify-log'), second]])
  notifier.notify(record('peer-dead'))
  await expect.poll(() => linesOf(second).length).toBe(3)
  expect(linesOf(first)).toHaveLength(3)
})
