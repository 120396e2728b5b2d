/**
 * A real Heartbeat 3.0.6 on one host and our daemon on the other: the conversations of heartbeat-3.md section 11.4. Each chain of them
 * shares one pair, because a Heartbeat takes its time to join; no address may be on both hosts at any time of it.
 */
import { describe, expect } from 'vitest'
import { joinMs, openMixed, quiet, testMixed, type Mixed, type Side } from './mixed.ts'

/** What a Heartbeat writes that has nothing to do with its peer: of this lab, and of every pair that joins or ends. */
const ordinary = [
  /Unable to enable core dumps/, /Initial dead time .* may be too small/, /Logging daemon is disabled/, /No Previous generation/, /is dead$/,
  /No STONITH device configured/, /Shared disks are not protected/,
]

function expectNoComplaints({ real }: Mixed): void {
  expect(real.complaints().filter((line) => !ordinary.some((pattern) => pattern.test(line)))).toEqual([])
}

async function started(real: Side, autoFailback: 'on' | 'off' = 'on'): Promise<Mixed> {
  const mixed = await openMixed({ real, autoFailback })
  await Promise.all([mixed.real.start(), mixed.pair.start(mixed.ours)])
  await mixed.untilHeld(mixed.pair.alpha, mixed.pair.beta)
  await mixed.real.untilHolding('local')
  return mixed
}

async function done({ pair, ours, ...mixed }: Mixed): Promise<void> {
  await quiet()
  mixed.expectNeverBoth()
  expectNoComplaints({ pair, ours, ...mixed })
  expect(await mixed.real.nodeStatus(ours.name)).toBe('active')
}

export function conversations(side: Side): void {
  describe(`with the Heartbeat on ${side}`, () => {
    testMixed('a cold start of both ends with each node serving its own group', async () => {
      await done(await started(side))
    }, joinMs + 60_000)

    testMixed('each gives and takes what an administrator says, on either host: all, local and foreign', async () => {
      const mixed = await started(side)
      const { real, ours, theirs, pair } = mixed
      /** Own group of the Heartbeat's node, own group of ours. */
      const untilHeld = (theirGroup: typeof ours, ourGroup: typeof ours) => mixed.untilHeld(...(side === 'alpha' ? [theirGroup, ourGroup] as const : [ourGroup, theirGroup] as const))
      await real.standby('all')
      await untilHeld(ours, ours)
      await real.untilHolding('none')
      await real.takeover('local')
      await untilHeld(theirs, ours)
      await real.untilHolding('local')
      await real.takeover('all')
      await untilHeld(theirs, theirs)
      await real.untilHolding('all')
      await real.standby('foreign')
      await untilHeld(theirs, ours)
      await real.untilHolding('local')
      await real.standby('local')
      await untilHeld(ours, ours)
      await real.untilHolding('none')
      await real.takeover('foreign')
      await untilHeld(ours, theirs)
      await real.untilHolding('foreign')
      expect((await pair.hactl(ours, 'standby', '--once')).code).toBe(0)
      await untilHeld(theirs, theirs)
      expect((await pair.hactl(ours, 'takeover', 'foreign')).code).toBe(0)
      await untilHeld(ours, theirs)
      expect((await pair.hactl(ours, 'takeover')).code).toBe(0)
      await untilHeld(ours, ours)
      expect((await pair.hactl(ours, 'standby', 'local', '--once')).code).toBe(0)
      await untilHeld(ours, theirs)
      expect((await pair.hactl(ours, 'standby')).code).toBe(0)
      await untilHeld(theirs, theirs)
      await real.untilHolding('all')
      await done(mixed)
    }, 240_000)

    testMixed('who ends in order hands over at once, and gets its own group back when it returns', async () => {
      const mixed = await started(side)
      const { real, ours, theirs, pair } = mixed
      const [alpha, beta] = [pair.alpha, pair.beta]
      expect(await pair.stop(ours)).toBe(0)
      await mixed.untilHeld(theirs, theirs)
      await quiet()
      await pair.start(ours)
      await mixed.untilHeld(alpha, beta)
      await real.untilHolding('local')
      await real.stop()
      await mixed.untilHeld(ours, ours)
      await quiet()
      await real.start()
      await mixed.untilHeld(alpha, beta)
      await real.untilHolding('local')
      await done(mixed)
    }, 180_000)

    testMixed('without failback who returns gets nothing until somebody says so', async () => {
      const mixed = await started(side, 'off')
      const { real, ours, theirs, pair } = mixed
      expect(await pair.stop(ours)).toBe(0)
      await mixed.untilHeld(theirs, theirs)
      await quiet()
      await pair.start(ours)
      await pair.untilStatus(ours, 'it has joined', (status) => status.groups.every((group) => group.holder === theirs.name), 15_000)
      await quiet(4_000)
      await mixed.untilHeld(theirs, theirs)
      await real.stop()
      await mixed.untilHeld(ours, ours)
      await real.start()
      await quiet(6_000)
      await mixed.untilHeld(ours, ours)
      await real.untilHolding('none')
      await done(mixed)
    }, 180_000)

    testMixed('a host that loses its power is replaced after deadtime, whichever it is, and joins again', async () => {
      const mixed = await started(side)
      const { real, ours, theirs, pair } = mixed
      await ours.powerOff()
      await mixed.untilHeld(theirs, theirs)
      await ours.powerOn()
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.untilHolding('local')
      await theirs.powerOff()
      await mixed.untilHeld(ours, ours)
      await theirs.powerOn()
      await real.start()
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.untilHolding('local')
      await done(mixed)
    }, 180_000)

    testMixed('our daemon is killed: its guard takes its addresses off before the Heartbeat takes them over', async () => {
      const mixed = await started(side)
      const { real, ours, theirs, pair } = mixed
      pair.daemon(ours).kill('SIGKILL')
      await mixed.untilHeld(theirs, theirs)
      await quiet()
      await pair.start(ours)
      await mixed.untilHeld(pair.alpha, pair.beta)
      await real.untilHolding('local')
      await done(mixed)
    }, 120_000)
  })
}
