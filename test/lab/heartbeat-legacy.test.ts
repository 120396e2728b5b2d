/** A real Heartbeat with auto_failback legacy beside our daemon; every conversation with it is played by test/soak/heartbeat-legacy.test.ts. */
import { expect } from 'vitest'
import { startedLegacy } from './heartbeat/legacy.ts'
import { quiet, testMixed } from './heartbeat/mixed.ts'

testMixed('a Heartbeat in legacy mode gives what it is asked for, and gets back what it asks for', async () => {
  const mixed = await startedLegacy('alpha')
  const { pair, real, ours } = mixed
  expect((await pair.hactl(ours, 'takeover', 'foreign')).code).toBe(0)
  await mixed.untilHeld(ours, ours)
  await real.stop()
  await real.start()
  await mixed.untilHeld(pair.alpha, pair.beta)
  await quiet()
  mixed.expectNeverBoth()
  expect(real.log()).not.toMatch(/Standby mode only implemented|Irretrievably|returning after partition/)
}, 120_000)
