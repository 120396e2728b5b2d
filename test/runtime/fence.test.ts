import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { FenceDevice } from '../../src/core/config.ts'
import { createFencer, type Fencer } from '../../src/runtime/fence.ts'
import { testWith } from '../lab/needs.ts'

const root = mkdtempSync(join(tmpdir(), 'hactl-fence-'))
const secret = 'correct-horse'
let directory = root
let notices: string[] = []
let count = 0
let fencer: Fencer | undefined

beforeEach(() => {
  count += 1
  directory = join(root, String(count))
  mkdirSync(directory)
  notices = []
})
afterEach(() => {
  fencer?.close()
  fencer = undefined
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const path = (name: string): string => join(directory, name)

/** A fence agent of the test: its standard input is kept in `NAME.input`, each call adds a line to `calls`. */
function agent(name: string, body: string): string {
  const lines = ['#!/bin/sh', `cd '${directory}'`, 'input=$(cat)', 'action=$(echo "$input" | sed -n "s/^action=//p")',
    `echo "$input" > ${name}.input`, `echo "${name} $action $* $(env | grep -c '${secret}')" >> calls`, body]
  writeFileSync(path(name), `${lines.join('\n')}\n`, { mode: 0o755 })
  return path(name)
}

const device = (program: string, parameters: Readonly<Record<string, string>> = {}): FenceDevice => ({ kind: 'fence-agent', agent: program, parameters })
const stonith = (type: string, rest: Partial<FenceDevice>): FenceDevice => ({ kind: 'stonith', agent: type, parameters: {}, ...rest })
const calls = (): string[] => (existsSync(path('calls')) ? readFileSync(path('calls'), 'utf8').trim().split('\n') : [])

function open(...levels: readonly FenceDevice[][]): Fencer {
  fencer = createFencer({ devices: { beta: levels }, outputDirectory: path('run'), onNotice: ({ message }) => notices.push(message) })
  return fencer
}

const obeys = 'case $action in status) test -e off && { echo "Status: OFF"; exit 2; }; echo "Status: ON";; off) touch off;; on) rm -f off;; esac; exit 0'

test('an agent gets its options on standard input alone, and its word counts when its status agrees', async () => {
  const result = await open([device(agent('fence_ok', obeys), { ip: '192.0.2.50', password: secret })]).run('beta', 0, 10_000)
  expect(result).toEqual({ result: 'confirmed', message: 'fence_ok off for beta succeeded; its status says that beta is off' })
  expect(calls()).toEqual(['fence_ok off  0', 'fence_ok status  0'])
  expect(readFileSync(path('fence_ok.input'), 'utf8')).toBe(`action=status\nip=192.0.2.50\npassword=${secret}\nnodename=beta\nplug=beta\n`)
  expect(readdirSync(path('run')), 'no input and no output stays behind').toEqual(['running'])
})

test('a plug or port of the configuration is not replaced', async () => {
  await open([device(agent('fence_ok', obeys), { port: '7', nodename: 'b' })]).run('beta', 0, 10_000)
  expect(readFileSync(path('fence_ok.input'), 'utf8')).toBe('action=status\nport=7\nnodename=b\n')
})

test('what others must not read may stand in a file of its own', async () => {
  writeFileSync(path('secrets'), `# of the management board\npasswd = ${secret}\n\nport=7\n`)
  const withFile = (file: string): FenceDevice => ({ ...device(agent('fence_ok', obeys), { ip: '192.0.2.50' }), parameterFile: path(file) })
  expect(await open([withFile('secrets')]).run('beta', 0, 10_000)).toMatchObject({ result: 'confirmed' })
  expect(readFileSync(path('fence_ok.input'), 'utf8')).toBe(`action=status\nip=192.0.2.50\npasswd=${secret}\nport=7\nnodename=beta\n`)
  expect((await open([withFile('none')]).run('beta', 0, 10_000)).message).toMatch(/^fence_ok off for beta: its parameter file cannot be read: ENOENT/)
})

test('an agent that says off while its status says on has confirmed nothing', async () => {
  const result = await open([device(agent('fence_liar', 'test $action = status && echo "Status: ON"; exit 0'))]).run('beta', 0, 10_000)
  expect(result).toMatchObject({ result: 'failed', message: expect.stringContaining('its status says afterwards that beta is on') as string })
})

test('action: reboot is a reset, whose status nobody asks for', async () => {
  const result = await open([device(agent('fence_ok', obeys), { action: 'reboot' })]).run('beta', 0, 10_000)
  expect(result.result).toBe('confirmed')
  expect(calls()).toEqual(['fence_ok reboot  0'])
})

test('a failure is told with the agent\'s words and without its secrets', async () => {
  const result = await open([device(agent('fence_bad', `echo "login with ${secret} refused" >&2; exit 1`), { passwd: secret })]).run('beta', 0, 10_000)
  expect(result).toEqual({ result: 'failed', message: 'fence_bad off for beta failed with exit code 1, saying: login with *** refused' })
})

test('all devices of a level must confirm, each by off; those that reboot are switched on again afterwards', async () => {
  const one = agent('fence_one', obeys)
  const other = agent('fence_other', obeys)
  const result = await open([device(one, { action: 'reboot' }), device(other)]).run('beta', 0, 10_000)
  expect(result.result).toBe('confirmed')
  expect(calls().slice(0, 4)).toEqual(['fence_one off  0', 'fence_one status  0', 'fence_other off  0', 'fence_other status  0'])
  await expect.poll(calls, { timeout: 5_000 }).toContain('fence_one on  0')
  expect(calls()).not.toContain('fence_other on  0')
})

test('one device that fails makes its level fail; another level is another attempt', async () => {
  const levels = open([device(agent('fence_ok', obeys)), device(agent('fence_bad', 'exit 1'))], [device(agent('fence_last', obeys))])
  expect(await levels.run('beta', 0, 10_000)).toMatchObject({ result: 'failed' })
  expect(await levels.run('beta', 1, 10_000)).toMatchObject({ result: 'confirmed' })
  expect(await levels.run('beta', 2, 10_000)).toEqual({ result: 'failed', message: 'no fencing device is configured for beta at level 3' })
})

test('an agent that hangs is ended with all that it started', async () => {
  const body = 'sleep 1000 & echo $! > child; trap "" TERM; while :; do sleep 0.1; done'
  const result = await open([device(agent('fence_slow', body))]).run('beta', 0, 300)
  expect(result).toMatchObject({ result: 'timed-out', message: expect.stringMatching(/^fence_slow off for beta was not done after 0\.3 s and was ended/) as string })
  const child = Number(readFileSync(path('child'), 'utf8'))
  await expect.poll(() => existsSync(`/proc/${child}/stat`) ? readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]?.charAt(0) ?? '' : 'Z', { timeout: 5_000 }).toBe('Z')
})

test('closing ends what runs', async () => {
  const running = open([device(agent('fence_slow', 'sleep 1000'))]).run('beta', 0, 60_000)
  await expect.poll(calls, { timeout: 5_000 }).toHaveLength(1)
  fencer?.close()
  expect(await running).toMatchObject({ result: 'failed', message: 'fence_slow off for beta was ended because this daemon ends' })
})

test('a program that is not there says what to install; a parameter that cannot be passed is named', async () => {
  expect(await open([device('fence_of_nobody')]).run('beta', 0, 1_000)).toEqual({
    result: 'failed', message: 'fence_of_nobody is not on this host or cannot be executed; type: apt-get install fence-agents',
  })
  const odd = await open([device(agent('fence_ok', obeys), { password: `a\naction=on` })]).run('beta', 0, 1_000)
  expect(odd.message).toContain('the parameter "password" cannot be passed')
  expect(calls()).toEqual([])
})

test('a test asks monitor and status, and never switches', async () => {
  const fence = open([device(agent('fence_ok', obeys)), device(agent('fence_bad', 'exit 1'))])
  expect(await fence.test('beta', 0, 5_000)).toEqual([
    { device: 'fence_ok', result: 'ok', message: 'fence_ok answers: beta is on' },
    { device: 'fence_bad', result: 'failed', message: 'fence_bad monitor for beta failed with exit code 1, and it said nothing' },
  ])
  expect(calls()).toEqual(['fence_ok monitor  0', 'fence_ok status  0', 'fence_bad monitor  0'])
})

testWith(['fence_dummy'], 'the real fence_dummy: off is confirmed by its status file, a test switches nothing', async () => {
  const fence = open([device('fence_dummy', { status_file: path('power') })], [device('fence_dummy', { type: 'fail', power_timeout: '1' })])
  writeFileSync(path('power'), 'on')
  expect(await fence.test('beta', 0, 10_000)).toEqual([{ device: 'fence_dummy', result: 'ok', message: 'fence_dummy answers: beta is on' }])
  expect(readFileSync(path('power'), 'utf8')).toBe('on')
  expect(await fence.run('beta', 0, 20_000)).toMatchObject({ result: 'confirmed', message: expect.stringContaining('its status says that beta is off') as string })
  expect(readFileSync(path('power'), 'utf8')).toBe('off')
  expect(await fence.run('beta', 1, 20_000)).toMatchObject({ result: 'failed' })
})

testWith(['stonith'], 'cluster-glue: parameters by name, as words and from a file; only a device that controls the node is believed', async () => {
  writeFileSync(path('hosts'), '# a comment\nalpha beta\n')
  const fence = open([stonith('null', { parameters: { hostlist: 'alpha beta' } })], [stonith('null', { words: ['beta'] })],
    [stonith('null', { parameterFile: path('hosts') })], [stonith('null', { parameters: { hostlist: 'alpha gamma' } })])
  for (const level of [0, 1, 2]) {
    expect(await fence.run('beta', level, 10_000)).toEqual({ result: 'confirmed', message: 'stonith null reset for beta succeeded' })
    expect(await fence.test('beta', level, 10_000)).toEqual([{ device: 'stonith null', result: 'ok', message: 'stonith null answers and controls beta' }])
  }
  const stranger = { result: 'failed', message: 'stonith null does not control beta: its hosts are alpha, gamma' }
  expect(await fence.run('beta', 3, 10_000)).toEqual(stranger)
  expect(await fence.test('beta', 3, 10_000)).toEqual([{ device: 'stonith null', ...stranger }])
})

testWith(['stonith'], 'cluster-glue: a plugin that is not there, a parameter too few, one too many, and a device that is out of reach', async () => {
  const ipmi = { hostname: 'beta', ipaddr: '127.0.0.1', userid: 'root', passwd: secret, interface: 'lan' }
  const fence = open([stonith('external/nobody', {})], [stonith('null', {})], [stonith('null', { parameters: { hostlist: 'beta', volume: '11' } })],
    [stonith('external/ipmi', { parameters: ipmi })], [stonith('external/ipmi', { parameters: { ...ipmi, userid: 'two words' } })])
  const said = await Promise.all([0, 1, 2, 3, 4].map(async (level) => (await fence.run('beta', level, 10_000)).message))
  expect(said).toEqual([
    'stonith knows no device type external/nobody, or it lacks a program here; type: stonith -L; stonith -t external/nobody -n',
    'stonith null -l for beta: it needs the parameter hostlist; type: stonith -t null -h',
    'stonith null -l for beta: it has no parameter volume; type: stonith -t null -h',
    expect.stringMatching(/^stonith external\/ipmi reset for beta failed with exit code 5, saying: .*ipmitool/),
    'stonith external/ipmi -l for beta: the value of userid has blanks, which stonith takes for its end; type: stonith -t external/ipmi -h',
  ])
  expect(said.join()).not.toContain(secret)
})

test('a program that an earlier daemon left running is ended by the next one', async () => {
  const running = open([device(agent('fence_slow', 'sleep 1000'))]).run('beta', 0, 60_000)
  await expect.poll(calls, { timeout: 5_000 }).toHaveLength(1)
  const [note = ''] = readdirSync(path('run/running'))
  const file = join(path('run/running'), note)
  // As if another daemon, which is gone, had written it: the third line names the writer.
  writeFileSync(file, readFileSync(file, 'utf8').split('\n').map((line, index) => (index === 2 ? '99999999 1' : line)).join('\n'))
  const next = createFencer({ devices: {}, outputDirectory: path('run'), onNotice: () => undefined })
  expect(await next.endEarlier()).toEqual([expect.stringMatching(/^fence_slow off for beta \(pid \d+\) of an earlier daemon was still running and was ended/)])
  next.close()
  expect(await running).toMatchObject({ result: 'failed' })
})
