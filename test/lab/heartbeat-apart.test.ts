/** A real Heartbeat and our daemon that cannot hear each other for a while: cut off, stopped, or with packets that are lost. */
import { expect } from 'vitest'
import { ip, otherIp } from './pair.ts'
import { joinMs, openMixed, quiet, testMixed, type Mixed } from './heartbeat/mixed.ts'

async function started(more: readonly string[] = [], timing = { keepaliveMs: 200, deadtimeMs: 1_500, initdeadMs: 3_000 }): Promise<Mixed> {
  const mixed = await openMixed({ real: 'alpha', timing, more })
  await Promise.all([mixed.real.start(), mixed.pair.start(mixed.ours)])
  await mixed.untilHeld(mixed.pair.alpha, mixed.pair.beta)
  await mixed.real.untilHolding('local')
  return mixed
}

const overlapsMs = ({ pair }: Mixed, fromMs: number): number => Math.max(...[ip, otherIp].map((address) => pair.lab.overlapMs(address, fromMs)))

testMixed('after a partition our daemon lets go at once of what the Heartbeat serves as well, which neither restarts nor lets go of it', async () => {
  const mixed = await started()
  const { pair, real } = mixed
  for (const round of [1, 2]) {
    await pair.lab.cutBothWays('alpha', 'beta')
    await pair.untilStatus(pair.beta, 'each holds both', (status) => status.groups.every((group) => group.holder === 'beta'), 10_000)
    await real.untilHolding('all')
    await quiet(1_000 * round)
    const healedMs = Date.now()
    await pair.lab.heal()
    await mixed.untilHeld(pair.alpha, pair.beta)
    await real.untilHolding('local')
    await quiet()
    expect(overlapsMs(mixed, healedMs)).toBeLessThan(1_000)
  }
  expect(real.log()).not.toMatch(/returning after partition|Forcing restart|shutdown in progress/)
  expect((await pair.events(pair.beta)).filter(({ code }) => code === 'generation-renewed')).toHaveLength(2)
}, joinMs + 90_000)

testMixed('our daemon stands still for longer than deadtime: when it wakes it does not make the Heartbeat restart, and lets go of what that has taken', async () => {
  const mixed = await started()
  const { pair, real } = mixed
  pair.daemon(pair.beta).kill('SIGSTOP')
  await real.untilHolding('all')
  await quiet()
  const wokenMs = Date.now()
  pair.daemon(pair.beta).kill('SIGCONT')
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.untilHolding('local')
  await quiet()
  expect(overlapsMs(mixed, wokenMs)).toBeLessThan(1_000)
  expect(real.log()).not.toMatch(/returning after partition|Forcing restart|shutdown in progress/)
}, joinMs + 60_000)

testMixed('either daemon is killed and started again within deadtime: each group has one holder at the end, and never had two', async () => {
  const mixed = await started([], { keepaliveMs: 200, deadtimeMs: 4_000, initdeadMs: 8_000 })
  const { pair, real } = mixed
  await real.kill()
  await real.start()
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.untilHolding('local')
  await real.standby('all')
  await mixed.untilHeld(pair.beta, pair.beta)
  await real.untilHolding('none')
  // Its guard takes the addresses off, and it has forgotten that it held what belongs to the other node.
  pair.daemon(pair.beta).kill('SIGKILL')
  await pair.daemon(pair.beta).ended
  await pair.start(pair.beta)
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.untilHolding('local')
  mixed.expectNeverBoth()
}, joinMs + 90_000)

testMixed('a tenth of all packets is lost both ways: every word arrives, nothing fills up, nothing moves', async () => {
  const mixed = await started([], { keepaliveMs: 100, deadtimeMs: 3_000, initdeadMs: 5_000 })
  const { pair, real } = mixed
  const from = real.log().length
  await pair.lab.lose('alpha', 'beta', 10)
  await quiet(20_000)
  await mixed.untilHeld(pair.alpha, pair.beta)
  await real.standby('all')
  await mixed.untilHeld(pair.beta, pair.beta)
  await real.takeover('local')
  await mixed.untilHeld(pair.alpha, pair.beta)
  await pair.lab.heal()
  await quiet(2_000)
  const log = real.log().slice(from)
  expect(log).toMatch(/lost packet\(s\) for \[beta\]/)
  expect(log).toMatch(/No pkts missing from beta/)
  expect(log).not.toMatch(/hist queue|Irretrievably|is dead|corrupted/)
  mixed.expectNeverBoth()
}, joinMs + 90_000)

for (const autoFailback of ['off', 'legacy'] as const) {
  testMixed(`the Heartbeat does not hear our daemon any more, which lets go as soon as that says so, and joins again like one that was just started: auto_failback ${autoFailback}`, async () => {
    const mixed = await openMixed({ real: 'alpha', timing: { keepaliveMs: 200, deadtimeMs: 1_500, initdeadMs: 3_000 }, autoFailback })
    const { pair, real } = mixed
    await Promise.all([real.start(), pair.start(pair.beta)])
    await mixed.untilHeld(pair.alpha, pair.beta)
    await quiet()
    const cutMs = Date.now()
    await pair.lab.cutOneWay('beta', 'alpha')
    await mixed.untilHeld(pair.alpha, pair.alpha)
    await quiet(3_000)
    await mixed.untilHeld(pair.alpha, pair.alpha)
    // It says so at the moment in which its scripts begin.
    expect(overlapsMs(mixed, cutMs)).toBeLessThan(1_000)
    await pair.lab.heal()
    await mixed.untilHeld(pair.alpha, autoFailback === 'off' ? pair.alpha : pair.beta)
    await pair.untilStatus(pair.beta, 'it knows who holds what', (status) => status.groups.every(({ holder }) => holder !== undefined), 15_000)
    await quiet()
    expect(real.log()).not.toMatch(/returning after partition|Forcing restart|shutdown in progress/)
    expect((await pair.events(pair.beta)).map(({ code }) => code)).toContain('counted-dead')
  }, joinMs + 60_000)
}
