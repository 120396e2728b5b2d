import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startFeeding } from '../../src/daemon/watchdog-feeding.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the watchdog is fed four times in its time, and not by a daemon that misses its own deadlines', () => {
  let fed = 0
  let overdueMs = 0
  const watchdog = { feed: () => void (fed += 1), starve: () => undefined, spare: () => undefined, close: () => undefined }
  const stop = startFeeding({ watchdog, timeoutMs: 8_000, overdueMs: () => overdueMs })
  vi.advanceTimersByTime(8_000)
  expect(fed).toBe(4)
  overdueMs = 3_999
  vi.advanceTimersByTime(2_000)
  expect(fed).toBe(5)
  overdueMs = 4_000
  vi.advanceTimersByTime(8_000)
  expect(fed).toBe(5)
  overdueMs = 0
  vi.advanceTimersByTime(2_000)
  expect(fed).toBe(6)
  stop()
  vi.advanceTimersByTime(8_000)
  expect(fed).toBe(6)
})
