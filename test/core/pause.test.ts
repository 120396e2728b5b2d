/** `hactl pause`, and nodes that stand still. */
import { expect, test } from 'vitest'
import { address, codes, configuration, dieOf, group, groupOf, pairOf, replyOf, script, standbyAll, takeoverAll, witnessed, type Rig } from './two-nodes.ts'

const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])

test('a pause is done when the peer has it too; a peer that does not hear of it keeps the command waiting, then it is out of time', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('a>b')
  pair.ask('a', { type: 'pause' })
  pair.run(500)
  expect(pair.hosts.a.replies).toEqual([])
  pair.cut.clear()
  pair.run(500)
  expect(replyOf(pair.hosts.a).result).toBe('done')
  expect(pair.hosts.b.state.pause).toEqual(pair.hosts.a.state.pause)
})

test('pause on both in a partition, resume on one: the newer word stands on both', () => {
  const pair = pairOf(configuration([web]))
  pair.cut.add('a>b').add('b>a')
  pair.ask('a', { type: 'pause' })
  pair.ask('b', { type: 'pause' })
  pair.run(100)
  pair.ask('b', { type: 'resume' })
  pair.run(100)
  pair.cut.clear()
  pair.run(500)
  expect([pair.hosts.a.state.pause.paused, pair.hosts.b.state.pause.paused]).toEqual([false, false])
})

test('the same number on both, one paused and one not: both end paused', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(500)
  pair.cut.add('a>b').add('b>a')
  pair.ask('a', { type: 'resume' })
  pair.ask('b', { type: 'resume' })
  pair.run(50)
  pair.ask('b', { type: 'pause' })
  pair.ask('a', { type: 'pause' })
  pair.ask('a', { type: 'resume' })
  pair.ask('b', { type: 'resume' })
  pair.ask('b', { type: 'pause' })
  pair.run(50)
  pair.ask('a', { type: 'pause' })
  pair.run(50)
  pair.cut.clear()
  pair.run(500)
  expect([pair.hosts.a.state.pause.paused, pair.hosts.b.state.pause.paused]).toEqual([true, true])
})

test('an administrator may move groups during a pause; nothing else does', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  pair.ask('b', takeoverAll)
  pair.run(500)
  expect(pair.held('web')).toBe('b')
  pair.kill('b')
  pair.run(10_000)
  expect(pair.held('web')).toBe('')
  pair.ask('a', { type: 'resume' })
  pair.run(5_000)
  // The addresses of b were to outlast its daemon: silence proves nothing, an administrator's word does.
  expect(pair.held('web')).toBe('')
  pair.ask('a', { type: 'cleanup', group: 'web', timeoutMs: 60_000 })
  pair.run(100)
  expect(pair.held('web')).toBe('a')
})

test('what the peer said of its addresses during a pause ends with the time that it named', () => {
  const pair = pairOf(configuration([web], { pauseLimitMs: 20_000 }))
  pair.ask('a', { type: 'pause' })
  pair.run(1_000)
  pair.kill('a')
  pair.ask('b', { type: 'resume' })
  pair.run(18_000)
  expect(pair.held('web')).toBe('')
  pair.run(2_500)
  expect(pair.held('web')).toBe('b')
})

test('a pause that a restart finds on disk still holds', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  pair.kill('a')
  pair.kill('b')
  pair.run(5_000)
  pair.start('a', 2)
  pair.start('b', 2)
  pair.run(10_000)
  expect(pair.held('web')).toBe('')
})

test('the holder stands still for longer than deadtime: two hold it until it looks at its packets, and no longer', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.hosts.a.up = false
  pair.run(3_000)
  expect(pair.held('web')).toBe('b')
  pair.hosts.a.up = true
  pair.run(300)
  expect(pair.held('web')).toBe('b')
  expect(codes(pair.hosts.a)).toContain('was-stalled')
})

test('a node with a claim in flight stands still: the answer from before counts for nothing', () => {
  const pair = pairOf(configuration([web], { autoFailback: 'off' }))
  pair.tookMs.set('a stop apache2', 400)
  pair.ask('b', takeoverAll)
  pair.run(100)
  expect(groupOf(pair.hosts.b).claim).toBeDefined()
  pair.hosts.b.up = false
  pair.run(2_500)
  // a has counted b dead and serves again.
  expect(pair.held('web')).toBe('a')
  pair.hosts.b.up = true
  for (let turns = 0; turns < 100; turns += 1) {
    pair.run(10)
    expect(pair.held('web')).not.toBe('a+b')
  }
  expect(pair.held('web')).toMatch(/^[ab]$/)
})

