/** What the witness is asked and how its answers are judged; every order of F4 of late, lost and doubled requests. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WitnessAsk } from '../../src/core/effects.ts'
import type { WitnessAnswer } from '../../src/core/events.ts'
import { beginConversation, continueConversation, type Conversation, type EtcdRequest, type EtcdResult, type Step } from '../../src/protocol/witness-conversation.ts'
import { formatHolder, keySpace, keysOf, parseHolder, parseNumber, ruleOn, type Asker } from '../../src/protocol/witness-key.ts'
import { newEtcd, type ModelEtcd } from './model-etcd.ts'

const alpha: Asker = { self: 'alpha', peer: 'beta', generation: 7, prefix: '/hactl/test', grantMs: 5_000 }
const beta: Asker = { ...alpha, self: 'beta', peer: 'alpha', generation: 3 }
const keys = keysOf(alpha.prefix, 'web')
const acquire: WitnessAsk = { type: 'acquire', number: 4 }

function sent(step: Step): { readonly request: EtcdRequest; readonly conversation: Conversation } {
  if (step.next !== 'send') throw new Error(`expected a request, got ${JSON.stringify(step.answer)}`)
  return step
}

function answered(step: Step): WitnessAnswer {
  if (step.next !== 'answer') throw new Error(`expected an answer, got ${JSON.stringify(step.request)}`)
  return step.answer
}

function endOf(step: Step): WitnessAnswer | undefined {
  return step.next === 'answer' ? step.answer : undefined
}

interface Talk {
  step: Step
  request(): EtcdRequest
  /** Performs the request and hears the answer. */
  go(): Talk
  hear(result: EtcdResult): Talk
  until(type: EtcdRequest['type']): Talk
  end(): WitnessAnswer
}

/** A conversation that stops where a test wants to do something else first. */
function talkTo(etcd: ModelEtcd, asker: Asker, one: WitnessAsk, group: string | undefined = 'web'): Talk {
  const talk: Talk = {
    step: beginConversation(asker, group, one),
    request: () => sent(talk.step).request,
    go: () => talk.hear(etcd.handle(talk.request())),
    hear: (result) => {
      talk.step = continueConversation(sent(talk.step).conversation, result, etcd.nowMs)
      return talk
    },
    until: (type) => {
      while (talk.request().type !== type) talk.go()
      return talk
    },
    end: () => {
      while (talk.step.next === 'send') talk.go()
      return answered(talk.step)
    },
  }
  return talk
}

function ask(etcd: ModelEtcd, asker: Asker, one: WitnessAsk): WitnessAnswer {
  return talkTo(etcd, asker, one).end()
}

function grantOf(said: WitnessAnswer): Extract<WitnessAnswer, { result: 'granted' }> {
  if (said.result !== 'granted') throw new Error(`not granted: ${JSON.stringify(said)}`)
  return said
}

