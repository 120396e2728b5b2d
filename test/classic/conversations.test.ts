/** The conversations of heartbeat-3.md 11.4: the real core and the dialogue with a model of a Heartbeat, on either node, with failback and without. */
import { describe, expect, test } from 'vitest'
import { statusReport } from '../../src/core/status.ts'
import { conversation, couple, type Couple, type CoupleOptions } from './couple.ts'
import { allHere, allThere, home, online, sidesOf, standby, takeover, type Ends } from './stories.ts'

interface Story {
  readonly name: string
  readonly play: (pair: Couple) => void
  readonly ends: Ends
  /** With `auto_failback off`, where that is another. */
  readonly endsWithoutFailback?: Ends
  /** Nobody serves a group for at most as long; scripts of both take 50 ms, packets of either 200 ms, deadtime is 1 s. */
  readonly outageMs: number
}

const stories: readonly Story[] = [
  { name: 'their hb_standby all', play: (pair) => pair.heartbeat.standby('all'), ends: allHere, outageMs: 60 },
  { name: 'their hb_standby local', play: (pair) => pair.heartbeat.standby('local'), ends: allHere, outageMs: 60 },
  { name: 'their hb_standby local, then foreign of what is left', play: (pair) => { pair.heartbeat.standby('local'); pair.run(5_000); pair.heartbeat.standby('foreign') }, ends: allHere, outageMs: 60 },
  { name: 'our standby --once all', play: (pair) => pair.ask(standby('all', true)), ends: allThere, outageMs: 60 },
  { name: 'our standby --once local', play: (pair) => pair.ask(standby('local', true)), ends: allThere, outageMs: 60 },
  { name: 'our lasting standby, then online', play: (pair) => { pair.ask(standby('all', false)); pair.run(20_000); pair.ask(online) }, ends: home, endsWithoutFailback: allThere, outageMs: 60 },
  { name: 'our takeover all, then their hb_takeover all', play: (pair) => { pair.ask(takeover('all')); pair.run(5_000); pair.heartbeat.takeover('all') }, ends: allThere, outageMs: 60 },
  { name: 'our takeover all, then our standby --once foreign', play: (pair) => { pair.ask(takeover('all')); pair.run(5_000); pair.ask(standby('foreign', true)) }, ends: home, outageMs: 60 },
  { name: 'our takeover foreign', play: (pair) => pair.ask(takeover('foreign')), ends: allHere, outageMs: 60 },
  { name: 'their hb_takeover foreign', play: (pair) => pair.heartbeat.takeover('foreign'), ends: allThere, outageMs: 60 },
  { name: 'their hb_takeover all, then their hb_standby foreign', play: (pair) => { pair.heartbeat.takeover('all'); pair.run(5_000); pair.heartbeat.standby('foreign') }, ends: home, outageMs: 60 },
  { name: 'they die and come back', play: (pair) => { pair.heartbeat.crash(); pair.run(10_000); pair.startTheirs(2) }, ends: home, endsWithoutFailback: allHere, outageMs: 1_300 },
  { name: 'we die and come back', play: (pair) => { pair.killOurs(); pair.run(10_000); pair.startOurs(2) }, ends: home, endsWithoutFailback: allThere, outageMs: 1_300 },
  { name: 'they are shut down and come back', play: (pair) => { pair.heartbeat.shutDown(); pair.run(10_000); pair.startTheirs(2) }, ends: home, endsWithoutFailback: allHere, outageMs: 60 },
  { name: 'we are shut down and come back', play: (pair) => { pair.stopOurs(); pair.run(10_000); pair.startOurs(2) }, ends: home, endsWithoutFailback: allThere, outageMs: 60 },
  { name: 'they restart within deadtime', play: (pair) => { pair.heartbeat.crash(); pair.startTheirs(2) }, ends: home, outageMs: 600 },
  { name: 'we restart within deadtime', play: (pair) => { pair.killOurs(); pair.run(100); pair.startOurs(2) }, ends: home, outageMs: 600 },
  { name: 'they hold everything and restart within deadtime', play: (pair) => { pair.heartbeat.takeover('all'); pair.run(5_000); pair.heartbeat.crash(); pair.startTheirs(2) }, ends: home, outageMs: 1_000 },
]

function begin(options: CoupleOptions): Couple {
  const pair = couple(options)
  pair.startOurs()
  pair.startTheirs()
  pair.run(5_000)
  pair.watch()
  return pair
}

/** Both at rest, all held by one node each, as the core and the Heartbeat see it. */
function expectRest(pair: Couple, options: CoupleOptions, ends: Ends): void {
  const { ours, theirs } = sidesOf(options)
  expect({ ours: pair.at(ours), theirs: pair.at(theirs) }).toEqual(ends)
  for (const group of pair.state().groups) expect(group.hold?.heldSinceMs !== undefined).toBe(pair.at(group.name) === 'ours')
  expect(pair.heartbeat.holds()).toBe(ends.ours === 'theirs' ? 'all' : ends.theirs === 'theirs' ? 'local' : 'none')
  expect(pair.dialogue().exchange).toBeUndefined()
  expect(pair.heartbeat.isStable()).toBe(true)
}

