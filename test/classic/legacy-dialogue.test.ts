/** A Heartbeat in legacy mode word by word (heartbeat-3.md 5.12): what is heard and what the core says, what is said and fed. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupCalled, settingGroups } from '../../src/classic/keys.ts'
import type { AdvertisedState } from '../../src/core/packet.ts'
import { answer, ask, request, resource, speech, status, type Speech } from './speech.ts'

/** It has joined, and asked for its own group, which was stopped here. */
function joined(): Speech {
  const one = speech()
  one.core({})
  for (const each of ['init', 'up', 'active'] as const) one.hear(status(each))
  one.hear(request('db'))
  one.taken()
  return one
}

/** Ours is here, and it has answered that it has nothing of it. */
function atRest(): Speech {
  const one = joined()
  one.core({ web: { claiming: true, claimNumber: 1 } })
  one.hear(answer('web', false))
  one.hear(answer('web', false))
  one.core({ web: { claiming: false, state: 'held' } })
  one.taken()
  return one
}

const fed = (one: Speech) => one.taken().filter((line) => line.startsWith('fed'))
const said = (one: Speech) => one.taken().filter((line) => !line.startsWith('fed') && !line.startsWith('report'))

describe('how it is recognised', () => {
  test('active for three heartbeats and 3 s without a word of what it holds, though it was asked twice', () => {
    const one = speech()
    one.core({})
    one.hear(status('active'))
    expect(said(one)).toEqual(['starting'])
    one.wait(500)
    expect(said(one)).toEqual(['resource none full isstable=0', 'starting'])
    for (one.nowMs = 1_100; one.nowMs < 3_000; one.nowMs += 900) one.hear(status('active'))
    expect(fed(one).at(-1)).toBe('fed: web unknown, db unknown')
    one.nowMs = 3_000
    one.hear(status('active'))
    expect(one.taken()).toEqual(['report peer-legacy', 'fed: web held offers failback, db held'])
    one.wait(2_900)
    expect(one.taken()).toEqual([])
  })
  test('not by its silence alone, while it is not heard', () => {
    const one = speech()
    one.core({})
    one.hear(status('active'))
    one.wait(9_000)
    one.hear(status('active'))
    one.hear(status('active'))
    expect(one.taken()).not.toContain('report peer-legacy')
  })
  test('at once by its own request; what it tells of classes later ends it', () => {
    const one = joined()
    expect(one.state.peer?.mode).toBe('legacy')
    one.hear(resource('local', true))
    expect(one.state.peer?.mode).toBe('classes')
    expect(said(one)).toContain('resource none full isstable=0')
  })
  test('a request beside classes is one that somebody typed: it makes no second holder', () => {
    const one = speech()
    one.core({ web: { state: 'held' } })
    one.hear(status('active'))
    one.hear(resource('local', true))
    one.taken()
    one.hear(request('web'))
    expect(one.taken()).toEqual(['fed: web stopped, db held'])
  })
  test('its next daemon is taken for the same, until it says otherwise; both are asked what they hold', () => {
    const one = joined()
    one.hear(status('active'), { generation: 2, sequence: 1 })
    expect(one.taken()).toEqual(['starting', 'fed: web held offers failback, db held'])
    one.hear({ word: 'starting' }, { generation: 2, sequence: 2 })
    expect(one.state.peer?.mode).toBe('classes')
  })
})

describe('taking', () => {
  test('what the core claims is asked for by its key, and taken upon the second answer: the first may be to a question of an earlier daemon', () => {
    const one = joined()
    one.core({ web: { claiming: true, claimNumber: 1 } })
    expect(one.taken()).toEqual(['ip-request web'])
    one.hear(status('active'))
    expect(one.taken()).toEqual(['fed: web stopping, db held'])
    one.hear(answer('web'))
    expect(one.taken()).toEqual(['ip-request web', 'fed: web stopping, db held'])
    one.hear(answer('web', false))
    expect(one.taken()).toEqual(['fed: web stopped, db held'])
  })
  test('of a Heartbeat that was started since, the first answer counts', () => {
    const one = joined()
    for (const [index, each] of (['init', 'active'] as const).entries()) one.hear(status(each), { generation: 2, sequence: index + 1 })
    one.core({ web: { claiming: true, claimNumber: 1 } })
    one.taken()
    one.hear(answer('web'), { generation: 2, sequence: 4 })
    expect(one.taken()).toEqual(['fed: web stopped, db held'])
  })
  test('without an answer it is never free, and is asked again after a minute', () => {
    const one = joined()
    one.core({ web: { claiming: true, claimNumber: 1 } })
    one.wait(130_000)
    expect(said(one)).toEqual(['ip-request web', 'ip-request web', 'ip-request web'])
    one.hear(status('active'))
    expect(fed(one)).toEqual(['fed: web stopping, db held'])
  })
  test('an answer to no question, or of a group that nobody knows, frees nothing', () => {
    const one = joined()
    one.hear(answer('web'))
    one.hear(answer('other'))
    expect(fed(one)).toEqual(['fed: web held offers failback, db held', 'fed: web held offers failback, db held'])
  })
  test('an administrator may take what belongs there', () => {
    const one = atRest()
    one.wait(5_000)
    one.core({ db: { claiming: true, claimNumber: 4 } })
    expect(said(one)).toEqual(['ip-request db'])
  })
})