describe('a grant', () => {
  test('is a new lease and a number above all that were seen; its life counts from sending the request for the lease', () => {
    const etcd = newEtcd()
    etcd.nowMs = 100
    const talk = talkTo(etcd, alpha, acquire).until('grant-lease')
    etcd.nowMs = 150
    talk.go()
    etcd.nowMs = 400
    expect(talk.end()).toEqual({ result: 'granted', leaseId: '1000', sentMs: 150, lifeMs: 5_000, number: 5 })
    expect(parseHolder(etcd.value(keys.holder) ?? '')).toEqual({ node: 'alpha', generation: 7, number: 5 })
    expect(etcd.value(keys.number)).toBe('5')
  })

  test('lives no longer than etcd answered, nor than was asked', () => {
    for (const [seconds, lifeMs] of [[3, 3_000], [9, 5_000]] as const) {
      const etcd = newEtcd()
      const talk = talkTo(etcd, alpha, acquire).until('grant-lease')
      const given = etcd.handle(talk.request())
      talk.hear({ ...given, seconds } as EtcdResult)
      expect(talk.end()).toMatchObject({ result: 'granted', lifeMs })
    }
  })

  test('is refused while the peer has the key, by one read and without a lease', () => {
    const etcd = newEtcd()
    grantOf(ask(etcd, beta, { type: 'acquire', number: 8 }))
    expect(ask(etcd, alpha, acquire)).toEqual({ result: 'refused', holder: 'beta', number: 9 })
    expect(etcd.leaseCount()).toBe(1)
  })

  test('can be had again once the key has expired, with a higher number than the last (F12)', () => {
    const etcd = newEtcd()
    expect(grantOf(ask(etcd, beta, { type: 'acquire', number: 8 })).number).toBe(9)
    etcd.nowMs = 5_001
    expect(etcd.value(keys.holder)).toBeUndefined()
    expect(grantOf(ask(etcd, alpha, acquire)).number).toBe(10)
  })

  test('of the daemon before this one is rewritten under a new lease, and is no grant before', () => {
    const etcd = newEtcd()
    const former = grantOf(ask(etcd, { ...alpha, generation: 6 }, acquire))
    const now = grantOf(ask(etcd, alpha, acquire))
    expect(now.leaseId).not.toBe(former.leaseId)
    expect(now.number).toBe(former.number + 1)
    expect(ask(etcd, { ...alpha, generation: 6 }, { type: 'renew', leaseId: former.leaseId })).toEqual({ result: 'lost' })
  })

  test('overwrites the key of the peer that was fenced, and of no later generation (F9)', () => {
    const etcd = newEtcd()
    grantOf(ask(etcd, beta, acquire))
    expect(ask(etcd, alpha, { ...acquire, overwrite: { generation: 2 } })).toMatchObject({ result: 'refused', holder: 'beta' })
    expect(ask(etcd, { ...alpha, peer: 'gamma' }, { ...acquire, overwrite: { generation: 3 } })).toMatchObject({ result: 'refused' })
    expect(ask(etcd, alpha, { ...acquire, overwrite: { generation: 3 } })).toMatchObject({ result: 'granted', number: 6 })
  })
})

