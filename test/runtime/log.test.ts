import { once } from 'node:events'
import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/records.ts'
import { createLineQueue } from '../../src/runtime/line-queue.ts'
import { formatJournal, formatText, openLog } from '../../src/runtime/log.ts'
import { bundle, mayMount, outputOf, start, startOnSmallDisk } from '../fixtures/bundled-program.ts'

const directory = mkdtempSync(join(tmpdir(), 'hactl-log-'))
const program = bundle('log')
let count = 0

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function newFile(): string {
  count += 1
  return join(directory, `${count}.log`)
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}

const record: EventRecord = {
  wallMs: 1_790_000_000_123, nowMs: 5, level: 'warning', code: 'peer-late', message: 'beta silent for 500 ms', group: 'web',
  figures: { silentMs: 500 },
}

test('a record is one line: local time, level, code, message', () => {
  expect(formatText(record)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.123 warning peer-late: web: beta silent for 500 ms\n$/)
})

test('line breaks and control characters in a message make no second line and move no cursor', () => {
  expect(formatText({ ...record, message: 'a\nb\u001b[2J\r\u2028c\u0085d' })).toMatch(/: web: a b \[2J c d\n$/)
})

test('the journal gets priorities and keeps the time itself', () => {
  expect(formatJournal(record)).toBe('<4>peer-late: web: beta silent for 500 ms\n')
  expect(formatJournal({ ...record, level: 'error' })).toMatch(/^<3>/)
  expect(formatJournal({ ...record, level: 'info' })).toMatch(/^<6>/)
})

test('a log file and standard error have the same lines', async () => {
  const [first, second] = [newFile(), newFile()]
  const descriptor = openSync(first, 'a')
  const log = openLog({ descriptor, file: second, json: false, journal: false })
  log.record(record)
  log.error('persist-failed', 'disk full')
  log.close()
  await expect.poll(() => linesOf(first).length).toBe(2)
  await expect.poll(() => linesOf(second)).toEqual(linesOf(first))
  closeSync(descriptor)
})

test('JSON when wanted: every field of the record', async () => {
  const path = newFile()
  const descriptor = openSync(path, 'a')
  const log = openLog({ descriptor, json: true })
  log.record(record)
  log.close()
  await expect.poll(() => linesOf(path).length).toBe(1)
  expect(JSON.parse(linesOf(path)[0]!)).toEqual({
    level: 'warning', time: '2026-09-21T14:13:20.123Z', nowMs: 5, code: 'peer-late', group: 'web',
    figures: { silentMs: 500 }, message: record.message,
  })
  closeSync(descriptor)
})

test('the journal is recognised by the stream that systemd names, and by nothing else', async () => {
  const path = newFile()
  const descriptor = openSync(path, 'a')
  const { dev, ino } = fstatSync(descriptor)
  const before = process.env['JOURNAL_STREAM']
  try {
    for (const [at, stream] of [`${dev}:${ino}`, '1:1'].entries()) {
      process.env['JOURNAL_STREAM'] = stream
      const log = openLog({ descriptor, json: false })
      log.info('group-held', 'held')
      log.close()
      // Two logs write beside each other.
      await expect.poll(() => linesOf(path).length).toBe(at + 1)
    }
  } finally {
    if (before === undefined) delete process.env['JOURNAL_STREAM']
    else process.env['JOURNAL_STREAM'] = before
  }
  expect(linesOf(path)[0]).toBe('<6>group-held: held')
  expect(linesOf(path)[1]).toMatch(/^\d{4}-.* info group-held: held$/)
  closeSync(descriptor)
})

test('a log file that was renamed away is begun anew after reopen', async () => {
  const path = newFile()
  const log = openLog({ descriptor: openSync('/dev/null', 'w'), file: path })
  log.info('group-held', 'one')
  await expect.poll(() => linesOf(path).length).toBe(1)
  renameSync(path, `${path}.1`)
  log.reopen()
  log.info('group-held', 'two')
  await expect.poll(() => linesOf(path).join()).toContain('two')
  expect(linesOf(`${path}.1`)).toHaveLength(1)
  log.close()
})

test('a log file that cannot be opened is told on standard error', async () => {
  const path = newFile()
  const descriptor = openSync(path, 'a')
  const log = openLog({ descriptor, file: join(directory, 'missing/x.log') })
  log.close()
  await expect.poll(() => readFileSync(path, 'utf8')).toMatch(/the log file .*missing\/x\.log cannot be opened/)
  closeSync(descriptor)
})

test('many lines through a file come in order and whole', async () => {
  const path = newFile()
  const log = openLog({ descriptor: openSync('/dev/null', 'w'), file: path })
  for (let index = 0; index < 5_000; index += 1) {
    log.info('group-held', `line ${index}`)
    if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await expect.poll(() => linesOf(path).length).toBe(5_000)
  expect(linesOf(path).map((line) => Number(/line (\d+)$/.exec(line)?.[1]))).toEqual(Array.from({ length: 5_000 }, (_, index) => index))
  log.close()
})

test('a reader of standard error that is stuck: the loop goes on, lines are dropped and counted, the process can exit', async () => {
  const child = start(program, ['flood', '20000'])
  let said = ''
  child.stdout!.on('data', (chunk: Buffer) => { said += chunk.toString() })
  // Nobody reads stderr: the pipe holds 64 KiB, the log 256 KiB, and 2.5 MB come.
  child.stderr!.pause()
  await once(child, 'exit')
  expect(child.exitCode).toBe(0)
  const { largestGapMs, dropped } = JSON.parse(said) as { largestGapMs: number; dropped: number }
  expect(dropped).toBeGreaterThan(10_000)
  expect(largestGapMs).toBeLessThan(1_000)
})

test('a stuck journal (a socket) neither', async () => {
  const path = join(directory, 'journal.sock')
  const server = createServer({ pauseOnConnect: true }).listen(path)
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  // The shell has no unix sockets, so a small program connects and hands its socket on as standard error.
  const hand = `
    const socket = require('node:net').connect(${JSON.stringify(path)}, () => {
      const stdio = ['ignore', 'inherit', socket]
      require('node:child_process').spawn(process.execPath, [${JSON.stringify(program)}, 'flood', '20000'], { stdio })
        .on('exit', (code) => process.exit(code ?? 1))
    })`
  const child = spawn(process.execPath, ['-e', hand], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { stdout, exitCode } = await outputOf(child)
  expect(exitCode).toBe(0)
  expect((JSON.parse(stdout) as { dropped: number }).dropped).toBeGreaterThan(10_000)
  const [socket] = await accepted
  socket.destroy()
  server.close()
})

test('once the reader reads again, it is told how many lines are missing', async () => {
  const child = start(program, ['pause-then-more', '20000'])
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const output = outputOf(child)
  await new Promise((resolve) => setTimeout(resolve, 500))
  child.stdin!.write('go on\n')
  const { stderr } = await output
  const lines = stderr.split('\n').slice(0, -1)
  const told = lines.map((line) => Number(/log-lines-dropped: (\d+) lines/.exec(line)?.[1] ?? 0)).reduce((sum, value) => sum + value, 0)
  expect(told).toBeGreaterThan(0)
  expect(lines.filter((line) => line.includes('group-held: line'))).toHaveLength(20_000 - told)
  expect(stderr).toContain('after the pause')
})

test('lines before a flush survive the death of the process', async () => {
  const { stderr } = await outputOf(start(program, ['fatal', '500']))
  expect(stderr.split('\n').filter((line) => line.includes('daemon-left'))).toHaveLength(500)
})

test('a reader that went away does not end the daemon', async () => {
  const child = start(program, ['flood', '2000'])
  child.stderr!.destroy()
  const { stdout, exitCode } = await outputOf(child)
  expect(exitCode).toBe(0)
  expect((JSON.parse(stdout) as { dropped: number }).dropped).toBeGreaterThan(0)
})

test.skipIf(!mayMount)('a log file on a full disk: lines are counted, the process goes on and exits', async () => {
  const disk = join(directory, 'disk')
  mkdirSync(disk)
  const { stdout, exitCode } = await outputOf(startOnSmallDisk(program, disk, 64, ['flood', '5000', join(disk, 'hactl.log')]))
  expect(exitCode).toBe(0)
  expect((JSON.parse(stdout.trim()) as { dropped: number }).dropped).toBeGreaterThan(1_000)
  expect(statSync(disk).isDirectory()).toBe(true)
})

test('the queue: nothing is lost below its limit, and what is lost is counted exactly', () => {
  const queue = createLineQueue(100, (lost) => `lost ${lost}\n`)
  for (let index = 0; index < 30; index += 1) queue.push('123456789\n')
  expect(queue.lost()).toBe(20)
  const first = queue.take()!
  expect(first.length).toBe(100)
  queue.wrote(first, 40)
  const rest = queue.take()!
  expect(rest.length).toBe(60)
  queue.wrote(rest, 60)
  const told = queue.take()!
  expect(told.toString()).toBe('lost 20\n')
  queue.lose(told)
  expect(queue.lost()).toBe(21)
  expect(queue.take()).toBeUndefined()
  expect(queue.push('x'.repeat(100))).toBe(true)
})
