/** Scripts called as Heartbeat's ResourceManager called them: asked before a start and after a stop that failed, judged by their text. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { ResourceConfig } from '../../src/core/config.ts'
import type { Action, Outcome } from '../../src/core/events.ts'
import { createOperations, type Notice, type Operations } from '../../src/runtime/operations.ts'

const scripts = fileURLToPath(new URL('../fixtures/scripts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'hactl-heartbeats-way-'))
const outputDirectory = join(directory, 'output')
const notices: Notice[] = []
const status = { intervalMs: 2_000, timeoutMs: 10_000, fall: 2, rise: 1 }
let lastId = 0

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function resource(script: string, ...args: string[]): ResourceConfig {
  return { script, args, warm: false, startTimeoutMs: 1_000, stopTimeoutMs: 1_000 }
}

function run(on: Operations, what: ResourceConfig, action: Action, timeoutMs = 20_000): Promise<Outcome> {
  lastId += 1
  return on.run({ operationId: lastId, group: 'web', resource: what, action, timeoutMs })
}

function file(name: string): string {
  lastId += 1
  return join(directory, `${lastId}.${name}`)
}

function create(resourceDirectories?: readonly string[]): Operations {
  return createOperations({
    nodeName: 'alpha', peerName: 'beta', environment: {}, outputDirectory, onNotice: (notice) => notices.push(notice),
    ...(resourceDirectories === undefined ? {} : { resourceDirectories }),
  })
}

/** Scripts in a directory whose name tells what kind they are. */
function inDirectory(name: 'ha.d/resource.d' | 'init.d' | 'resource.d', ...names: string[]): Operations {
  const path = join(directory, String(lastId += 1), name)
  mkdirSync(path, { recursive: true })
  for (const script of names) writeFileSync(join(path, script), readFileSync(join(scripts, script)), { mode: 0o755 })
  return create([path])
}

test('status of a script of ha.d/resource.d and of init.d: the text, though the exit code says another thing; of others the exit code', async () => {
  const [heartbeats, inits, others] = [inDirectory('ha.d/resource.d', 'say'), inDirectory('init.d', 'say'), inDirectory('resource.d', 'say')]
  const said = async (text: string, code: number): Promise<string[]> => {
    const results: string[] = []
    for (const on of [heartbeats, inits, others]) results.push((await run(on, resource('say', text, String(code)), 'status')).result)
    return results
  }
  expect([heartbeats.locate(resource('say')), inits.locate(resource('say'))]).toMatchObject([{ kind: 'heartbeat' }, { kind: 'init' }])
  expect(await said('running', 3)).toEqual(['ok', 'ok', 'not-running'])
  expect(await said('not running', 0)).toEqual(['not-running', 'not-running', 'ok'])
  expect(await said('well', 0)).toEqual(['unknown', 'ok', 'ok'])
  expect((await run(heartbeats, resource('say', 'running', '1'), 'start')).result).toBe('failed')
  for (const on of [heartbeats, inits, others]) on.close()
})

for (const name of ['ha.d/resource.d', 'init.d'] as const) {
  test(`a script of ${name} is asked before it is started, and not started where it says that it runs`, async () => {
    const on = inDirectory(name, 'mount-once')
    const what = { ...resource('mount-once', file('mounted')), status }
    const calls = () => readFileSync(`${what.args[0]!}.calls`, 'utf8').trim().split('\n')
    expect(await run(on, what, 'start')).toEqual({ result: 'ok' })
    // Started a second time it would fail, as a mount does.
    expect(await run(on, what, 'start')).toEqual({ result: 'ok' })
    expect(calls()).toEqual(['status', 'start', 'status'])
    expect((await run(on, resource('mount-once', ...what.args), 'start')).result).toBe('failed')
    on.close()
  })

  test(`a stop of ${name} that fails on what does not run: its status counts, and it is told`, async () => {
    notices.length = 0
    const on = inDirectory(name, 'mount-once')
    const what = { ...resource('mount-once', file('mounted')), status }
    expect(await run(on, what, 'stop')).toEqual({ result: 'not-running' })
    expect(notices).toMatchObject([{ code: 'resource-failed', message: expect.stringMatching(/stop failed with exit code 1.*nothing of it runs, so it counts as stopped/) }])
    writeFileSync(what.args[0]!, 'busy')
    expect(await run(on, what, 'stop')).toMatchObject({ result: 'failed', exitCode: 1, message: expect.stringContaining('is busy') })
    on.close()
  })
}

test('silence after a stop that failed is no word that it has stopped', async () => {
  const on = inDirectory('init.d', 'say')
  expect(await run(on, { ...resource('say', '', '1'), status }, 'stop')).toMatchObject({ result: 'failed' })
  on.close()
})

for (const text of ['could not stop it: still running', 'httpd: up\nmountd: stopped', 'the unit is not what it was, and running', '     Active: deactivating (stop-sigterm)\nworker 3 stopped, not running']) {
  test(`"${text.split('\n')[0]}" after a stop that failed is no word that it has stopped`, async () => {
    for (const directory of ['ha.d/resource.d', 'init.d'] as const) {
      const on = inDirectory(directory, 'say')
      expect(await run(on, { ...resource('say', text, '1'), status }, 'stop'), directory).toMatchObject({ result: 'failed' })
      on.close()
    }
  })
}

test('cancelled while it is asked, a script is not started', async () => {
  const on = inDirectory('ha.d/resource.d', 'hang')
  const outcome = run(on, { ...resource('hang'), status }, 'start', 60_000)
  await sleep(200)
  on.cancel(lastId)
  expect(await outcome).toEqual({ result: 'cancelled' })
  on.close()
})

test('a status that hangs is ended, and the script started all the same', async () => {
  const on = inDirectory('ha.d/resource.d', 'hang-status')
  expect(await run(on, { ...resource('hang-status'), status: { ...status, timeoutMs: 300 } }, 'start')).toEqual({ result: 'ok' })
  on.close()
})

test('what is looked for by Heartbeat comes before what is shipped, so that a pair goes on with its own scripts', () => {
  const byDefault = create()
  const found = byDefault.locate(resource('no-such-script-anywhere'))
  expect(found.kind === 'not-found' && found.tried).toEqual([
    '/etc/hactl/resource.d/no-such-script-anywhere', '/etc/ha.d/resource.d/no-such-script-anywhere',
    fileURLToPath(new URL('../../resources/no-such-script-anywhere', import.meta.url)), '/etc/init.d/no-such-script-anywhere',
  ])
  byDefault.close()
})
