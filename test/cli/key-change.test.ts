import { expect, test } from 'vitest'
import { nextKeyStep, type KeySituation, type KeyStep } from '../../src/cli/key-change.ts'

const situation = (change: Partial<KeySituation>): KeySituation => ({
  self: 'alpha', peer: 'beta', file: ['1-aaaaaaaa'], own: ['1-aaaaaaaa'], peerOwn: ['1-aaaaaaaa'], newIndex: undefined, ...change,
})
const [a, b, c] = ['1-aaaaaaaa', '2-bbbbbbbb', '3-cccccccc']

/** `names`: what the file, this daemon and the peer have, where all three agree. */
const agreed = (names: readonly string[], newIndex?: number): KeySituation => situation({ file: names, own: names, peerOwn: names, newIndex })

const cases: { title: string; given: KeySituation; want: KeyStep }[] = [
  { title: 'one key: another is added', given: agreed([a]), want: { step: 'add', index: 2 } },
  { title: 'the number after 15 is 0', given: agreed(['15-aaaaaaaa']), want: { step: 'add', index: 0 } },
  { title: 'both accept the new key: it signs', given: agreed([a, b], 2), want: { step: 'activate', index: 2 } },
  { title: 'both sign with it: the old one goes', given: agreed([b, a], 2), want: { step: 'remove', keep: 2 } },
  { title: 'all old ones go', given: agreed([c, a, b], 3), want: { step: 'remove', keep: 3 } },
  { title: 'only the new one is left: done', given: agreed([b], 2), want: { step: 'done', index: 2 } },
  { title: 'the mark of a key that is gone means nothing', given: agreed([a], 2), want: { step: 'add', index: 2 } },
  { title: 'a new key of a lower number', given: agreed([b, a], 1), want: { step: 'activate', index: 1 } },
  { title: 'this daemon has not read the added key', given: situation({ file: [a, b], newIndex: 2 }),
    want: { step: 'wait', where: 'here', reason: 'alpha does not accept key 2-bbbbbbbb of this file yet' } },
  { title: 'the peer has not read it', given: situation({ file: [a, b], own: [a, b], newIndex: 2 }),
    want: { step: 'wait', where: 'peer', reason: 'beta does not accept key 2-bbbbbbbb of this file yet' } },
  { title: 'the peer has another key under that number', given: situation({ file: [a, b], own: [a, b], peerOwn: [a, '2-dddddddd'], newIndex: 2 }),
    want: { step: 'wait', where: 'peer', reason: 'beta does not accept key 2-bbbbbbbb of this file yet' } },
  { title: 'this daemon signs with the old one still', given: situation({ file: [b, a], own: [a, b], peerOwn: [b, a], newIndex: 2 }),
    want: { step: 'wait', where: 'here', reason: 'alpha still signs with key 1-aaaaaaaa, not with 2-bbbbbbbb' } },
  { title: 'the peer signs with the old one still', given: situation({ file: [b, a], own: [b, a], peerOwn: [a, b], newIndex: 2 }),
    want: { step: 'wait', where: 'peer', reason: 'beta still signs with key 1-aaaaaaaa, not with 2-bbbbbbbb' } },
  { title: 'the peer accepts the old one still, so it is not done', given: situation({ file: [b], own: [b], peerOwn: [b, a], newIndex: 2 }),
    want: { step: 'wait', where: 'peer', reason: 'beta still accepts key 1-aaaaaaaa, which this file does not have' } },
  { title: 'a change was begun on the peer', given: situation({ peerOwn: [a, c] }),
    want: { step: 'wait', where: 'peer', reason: 'beta still accepts key 3-cccccccc, which this file does not have' } },
]
for (const { title, given, want } of cases) {
  test(`key change: ${title}`, () => expect(nextKeyStep(given)).toEqual(want))
}

const refused: { title: string; given: KeySituation; says: string }[] = [
  { title: 'the daemon does not tell its keys', given: situation({ own: undefined }), says: 'the daemon of alpha does not say' },
  { title: 'the peer does not tell its keys', given: situation({ peerOwn: undefined }), says: 'beta does not say which keys it accepts' },
  { title: 'two keys and no mark', given: agreed([a, b]), says: '--to INDEX' },
]
for (const { title, given, says } of refused) {
  test(`no key change where ${title}`, () => {
    const step = nextKeyStep(given)
    expect(step).toMatchObject({ step: 'refuse', reason: expect.stringContaining(says) as string })
  })
}
