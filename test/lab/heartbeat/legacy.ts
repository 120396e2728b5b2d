/**
 * A real Heartbeat 3.0.6 with auto_failback legacy on one host and our daemon on the other: heartbeat-3.md 5.12. It never says what it holds,
 * so that only the addresses show it; none may be on both hosts at any time.
 */
import { describe, expect } from 'vitest'
import { ip, otherIp } from '../pair.ts'
import { joinMs, openMixed, quiet, testMixed, type Mixed, type Side } from './mixed.ts'

/** Nothing of the dialogue that a Heartbeat in legacy mode does not know was said to it, and nothing was lost. */
function expectUnderstood({ real }: Mixed): void {
  expect(real.log()).not.toMatch(/Standby mode only implemented|hist queue|Irretrievably|returning after partition|attempted replay|Both machines/)
}

async function done(mixed: Mixed): Promise<void> {
  await quiet()
  mixed.expectNeverBoth()
  expectUnderstood(mixed)
}

export async function startedLegacy(real: Side, ours: 'on' | 'off' | 'legacy' = 'legacy'): Promise<Mixed> {
  const mixed = await openMixed({ real, autoFailback: ours, theirFailback: 'legacy' })
  await Promise.all([mixed.real.start(), mixed.pair.start(mixed.ours)])
  await mixed.untilHeld(mixed.pair.alpha, mixed.pair.beta)
  return mixed
}

export function legacyConversations(side: Side): void {
  describe(`with a Heartbeat in legacy mode on ${side}`, () => {
    testMixed('who joins asks for its own group and gets it, whether or not the other one holds it', async () => {
      const mixed = await openMixed({ real: side, autoFailback: 'legacy' })
      const { pair, real, ours, theirs } = mixed
      await pair.start(ours)
      await mixed.untilHeld(ours, ours)
      await real.start()
      await mixed.untilHeld(pair.alpha, pair.beta)
      expect(await pair.stop(ours)).toBe(0)
      await mixed.untilHeld(theirs, theirs)
      await quiet()
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.stop()
      await mixed.untilHeld(ours, ours)
      await real.start()
      await mixed.untilHeld(pair.alpha, pair.beta)
      expect((await pair.events(ours)).map(({ code }) => code)).toContain('peer-legacy')
      await done(mixed)
    }, 180_000)

    testMixed('a takeover asks for the group, req_resource there gets it back, and a standby gives it', async () => {
      const mixed = await startedLegacy(side)
      const { pair, real, ours, theirs } = mixed
      const theirKey = `IPaddr2::${side === 'alpha' ? ip : otherIp}/24/eth0`
      expect((await pair.hactl(ours, 'takeover', 'foreign')).code).toBe(0)
      await mixed.untilHeld(ours, ours)
      await real.request(theirKey)
      await mixed.untilHeld(pair.alpha, pair.beta)
      expect((await pair.hactl(ours, 'standby')).code).toBe(0)
      await mixed.untilHeld(theirs, theirs)
      expect((await pair.hactl(ours, 'online')).code).toBe(0)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await done(mixed)
    }, 120_000)

    testMixed('a host that loses its power is replaced after deadtime, whichever it is, and gets its own back', async () => {
      const mixed = await startedLegacy(side)
      const { pair, real, ours, theirs } = mixed
      await ours.powerOff()
      await mixed.untilHeld(theirs, theirs)
      await ours.powerOn()
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await theirs.powerOff()
      await mixed.untilHeld(ours, ours)
      await theirs.powerOn()
      await real.start()
      await mixed.untilHeld(pair.alpha, pair.beta)
      await done(mixed)
    }, 180_000)

    testMixed('our daemon is killed, and comes back after deadtime and within it', async () => {
      const mixed = await startedLegacy(side)
      const { pair, ours, theirs } = mixed
      pair.daemon(ours).kill('SIGKILL')
      await mixed.untilHeld(theirs, theirs)
      await quiet()
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      pair.daemon(ours).kill('SIGKILL')
      await pair.daemon(ours).ended
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await done(mixed)
    }, 120_000)

    testMixed('after a partition each has its own again, and neither starts anew', async () => {
      const mixed = await startedLegacy(side)
      const { pair, real, ours } = mixed
      await pair.lab.cutBothWays('alpha', 'beta')
      await pair.untilStatus(ours, 'it has taken over', (status) => status.groups.every((group) => group.holder === ours.name), 15_000)
      await quiet(4_000)
      const healedMs = Date.now()
      await pair.lab.heal()
      await mixed.untilHeld(pair.alpha, pair.beta)
      await quiet(3_000)
      await mixed.untilHeld(pair.alpha, pair.beta)
      expect(Math.max(...[ip, otherIp].map((address) => pair.lab.overlapMs(address, healedMs)))).toBeLessThan(2_000)
      expectUnderstood(mixed)
      expect(real.log()).not.toMatch(/shutdown in progress/)
    }, joinMs + 60_000)

    testMixed('we have legacy and it has on: we do as it does', async () => {
      const mixed = await openMixed({ real: side, autoFailback: 'legacy', theirFailback: 'on' })
      const { pair, real, ours, theirs } = mixed
      await Promise.all([real.start(), pair.start(ours)])
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.untilHolding('local')
      expect(await pair.stop(ours)).toBe(0)
      await mixed.untilHeld(theirs, theirs)
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.untilHolding('local')
      expect((await pair.events(ours)).map(({ code }) => code)).not.toContain('peer-legacy')
      await done(mixed)
    }, 120_000)

    for (const ours of ['on', 'off'] as const) {
      testMixed(`it has legacy and we have ${ours}: we do as it does`, async () => {
        const mixed = await startedLegacy(side, ours)
        const { pair, real, ours: here } = mixed
        await real.stop()
        await mixed.untilHeld(here, here)
        await real.start()
        await mixed.untilHeld(pair.alpha, pair.beta)
        await done(mixed)
      }, 120_000)
    }
  })
}