describe('late, lost and doubled requests (F4)', () => {
  test('a transaction that was done twice is a grant, and its number is the one that stands there', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('write')
    etcd.handle(talk.request())
    expect(talk.end()).toMatchObject({ result: 'granted', number: 5 })
    expect(etcd.leaseCount()).toBe(1)
  })

  test('a lease that was asked for twice: the unused one ends by itself', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('grant-lease')
    etcd.handle(talk.request())
    expect(talk.end()).toMatchObject({ result: 'granted', leaseId: '1001' })
    etcd.nowMs = 4_000
    expect(ask(etcd, alpha, { type: 'renew', leaseId: '1001' })).toMatchObject({ result: 'renewed' })
    etcd.nowMs = 5_001
    expect(etcd.leaseCount()).toBe(1)
    expect(etcd.value(keys.holder)).toBeDefined()
  })

  test('the give-back of an earlier grant arrives late: it takes nothing from the later one', () => {
    const etcd = newEtcd()
    const first = grantOf(ask(etcd, alpha, acquire))
    const late = talkTo(etcd, alpha, { type: 'give-back', leaseId: first.leaseId })
    const second = grantOf(ask(etcd, alpha, acquire))
    expect(late.end()).toEqual({ result: 'given-back' })
    expect(ask(etcd, beta, acquire)).toMatchObject({ result: 'refused', holder: 'alpha' })
    expect(ask(etcd, alpha, { type: 'renew', leaseId: second.leaseId })).toMatchObject({ result: 'renewed' })
  })

  test('a transaction of a former generation arrives late: it fails on the revision', () => {
    const etcd = newEtcd()
    const former = talkTo(etcd, { ...alpha, generation: 6 }, acquire).until('write')
    grantOf(ask(etcd, alpha, acquire))
    expect(etcd.handle(former.request())).toMatchObject({ type: 'not-written' })
    expect(parseHolder(etcd.value(keys.holder) ?? '')?.generation).toBe(7)
  })

  test('an earlier request of this node wins between reading and writing: its key is no grant until it stands under the new lease', () => {
    const etcd = newEtcd()
    const earlier = talkTo(etcd, alpha, acquire).until('write')
    const talk = talkTo(etcd, alpha, acquire).until('write')
    etcd.handle(earlier.request())
    const { leaseId } = grantOf(talk.end())
    expect(ask(etcd, alpha, { type: 'renew', leaseId })).toMatchObject({ result: 'renewed' })
    expect(ask(etcd, alpha, { type: 'renew', leaseId: '1000' })).toEqual({ result: 'lost' })
  })

  test('a transaction that compared "absent" arrives after the peer had the key and gave it back: the number shows it', () => {
    const etcd = newEtcd()
    const late = talkTo(etcd, alpha, acquire).until('write')
    const between = grantOf(ask(etcd, beta, acquire))
    ask(etcd, beta, { type: 'give-back', leaseId: between.leaseId })
    expect(etcd.value(keys.holder)).toBeUndefined()
    expect(etcd.handle(late.request())).toMatchObject({ type: 'not-written' })
    expect(etcd.value(keys.holder)).toBeUndefined()
  })

  test('a transaction that arrives when its lease has run out changes nothing', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('write')
    etcd.nowMs = 6_000
    expect(talk.go().end()).toMatchObject({ result: 'unreachable', message: expect.stringContaining('ran out') })
    expect(etcd.value(keys.holder)).toBeUndefined()
  })

  test('the peer wins between reading and writing: refused, and the useless lease is revoked', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('write')
    grantOf(ask(etcd, beta, acquire))
    talk.go()
    expect(talk.request().type).toBe('revoke')
    expect(talk.end()).toEqual({ result: 'refused', holder: 'beta', number: 5 })
    expect(etcd.leaseCount()).toBe(1)
  })

  test('what was refused is told also when the useless lease cannot be revoked', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('write')
    grantOf(ask(etcd, beta, acquire))
    expect(talk.go().hear({ type: 'failed', message: 'gone', answered: false }).end()).toMatchObject({ result: 'refused' })
  })

  test('the keys changed between reading and writing and are free: written at the second attempt, not at a third', () => {
    const etcd = newEtcd()
    const bump = (number: string): void => etcd.put(keys.number, number)
    const once = talkTo(etcd, alpha, acquire).until('write')
    bump('20')
    expect(once.end()).toMatchObject({ result: 'granted', number: 21 })
    etcd.delete(keys.holder)
    const twice = talkTo(etcd, alpha, acquire).until('write')
    bump('30')
    twice.go()
    bump('40')
    expect(twice.end()).toMatchObject({ result: 'unreachable', message: expect.stringContaining('changed each time') })
    expect(etcd.leaseCount()).toBe(1)
  })

  test('a copy of the first attempt wins after all: the grant has its number', () => {
    const etcd = newEtcd()
    const talk = talkTo(etcd, alpha, acquire).until('write')
    const copy = talk.request()
    talk.hear({ type: 'not-written', found: { number: { value: '70', revision: '99', lease: '0' } } })
    etcd.handle(copy)
    expect(talk.end()).toMatchObject({ result: 'granted', number: 5 })
  })
})

