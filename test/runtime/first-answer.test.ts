import { expect, test } from 'vitest'
import { firstAnswer, type FirstAnswer } from '../../src/runtime/first-answer.ts'
import { nowMs } from '../../src/runtime/clock.ts'
import { errorText } from '../../src/runtime/errors.ts'

type Behaviour = 'answers' | 'fails' | 'hangs'

interface Run { readonly said: FirstAnswer<string>; readonly asked: readonly string[]; readonly told: readonly string[] }

/** `told`: who was told that its answer is no longer wanted. */
async function run(behaviours: Readonly<Record<string, Behaviour>>, withinMs = 150, stop = new AbortController().signal): Promise<Run> {
  const asked: string[] = []
  const told: string[] = []
  const said = await firstAnswer<string>({
    hosts: Object.keys(behaviours), endMs: nowMs() + withinMs, stop, faultOf: errorText,
    ask: (host, signal) => {
      asked.push(host)
      if (behaviours[host] === 'answers') return Promise.resolve(`${host} here`)
      if (behaviours[host] === 'fails') return Promise.reject(new Error('refused'))
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => { told.push(host); reject(new Error('aborted')) }))
    },
  })
  return { said, asked, told }
}

test('the first host answers: nobody else is asked', async () => {
  expect(await run({ a: 'answers', b: 'answers' })).toEqual({ said: { result: 'answered', host: 'a', answer: 'a here' }, asked: ['a'], told: [] })
})

test('a host that fails is followed by the next at once', async () => {
  const begunMs = nowMs()
  expect(await run({ a: 'fails', b: 'fails', c: 'answers' }, 60_000)).toMatchObject({ said: { host: 'c' }, asked: ['a', 'b', 'c'] })
  expect(nowMs() - begunMs).toBeLessThan(10_000)
})

test('a host that hangs is followed by the next after its share of the time, and told when that one has answered', async () => {
  const { said, asked, told } = await run({ a: 'hangs', b: 'hangs', c: 'answers' }, 600)
  expect([said, asked, told]).toEqual([{ result: 'answered', host: 'c', answer: 'c here' }, ['a', 'b', 'c'], ['a', 'b']])
})

test('all fail: each is named with its fault, at once', async () => {
  const begunMs = nowMs()
  expect((await run({ a: 'fails', b: 'fails' }, 60_000)).said).toEqual({ result: 'none', message: 'a: refused; b: refused' })
  expect(nowMs() - begunMs).toBeLessThan(10_000)
})

test('all hang: an answer at the end of the time, and all are told', async () => {
  const { said, told } = await run({ a: 'hangs', b: 'fails', c: 'hangs' })
  expect(said).toMatchObject({ result: 'none', message: expect.stringMatching(/^a: no answer within \d+ ms; b: refused; c: no answer within \d+ ms$/) })
  expect(told).toEqual(['a', 'c'])
})

test('no time left, and no host at all', async () => {
  expect((await run({ a: 'hangs', b: 'answers' }, -5)).said).toMatchObject({ result: 'none', message: expect.stringContaining('b: not asked any more') })
  expect((await run({}, 20)).said).toEqual({ result: 'none', message: '' })
})

test('stopped before its time', async () => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 20)
  const { said, told } = await run({ a: 'hangs' }, 60_000, stop.signal)
  expect([said, told]).toEqual([{ result: 'none', message: 'a: given up: the daemon ends' }, ['a']])
})
