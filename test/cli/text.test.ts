import { expect, test } from 'vitest'
import { durationOption } from '../../src/cli/options.ts'
import { plainPaint } from '../../src/cli/terminal.ts'
import { cell, durationText, exactText, grouped, table, wrapped } from '../../src/cli/text.ts'

// Each limit on both sides: nothing is rounded up to a unit that it has not reached.
const durations: { ms: number; text: string }[] = [
  { ms: -5, text: '0 ms' }, { ms: 0.04, text: '0 ms' }, { ms: 2.34, text: '2.3 ms' }, { ms: 9.96, text: '10 ms' }, { ms: 10.4,
    text: '10 ms' }, { ms: 999.4, text: '999 ms' }, { ms: 999.6, text: '1.0 s' }, { ms: 1_000, text: '1.0 s' },
  { ms: 59_999, text: '59.9 s' }, { ms: 60_000, text: '1 min 0 s' }, { ms: 3_599_999, text: '59 min 59 s' }, { ms: 3_600_000,
    text: '1 h 0 min' },
  { ms: 86_399_999, text: '23 h 59 min' }, { ms: 86_400_000, text: '1 d 0 h' }, { ms: 900_000_000, text: '10 d 10 h' },
]
for (const { ms, text } of durations) test(`durationText: ${ms} ms is ${text}`, () => expect(durationText(ms)).toBe(text))

test('thousands are set apart, fractions are not', () => {
  expect([grouped(999), grouped(1_004), grouped(1_234_567), grouped(-1_234), grouped(1234.5678), exactText(1004.4)])
    .toEqual(['999', '1,004', '1,234,567', '-1,234', '1,234.5678', '1,004 ms'])
})

test('wrapped lines keep to the width, words stay whole, a number keeps its unit', () => {
  expect(wrapped('no node held it for at most 1,312 ms', 35, '', '  ')).toEqual(['no node held it for at most', '  1,312 ms'])
  expect(wrapped('a averyverylongwordthatisnocut b', 10, '> ', '  ')).toEqual(['> a', '  averyverylongwordthatisnocut', '  b'])
  expect(wrapped('one\ntwo', 10, '> ', '  ')).toEqual(['> one', '  two'])
  expect(wrapped('', 10, '> ', '  ')).toEqual(['>'])
})

const rows = [
  { cells: [cell('eth0', plainPaint.bold), cell('up'), cell('')] },
  { cells: [cell('eth1'), cell('down'), cell('')], note: 'cable' },
]

test('a table leaves out columns that are empty, and puts a note where it fits', () => {
  expect(table(['link', 'status', 'empty'], rows, 80, '')).toEqual(['link  status', 'eth0  up', 'eth1  down    cable'])
  expect(table(['link', 'status', 'empty'], rows, 14, '')).toEqual(['link  status', 'eth0  up', 'eth1  down', '  cable'])
})

test('a table that does not fit stacks its rows and cuts nothing', () => {
  expect(table(['link', 'status', 'empty'], rows, 11, '')).toEqual(['eth0', '  status:', '  up', 'eth1', '  status:', '  down', '  cable'])
})

const times: { text: string; ms: number }[] = [
  { text: '200ms', ms: 200 }, { text: '2s', ms: 2_000 }, { text: '1.5s', ms: 1_500 }, { text: '5m', ms: 300_000 }, { text: '24h',
    ms: 86_400_000 },
]
for (const { text, ms } of times) test(`durationOption: ${text}`, () => expect(durationOption(text)).toBe(ms))

for (const text of ['5', '', '2 s', '0s', '25h', '-1s', '1e3s', 'soon']) {
  test(`durationOption: "${text}" is refused with the form to use`, () => expect(() => durationOption(text)).toThrow('200ms, 2s, 5m'))
}