for (const we of ['a', 'b'] as const) {
  for (const failback of [true, false]) {
    describe(`we are ${we}, auto_failback ${failback ? 'on' : 'off'}`, () => {
      test('both start together: each has its own within a second, without the 10 s that two Heartbeats wait', () => {
        const pair = couple({ we, failback })
        pair.startOurs()
        pair.startTheirs()
        pair.run(1_500)
        expectRest(pair, { we }, home)
        expect([...pair.overlapMs]).toEqual([])
        expect(pair.heartbeat.complaints).toEqual([])
      })
      for (const { name, play, ends, endsWithoutFailback, outageMs } of stories) {
        test(`${name}: never two holders, and each group is where it belongs`, () => {
          const pair = begin({ we, failback })
          play(pair)
          pair.run(20_000)
          expectRest(pair, { we }, failback ? ends : (endsWithoutFailback ?? ends))
          expect([...pair.overlapMs]).toEqual([])
          expect(Math.max(0, ...pair.outageMs.values())).toBeLessThanOrEqual(outageMs)
          expect(pair.heartbeat.complaints).toEqual([])
          expect(pair.replies.map(({ result }) => result).filter((result) => result !== 'done')).toEqual([])
        })
      }
      test('we start alone, and they join', () => {
        const pair = couple({ we, failback })
        pair.startOurs()
        pair.run(6_000)
        expect(sidesOf({ we }).theirs).toSatisfy((name: string) => pair.at(name) === 'ours')
        pair.startTheirs()
        pair.run(10_000)
        expectRest(pair, { we }, failback ? home : allHere)
        expect([...pair.overlapMs, ...pair.heartbeat.complaints]).toEqual([])
      })
      test('they start alone, and we join', () => {
        const pair = couple({ we, failback })
        pair.startTheirs()
        pair.run(6_000)
        pair.startOurs()
        pair.run(10_000)
        expectRest(pair, { we }, failback ? home : allThere)
        expect([...pair.overlapMs, ...pair.heartbeat.complaints]).toEqual([])
      })
    })
  }
}

test('a partition: after it the Heartbeat lets go of everything and starts anew, and we keep', () => {
  const pair = begin({ we: 'a', failback: false })
  pair.cut.add('ours').add('theirs')
  pair.run(8_000)
  pair.cut.clear()
  const healedMs = pair.nowMs
  pair.run(2_600)
  expect([pair.at('web'), pair.at('db')]).toEqual(['ours', 'ours'])
  pair.run(20_000)
  expectRest(pair, { we: 'a' }, allHere)
  expect(pair.log.some((line) => /permission-lost/.test(line) && Number.parseInt(line, 10) > healedMs)).toBe(false)
})

for (const failback of [true, false]) {
  for (const legacy of [true, false]) {
    test(`they do not hear us and take over, auto_failback ${failback ? 'on' : 'off'}${legacy ? ', theirs legacy' : ''}: hearing them say so we let go at once, and at the end of the cut we are a node that was just started`, () => {
      const pair = begin({ we: 'a', failback, legacy })
      pair.cut.add('ours')
      pair.run(9_000)
      expect([pair.at('web'), pair.at('db')]).toEqual(['theirs', 'theirs'])
      expect(pair.overlapMs.get('web')).toBeLessThan(50)
      expect(pair.codes).toContain('counted-dead')
      pair.cut.clear()
      pair.watch()
      pair.run(20_000)
      expect([pair.at('web'), pair.at('db')]).toEqual([failback || legacy ? 'ours' : 'theirs', 'theirs'])
      expect(pair.heartbeat.complaints).toEqual([])
      expect(Math.max(...pair.outageMs.values())).toBeLessThan(150)
    })
  }
}

test('we do not hear them and take over: once we hear them again we give back what they have held all the time', () => {
  const pair = begin({ we: 'a', failback: false })
  pair.cut.add('theirs')
  pair.run(5_000)
  expect(pair.at('db')).toBe('both')
  pair.cut.clear()
  pair.run(2_000)
  expect([pair.at('web'), pair.at('db')]).toEqual(['ours', 'theirs'])
  expectRest(pair, { we: 'a' }, home)
})

test('a Heartbeat that is shutting down says that it holds nothing, and stops for seconds yet: one who joins meanwhile waits for its goodbye', () => {
  const pair = couple({ we: 'a', operationMs: 1_500 })
  pair.startTheirs()
  pair.run(8_000)
  expect([pair.at('web'), pair.at('db')]).toEqual(['theirs', 'theirs'])
  pair.heartbeat.shutDown()
  pair.run(300)
  pair.startOurs()
  pair.run(10_000)
  expect([pair.at('web'), pair.at('db')]).toEqual(['ours', 'ours'])
  expect([...pair.overlapMs]).toEqual([])
})

