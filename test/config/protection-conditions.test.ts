/** Each relation of design.md section 5 on both sides of its limit, with the figure that follows from it. */
import { expect, test } from 'vitest'
import { type Figures, pausedOverlapMs, smallestDeadtimeMs, witnessViolations } from '../../src/config/protection-conditions.ts'
import { witnessTiming } from '../../src/config/protection.ts'

function figures(deadtimeMs: number, more: Partial<Figures> = {}, keepaliveMs = 200): Figures {
  const timing = { keepaliveMs, warntimeMs: deadtimeMs / 2, deadtimeMs, initdeadMs: 20_000 }
  return { timing, lease: 'auto', witness: witnessTiming({}, timing), addressCount: 1, ...more }
}

const codes = (given: Figures): readonly string[] => witnessViolations(given).map(({ code }) => code)
const witness = { timeoutMs: 300, grantMs: 4_000, renewMs: 500 }

const limits: readonly { readonly code: string; readonly holds: Figures; readonly fails: Figures }[] = [
  { code: 'lease-fixed', holds: figures(2_194), fails: figures(2_193) },
  { code: 'lease-flaps', holds: figures(2_946), fails: figures(2_945) },
  { code: 'lease-before-witness', holds: figures(3_182), fails: figures(3_181) },
  { code: 'lease-before-witness', holds: figures(10_000, { witness: { ...witness, timeoutMs: 3_000, grantMs: 20_000 } }),
    fails: figures(10_000, { witness: { ...witness, timeoutMs: 3_300, grantMs: 20_000 } }) },
  { code: 'removal-late', holds: figures(834), fails: figures(833) },
  { code: 'witness-slow', holds: figures(4_000, { witness: { ...witness, timeoutMs: 1_200 } }), fails: figures(4_000, { witness: { ...witness, timeoutMs: 1_201 } }) },
  { code: 'witness-in-health', holds: figures(4_202, {}, 1_000), fails: figures(4_200, {}, 1_000) },
  { code: 'witness-grant-short', holds: figures(4_000, { witness: { timeoutMs: 300, grantMs: 3_000, renewMs: 590 } }),
    fails: figures(4_000, { witness: { timeoutMs: 300, grantMs: 3_000, renewMs: 591 } }) },
  { code: 'witness-renewal-rare', holds: figures(4_000, { witness: { ...witness, renewMs: 900 } }), fails: figures(4_000, { witness: { ...witness, renewMs: 901 } }) },
]

for (const { code, holds, fails } of limits) {
  test(`${code}: deadtime ${fails.timing.deadtimeMs} ms, an answer within ${fails.witness.timeoutMs} ms`, () => {
    expect(codes(holds)).not.toContain(code)
    expect(codes(fails)).toContain(code)
  })
}

test('the shortest deadtime for which a witness keeps the pair from being held twice is a little over 3 s', () => {
  expect(codes(figures(3_182))).toEqual([])
  expect(smallestDeadtimeMs((deadtimeMs) => figures(deadtimeMs))).toBe(3_200)
  expect(smallestDeadtimeMs((deadtimeMs) => figures(deadtimeMs, {}, 1_000))).toBe(4_300)
  const never = { timeoutMs: 1_000, grantMs: 1_000, renewMs: 1_000 }
  expect(smallestDeadtimeMs((deadtimeMs) => figures(deadtimeMs, { witness: never }))).toBeUndefined()
})

test('every default is good from there on', () => {
  for (let deadtimeMs = 3_200; deadtimeMs <= 120_000; deadtimeMs += 100) expect(codes(figures(deadtimeMs)), `${deadtimeMs} ms`).toEqual([])
})

test('without leases nothing of an address expires, so that only the witness itself is judged', () => {
  expect(codes(figures(2_000, { lease: 'off' }))).toEqual([])
})

test('an overlap after a pause is what the lease outlives deadtime by', () => {
  const { timing } = figures(1_000)
  expect(pausedOverlapMs(timing, 1)).toBe(1_270)
  expect(pausedOverlapMs(figures(10_000).timing, 7)).toBe(0)
})
