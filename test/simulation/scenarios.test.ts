/**
 * The golden scenarios. Their expected text is rewritten by `REWRITE=1 npx vitest run test/simulation/scenarios.test.ts`;
 * commit a change of it only if you understand what caused it and want it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { placementRows } from '../../src/core/placement.ts'
import { realCore } from '../../src/simulation/core.ts'
import { retell } from '../../src/simulation/scenario.ts'

const folder = new URL('../scenarios/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))
const rewrites = process.env['REWRITE'] === '1'

for (const name of files) {
  test(`scenario ${name.replace('.txt', '').replaceAll('-', ' ')}`, () => {
    const url = new URL(name, folder)
    const text = readFileSync(url, 'utf8')
    const told = retell(realCore, text)
    if (rewrites) writeFileSync(url, told)
    else expect(told).toBe(text)
    expect(told).not.toContain('VIOLATION')
  })
}

test('every row of the placement table decides in some scenario', () => {
  const all = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  const unseen = placementRows.map((row) => row.reason).filter((reason) => !all.includes(`(${reason})`) && !new RegExp(`says \\S+, ${reason}\\b`).test(all))
  expect(unseen).toEqual([])
})

test('a scenario with a word that nobody knows is refused by name', () => {
  expect(() => retell(realCore, 'group web alpha 192.0.2.100\ndance alpha\n----\n')).toThrow('dance alpha')
})
