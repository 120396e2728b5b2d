import { expect, test } from 'vitest'
import { formatGeneration, maxGeneration, nextGeneration, parseGeneration } from '../../src/protocol/generation-file.ts'

test('the file is Heartbeat\'s: 16 bytes, the number to the right', () => {
  expect(formatGeneration(1_710_277_539)).toBe('     1710277539\n')
  for (const generation of [0, 1, 1_710_277_539, maxGeneration]) {
    expect(formatGeneration(generation)).toHaveLength(16)
    expect(parseGeneration(formatGeneration(generation))).toBe(generation)
  }
})

for (const text of ['', '\n', '               \n', 'abc', '12x', '-1', '1.5', '1 2\n', '12\n\n', '9999999999999999\n', '\0\0\0\0',
  '0x10\n']) {
  test(`${JSON.stringify(text)} is no generation file`, () => expect(parseGeneration(text)).toBeUndefined())
}

test('each start is one more than the last; without a good file the wall clock is the base', () => {
  expect(nextGeneration(formatGeneration(41), 5_000_000)).toBe(42)
  expect(nextGeneration(undefined, 1_710_277_538_999)).toBe(1_710_277_539)
  expect(nextGeneration('damaged', 1_710_277_538_999)).toBe(1_710_277_539)
  expect(nextGeneration(undefined, -5)).toBe(1)
  expect(nextGeneration(formatGeneration(maxGeneration), 0)).toBeUndefined()
})
