/** A Heartbeat with auto_failback legacy, coupled with the real core and the dialogue: heartbeat-3.md 5.12, and what a pair of mixed settings does. */
import { describe, expect, test } from 'vitest'
import { conversation, couple, type Couple, type CoupleOptions } from './couple.ts'
import { allHere, allThere, home, online, sidesOf, standby, takeover, type Ends } from './stories.ts'

function begin(options: CoupleOptions): Couple {
  const pair = couple({ ...options, legacy: true })
  pair.startOurs()
  pair.startTheirs()
  pair.run(8_000)
  pair.watch()
  return pair
}

function expectRest(pair: Couple, { we }: Pick<CoupleOptions, 'we'>, ends: Ends): void {
  const { ours, theirs } = sidesOf({ we })
  expect({ ours: pair.at(ours), theirs: pair.at(theirs) }).toEqual(ends)
  for (const group of pair.state().groups) expect(group.hold?.heldSinceMs !== undefined).toBe(pair.at(group.name) === 'ours')
  expect(pair.heartbeat.isStable()).toBe(true)
  expect(pair.heartbeat.complaints).toEqual([])
  expect([...pair.overlapMs]).toEqual([])
}

interface Story {
  readonly name: string
  readonly play: (pair: Couple, sides: { ours: string; theirs: string }) => void
  readonly ends: Ends
  readonly endsWithoutFailback?: Ends
  readonly outageMs: number
}

const stories: readonly Story[] = [
  { name: 'they die and come back', play: (pair) => { pair.heartbeat.crash(); pair.run(10_000); pair.startTheirs(2) }, ends: home, outageMs: 1_300 },
  { name: 'we die and come back', play: (pair) => { pair.killOurs(); pair.run(10_000); pair.startOurs(2) }, ends: home, outageMs: 1_300 },
  { name: 'they are shut down and come back', play: (pair) => { pair.heartbeat.shutDown(); pair.run(10_000); pair.startTheirs(2) }, ends: home, outageMs: 200 },
  { name: 'we are shut down and come back', play: (pair) => { pair.stopOurs(); pair.run(10_000); pair.startOurs(2) }, ends: home, outageMs: 60 },
  { name: 'they restart within deadtime', play: (pair) => { pair.heartbeat.crash(); pair.startTheirs(2) }, ends: home, outageMs: 800 },
  { name: 'we restart within deadtime', play: (pair) => { pair.killOurs(); pair.run(100); pair.startOurs(2) }, ends: home, outageMs: 4_000 },
  { name: 'our takeover foreign, then req_resource there', play: (pair, { theirs }) => { pair.ask(takeover('foreign')); pair.run(5_000); expect(pair.at(theirs)).toBe('ours'); pair.heartbeat.request(theirs) }, ends: home, outageMs: 120 },
  { name: 'our takeover foreign', play: (pair) => pair.ask(takeover('foreign')), ends: allHere, outageMs: 120 },
  { name: 'our takeover foreign, then they restart', play: (pair) => { pair.ask(takeover('foreign')); pair.run(5_000); pair.heartbeat.crash(); pair.startTheirs(2) }, ends: home, outageMs: 120 },
  { name: 'our standby --once local', play: (pair) => pair.ask(standby('local', true)), ends: allThere, outageMs: 120 },
  { name: 'our lasting standby, then online', play: (pair) => { pair.ask(standby('all', false)); pair.run(20_000); pair.ask(online) }, ends: home, endsWithoutFailback: allThere, outageMs: 120 },
  { name: 'their hb_takeover foreign', play: (pair) => pair.heartbeat.takeover('foreign'), ends: allThere, outageMs: 120 },
  { name: 'their hb_standby, which does nothing there', play: (pair) => pair.heartbeat.standby('all'), ends: home, outageMs: 0 },
  { name: 'req_resource there of what belongs here', play: (pair, { ours }) => pair.heartbeat.request(ours), ends: allThere, outageMs: 120 },
]

for (const we of ['a', 'b'] as const) {
  for (const failback of [true, false]) {
    describe(`we are ${we}, our auto_failback ${failback ? 'on' : 'off'}`, () => {
      test('both start together: each has its own, and only what we say in legacy mode is said', () => {
        const pair = begin({ we, failback })
        expectRest(pair, { we }, home)
        expect(conversation(pair).filter((line) => line.startsWith('we: ') && !/^we: (repnodes|starting|ip-)/.test(line))).toEqual([])
      })
      for (const { name, play, ends, endsWithoutFailback, outageMs } of stories) {
        test(`${name}: never two holders, and each group is where it belongs`, () => {
          const pair = begin({ we, failback })
          play(pair, sidesOf({ we }))
          pair.run(20_000)
          expectRest(pair, { we }, failback ? ends : (endsWithoutFailback ?? ends))
          expect(Math.max(0, ...pair.outageMs.values())).toBeLessThanOrEqual(outageMs)
          expect(pair.replies.map(({ result }) => result).filter((result) => result !== 'done')).toEqual([])
        })
      }
      test('we start alone, and they join', () => {
        const pair = couple({ we, failback, legacy: true })
        pair.startOurs()
        pair.run(6_000)
        pair.startTheirs()
        pair.run(10_000)
        expectRest(pair, { we }, home)
      })
      test('they start alone, and we join', () => {
        const pair = couple({ we, failback, legacy: true })
        pair.startTheirs()
        pair.run(6_000)
        pair.startOurs()
        pair.run(10_000)
        expectRest(pair, { we }, home)
      })
    })
  }
}