test('standby during a pause moves, and stays', () => {
  const pair = pairOf(configuration([web]))
  pair.ask('b', { type: 'pause' })
  pair.run(100)
  pair.ask('a', standbyAll)
  pair.run(500)
  expect([pair.held('web'), replyOf(pair.hosts.a).result]).toEqual(['b', 'done'])
})

const { witness: _, ...alone } = witnessed

/** Of the address, on a. */
function lifetimeMs(pair: Rig): number {
  return (pair.hosts.a.leasesMs.get('web/0') ?? 0) - pair.nowMs
}

/** Runs until a has answered, in steps too small to hide what happens between. */
function untilAnswered(pair: Rig): void {
  for (let turns = 0; pair.hosts.a.replies.length === 0 && turns < 20_000; turns += 1) pair.run(1)
}

test('whoever reads that the pair is paused may end the daemon: every lifetime has been raised by then', () => {
  for (const protection of [witnessed, alone]) {
    for (const phaseMs of [0, 130, 700, 1_010]) {
      const pair = pairOf(configuration([web], protection))
      pair.run(2_000 + phaseMs)
      pair.renewalMs = 20
      pair.ask('a', { type: 'pause' })
      untilAnswered(pair)
      expect(replyOf(pair.hosts.a)).toMatchObject({ result: 'done', message: expect.stringContaining('the pair is paused') })
      dieOf(pair, 'a')
      expect(lifetimeMs(pair)).toBeGreaterThan(500_000)
      // The kernel has said so: what it was only asked for, a death may still take back.
      expect((groupOf(pair.hosts.a).stages[0]?.lease?.untilMs ?? 0) - pair.nowMs).toBeGreaterThan(500_000)
    }
  }
})

test('a peer whose disk is full promises nothing: its next daemon would not know, and would take what stands here', () => {
  for (const protection of [witnessed, alone]) {
    const pair = pairOf(configuration([web], protection))
    pair.run(2_000)
    pair.disk.b = 'refuses'
    pair.ask('a', { type: 'pause' })
    pair.run(25_000)
    expect(replyOf(pair.hosts.a)).toMatchObject({ result: 'timed-out', message: expect.stringContaining('b has it not on its disk') })
    expect(lifetimeMs(pair)).toBeLessThan(10_000)
    pair.disk.b = 'takes'
    pair.run(12_000)
    expect(lifetimeMs(pair)).toBeGreaterThan(500_000)
  }
})

test('a peer that is started again during a pause keeps what its last daemon promised', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(2_000)
  pair.ask('a', { type: 'pause' })
  untilAnswered(pair)
  pair.kill('b')
  pair.kill('a')
  pair.start('b', 2)
  pair.run(60_000)
  expect(pair.held('web')).toBe('')
})

test('typed a second time, it waits for the lifetimes as the first time', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.cut.add('a>b')
  pair.ask('a', { type: 'pause' })
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  expect(pair.hosts.a.replies).toEqual([])
  pair.cut.clear()
  pair.run(1_000)
  expect(pair.hosts.a.replies.map(({ reply }) => reply.result)).toEqual(['done', 'done'])
  expect(lifetimeMs(pair)).toBeGreaterThan(500_000)
})

test('with a witness and a silent peer nothing outlasts the daemon: the answer says what would follow, and what to type', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.kill('b')
  pair.run(8_000)
  expect(pair.held('web')).toBe('a')
  pair.ask('a', { type: 'pause' })
  untilAnswered(pair)
  expect(replyOf(pair.hosts.a)).toMatchObject({ result: 'failed', message: 'the pair is paused, but 192.0.2.100 would not outlast this daemon: b is not heard, so nobody has promised to leave it to a meanwhile. ' +
    'Do not stop or restart hactl on a now: within 4 s the kernel would remove it. Type hactl pause again when b answers (hactl status), or end the pause: hactl resume' })
  expect([pair.hosts.a.state.pause.paused, lifetimeMs(pair) < 5_000]).toEqual([true, true])
  pair.start('b', 2)
  pair.run(2_000)
  pair.ask('a', { type: 'pause' })
  pair.run(100)
  expect(replyOf(pair.hosts.a).result).toBe('done')
  expect(lifetimeMs(pair)).toBeGreaterThan(500_000)
})

