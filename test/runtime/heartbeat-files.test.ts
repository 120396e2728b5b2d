/** The files of a Heartbeat that was on this host before, or will be again. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { formatGeneration, parseGeneration } from '../../src/runtime/heartbeat-files.ts'
import { openState } from '../../src/runtime/state-files.ts'

const top = mkdtempSync(join(tmpdir(), 'hactl-heartbeat-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

test('the file of the generation is Heartbeat\'s: 16 bytes, the number to the right', () => {
  expect(formatGeneration(1_710_277_539)).toBe('     1710277539\n')
  for (const generation of [0, 1, 1_710_277_539, 99_999_999_999_999]) {
    expect(formatGeneration(generation)).toHaveLength(16)
    expect(parseGeneration(formatGeneration(generation))).toBe(generation)
  }
})

for (const text of ['', '\n', '               \n', 'abc', '12x', '-1', '1.5', '1 2\n', '12\n\n', '9999999999999999\n', '999999999999999\n', '\0\0\0\0', '0x10\n']) {
  test(`${JSON.stringify(text)} is no generation file`, () => expect(parseGeneration(text)).toBeUndefined())
}

function host(name: string, files: Readonly<Record<string, string | Buffer>>): { readonly state: string; readonly heartbeatDirectory: string } {
  const heartbeatDirectory = join(top, name, 'heartbeat')
  mkdirSync(heartbeatDirectory, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(heartbeatDirectory, file), content, { mode: 0o600 })
  return { state: join(top, name, 'hactl'), heartbeatDirectory }
}

test('this node goes on as the node that the peer knows: above the generation, under the uuid, and keeps the count for a way back', async () => {
  const { state, heartbeatDirectory } = host('taken over', { hb_generation: formatGeneration(9_000_000_000), hb_uuid: Buffer.from('0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'hex') })
  const file = join(heartbeatDirectory, 'hb_generation')
  const first = await openState(state, { heartbeatDirectory })
  expect(first).toMatchObject({ generation: 9_000_000_001, uuid: '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', warnings: [] })
  expect(readFileSync(file, 'latin1')).toBe('     9000000001\n')
  expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
  expect(await first.reserveGeneration()).toBe(9_000_000_002)
  expect(readFileSync(file, 'latin1')).toBe('     9000000002\n')
  await first.close()
  // The Heartbeat has been back for some starts, and then this daemon again.
  writeFileSync(file, formatGeneration(9_000_000_009))
  const second = await openState(state, { heartbeatDirectory })
  expect(second).toMatchObject({ generation: 9_000_000_010, uuid: first.uuid })
  await second.close()
})

test('where no Heartbeat was, no file of it is made', async () => {
  const { state, heartbeatDirectory } = host('never', {})
  const first = await openState(state, { heartbeatDirectory })
  expect(() => statSync(join(heartbeatDirectory, 'hb_generation'))).toThrow('ENOENT')
  expect(await first.reserveGeneration()).toBeGreaterThan(first.generation)
  await first.close()
})

test('damaged files of a Heartbeat are named and cost nothing', async () => {
  const { state, heartbeatDirectory } = host('damaged', { hb_generation: 'what?', hb_uuid: 'short' })
  const first = await openState(state, { heartbeatDirectory })
  expect(first.generation).toBeGreaterThan(1_700_000_000)
  expect(first.uuid).toMatch(/^[0-9a-f-]{36}$/)
  expect(first.warnings).toEqual([expect.stringContaining('hb_uuid does not hold the 16 bytes')])
  expect(parseGeneration(readFileSync(join(heartbeatDirectory, 'hb_generation'), 'latin1'))).toBe(first.generation)
  await first.close()
})