test('a start fails here in an exchange: it is completed, and the groups go back', () => {
  const pair = begin({ we: 'b' })
  pair.outcomes.set('start apache2', { result: 'failed', message: 'no configuration' })
  const from = pair.log.length
  pair.heartbeat.standby('all')
  pair.run(20_000)
  expectRest(pair, { we: 'b' }, home)
  expect([...pair.overlapMs]).toEqual([])
  const said = conversation(pair, from)
  expect(said.filter((line) => line === 'we: ask all done')).toHaveLength(1)
  expect(said).toContain('we: ask foreign me')
})

test('a stop fails here in an exchange: they start none of it, can still shut down, and the rest of the class comes back', () => {
  const pair = begin({ we: 'a' })
  pair.outcomes.set('stop apache2', { result: 'failed', message: 'busy' })
  pair.ask(standby('all', true))
  pair.run(9_000)
  expect([pair.at('web'), pair.at('db')]).toEqual(['ours', 'theirs'])
  expect(pair.heartbeat.isStable()).toBe(true)
  expect(pair.dialogue().exchange).toBeUndefined()
  expect(pair.replies.map(({ result }) => result)).toEqual(['failed'])
  pair.outcomes.clear()
  pair.ask({ type: 'cleanup', group: 'web', timeoutMs: 10_000 })
  pair.run(90_000)
  expect(['ours', 'theirs']).toContain(pair.at('web'))
  expect([...pair.overlapMs]).toEqual([])
})

test('their scripts are slow: an exchange waits for as long as they take', () => {
  const pair = begin({ we: 'a', operationMs: 30_000 })
  pair.ask({ type: 'standby', scope: 'all', once: true, timeoutMs: 200_000 })
  pair.run(150_000)
  expectRest(pair, { we: 'a' }, allThere)
  expect([...pair.overlapMs]).toEqual([])
})

test('our scripts are slow: they do not wait for them before they take their own', () => {
  const pair = couple({ we: 'a' })
  pair.tookMs.set('start apache2', 8_000)
  pair.startOurs()
  pair.startTheirs()
  pair.run(1_500)
  expect(pair.at('db')).toBe('theirs')
  pair.run(10_000)
  expectRest(pair, { we: 'a' }, home)
})

test('ipfail: they lose their ping node, are told that we see ours, and give everything', () => {
  const pair = couple({ we: 'a', config: { ping: { names: ['192.0.2.254'], balances: true, releases: false, settleMs: 200 } } })
  pair.startOurs()
  pair.startTheirs()
  pair.run(5_000)
  pair.ping(true)
  pair.heartbeat.tellPings(0)
  pair.run(5_000)
  expectRest(pair, { we: 'a' }, allHere)
  expect(conversation(pair)).toContain('we: you-are-dead')
})

test('no pause with a Heartbeat: it would take over', () => {
  const pair = begin({ we: 'a' })
  pair.ask({ type: 'pause' })
  expect(pair.replies.map(({ result, message }) => `${result}: ${message}`)).toEqual(['refused: b runs Heartbeat, which knows no pause: it would take over from a daemon that is stopped. Nothing was changed'])
})

test('nothing is said while nothing happens', () => {
  const pair = begin({ we: 'a' })
  const from = pair.log.length
  pair.run(60_000)
  expect(conversation(pair, from)).toEqual([])
})

test('with a witness configured a Heartbeat as the peer leaves promise P2: its death permits a start without a grant, and status says so', () => {
  const pair = begin({ we: 'a', config: { witness: { timeoutMs: 100, grantMs: 3_000, renewMs: 500 } } })
  const report = statusReport(pair.state(), pair.nowMs)
  expect(report.nodes.find(({ self }) => !self)).toMatchObject({ dialogue: 'heartbeat', mutualContact: true })
  expect(report.problems).toContain('b runs Heartbeat, not hactl: two may hold a group as promise P2 says, whatever is configured here')
  expect(report.configDifferences).toEqual([])
  pair.heartbeat.crash()
  pair.run(2_000)
  expect([pair.at('web'), pair.at('db')]).toEqual(['ours', 'ours'])
  expect(pair.state().groups.map(({ hold }) => hold?.permission)).toEqual(['consent', 'deadtime-alone'])
})

test('a shutdown during a pause that was typed before the Heartbeat came hands over all the same', () => {
  const pair = couple({ we: 'a' })
  pair.startOurs()
  pair.run(6_000)
  pair.ask({ type: 'pause' })
  pair.startTheirs()
  pair.run(5_000)
  pair.stopOurs()
  pair.run(6_000)
  expect([pair.isUp(), pair.at('web'), pair.at('db')]).toEqual([false, 'theirs', 'theirs'])
  expect([...pair.overlapMs]).toEqual([])
})