describe('giving', () => {
  test('what it asks for is claimed above ours, and answered when it has stopped here', () => {
    const one = atRest()
    one.hear(request('web'))
    expect(one.taken()).toEqual(['fed: web stopped claims 2, db held'])
    one.core({ web: { state: 'stopping' } })
    one.hear(status('active'))
    expect(said(one)).toEqual([])
    one.core({ web: { state: 'stopped' } })
    expect(one.taken()).toEqual(['ip-answer web weown=yes'])
    one.hear(status('active'))
    expect(one.taken()).toEqual(['fed: web held, db held'])
  })
  test('a stop that fails is not answered until somebody has cleaned up', () => {
    const one = atRest()
    one.hear(request('web'))
    one.core({ web: { state: 'unclean' } })
    one.wait(300_000)
    expect(said(one)).toEqual([])
    one.core({ web: { state: 'stopped' } })
    expect(said(one)).toEqual(['ip-answer web weown=yes'])
  })
  test('an offer of the core is given as an answer to no question', () => {
    const one = atRest()
    one.core({ web: { offer: 'admin' } })
    one.hear(status('active'))
    expect(one.taken()).toEqual(['fed: web stopped claims 2, db held'])
    one.core({ web: { state: 'stopped', offer: 'none' } })
    expect(said(one)).toEqual(['ip-answer web weown=yes'])
  })
  test('and so is what cannot run here, and what this node has known nothing of for long', () => {
    const failed = joined()
    failed.core({ web: { failed: true } })
    failed.wait(3_100)
    expect(said(failed)).toEqual(['ip-answer web weown=no'])
    const idle = joined()
    idle.core({})
    idle.wait(59_000)
    expect(said(idle)).toEqual([])
    idle.wait(2_000)
    expect(said(idle)).toEqual(['ip-answer web weown=no'])
  })
  test('what was given is not asked for again within 5 s: it may still be on its way', () => {
    const one = atRest()
    one.hear(request('web'))
    one.core({ web: { state: 'stopped' } })
    one.core({ web: { claiming: true, claimNumber: 9 } })
    one.taken()
    one.wait(4_900)
    expect(one.taken()).toEqual([])
    one.wait(200)
    expect(one.taken()).toEqual(['ip-request web'])
  })
  test('a request that is older than what was given since changes nothing', () => {
    const one = atRest()
    one.hear(request('web'), { sequence: 50 })
    one.core({ web: { state: 'stopped' } })
    one.taken()
    one.hear(request('web'), { sequence: 49 })
    expect(one.taken()).toEqual(['fed: web held, db held'])
  })
  test('a key that nobody here knows is reported once, and gets no answer', () => {
    const one = joined()
    one.hear(request('IPaddr::198.51.100.7'))
    one.hear(request('IPaddr::198.51.100.7'))
    expect(one.taken().filter((line) => !line.startsWith('fed'))).toEqual(['report key-unknown'])
  })
  test('nobody goes into standby there: what it says of it is nothing', () => {
    const one = atRest()
    one.hear(ask('all', 'me'))
    expect(one.taken()).toEqual(['fed: web stopped, db held'])
  })
  test('our own goodbye needs no word before it', () => {
    const one = atRest()
    one.core({ leaving: true })
    one.wait(10_000)
    expect(one.taken()).toEqual([])
  })
})