describe('a renewal', () => {
  test('counts from sending the KeepAlive, and not from the read behind it', () => {
    const etcd = newEtcd()
    const { leaseId } = grantOf(ask(etcd, alpha, acquire))
    etcd.nowMs = 2_000
    const talk = talkTo(etcd, alpha, { type: 'renew', leaseId }).go()
    etcd.nowMs = 2_300
    expect(talk.end()).toEqual({ result: 'renewed', sentMs: 2_000, lifeMs: 5_000 })
  })

  test('of a lease that is no more: lost', () => {
    const etcd = newEtcd()
    const { leaseId } = grantOf(ask(etcd, alpha, acquire))
    etcd.nowMs = 5_001
    expect(ask(etcd, alpha, { type: 'renew', leaseId })).toEqual({ result: 'lost' })
  })

  test('of a lease that lives while its key was overwritten or deleted: lost', () => {
    const etcd = newEtcd()
    const first = grantOf(ask(etcd, alpha, acquire))
    grantOf(ask(etcd, beta, { ...acquire, overwrite: { generation: 7 } }))
    expect(ask(etcd, alpha, { type: 'renew', leaseId: first.leaseId })).toEqual({ result: 'lost' })
    const again = grantOf(ask(etcd, alpha, { ...acquire, overwrite: { generation: 3 } }))
    etcd.delete(keys.holder)
    expect(ask(etcd, alpha, { type: 'renew', leaseId: again.leaseId })).toEqual({ result: 'lost' })
  })

  test('that met a change of leader is done once more: the old one may have renewed a lease that is not its own any more', () => {
    const etcd = newEtcd()
    const { leaseId } = grantOf(ask(etcd, alpha, acquire))
    const once = talkTo(etcd, alpha, { type: 'renew', leaseId }).go()
    etcd.term = '3'
    etcd.nowMs = 700
    expect(once.end()).toMatchObject({ result: 'renewed', sentMs: 700 })
    const twice = talkTo(etcd, alpha, { type: 'renew', leaseId }).go()
    etcd.term = '4'
    twice.go().go()
    etcd.term = '5'
    expect(twice.end()).toMatchObject({ result: 'unreachable', message: expect.stringContaining('leader') })
  })
})

describe('giving back and looking', () => {
  test('gives back that lease, and counts one that is gone as given back', () => {
    const etcd = newEtcd()
    const { leaseId } = grantOf(ask(etcd, alpha, acquire))
    for (let times = 0; times < 2; times += 1) expect(ask(etcd, alpha, { type: 'give-back', leaseId })).toEqual({ result: 'given-back' })
    expect(etcd.value(keys.holder)).toBeUndefined()
    expect(etcd.value(keys.number)).toBe('5')
  })

  test('a look changes nothing; an alarm is told, a member that tells no status is still there', () => {
    const etcd = newEtcd()
    expect(answered(talkTo(etcd, alpha, { type: 'look' }, undefined).go().go().step)).toEqual({ result: 'seen' })
    expect(talkTo(etcd, alpha, { type: 'look' }).go().hear({ type: 'status', complaint: 'no space' }).end()).toEqual({ result: 'unreachable', message: 'no space' })
    expect(talkTo(etcd, alpha, { type: 'look' }).go().hear({ type: 'failed', message: 'denied', answered: true }).end()).toEqual({ result: 'seen' })
    expect(etcd.leaseCount()).toBe(0)
  })

  test('a grant for no group is asked of nobody', () => {
    expect(answered(beginConversation(alpha, undefined, acquire))).toMatchObject({ result: 'unreachable' })
    expect(answered(beginConversation(alpha, undefined, { type: 'renew', leaseId: '1' }))).toMatchObject({ result: 'unreachable' })
  })
})

const everyAsk: readonly WitnessAsk[] = [acquire, { type: 'renew', leaseId: '1000' }, { type: 'give-back', leaseId: '1000' }, { type: 'look' }]
const everyResult: readonly EtcdResult[] = [
  { type: 'read', found: {}, term: '2' }, { type: 'lease-granted', lease: '1', seconds: 5 }, { type: 'written' }, { type: 'not-written', found: {} }, { type: 'kept-alive', seconds: 5, term: '2' },
  { type: 'revoked' }, { type: 'no-such-lease' }, { type: 'counted' }, { type: 'status', complaint: '' }, { type: 'failed', message: 'it failed', answered: true }, { type: 'failed', message: 'it failed', answered: false },
]

