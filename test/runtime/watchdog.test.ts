import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { loadNative } from '../../src/runtime/native.ts'
import { openWatchdog, type Watchdog } from '../../src/runtime/watchdog.ts'

const directory = mkdtempSync(join(tmpdir(), 'hactl-watchdog-'))
const device = join(directory, 'watchdog')
let notices: string[] = []

beforeEach(() => {
  notices = []
  writeFileSync(device, '')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const open = (path = device): Watchdog => openWatchdog({ path, timeoutMs: 10_000, onNotice: ({ message }) => notices.push(message) })
const eaten = (): string => readFileSync(device, 'latin1')

test('it is fed byte by byte, from the start, and switched off by a V at the end', () => {
  const watchdog = open()
  expect(eaten()).toBe('\0')
  watchdog.feed()
  watchdog.feed()
  expect(eaten()).toBe('\0\0\0')
  watchdog.close()
  expect(eaten()).toBe('\0\0\0V')
})

test('once it starves nothing is written any more, not even at the end', () => {
  const watchdog = open()
  watchdog.starve()
  watchdog.feed()
  watchdog.close()
  expect(eaten()).toBe('\0')
})

test('one that is spared is fed again, and switched off at the end', () => {
  const watchdog = open()
  watchdog.spare()
  watchdog.starve()
  watchdog.feed()
  watchdog.spare()
  watchdog.feed()
  watchdog.close()
  watchdog.spare()
  expect(eaten()).toBe('\0\0\0V')
})

test('a closed one is not fed', () => {
  const watchdog = open()
  watchdog.close()
  watchdog.feed()
  watchdog.close()
  expect(eaten()).toBe('\0V')
})

test('a device that is not there is an error that names the module, and no file is made in its place', () => {
  const missing = join(directory, 'none')
  expect(() => open(missing)).toThrow(/^the watchdog .*none cannot be opened: there is no such device; .*modprobe softdog/)
  expect(existsSync(missing)).toBe(false)
})

test('a device that refuses the byte is told once', () => {
  const watchdog = open('/dev/full')
  watchdog.feed()
  watchdog.feed()
  expect(notices.filter((message) => message.includes('cannot be fed'))).toEqual(['the watchdog /dev/full cannot be fed (ENOSPC): it will reset this host'])
})

test.skipIf(loadNative() === undefined)('a file that is no watchdog is used and called by its name', () => {
  open().close()
  expect(notices).toEqual([`${device} is no watchdog: nothing resets this host when it hangs; type: ls -l ${device}`])
})

test('a pipe gets the same bytes as they come; without a reader it is an error', async () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  expect(() => open(pipe)).toThrow('there is no such device')
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'ignore'] })
  let got = ''
  reader.stdout.on('data', (part: Buffer) => { got += part.toString('latin1') })
  let watchdog: Watchdog | undefined
  await expect.poll(() => {
    try {
      watchdog ??= open(pipe)
    } catch {
      // The reader has not opened its end yet.
    }
    return watchdog !== undefined
  }, { timeout: 5_000 }).toBe(true)
  watchdog?.feed()
  watchdog?.close()
  await expect.poll(() => got, { timeout: 5_000 }).toBe('\0\0V')
})

// A run that dies between opening and V would reset the machine: only who asks for it gets this one.
const asked = process.env['HACTL_TEST_SOFTDOG'] !== undefined && existsSync('/sys/class/watchdog/watchdog0/timeout')
test.skipIf(!asked)('the kernel\'s softdog takes the time and the V (needs softdog, and HACTL_TEST_SOFTDOG=1)', () => {
  const watchdog = openWatchdog({ path: '/dev/watchdog0', timeoutMs: 47_000, onNotice: ({ message }) => notices.push(message) })
  const limit = readFileSync('/sys/class/watchdog/watchdog0/timeout', 'utf8').trim()
  watchdog.close()
  expect(limit).toBe('47')
  expect(readFileSync('/sys/class/watchdog/watchdog0/state', 'utf8').trim()).toBe('inactive')
  expect(notices).toEqual([])
})