describe('what both may have', () => {
  test('what belongs there and is here goes 3 s after it became active without asking, and it is told to take it', () => {
    const one = speech()
    one.core({ web: { state: 'held', claimNumber: 3 }, db: { state: 'held', claimNumber: 3 } })
    for (const each of ['init', 'up', 'active'] as const) one.hear(status(each))
    one.hear(request('other'))
    expect(fed(one).at(-1)).toBe('fed: web unknown, db unknown')
    one.wait(3_000)
    one.hear(status('active'))
    expect(fed(one)).toEqual(['fed: web unknown, db held'])
    expect(one.state.numbers).toEqual({ db: 4 })
    one.core({ db: { state: 'stopped' } })
    expect(said(one)).toEqual(['ip-answer db weown=yes'])
  })
  test('after a silence: at once, and what belongs here is asked for while it runs', () => {
    const one = atRest()
    one.core({ db: { state: 'held', claimNumber: 5 } })
    one.nowMs = 40_000
    one.hear(status('active'))
    expect(one.taken()).toEqual(['starting', 'ip-request web', 'fed: web unknown, db held'])
    expect(one.state.numbers).toMatchObject({ db: 6 })
    one.hear(answer('web'))
    one.hear(answer('web', false))
    one.core({ db: { state: 'stopped' } })
    expect(said(one)).toContain('ip-answer db weown=yes')
  })
  test('the same after a silence in which this node begins anew', () => {
    const one = atRest()
    one.core({ db: { state: 'held', claimNumber: 5 } })
    one.renew()
    one.hear(status('active'))
    expect(one.taken()).toEqual(['starting', 'ip-request web', 'fed: web unknown, db held'])
  })
})

const states: readonly AdvertisedState[] = ['unknown', 'stopped', 'starting', 'held', 'stopping', 'unclean']
const act = fc.oneof(
  fc.record({ type: fc.constant('request' as const), key: fc.constantFrom('web', 'db') }),
  fc.record({ type: fc.constant('answer' as const), key: fc.constantFrom('web', 'db') }),
  fc.record({ type: fc.constant('status' as const), nodeStatus: fc.constantFrom('init' as const, 'active' as const, 'active' as const) }),
  fc.record({ type: fc.constant('core' as const), web: fc.record({ state: fc.constantFrom(...states), claiming: fc.boolean(), failed: fc.boolean() }), offer: fc.constantFrom('none' as const, 'admin' as const) }),
  fc.record({ type: fc.constant('wait' as const), forMs: fc.constantFrom(100, 4_000, 70_000) }),
)

test('whatever happens: it is told to take a group only when that is stopped here, and is taken to have nothing of it only after an answer', () => {
  fc.assert(fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
    const one = joined()
    let own: { state: AdvertisedState; claiming: boolean } = { state: 'stopped', claiming: false }
    let answered = false
    for (const each of acts) {
      if (each.type === 'request') one.hear(request(each.key))
      if (each.type === 'answer') { one.hear(answer(each.key)); answered ||= each.key === 'web' }
      if (each.type === 'status') one.hear(status(each.nodeStatus))
      if (each.type === 'core') { own = { ...own, ...each.web }; one.core({ web: { ...each.web, offer: each.offer } }) }
      if (each.type === 'wait') one.wait(each.forMs)
      for (const line of one.taken()) {
        if (line.startsWith('ip-answer web')) {
          expect(own).toMatchObject({ state: 'stopped', claiming: false })
          answered = false
        }
        if (/^fed: web stopped, /.test(line)) expect(answered).toBe(true)
      }
    }
  }), { numRuns: 500 })
})

test('a key is the first resource as it is written; the same address in other words is the same group', () => {
  const groups = settingGroups([
    { name: 'web', preferredNode: 'a', key: '192.0.2.1/24/eth0', resources: [] },
    { name: 'db', preferredNode: 'b', resources: [{ script: 'drbddisk', args: ['r0'], warm: false, startTimeoutMs: 1, stopTimeoutMs: 1 }] },
    { name: 'six', preferredNode: 'b', resources: [{ script: 'IPaddr2', args: ['2001:DB8:0:0:0:0:0:1/64'], warm: false, startTimeoutMs: 1, stopTimeoutMs: 1 }] },
  ])
  const called = (key: string) => groupCalled({ self: 'a', peer: 'b', groups }, key)?.name
  expect(['192.0.2.1/24/eth0', '192.0.2.1', 'IPaddr2::192.0.2.1/24/eth0', 'IPaddr::192.0.2.1::eth0', 'drbddisk::r0', '2001:db8:0:0:0:0:0:1'].map(called)).toEqual(['web', 'web', 'web', 'web', 'db', 'six'])
  expect(['192.0.2.10', '192.0.2.1x', 'drbddisk', 'r0', '', '192.0.2'].map(called)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined])
})
