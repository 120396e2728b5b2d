/** The Heartbeat says that it counts this node dead, and this node hears it say so. */
import { expect, test } from 'vitest'
import type { Word } from '../../src/classic/words.ts'
import { atRest, request, resource, status, type Speech } from './speech.ts'

const stonith = (node = 'a', result = 'n_stnth'): Word => ({ word: 'stonith', node, result })

function heldHere(): Speech {
  const one = atRest()
  one.core({ web: { state: 'held', claimNumber: 3 } })
  one.taken()
  return one
}

test('everything is its own at once, with the better right, and this node begins anew', () => {
  const one = heldHere()
  one.hear(stonith())
  expect(one.taken()).toEqual(['report counted-dead', 'fed: web held, db held', 'renew'])
  expect(one.state.numbers).toEqual({ web: 4 })
})

test('also where it had nothing to fear, and where it has reset what it took for this node', () => {
  for (const result of ['unneeded', 'OK']) {
    const one = heldHere()
    one.hear(stonith('A', result))
    expect(one.taken()).toContain('renew')
  }
})

test('not of another node, not of a device that could not reset this one, and not when it has told since that it holds less', () => {
  const one = heldHere()
  one.hear(stonith('b'))
  one.hear(stonith('a', 'bad'))
  one.hear(stonith('a', 'badhost'))
  one.hear(resource('local', true), { sequence: 90 })
  one.hear(stonith(), { sequence: 89 })
  expect(one.taken().filter((line) => !line.startsWith('fed: web stopped, db held'))).toEqual([])
})

test('nothing is said to it until it acknowledges something; then both tell what they hold', () => {
  const one = heldHere()
  one.hear(stonith())
  one.renew()
  one.core({ web: { state: 'stopped' } })
  one.hear(resource('all', true))
  one.hear(status('active'))
  one.wait(60_000)
  expect(one.taken().filter((line) => !line.startsWith('fed'))).toEqual(['report counted-dead', 'renew'])
  one.acknowledge()
  expect(one.taken()).toEqual(['starting', 'resource none full isstable=1'])
  one.acknowledge()
  expect(one.taken()).toEqual([])
})

test('an exchange with it is over: it has cancelled it', () => {
  const one = heldHere()
  one.core({ web: { offer: 'admin' } })
  expect(one.state.exchange).toMatchObject({ role: 'gives', step: 'asked' })
  one.hear(stonith())
  expect(one.state.exchange).toBeUndefined()
})

test('in legacy mode each group is let go, and asked for again when it hears us', () => {
  const one = heldHere()
  one.hear(status('active'), { generation: 2, sequence: 1 })
  one.hear(request('db'), { generation: 2, sequence: 2 })
  one.taken()
  one.hear(stonith(), { generation: 2, sequence: 3 })
  expect(one.taken()).toEqual(['report counted-dead', 'fed: web held, db stopped claims 1', 'renew'])
  one.core({ web: { state: 'stopped' } })
  one.wait(20_000)
  expect(one.taken()).toEqual([])
  one.acknowledge()
  one.hear(status('active'), { generation: 2, sequence: 4 })
  expect(one.taken()).toEqual(['starting', 'fed: web held offers failback, db held'])
})

test('not when it was said in a silence that is over, and comes late: this node has come back from it already', () => {
  const one = heldHere()
  one.wait(30_000)
  one.hear(status('active'), { sequence: 200 })
  one.taken()
  one.hear(stonith(), { sequence: 150 })
  expect(one.taken()).not.toContain('report counted-dead')
})

test('and so is what was said in a silence of this node, after which it has begun anew', () => {
  const one = heldHere()
  one.renew()
  one.hear(status('active'), { sequence: 200 })
  one.taken()
  one.hear(stonith(), { sequence: 150 })
  expect(one.taken()).not.toContain('report counted-dead')
})
