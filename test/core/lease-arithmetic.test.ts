import { expect, test } from 'vitest'
import {
  configuredLeaseSeconds, defaultWitnessTiming, isFixedLease, renewIntervalMs, validSecondsUntil,
} from '../../src/core/lease-arithmetic.ts'

function timing(deadtimeMs: number, keepaliveMs = 200) {
  return { keepaliveMs, warntimeMs: deadtimeMs / 2, deadtimeMs, initdeadMs: 2 * deadtimeMs }
}

test('an automatic lease ends before the peer may take over, and is never below one second', () => {
  expect(configuredLeaseSeconds(timing(30_000, 2_000), 'auto')).toBe(26)
  expect(configuredLeaseSeconds(timing(10_000, 1_000), 'auto')).toBe(7)
  expect(configuredLeaseSeconds(timing(1_000), 'auto')).toBe(1)
})

test('a lease that is written is that, and off is none', () => {
  expect(configuredLeaseSeconds(timing(10_000), { seconds: 5 })).toBe(5)
  expect(configuredLeaseSeconds(timing(10_000), 'off')).toBeUndefined()
})

test('below 2.2 s of deadtime the lease is fixed', () => {
  expect(isFixedLease(timing(2_193))).toBe(true)
  expect(isFixedLease(timing(2_194))).toBe(false)
})

test('renewals keep up with the lease, and do not fill the time between them', () => {
  expect(renewIntervalMs(timing(10_000), true, 7, 1)).toBe(500)
  expect(renewIntervalMs(timing(30_000), true, 1, 1)).toBe(333)
  expect(renewIntervalMs(timing(900), true, 1, 1)).toBe(50)
  expect(renewIntervalMs(timing(900), true, 1, 400)).toBe(200)
  expect(renewIntervalMs(timing(10_000), false, 7, 1)).toBe(2_333)
})

test('an address is given whole seconds, the kernel timer and the way to the kernel left out', () => {
  expect(validSecondsUntil(9_800, 0, 7)).toBe(7)
  expect(validSecondsUntil(3_050, 0, 7)).toBe(2)
  expect(validSecondsUntil(3_049, 0, 7)).toBe(1)
  expect(validSecondsUntil(2_049, 0, 7)).toBe(0)
})

test('the witness is asked in the time that deadtime leaves', () => {
  expect(defaultWitnessTiming(timing(2_000))).toEqual({ timeoutMs: 200, grantMs: 3_000, renewMs: 500 })
  expect(defaultWitnessTiming(timing(10_500))).toEqual({ timeoutMs: 500, grantMs: 11_000, renewMs: 1_833 })
})
