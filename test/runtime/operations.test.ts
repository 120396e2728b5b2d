import { once } from 'node:events'
import {
  chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { ResourceConfig } from '../../src/core/config.ts'
import type { Action, Outcome } from '../../src/core/events.ts'
import { bundle, outputOf, start } from '../fixtures/bundled-program.ts'
import { createOperations, type Notice, type Operations, type OperationsOptions } from '../../src/runtime/operations.ts'
import type { ScriptLogging } from '../../src/runtime/script-environment.ts'

const scripts = fileURLToPath(new URL('../fixtures/scripts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'hactl-operations-'))
const outputDirectory = join(directory, 'output')
const notices: Notice[] = []
let lastId = 0

function create(options: Partial<OperationsOptions> = {}): Operations {
  return createOperations({
    nodeName: 'alpha',
    peerName: 'beta',
    environment: { SITE: 'east' },
    resourceDirectories: [scripts],
    outputDirectory,
    onNotice: (notice) => notices.push(notice),
    ...options,
  })
}

const operations = create()

afterAll(() => {
  operations.close()
  rmSync(directory, { recursive: true, force: true })
})

function resource(script: string, ...args: string[]): ResourceConfig {
  return { script, args, warm: false, startTimeoutMs: 1_000, stopTimeoutMs: 1_000 }
}

function run(what: ResourceConfig, action: Action, timeoutMs = 20_000, on = operations): Promise<Outcome> {
  lastId += 1
  return on.run({ operationId: lastId, group: 'web', resource: what, action, timeoutMs })
}

function file(name: string): string {
  lastId += 1
  return join(directory, `${lastId}.${name}`)
}

function pidsIn(path: string): number[] {
  return readFileSync(path, 'utf8').trim().split('\n').map(Number)
}

/** A zombie that this machine's init does not collect is dead all the same. */
function isAlive(pid: number): boolean {
  const text = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') X'
  return !/\) [ZX]/.test(text)
}

test('start, stop and status of a sound script', async () => {
  const what = resource('well', file('well'))
  expect(await run(what, 'status')).toEqual({ result: 'not-running' })
  expect(await run(what, 'start')).toEqual({ result: 'ok' })
  expect(await run(what, 'status')).toEqual({ result: 'ok' })
  expect(await run(what, 'stop')).toEqual({ result: 'ok' })
  expect(await run(what, 'status')).toEqual({ result: 'not-running' })
})

test('words are data: no shell looks at them, the action comes last', async () => {
  const out = file('call')
  const words = ['a b', '$(touch /tmp/never)', '; reboot', '*', '"', 'ä', '']
  expect(await run(resource('show-call', out, ...words), 'start')).toEqual({ result: 'ok' })
  const lines = readFileSync(out, 'utf8').split('\n').filter((line) => line.startsWith('word '))
  expect(lines).toEqual([out, ...words, 'start'].map((word) => `word ${word}`))
})

test('the environment is the contract, and nothing of the service manager leaks into it', async () => {
  const out = file('call')
  process.env['NOTIFY_SOCKET'] = '/run/nowhere'
  try {
    await run({ ...resource('show-call', out), parameters: { COLOUR: 'blue' } }, 'status')
  } finally {
    delete process.env['NOTIFY_SOCKET']
  }
  const text = readFileSync(out, 'utf8')
  for (const line of [
    'HACTL_NODE=alpha', 'HACTL_PEER=beta', 'HACTL_GROUP=web', 'HACTL_ACTION=status', `HACTL_RESOURCE=show-call::${out}`,
    'HA_CURHOST=alpha', 'HA_DIR=/etc/ha.d', 'HA_FUNCS=/etc/ha.d/shellfuncs', 'HA_SITE=east', 'OCF_ROOT=/usr/lib/ocf',
    'HA_RESOURCEDIR=/etc/ha.d/resource.d', 'HA_DATEFMT=%Y/%m/%d_%T\t', 'OCF_AGENTS=/usr/lib/ocf/resource.d',
    'LC_ALL=C', 'COLOUR=blue', 'directory /', 'input 0',
  ]) expect(text.split('\n')).toContain(line)
  expect(text).toMatch(/^PATH=.*\/usr\/sbin.*\/sbin/m)
  expect(text).not.toContain('NOTIFY_SOCKET')
})

test('logging is set for scripts as Heartbeat sets it', async () => {
  const variablesFor = async (logging: ScriptLogging): Promise<Record<string, string>> => {
    const on = create({ logging })
    const out = file('call')
    await run(resource('show-call', out), 'start', 20_000, on)
    on.close()
    const pairs = readFileSync(out, 'utf8').split('\n').filter((line) => /^HA_(LOG|DEBUG|debug)/.test(line)).map((line) => line.split('=', 2) as [string, string])
    return Object.fromEntries(pairs)
  }
  const nothing = { HA_LOGFILE: '', HA_DEBUGLOG: '/dev/null', HA_LOGFACILITY: 'daemon', HA_LOGD: 'no', HA_debug: '0' }
  expect(await variablesFor({ debugLevel: 0 })).toEqual(nothing)
  expect(await variablesFor({ debugLevel: 1, logFile: '/var/log/ha-log', scriptLog: { debugFile: '/var/log/ha-debug', facility: 'local0', logd: false } }))
    .toEqual({ HA_LOGFILE: '/var/log/ha-log', HA_DEBUGLOG: '/var/log/ha-debug', HA_LOGFACILITY: 'local0', HA_LOGD: 'no', HA_debug: '1' })
  const { HA_LOGFACILITY: _, ...without } = nothing
  expect(await variablesFor({ debugLevel: 0, logFile: '/l' })).toEqual({ ...without, HA_LOGFILE: '/l' })
  expect(await variablesFor({ debugLevel: 0, scriptLog: { logd: true } })).toEqual({ ...without, HA_LOGD: 'yes' })
  expect(await variablesFor({ debugLevel: 0, scriptLog: { facility: 'none', logd: false } })).toEqual({ ...nothing, HA_LOGFACILITY: '' })
  expect(await variablesFor({ debugLevel: 0, logFile: '/l', scriptLog: { facility: 'none', logd: false } })).toEqual({ ...nothing, HA_LOGFILE: '/l', HA_LOGFACILITY: 'none' })
})

const refusals: readonly (readonly [string, ResourceConfig, readonly (string | RegExp)[]])[] = [
  ['missing', resource('nowhere'), ['no resource script nowhere', join(scripts, 'nowhere')]],
  ['not executable', resource('not-executable'), [`type: chmod 755 ${join(scripts, 'not-executable')}`]],
  ['a directory', resource('directory'), [`${join(scripts, 'directory')} is a directory`]],
  ['with an interpreter that is not there', resource('bad-interpreter'), ['"/nonexistent/interpreter"', /type: head -1 .*bad-interpreter/]],
  ['a path out of the directories', resource('../scripts/well'), ['is no file name']],
  [
    'whose OCF agent is missing', resource('ocf:heartbeat:NoSuchAgent'),
    ['/usr/lib/ocf/resource.d/heartbeat/NoSuchAgent', 'apt-get install resource-agents'],
  ],
  ['that names no OCF agent', resource('ocf:heartbeat:../../x'), ['is no OCF agent']],
  ["of Heartbeat's OCF form without its script", resource('OCF', 'Filesystem', 'data'), ['ocf:heartbeat:Filesystem']],
]

for (const [title, what, wanted] of refusals) {
  test(`a script ${title}: not runnable, and the message says what to do`, async () => {
    const outcome = await run(what, 'start')
    expect(outcome.result).toBe('not-runnable')
    const message = 'message' in outcome ? outcome.message : ''
    for (const part of wanted) expect(message).toMatch(part)
  })
}

test('a script with carriage returns: the message shows them', async () => {
  const path = join(directory, 'carriage-return')
  writeFileSync(path, '#!/bin/sh\r\nexit 0\r\n', { mode: 0o755 })
  expect(await run(resource(path), 'start'))
    .toMatchObject({ result: 'not-runnable', message: expect.stringContaining(String.raw`"/bin/sh\r"`) })
})

test('a zero byte in a word: failed, not a throw', async () => {
  expect(await run(resource('well', 'a\0b'), 'start')).toMatchObject({ result: 'failed', message: expect.stringContaining('well') })
})

test('a file that is no program: failed, not a hang or a throw', async () => {
  const outcome = await run(resource('not-a-program'), 'start')
  expect(outcome).toMatchObject({ result: 'failed', message: expect.stringContaining('not-a-program') })
})

test('an unreadable place on the way does not hide the next directory', async () => {
  const loop = join(directory, 'loop')
  symlinkSync(loop, loop)
  const on = create({ resourceDirectories: [join(scripts, 'well', 'below-a-file'), loop, scripts] })
  expect(on.locate(resource('well'))).toEqual({ kind: 'lsb', path: join(scripts, 'well') })
  on.close()
})

test('the first directory that has the script wins', () => {
  const first = join(directory, 'first')
  mkdirSync(first)
  writeFileSync(join(first, 'well'), '#!/bin/sh\n', { mode: 0o755 })
  const on = create({ resourceDirectories: [first, scripts] })
  expect(on.locate(resource('well'))).toEqual({ kind: 'lsb', path: join(first, 'well') })
  on.close()
})

test('a failing script: exit code, what LSB means by it, the end of its output', async () => {
  const outcome = await run(resource('exit-code', '5'), 'start')
  expect(outcome).toEqual({
    result: 'failed',
    exitCode: 5,
    message: `${join(scripts, 'exit-code')} start failed with exit code 5 (program not installed), ` +
      'saying: first line of output | the last word on it',
  })
})

const lsb: readonly (readonly [Action, number, Outcome['result']])[] = [
  ['start', 0, 'ok'], ['start', 1, 'failed'], ['start', 3, 'failed'], ['stop', 0, 'ok'], ['stop', 3, 'failed'], ['stop', 7, 'failed'],
  ['status', 0, 'ok'], ['status', 3, 'not-running'],
  ['status', 1, 'failed'], ['status', 2, 'failed'], ['status', 4, 'failed'], ['status', 150, 'failed'],
]
for (const [action, code, result] of lsb) {
  test(`LSB: ${action} with exit code ${code} is ${result}`, async () => {
    expect(await run(resource('exit-code', String(code)), action)).toMatchObject({ result })
  })
}

test('a hanging script is ended at its timeout, and the message says so', async () => {
  const beganMs = Date.now()
  const outcome = await run(resource('hang'), 'start', 200)
  expect(outcome)
    .toMatchObject({ result: 'timed-out', message: expect.stringMatching(/hang start was not done after 0.2 s.*waiting for something/) })
  expect(Date.now() - beganMs).toBeLessThan(5_000)
})

for (const name of ['ignore-term', 'leave-children']) {
  test(`TERM-proof processes of ${name} are all ended by KILL`, async () => {
    const out = file('pids')
    const outcome = await run(resource(name, out), 'stop', 500)
    expect(outcome.result).toBe('timed-out')
    const pids = pidsIn(out)
    expect(pids.length).toBeGreaterThanOrEqual(2)
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([])
  })
}

test('cancel ends the whole group and answers cancelled', async () => {
  const out = file('pids')
  const outcome = run(resource('ignore-term', out), 'start', 60_000)
  await expect.poll(() => existsSync(out) && pidsIn(out).length, { timeout: 5_000 }).toBe(4)
  operations.cancel(lastId)
  expect(await outcome).toEqual({ result: 'cancelled' })
  await expect.poll(() => pidsIn(out).filter(isAlive)).toEqual([])
})

test('cancelAll ends every operation', async () => {
  const all = [run(resource('hang', '1'), 'start'), run(resource('hang', '2'), 'start')]
  operations.cancelAll()
  expect(await Promise.all(all)).toEqual([{ result: 'cancelled' }, { result: 'cancelled' }])
})

test('cancelling what is not running does nothing', () => operations.cancel(999_999))

test('a script killed by a signal: failed with the name of the signal', async () => {
  expect(await run(resource('kill-itself'), 'start'))
    .toMatchObject({ result: 'failed', message: expect.stringMatching(/killed by SIGSEGV.*about to go/) })
})

test('a daemon that keeps the output open neither delays the outcome nor dies with it, and its file stays small', async () => {
  const what = resource('start-daemon', file('daemon'))
  const beganMs = Date.now()
  expect(await run(what, 'start')).toEqual({ result: 'ok' })
  expect(Date.now() - beganMs).toBeLessThan(3_000)
  await expect.poll(() => existsSync(what.args[0]!)).toBe(true)
  const [pid] = pidsIn(what.args[0]!) as [number]
  await sleep(200)
  expect(isAlive(pid)).toBe(true)
  expect(await run(what, 'stop')).toEqual({ result: 'ok' })
  await expect.poll(() => isAlive(pid)).toBe(false)
})

test('a flood of output: the script is not blocked, the file stays bounded, its end is told, the cut is noticed', async () => {
  notices.length = 0
  const done = run(resource('flood', '512'), 'start')
  const name = readdirSync(outputDirectory).find((entry) => entry.startsWith('alpha.web.flood'))!
  let largest = 0
  const watch = setInterval(() => { largest = Math.max(largest, statSync(join(outputDirectory, name)).size) }, 1)
  const outcome = await done
  clearInterval(watch)
  expect(outcome).toMatchObject({ result: 'failed', exitCode: 1, message: expect.stringContaining('the end of the flood') })
  expect((outcome as { message: string }).message.length).toBeLessThan(1_000)
  expect(notices.filter(({ code }) => code === 'script-output-cut')).toHaveLength(1)
  // 512 MiB went through it; what a script writes between two looks is the machine's speed, so the bound is wide.
  expect(largest).toBeLessThan(256 * 1024 * 1024)
  expect(statSync(join(outputDirectory, name)).size).toBeLessThanOrEqual(256 * 1024)
})

test('control characters and colours of a script reach no log', async () => {
  expect(await run(resource('colours'), 'start')).toMatchObject({ message: expect.stringMatching(/saying: red and bell \| last$/) })
})

test('a file that a left-behind daemon fills is emptied after a while', async () => {
  const path = join(outputDirectory, 'left-behind')
  writeFileSync(path, Buffer.alloc(1024 * 1024))
  await expect.poll(() => statSync(path).size, { timeout: 15_000 }).toBe(0)
})

test('output of an earlier run is not taken for that of a later one', async () => {
  await run(resource('exit-code', '1'), 'start')
  const outcome = await run(resource('exit-code', '1'), 'start')
  expect((outcome as { message: string }).message.match(/first line of output/g)).toHaveLength(1)
})

test('the same operation twice at once keeps the outputs apart', async () => {
  const outcomes = await Promise.all([1, 2, 3].map(() => run(resource('exit-code', '4'), 'status')))
  for (const outcome of outcomes) {
    expect((outcome as { message: string }).message).toMatch(/saying: first line of output \| the last word on it$/)
  }
})

test('no place for output: the script runs all the same, and it is noticed', async () => {
  notices.length = 0
  const blocked = file('a-file')
  writeFileSync(blocked, '')
  const on = create({ outputDirectory: join(blocked, 'below') })
  expect(await run(resource('exit-code', '0'), 'start', 20_000, on)).toEqual({ result: 'ok' })
  expect(notices.map(({ message }) => message).join()).toContain('cannot be kept')
  on.close()
})

test('an OCF agent gets its parameters and is judged by the OCF codes', async () => {
  const ocfDirectory = join(directory, 'ocf')
  mkdirSync(join(ocfDirectory, 'resource.d/heartbeat'), { recursive: true })
  const agent = join(ocfDirectory, 'resource.d/heartbeat/Probe')
  const out = file('ocf')
  writeFileSync(agent, [
    '#!/bin/sh', `env > '${out}'`, `echo "$1" >> '${out}'`,
    'echo "ocf-exit-reason:disk $OCF_RESKEY_device is gone" >&2', 'echo noise', 'exit "$OCF_RESKEY_code"', '',
  ].join('\n'))
  chmodSync(agent, 0o755)
  const on = create({ ocfDirectory })
  const plain = resource('ocf:heartbeat:Probe', 'device=/dev/x=y')
  const probe = (code: number): ResourceConfig => ({ ...plain, parameters: { code: String(code) } })
  expect(await run(probe(0), 'status', 20_000, on)).toEqual({ result: 'ok' })
  const lines = readFileSync(out, 'utf8').split('\n')
  for (const line of [
    'OCF_RESKEY_device=/dev/x=y', 'OCF_RESKEY_code=0', `OCF_ROOT=${ocfDirectory}`, 'OCF_RESOURCE_PROVIDER=heartbeat', 'monitor',
  ]) expect(lines).toContain(line)
  expect(await run(probe(7), 'status', 20_000, on)).toEqual({ result: 'not-running' })
  expect(await run(probe(8), 'status', 20_000, on)).toEqual({ result: 'ok' })
  expect(await run(probe(7), 'stop', 20_000, on)).toMatchObject({ result: 'failed', exitCode: 7 })
  expect(await run(probe(1), 'start', 20_000, on)).toMatchObject({ result: 'failed', exitCode: 1 })
  // It looked, found a program missing, and has started nothing.
  expect(await run(probe(5), 'start', 20_000, on)).toEqual({
    result: 'not-runnable',
    message: `${agent} start failed with exit code 5 (a program it needs is not installed), saying: disk /dev/x=y is gone`,
  })
  on.close()
})

test.skipIf(existsSync('/run/systemd/system'))('a unit on a host that systemd does not run: not runnable, and why', async () => {
  expect(await run(resource('systemd:cron'), 'status'))
    .toMatchObject({ result: 'not-runnable', message: expect.stringContaining('systemd does not run this host') })
})

test('a script that a killed daemon left running is found and ended by the next one; a finished one is let be', async () => {
  const pids = file('pids')
  const output = join(directory, 'output-of-killed')
  const program = bundle('operations')
  const child = start(program, [scripts, output, 'ignore-term', pids])
  await expect.poll(() => existsSync(pids) && pidsIn(pids).length, { timeout: 10_000 }).toBe(4)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(pidsIn(pids).filter(isAlive)).toHaveLength(4)

  const finished = await outputOf(start(program, [scripts, output, 'exit-code', '0']))
  expect(finished.stdout).toContain('"result":"ok"')
  // A note of a process number that someone else has by now must harm nobody.
  writeFileSync(join(output, 'running', String(process.pid)), `another-boot\n${process.pid} 1\n1 1\n/etc/init.d/x start\n`)
  const next = create({ outputDirectory: output })
  const said = await next.endEarlier()
  expect(said).toHaveLength(1)
  expect(said[0]).toMatch(/ignore-term .* start \(pid \d+\) of an earlier daemon was still running and was ended/)
  await expect.poll(() => pidsIn(pids).filter(isAlive)).toEqual([])
  expect(await next.endEarlier()).toEqual([])
  next.close()
})

test('scripts of another living daemon that shares the directory are let be', async () => {
  const output = join(directory, 'output-shared')
  const child = start(bundle('operations'), [scripts, output, 'hang'])
  const running = join(output, 'running')
  const noted = (): readonly number[] => (existsSync(running) ? readdirSync(running).map(Number).filter((one) => one > 0) : [])
  await expect.poll(() => noted().length, { timeout: 10_000 }).toBe(1)
  const [pid] = noted() as [number]
  const other = create({ outputDirectory: output })
  expect(await other.endEarlier()).toEqual([])
  expect(isAlive(pid)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(await other.endEarlier()).toHaveLength(1)
  await expect.poll(() => isAlive(pid)).toBe(false)
  other.close()
})

test('hundred status runs at once all answer, and no descriptor is left open', async () => {
  const before = readdirSync('/proc/self/fd').length
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => run(resource('exit-code', '3', String(index)), 'status')))
  expect(outcomes).toEqual(Array.from({ length: 100 }, () => ({ result: 'not-running' })))
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2)
})