test('a peer that does not hear of it promises nothing either: the same words, when that is certain or the time is over', () => {
  const slow = { ...witnessed, timing: { keepaliveMs: 1_000, warntimeMs: 15_000, deadtimeMs: 30_000, initdeadMs: 60_000 } }
  for (const [protection, result, why] of [[witnessed, 'failed', 'b does not hear a'], [slow, 'timed-out', 'b has not confirmed it']] as const) {
    const pair = pairOf(configuration([web], protection))
    pair.run(5_000)
    pair.cut.add('a>b')
    pair.ask('b', { type: 'pause' })
    pair.run(1_500)
    pair.ask('a', { type: 'pause' })
    pair.run(11_000)
    expect(replyOf(pair.hosts.a)).toMatchObject({ result, message: expect.stringMatching(`${why}, so nobody has promised.*Do not stop or restart hactl on a now`) })
  }
})

test('somebody resumes while a pause is still waited for: the pause is not said to be', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.cut.add('a>b')
  pair.ask('a', { type: 'pause' })
  pair.run(10)
  pair.ask('a', { type: 'resume' })
  expect(pair.hosts.a.replies[0]?.reply).toMatchObject({ result: 'failed', message: expect.stringContaining('not paused') })
})

test('a daemon that is stopped in the moment of the pause leaves once its addresses outlast it', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(2_000)
  pair.ask('a', { type: 'pause' })
  pair.give('a', { type: 'shutdown-requested' })
  pair.give('a', { type: 'shutdown-requested' })
  expect(pair.hosts.a.exitCode).toBeUndefined()
  pair.run(50)
  expect([pair.hosts.a.exitCode, pair.hosts.a.state.persisted.pause.paused]).toEqual([0, true])
  expect(lifetimeMs(pair)).toBeGreaterThan(500_000)
  expect(pair.hosts.a.records.at(-1)?.message).toMatch(/the next daemon adopts it$/)
  expect([...pair.hosts.a.running]).toEqual(['web/0', 'web/1'])
  pair.run(20_000)
  expect(pair.held('web')).toBe('')
})

test('it waits for no promise for longer than 5 s, and for none that nobody can give', () => {
  const deaf = pairOf(configuration([web], witnessed))
  deaf.run(2_000)
  deaf.cut.add('a>b')
  deaf.ask('a', { type: 'pause' })
  deaf.give('a', { type: 'shutdown-requested' })
  deaf.run(3_000)
  expect(deaf.hosts.a.exitCode).toBeUndefined()
  deaf.ask('a', takeoverAll)
  expect(replyOf(deaf.hosts.a)).toMatchObject({ result: 'refused', message: expect.stringContaining('shutting down') })
  deaf.run(2_000)
  expect([deaf.hosts.a.exitCode, codes(deaf.hosts.a).at(-1)]).toEqual([0, 'daemon-left'])
  const silent = pairOf(configuration([web], witnessed))
  silent.kill('b')
  silent.run(8_000)
  silent.ask('a', { type: 'pause' })
  silent.run(10)
  silent.give('a', { type: 'shutdown-requested' })
  expect([silent.hosts.a.exitCode, silent.hosts.a.records.at(-1)?.message]).toEqual([0, expect.stringContaining('192.0.2.100 will go within seconds')])
})

test('the pause ends while a daemon waits to leave it: it hands over as at any other time', () => {
  const pair = pairOf(configuration([web], witnessed))
  pair.run(2_000)
  pair.disk.a = 'silent'
  pair.ask('a', { type: 'pause' })
  pair.give('a', { type: 'shutdown-requested' })
  pair.run(100)
  pair.ask('b', { type: 'resume' })
  pair.disk.a = 'refuses'
  pair.run(12_000)
  expect([pair.hosts.a.exitCode, pair.held('web')]).toEqual([0, 'b'])
  expect(codes(pair.hosts.a)).toContain('daemon-leaving')
})