test('whatever etcd answers, a conversation ends within eight questions, and grants nothing that was not written', () => {
  fc.assert(fc.property(fc.constantFrom(...everyAsk), fc.array(fc.constantFrom(...everyResult), { minLength: 12, maxLength: 12 }), (one, results) => {
    let step = beginConversation(alpha, 'web', one)
    let questions = 0
    let written = false
    for (const result of results) {
      if (step.next === 'answer') break
      questions += 1
      written ||= step.request.type === 'write' && result.type === 'written'
      step = continueConversation(step.conversation, result, 1)
    }
    expect(questions).toBeLessThanOrEqual(8)
    const said = answered(step)
    if (said.result === 'granted') expect(written).toBe(true)
  }))
})

test('a failure without an answer ends the conversation as unreachable, in its words', () => {
  for (const one of everyAsk) expect(talkTo(newEtcd(), alpha, one).hear({ type: 'failed', message: 'no route', answered: false }).end()).toEqual({ result: 'unreachable', message: 'no route' })
})

test('etcd says no to the transaction: told, and the fresh lease is revoked', () => {
  const etcd = newEtcd()
  const talk = talkTo(etcd, alpha, acquire).until('write').hear({ type: 'failed', message: 'permission denied', answered: true })
  expect(talk.request()).toEqual({ type: 'revoke', lease: '1000' })
  expect(talk.end()).toEqual({ result: 'unreachable', message: 'permission denied' })
})

type Move =
  | { readonly type: 'ask'; readonly node: 0 | 1; readonly ask: 'acquire' | 'renew' | 'give-back' }
  /** The request under way arrives; or a copy of one of the last requests does, whose answer nobody hears. */
  | { readonly type: 'arrive'; readonly node: 0 | 1 }
  | { readonly type: 'late'; readonly which: number }
  | { readonly type: 'lose'; readonly node: 0 | 1 }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'elect' }

const node = fc.constantFrom(0 as const, 1 as const)
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ type: fc.constant('ask' as const), node, ask: fc.constantFrom('acquire' as const, 'acquire' as const, 'renew' as const, 'give-back' as const) }),
  { weight: 6, arbitrary: fc.record({ type: fc.constant('arrive' as const), node }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('late' as const), which: fc.nat(30) }) },
  fc.record({ type: fc.constant('lose' as const), node }),
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2_500 }) }) },
  fc.record({ type: fc.constant('elect' as const) }),
)

test('two nodes never have a grant at the same time, in whatever order requests arrive, get lost, or arrive again', () => {
  let granted = 0
  fc.assert(fc.property(fc.array(move, { minLength: 40, maxLength: 150 }), (moves) => {
    const etcd = newEtcd()
    const talks: (Talk | undefined)[] = [undefined, undefined]
    const grants: ({ readonly leaseId: string; endMs: number } | undefined)[] = [undefined, undefined]
    const requests: EtcdRequest[] = []
    for (const one of moves) {
      if (one.type === 'pass') etcd.nowMs += one.ms
      if (one.type === 'elect') etcd.term = String(Number(etcd.term) + 1)
      if (one.type === 'lose') talks[one.node] = undefined
      if (one.type === 'late' && one.which < requests.length) etcd.handle(requests[requests.length - 1 - one.which]!)
      if (one.type === 'ask') {
        const grant = grants[one.node]
        if (one.ask === 'acquire') talks[one.node] = talkTo(etcd, one.node === 0 ? alpha : beta, acquire)
        else if (grant !== undefined) talks[one.node] = talkTo(etcd, one.node === 0 ? alpha : beta, { type: one.ask, leaseId: grant.leaseId })
        // Lifetimes are set back before the request leaves (F5).
        if (one.ask === 'give-back') grants[one.node] = undefined
      }
      const talk = one.type === 'arrive' ? talks[one.node] : undefined
      if (one.type === 'arrive' && talk?.step.next === 'send') {
        requests.push(talk.request())
        talk.go()
        const said = endOf(talk.step)
        if (said?.result === 'granted') {
          granted += 1
          grants[one.node] = { leaseId: said.leaseId, endMs: said.sentMs + said.lifeMs }
        }
        const grant = grants[one.node]
        if (said?.result === 'renewed' && grant !== undefined) grant.endMs = said.sentMs + said.lifeMs
        if (said?.result === 'lost') grants[one.node] = undefined
      }
      expect(grants.filter((grant) => grant !== undefined && grant.endMs > etcd.nowMs).length).toBeLessThan(2)
    }
  }), { numRuns: 1_000 })
  expect(granted).toBeGreaterThan(500)
})

