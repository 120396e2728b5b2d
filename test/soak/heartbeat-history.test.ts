/** A real Heartbeat and our daemon side by side for longer than either keeps packets. */
import { expect } from 'vitest'
import { joinMs, openMixed, quiet, testMixed } from '../lab/heartbeat/mixed.ts'

testMixed('six hundred heartbeats each way fill no history: both are acknowledged', async () => {
  const mixed = await openMixed({ real: 'alpha', timing: { keepaliveMs: 50, deadtimeMs: 2_000, initdeadMs: 4_000 } })
  const { pair, real } = mixed
  await Promise.all([real.start(), pair.start(pair.beta)])
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.untilHolding('local')
  await quiet(30_000)
  expect(real.log()).not.toMatch(/hist queue|lost packet/)
  await mixed.untilHeld(pair.alpha, pair.beta)
  mixed.expectNeverBoth()
}, joinMs + 90_000)
