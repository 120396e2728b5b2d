/** Codes in the source and codes in the README are the same, both ways. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { coreCodes, runtimeCodes } from '../src/core/codes.ts'
import { configCodes } from '../src/config/codes.ts'
import { placementRows } from '../src/core/placement.ts'

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')

/** First cells of the tables between `<!-- name -->` and the next such mark. */
function cells(name: string): readonly string[] {
  const part = readme.split(`<!-- ${name} -->`)[1]?.split('<!--')[0] ?? ''
  return [...part.matchAll(/^\| `([^`]+)` \|/gm)].map((found) => found[1] ?? '')
}

function sorted(words: readonly string[]): readonly string[] {
  return [...words].sort()
}

test('README section 8 lists every log code, and no other', () => {
  expect(sorted(cells('log codes'))).toEqual(sorted([...coreCodes, ...runtimeCodes]))
})

test('README section 4 lists every placement reason, and no other', () => {
  expect(sorted(cells('placement reasons'))).toEqual(sorted(placementRows.map((row) => row.reason)))
})

test('README section 5 lists every code of hactl check, and no other', () => {
  const codes = Array.isArray(configCodes) ? configCodes : Object.keys(configCodes)
  expect(sorted(cells('check codes'))).toEqual(sorted(codes as readonly string[]))
})

test('every log code is used somewhere', () => {
  const sources = readdirSync(join(import.meta.dirname, '..', 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'core/codes.ts')
    .map((name) => readFileSync(join(import.meta.dirname, '..', 'src', name), 'utf8'))
  expect([...coreCodes, ...runtimeCodes].filter((code) => !sources.some((text) => text.includes(`'${code}'`)))).toEqual([])
})