describe('the keys', () => {
  test('lie below the prefix, whether it ends with a slash or not', () => {
    expect(keysOf('/hactl/test/', '192.0.2.100')).toEqual({ holder: '/hactl/test/holder/192.0.2.100', number: '/hactl/test/number/192.0.2.100' })
    expect([keySpace('/a'), keySpace('/a//'), keySpace('')]).toEqual(['/a/', '/a/', '/'])
  })

  test('a holder is read as it was written, and nothing else is', () => {
    const holder = { node: 'alpha "1"', generation: 7, number: 12 }
    expect(parseHolder(formatHolder(holder))).toEqual(holder)
    const bad = ['', 'alpha', 'null', '[]', '{}', '{"holder":"","generation":1,"number":1}', '{"holder":"a","generation":-1,"number":1}', '{"holder":"a","generation":1.5,"number":1}',
      '{"holder":"a","generation":1,"number":"1"}', '{"holder":5,"generation":1,"number":1}', '{"holder":"a","generation":1,"number":9007199254740993}', `{"holder":"${'a'.repeat(5_000)}","generation":1,"number":1}`]
    expect(bad.filter((text) => parseHolder(text) !== undefined)).toEqual([])
    expect(['0', '7', '9007199254740991'].map(parseNumber)).toEqual([0, 7, Number.MAX_SAFE_INTEGER])
    expect(['', '-1', '07', '1e3', ' 1', '9007199254740992', '1'.repeat(30)].filter((text) => parseNumber(text) !== undefined)).toEqual([])
  })

  const own = acquire as Extract<WitnessAsk, { type: 'acquire' }>
  const held = (node: string, number: number, lease = '5'): { value: string; revision: string; lease: string } => ({ value: formatHolder({ node, generation: 3, number }), revision: '9', lease })
  const numbered = (value: string): { value: string; revision: string; lease: string } => ({ value, revision: '9', lease: '0' })
  const rows = [
    ['nothing is there', {}, { ruling: 'may-write', number: 5 }],
    ['the last number is higher', { number: numbered('11') }, { ruling: 'may-write', number: 12 }],
    ['an own key with a higher number than the last, which somebody deleted', { holder: held('alpha', 20) }, { ruling: 'may-write', number: 21 }],
    ['the key of the peer', { holder: held('beta', 20), number: numbered('20') }, { ruling: 'held', holder: 'beta', number: 20 }],
    ['the key of a third node', { holder: held('gamma', 2) }, { ruling: 'held', holder: 'gamma', number: 2 }],
    ['the key of the peer under no lease', { holder: held('beta', 20, '0') }, { ruling: 'unclear', message: expect.stringContaining('etcdctl del /hactl/test/holder/web') }],
    ['a key that somebody else wrote', { holder: numbered('mine!') }, { ruling: 'unclear', message: expect.stringContaining('/hactl/test/holder/web holds no grant') }],
    ['a number that somebody else wrote', { number: numbered('many') }, { ruling: 'unclear', message: expect.stringContaining('/hactl/test/number/web holds no claim number') }],
    ['the highest number of all', { number: numbered('9007199254740991') }, { ruling: 'unclear', message: expect.stringContaining('no higher number') }],
  ] as const
  test.each(rows)('%s', (_title, found, ruling) => {
    expect(ruleOn(alpha, keys, own, found)).toEqual(ruling)
  })
})
