/** What the demo shows is computed here; the demo itself runs by `npm run demo`. */
import { expect, test } from 'vitest'
import { type Answer, answersIn, longestGap } from './client.ts'
import { drawPicture } from './picture.ts'

function every10Ms(host: string, fromMs: number, toMs: number): Answer[] {
  return Array.from({ length: (toMs - fromMs) / 10 }, (_, index) => ({ atMs: fromMs + index * 10, host }))
}

const answers = [...every10Ms('alpha', 1_000, 10_000), ...every10Ms('beta', 11_200, 20_000), ...every10Ms('alpha', 20_040, 30_000)]

test('the longest gap is the one between two answers, and the end counts', () => {
  expect(longestGap(answers, 9_000, 19_000)).toEqual({ ms: 1_210, endedBy: { atMs: 11_200, host: 'beta' } })
  expect(longestGap(answers, 19_000, 25_000)).toEqual({ ms: 50, endedBy: { atMs: 20_040, host: 'alpha' } })
  expect(longestGap(answers, 29_000, 31_000)).toEqual({ ms: 1_010 })
  expect(longestGap([], 0, 100)).toEqual({ ms: 100 })
})

test('an answer counts for the host that the page names; half lines and other pages do not count', () => {
  expect(answersIn('1000 alpha\n1010 hello from beta.\n1020 nobody here\nnonsense alpha\n1030 alph', ['alpha', 'beta'])).toEqual([
    { atMs: 1_000, host: 'alpha' }, { atMs: 1_010, host: 'beta' },
  ])
})

test('the picture shows who answered when, and fits 80 columns', async () => {
  const scenes = [
    { atMs: 0, title: 'both daemons start', gapMs: 1_000, remark: 'to the first answer' },
    { atMs: 10_000, title: 'alpha loses power', gapMs: 1_210 },
    { atMs: 20_000, title: 'alpha returns', gapMs: 50 },
  ]
  const text = drawPicture({ hosts: ['alpha', 'beta'], answers, scenes, fromMs: 0, toMs: 30_000, columns: 80 })
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  await expect(text).toMatchFileSnapshot('golden/picture.txt')
})
