import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { PersistentState } from '../../src/core/effects.ts'
import { openState } from '../../src/runtime/state-files.ts'
import { bundle, mayMount, outputOf, start, startOnSmallDisk } from '../fixtures/bundled-program.ts'

const top = mkdtempSync(join(tmpdir(), 'hactl-state-'))
const program = bundle('state')
let count = 0

afterAll(() => rmSync(top, { recursive: true, force: true }))

function fresh(): string {
  count += 1
  return join(top, `state-${count}`)
}

const state: PersistentState = {
  standby: 'local',
  pause: { paused: true, number: 7, sinceWallMs: 1_790_000_000_000 },
  groups: [{ name: 'web', claimLimit: 41, unclean: true, pinned: false }, { name: 'db', claimLimit: 0, unclean: false, pinned: true }],
  peerGeneration: 1_790_000_001,
  peerRaisedUntilWallMs: 1_790_000_600_000,
}

/** A state whose number is in the claim limit. */
function numbered(claimLimit: number): PersistentState {
  return { pause: { paused: false, number: 0, sinceWallMs: 0 }, groups: [{ name: 'web', claimLimit, unclean: false, pinned: false }] }
}

test('the first start: nothing persistent, a generation from the clock, a directory for the owner alone', async () => {
  const directory = fresh()
  const first = await openState(directory)
  expect(first).toMatchObject({ sameBoot: false, warnings: [] })
  expect(first.persistent).toBeUndefined()
  expect(first.generation).toBeGreaterThan(1_700_000_000)
  expect(first.uuid).toMatch(/^[0-9a-f-]{36}$/)
  expect((statSync(directory).mode & 0o777).toString(8)).toBe('700')
  expect(JSON.parse(readFileSync(join(directory, 'generation'), 'utf8'))).toMatchObject({ generation: first.generation })
  await first.close()
})

test('each start counts one more; the uuid stays; what was saved is there again', async () => {
  const directory = fresh()
  const first = await openState(directory)
  expect(await first.save(state)).toEqual({})
  await first.close()
  const second = await openState(directory)
  expect(second).toMatchObject({ generation: first.generation + 1, uuid: first.uuid, sameBoot: true, persistent: state, warnings: [] })
  await second.close()
})

test('another boot of the kernel is told', async () => {
  const directory = fresh()
  await (await openState(directory, { bootId: 'one' })).close()
  const second = await openState(directory, { bootId: 'two' })
  expect(second.sameBoot).toBe(false)
  await second.close()
  const third = await openState(directory, { bootId: 'two' })
  expect(third.sameBoot).toBe(true)
  await third.close()
})

test("the generation begins above a Heartbeat's on this host", async () => {
  const heartbeatDirectory = fresh()
  mkdirSync(heartbeatDirectory)
  writeFileSync(join(heartbeatDirectory, 'hb_generation'), `${String(9_000_000_000).padStart(15)}\n`)
  const first = await openState(fresh(), { heartbeatDirectory })
  expect(first.generation).toBe(9_000_000_001)
  await first.close()
})

const unsound = [
  ['empty', ''], ['torn', '{"generation": 17'], ['of another kind', '{"generation": "x", "uuid": 1}'], ['negative', '{"generation":-1}'],
] as const
for (const [title, text] of unsound) {
  test(`a generation file that is ${title} is put aside with a warning, and counting goes on from the clock`, async () => {
    const directory = fresh()
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(join(directory, 'generation'), text)
    const opened = await openState(directory)
    expect(opened.generation).toBeGreaterThan(1_700_000_000)
    expect(opened.warnings.join()).toContain(join(directory, 'generation.corrupt'))
    expect(readFileSync(join(directory, 'generation.corrupt'), 'utf8')).toBe(text)
    await opened.close()
  })
}

const damaged: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['torn', '{"version":1,"pause":{"paused":fal'],
  ['a list', '[]'],
  ['of a later version', '{"version":2}'],
  ['without pause', '{"version":1,"groups":[]}'],
  ['with an odd standby', '{"version":1,"standby":"some","pause":{"paused":false,"number":0,"sinceWallMs":0},"groups":[]}'],
  ['with an odd generation of the peer', '{"version":1,"pause":{"paused":false,"number":0,"sinceWallMs":0},"groups":[],"peerGeneration":-1}'],
  ['with an odd promise of the peer', '{"version":1,"pause":{"paused":false,"number":0,"sinceWallMs":0},"groups":[],"peerRaisedUntilWallMs":"x"}'],
  ['with an odd group', '{"version":1,"pause":{"paused":false,"number":0,"sinceWallMs":0},"groups":[{"name":"web","claimLimit":1.5}]}'],
]
for (const [title, text] of damaged) {
  test(`a state file that is ${title} is put aside with a warning, and the daemon starts`, async () => {
    const directory = fresh()
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(join(directory, 'state.json'), text)
    const opened = await openState(directory)
    expect(opened.persistent).toBeUndefined()
    expect(opened.warnings.join()).toMatch(/state.json is damaged \(.+\) and was put aside/)
    expect(existsSync(join(directory, 'state.json.corrupt'))).toBe(true)
    expect(await opened.save(state)).toEqual({})
    await opened.close()
  })
}

