/** What a driver that takes orders is told: a stand-in for the native call, on an ordinary file for the bytes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { openWatchdog } from '../../src/runtime/watchdog.ts'

const directory = mkdtempSync(join(tmpdir(), 'hactl-watchdog-'))
const path = join(directory, 'watchdog')
/** Seconds, each with how many bytes had been written before. */
let orders: (readonly [number, number])[] = []
let leastSeconds = 1
let notices: string[] = []

vi.mock('../../src/runtime/native.ts', () => ({
  loadNative: () => ({
    setWatchdogTimeout(_fd: number, seconds: number) {
      orders.push([seconds, readFileSync(path).length])
      return seconds < leastSeconds ? { code: 'EINVAL' } : { seconds }
    },
  }),
}))

beforeEach(() => {
  writeFileSync(path, '')
  orders = []
  notices = []
  leastSeconds = 1
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const open = () => openWatchdog({ path, timeoutMs: 10_000, onNotice: ({ message }) => notices.push(message) })

test('starving, its time is a second from that moment on; spared, its own time again', () => {
  const watchdog = open()
  watchdog.feed()
  orders = []
  watchdog.starve()
  expect([orders, readFileSync(path).length]).toEqual([[[1, 2]], 3])
  watchdog.feed()
  watchdog.spare()
  expect([orders, readFileSync(path).length]).toEqual([[[1, 2], [10, 3]], 4])
  expect(notices).toEqual([])
})

test('a device that takes no time as short as a second is told when it is opened, and is not fed a last time', () => {
  leastSeconds = 4
  const watchdog = open()
  expect(orders.at(-1)).toEqual([10, 0])
  expect(notices).toEqual([`the watchdog ${path} takes no less than 10 s: where a stop fails, it resets this host up to 9 s after the peer may start what should have stopped; fencing, or another device, makes sure of it`])
  watchdog.starve()
  expect(readFileSync(path).length).toBe(1)
})
