/**
 * Half an hour (SOAK_MINUTES) of a real Heartbeat beside our daemon with a twentieth of all packets lost, and of two real Heartbeats in the
 * same way at the same time: what the first one complains of, the second one complains of as well.
 */
import { expect } from 'vitest'
import { ip, otherIp } from '../lab/pair.ts'
import { heartbeatLines, heartbeatOn, type Heartbeat } from '../lab/heartbeat/heartbeat.ts'
import { groups, openMixed, testMixed, type Mixed } from '../lab/heartbeat/mixed.ts'
import { sleep } from '../lab/hosts.ts'

const minutes = Number(process.env['SOAK_MINUTES'] ?? 30)
const lostPercent = 5
const timing = { keepaliveMs: 200, deadtimeMs: 4_000, initdeadMs: 8_000 }

/** What a line complains of, whatever its figures and names are. */
function kinds(real: Heartbeat, from: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of real.complaints(from)) {
    const kind = line.replace(/^.*?: \[\d+\]: /, '').replace(/\d+/g, 'N').replace(/\b(alpha|beta)\b/g, 'NODE')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

async function pure(): Promise<{ readonly mixed: Mixed; readonly other: Heartbeat }> {
  const mixed = await openMixed({ real: 'alpha', timing })
  mixed.pair.configure(mixed.ours, { groups, timing, more: heartbeatLines })
  const other = heartbeatOn(mixed.ours)
  await Promise.all([mixed.real.start(), other.start()])
  return { mixed, other }
}

testMixed(`${minutes} minutes with ${lostPercent} % of the packets lost: nothing that two Heartbeats would not complain of, and nothing moves`, async () => {
  const mixed = await openMixed({ real: 'alpha', timing })
  const { mixed: twins, other } = await pure()
  await Promise.all([mixed.real.start(), mixed.pair.start(mixed.ours)])
  await Promise.all([mixed, twins].map((one) => one.untilHeld(one.pair.alpha, one.pair.beta, 60_000)))
  await Promise.all([mixed.real, twins.real, other].map((one) => one.untilHolding('local')))
  const from = { mixed: mixed.real.log().length, twins: twins.real.log().length, other: other.log().length }
  await Promise.all([mixed, twins].map(({ pair }) => pair.lab.lose('alpha', 'beta', lostPercent)))
  await sleep(minutes * 60_000)
  const ours = kinds(mixed.real, from.mixed)
  const theirs = new Map([...kinds(twins.real, from.twins), ...kinds(other, from.other)])
  console.log('beside our daemon:', ours, '\nbeside a Heartbeat:', theirs)
  expect([...ours.keys()].filter((kind) => !theirs.has(kind))).toEqual([])
  for (const address of [ip, otherIp]) expect(mixed.pair.lab.tenures(address)).toHaveLength(1)
  mixed.expectNeverBoth()
}, minutes * 60_000 + 240_000)
