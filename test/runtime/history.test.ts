import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/records.ts'
import { openHistory } from '../../src/runtime/history.ts'
import { bundle, mayMount, outputOf, start, startOnSmallDisk } from '../fixtures/bundled-program.ts'

const top = mkdtempSync(join(tmpdir(), 'hactl-history-'))
const program = bundle('history')
let count = 0

afterAll(() => rmSync(top, { recursive: true, force: true }))

function fresh(): string {
  count += 1
  const directory = join(top, String(count))
  mkdirSync(directory)
  return directory
}

function numbered(nowMs: number, message = `record ${nowMs}`): EventRecord {
  return { wallMs: 1_790_000_000_000, nowMs, level: 'info', code: 'group-held', message, group: 'web' }
}

const numbersOf = (records: readonly EventRecord[]): number[] => records.map((record) => record.nowMs)

test('records come back, oldest first, also in the next daemon', async () => {
  const directory = fresh()
  const first = openHistory(directory)
  for (let number = 1; number <= 5; number += 1) first.append(numbered(number))
  expect(numbersOf(first.recent(3))).toEqual([3, 4, 5])
  await sleep(20)
  first.close()
  const second = openHistory(directory)
  expect(second.recent(100)).toEqual([1, 2, 3, 4, 5].map((number) => numbered(number)))
  expect(second.recent(0)).toEqual([])
  second.close()
})

test('followers hear each record once until they go', () => {
  const history = openHistory(fresh())
  const heard: number[] = []
  const stop = history.follow((record) => heard.push(record.nowMs))
  history.append(numbered(1))
  history.append(numbered(2))
  stop()
  history.append(numbered(3))
  history.close()
  expect(heard).toEqual([1, 2])
})

test('the files stay bounded, and the newest records are in them', async () => {
  const directory = fresh()
  const history = openHistory(directory, { fileLimitBytes: 20_000 })
  for (let number = 1; number <= 2_000; number += 1) {
    history.append(numbered(number))
    if (number % 20 === 0) await sleep(1)
  }
  await sleep(50)
  history.close()
  expect(readdirSync(directory).sort()).toEqual(['events.1.jsonl', 'events.jsonl'])
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(20_000)
  const kept = numbersOf(openHistory(directory).recent(2_000))
  expect(kept.at(-1)).toBe(2_000)
  expect(kept.length).toBeGreaterThan(100)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 2_000 - kept.length + 1 + index))
})

test('what waited for a slow disk does not make a file longer than its bound', async () => {
  const directory = fresh()
  const history = openHistory(directory, { fileLimitBytes: 20_000 })
  for (let number = 1; number <= 1_000; number += 1) history.append(numbered(number))
  await sleep(100)
  history.close()
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(20_000)
  expect(numbersOf(openHistory(directory).recent(1_000)).at(-1)).toBe(1_000)
})

test('memory stays bounded', () => {
  const history = openHistory(fresh(), { memoryLimit: 50 })
  for (let number = 1; number <= 500; number += 1) history.append(numbered(number))
  expect(numbersOf(history.recent(1_000))).toEqual(Array.from({ length: 50 }, (_, index) => 451 + index))
  history.close()
})

test('what is not yet written when the daemon ends is written by flush', () => {
  const directory = fresh()
  const history = openHistory(directory)
  for (let number = 1; number <= 300; number += 1) history.append(numbered(number))
  history.close()
  return expect.poll(() => openHistory(directory).recent(1_000).length).toBe(300)
})

test('a torn last line is skipped, and the next record stands on a line of its own', async () => {
  const directory = fresh()
  writeFileSync(join(directory, 'events.jsonl'), `${JSON.stringify(numbered(1))}\n${JSON.stringify(numbered(2)).slice(0, 40)}`)
  const history = openHistory(directory)
  expect(numbersOf(history.recent(10))).toEqual([1])
  history.append(numbered(3))
  await expect.poll(() => readFileSync(join(directory, 'events.jsonl'), 'utf8')).toContain('record 3')
  history.close()
  expect(numbersOf(openHistory(directory).recent(10))).toEqual([1, 3])
})

test('lines that are no records are skipped', () => {
  const directory = fresh()
  writeFileSync(join(directory, 'events.jsonl'), `null\n[]\n{}\n{"code":1}\n\u0000\u0000\n${JSON.stringify(numbered(9))}\n`)
  expect(numbersOf(openHistory(directory).recent(10))).toEqual([9])
})

test('a huge file is not read whole', () => {
  const directory = fresh()
  const path = join(directory, 'events.jsonl')
  const line = `${JSON.stringify(numbered(1, 'x'.repeat(500)))}\n`
  for (let index = 0; index < 20; index += 1) appendFileSync(path, line.repeat(500))
  appendFileSync(path, `${JSON.stringify(numbered(2))}\n`)
  expect(openHistory(directory, { memoryLimit: 10 }).recent(1)).toEqual([numbered(2)])
})

test('line breaks in a message stay inside their record', async () => {
  const directory = fresh()
  const history = openHistory(directory)
  history.append(numbered(1, 'a\nb\u2028c'))
  await sleep(20)
  history.close()
  expect(openHistory(directory).recent(1)).toEqual([numbered(1, 'a\nb\u2028c')])
})

test('a directory that cannot be written: told once, and memory serves', async () => {
  const troubles: string[] = []
  const history = openHistory(join(fresh(), 'missing'), { onTrouble: (message) => troubles.push(message) })
  for (let number = 1; number <= 50; number += 1) history.append(numbered(number))
  await sleep(20)
  expect(numbersOf(history.recent(2))).toEqual([49, 50])
  expect(troubles).toHaveLength(1)
  expect(troubles[0]).toMatch(/cannot be written: ENOENT.*df -h/)
  history.close()
})

test('kill -9 while appending: every record that was handed over is there, at most the last line is torn', async () => {
  for (let round = 0; round < 3; round += 1) {
    const directory = fresh()
    const child = start(program, ['for-ever', directory])
    let said = ''
    child.stdout!.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await expect.poll(() => said.split('\n').length, { timeout: 10_000 }).toBeGreaterThan(3)
    child.kill('SIGKILL')
    await once(child, 'close')
    const told = Number(said.trim().split('\n').at(-1))
    const kept = numbersOf(openHistory(directory, { memoryLimit: 100_000 }).recent(100_000))
    expect(kept.length).toBeGreaterThanOrEqual(told)
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => index + 1))
    const lines = readFileSync(join(directory, 'events.jsonl'), 'utf8').split('\n')
    expect(lines.length - kept.length).toBeLessThanOrEqual(1)
  }
})

test.skipIf(!mayMount)('a full disk: records stay in memory, it is told once, and later records are written again', async () => {
  const directory = fresh()
  const { stdout, stderr } = await outputOf(startOnSmallDisk(program, directory, 64, ['full', directory]))
  expect(stderr).toBe('')
  const { inMemory, onDisk, troubles } = JSON.parse(stdout) as { inMemory: number; onDisk: number[]; troubles: string[] }
  expect(inMemory).toBe(100)
  expect(onDisk).toContain(1)
  expect(onDisk).toContain(101)
  expect(onDisk.length).toBeLessThan(101)
  expect(troubles).toHaveLength(2)
  expect(troubles[0]).toMatch(/ENOSPC|it is full/)
  expect(troubles[1]).toContain(`written again; ${101 - onDisk.length} records are missing`)
})