test('saves that come during a write share the next one, and the newest state is what stays', async () => {
  const directory = fresh()
  const opened = await openState(directory)
  const results = await Promise.all(Array.from({ length: 200 }, (_, index) => opened.save(numbered(index))))
  expect(results.every((result) => result.error === undefined)).toBe(true)
  const onDisk = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as PersistentState
  expect(onDisk.groups[0]?.claimLimit).toBe(199)
  await opened.close()
})

test('what a save has answered is on disk, whatever is saved meanwhile', async () => {
  const directory = fresh()
  const opened = await openState(directory)
  const seen: boolean[] = []
  const saves: Promise<unknown>[] = []
  for (let number = 1; number <= 30; number += 1) {
    saves.push(opened.save(numbered(number)).then(() => {
      const onDisk = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as PersistentState
      seen.push((onDisk.groups[0]?.claimLimit ?? 0) >= number)
    }))
    await sleep(number % 3)
  }
  await Promise.all(saves)
  expect(seen).toEqual(Array.from({ length: 30 }, () => true))
  await opened.close()
})

test('closing waits for the write under way', async () => {
  const directory = fresh()
  const opened = await openState(directory)
  void opened.save(numbered(1))
  void opened.save(numbered(2))
  await opened.close()
  expect((JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as PersistentState).groups[0]?.claimLimit).toBe(2)
  expect(readdirSync(directory).sort()).toEqual(['generation', 'state.json'])
})

test('a directory that is gone: the save says so, and nothing is thrown', async () => {
  const directory = fresh()
  const opened = await openState(directory)
  rmSync(directory, { recursive: true })
  expect((await opened.save(state)).error).toContain(join(directory, 'state.json'))
  await opened.close()
})

test('two daemons never share one state directory; the second names the first', async () => {
  const directory = fresh()
  const child = start(program, ['hold', directory])
  await once(child.stdout!, 'data')
  await expect(openState(directory)).rejects.toThrow(`another daemon (pid ${child.pid}) uses the state directory ${directory}`)
  // A stopped one holds it all the same.
  child.kill('SIGSTOP')
  await expect(openState(directory)).rejects.toThrow('another daemon')
  const before = JSON.parse(readFileSync(join(directory, 'generation'), 'utf8')) as { generation: number }
  child.kill('SIGKILL')
  await once(child, 'exit')
  const opened = await openState(directory)
  expect(opened.generation).toBe(before.generation + 1)
  await opened.close()
})

test('of several that start at the same moment exactly one gets the directory', async () => {
  const directory = fresh()
  mkdirSync(directory, { mode: 0o700 })
  const children = Array.from({ length: 4 }, () => start(program, ['hold', directory]))
  const said = await Promise.all(children.map(async (child) => {
    const [chunk] = (await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data')])) as [Buffer]
    return chunk.toString()
  }))
  for (const child of children) child.kill('SIGKILL')
  expect(said.filter((text) => text.includes('generation')), said.join()).toHaveLength(1)
  expect(said.filter((text) => text.includes('another daemon'))).toHaveLength(3)
})

test('a directory into which others may write is refused with what to type', async () => {
  const directory = fresh()
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  await expect(openState(directory)).rejects.toThrow(`chmod 700 ${directory}`)
})

test('a state directory that cannot be made is refused with what to type', async () => {
  const directory = fresh()
  writeFileSync(directory, 'a file')
  await expect(openState(join(directory, 'below'))).rejects.toThrow('--state-dir')
})

test('a path too long for a socket is no hindrance', async () => {
  const directory = join(fresh(), 'x'.repeat(100), 'y'.repeat(100))
  const opened = await openState(directory)
  await expect(openState(directory)).rejects.toThrow('another daemon')
  await opened.close()
})

test('kill -9 in the middle of saving leaves a whole file', async () => {
  const directory = fresh()
  for (let round = 0; round < 5; round += 1) {
    const child = start(program, ['save-for-ever', directory])
    await once(child.stdout!, 'data')
    await sleep(20 + round * 13)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const opened = await openState(directory)
    expect(opened.warnings).toEqual([])
    expect(opened.persistent?.groups[0]?.claimLimit).toBeGreaterThan(0)
    await opened.close()
  }
})

test.skipIf(!mayMount)('a full disk at start: the daemon does not start and says what it could not keep', async () => {
  const directory = fresh()
  mkdirSync(directory)
  const { stderr, exitCode } = await outputOf(startOnSmallDisk(program, directory, 64, ['full-at-start', directory]))
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(/ENOSPC|no space/)
  expect(stderr).toContain(`df -h ${directory}`)
})

test.skipIf(!mayMount)('a full disk later: the save says so, and the next one works once there is room', async () => {
  const directory = fresh()
  mkdirSync(directory)
  const { stdout, exitCode } = await outputOf(startOnSmallDisk(program, directory, 64, ['full-later', directory]))
  expect(exitCode).toBe(0)
  const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, { error?: string }>
  expect(result['before']).toEqual({})
  expect(result['during']?.error).toMatch(/state.json cannot be written: ENOSPC/)
  expect(result['after']).toEqual({})
})
