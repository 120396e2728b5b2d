import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { EventRecord } from '../../src/core/records.ts'
import { callDaemon } from '../../src/runtime/control-client.ts'
import { openControl, type ControlHandlers, type ControlServer } from '../../src/runtime/control-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'hactl-control-'))
const open: ControlServer[] = []
let count = 0

afterEach(async () => {
  for (const server of open.splice(0)) await server.close(0)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function newPath(): string {
  count += 1
  return join(directory, `${count}.sock`)
}

const echo: ControlHandlers = { request: (request, reply) => reply.result(request) }

async function listen(handlers: ControlHandlers = echo, path = newPath(), options = {}): Promise<string> {
  open.push(await openControl(path, handlers, options))
  return path
}

/** Everything the daemon writes to a client that sends `bytes` and then waits. */
async function sendRaw(path: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(path)
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

const record: EventRecord = { wallMs: 1, nowMs: 2, level: 'info', code: 'group-held', message: 'held' }

test('a request comes whole to the daemon and its result to the client', async () => {
  const path = await listen()
  const request = { command: 'admin', admin: { type: 'takeover', target: { group: 'web' }, force: true, timeoutMs: 60_000 } } as const
  expect(await callDaemon(path, request)).toEqual({ ok: true, result: request })
})

test('progress and records come in order before the result', async () => {
  const seen: string[] = []
  const path = await listen({
    request(_request, reply) {
      for (let index = 0; index < 100; index += 1) reply.progress({ message: `step ${index}` })
      reply.record(record)
      reply.result({ done: true })
      reply.progress({ message: 'too late' })
    },
  })
  const answer = await callDaemon(path, { command: 'reload' }, {
    onProgress: ({ message }) => seen.push(message),
    onRecord: ({ code }) => seen.push(code),
  })
  expect(answer).toEqual({ ok: true, result: { done: true } })
  expect(seen).toHaveLength(101)
  expect(seen.at(0)).toBe('step 0')
  expect(seen.at(-1)).toBe('group-held')
})

test('an error of the daemon keeps its code', async () => {
  const path = await listen({ request: (_request, reply) => reply.error('unknown-group', 'there is no group web') })
  expect(await callDaemon(path, { command: 'why', group: 'web' }))
    .toEqual({ ok: false, error: { code: 'unknown-group', message: 'there is no group web' } })
})

test('following goes on until the caller stops, and the daemon hears of it', async () => {
  let closed = 0
  const path = await listen({
    request(_request, reply) {
      const timer = setInterval(() => reply.record(record), 5)
      reply.onClose(() => { clearInterval(timer); closed += 1 })
    },
  })
  const stop = new AbortController()
  let records = 0
  const answer = await callDaemon(path, { command: 'events', follow: true, limit: 0 }, {
    silenceLimitMs: 0,
    signal: stop.signal,
    onRecord: () => { records += 1; if (records === 5) stop.abort() },
  })
  expect(answer).toMatchObject({ ok: false, error: { code: 'aborted' } })
  await expect.poll(() => closed).toBe(1)
})

test('a silent follower that goes away is noticed without any record to write', async () => {
  let closed = 0
  const path = await listen({ request: (_request, reply) => reply.onClose(() => { closed += 1 }) })
  const socket = connect(path)
  socket.write('{"version":1,"command":"events","follow":true}\n')
  await sleep(50)
  socket.destroy()
  await expect.poll(() => closed).toBe(1)
})

test('no socket: no-daemon, with the path and what to type', async () => {
  const path = newPath()
  const answer = await callDaemon(path, { command: 'status' })
  expect(answer).toMatchObject({ ok: false, error: { code: 'no-daemon' } })
  expect(JSON.stringify(answer)).toContain(path)
  expect(JSON.stringify(answer)).toContain('systemctl status hactl')
})

test('a daemon that takes connections and says nothing: no-answer in bounded time', async () => {
  const path = newPath()
  const server = createServer(() => undefined).listen(path)
  await once(server, 'listening')
  expect(await callDaemon(path, { command: 'status' }, { silenceLimitMs: 100 })).toMatchObject({ ok: false, error: { code: 'no-answer' } })
  server.close()
})

const broken = [['text', 'hello\n'], ['half a line', '{"result":'], ['nothing', ''], ['a foreign object', '{"a":1}\n']] as const
for (const [title, answerText] of broken) {
  test(`a daemon that answers ${title}: broken-answer`, async () => {
    const path = newPath()
    const server = createServer((socket) => { socket.on('error', () => undefined); socket.end(answerText) }).listen(path)
    await once(server, 'listening')
    expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: false, error: { code: 'broken-answer' } })
    server.close()
  })
}

test('the socket is for owner and group only', async () => {
  const path = await listen()
  expect((statSync(path).mode & 0o777).toString(8)).toBe('660')
})

test.skipIf(process.getuid?.() !== 0)('a user without permission gets no-permission', async () => {
  const path = await listen()
  chmodSync(directory, 0o755)
  // As nobody, in a process of its own: root may connect to anything.
  const child = spawn(process.execPath, ['-e', `
    process.setgid(65534); process.setgroups([]); process.setuid(65534)
    require('node:net').connect(${JSON.stringify(path)})
      .on('error', (error) => console.log(error.code)).on('connect', () => process.exit(1))
  `])
  let code = ''
  child.stdout.on('data', (chunk: Buffer) => { code += chunk.toString() })
  await once(child, 'close')
  expect(code.trim()).toBe('EACCES')
})

test('the socket of a dead daemon is replaced', async () => {
  const path = newPath()
  const listening = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', listening])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(statSync(path).isSocket()).toBe(true)
  await listen(echo, path)
  expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: true })
})

test('the socket of a living daemon is left to it, and its pid is said', async () => {
  const path = await listen()
  await expect(openControl(path, echo)).rejects.toThrow(new RegExp(`pid ${process.pid}.*systemctl stop hactl`))
  expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: true })
})

test('a file that is no socket is left alone', async () => {
  const path = newPath()
  writeFileSync(path, 'precious')
  await expect(openControl(path, echo)).rejects.toThrow('is no socket')
  expect(statSync(path).size).toBe(8)
})

test('a path that the kernel cannot hold is named with its length', async () => {
  await expect(openControl(join(directory, 'x'.repeat(120)), echo)).rejects.toThrow(/has \d+ bytes, the kernel takes 107/)
})

test('closing removes the socket', async () => {
  const path = newPath()
  const server = await openControl(path, echo)
  await server.close()
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
})

const hostile: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['no JSON', 'status\n', /bad-request.*not JSON/],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x0a]), /bad-request/],
  ['another version', '{"version":2,"command":"status"}\n', /version 2 is not understood/],
  ['no command', '{"version":1}\n', /command missing is not known/],
  ['an unknown command', '{"version":1,"command":"reboot"}\n', /reboot.*status, events/],
  ['a command of the prototype', '{"version":1,"command":"__proto__"}\n', /is not known/],
  ['a wrong scope', '{"version":1,"command":"admin","admin":{"type":"standby","scope":"no","once":false,"timeoutMs":1}}\n', /admin.scope/],
  ['no timeout', '{"version":1,"command":"admin","admin":{"type":"online"}}\n', /admin.timeoutMs.*missing/],
  ['an endless timeout', '{"version":1,"command":"admin","admin":{"type":"online","timeoutMs":1e300}}\n', /admin.timeoutMs/],
  ['a negative limit', '{"version":1,"command":"events","limit":-1}\n', /limit/],
  ['a line too long', `{"version":1,"command":"${'x'.repeat(70_000)}"}\n`, /bad-request.*longer than 65536/],
  ['a long line without end', 'x'.repeat(200_000), /longer than 65536/],
]

for (const [title, bytes, want] of hostile) {
  test(`a client that sends ${title} gets a sentence, and the daemon goes on`, async () => {
    let calls = 0
    const path = await listen({ request: (request, reply) => { calls += 1; reply.result(request) } })
    expect(await sendRaw(path, bytes)).toMatch(want)
    expect(calls).toBe(0)
    expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: true })
  })
}

test('a client that sends no whole line is sent away', async () => {
  const path = await listen(echo, newPath(), { requestLimitMs: 100 })
  expect(await sendRaw(path, '{"version":1,')).toContain('no whole request line came within 0.1 s')
})

test('a client that never reads is dropped, and others are served meanwhile', async () => {
  let closed = false
  const text = 'x'.repeat(100_000)
  const path = await listen({
    request(request, reply) {
      if (request.command !== 'events') return reply.result({})
      reply.onClose(() => { closed = true })
      for (let index = 0; index < 200; index += 1) reply.record({ ...record, message: text })
    },
  })
  const socket = connect(path)
  socket.on('error', () => undefined)
  socket.write('{"version":1,"command":"events","follow":true}\n')
  expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: true })
  await expect.poll(() => closed).toBe(true)
  socket.destroy()
})

test('more clients than the limit are told so, and the first ones are still served', async () => {
  const path = await listen(echo, newPath(), { clientLimit: 3 })
  const idle = [connect(path), connect(path), connect(path)]
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: false, error: { code: 'busy' } })
  const first = idle[0]!
  first.write('{"version":1,"command":"status"}\n')
  const [line] = (await once(first, 'data')) as [Buffer]
  expect(line.toString()).toContain('result')
  for (const socket of idle) socket.destroy()
})

test('a mistake in the daemon itself is told to the client and does not end the daemon', async () => {
  const troubles: string[] = []
  const path = await listen({ request() { throw new Error('boom') }, trouble: (message) => troubles.push(message) })
  expect(await callDaemon(path, { command: 'status' })).toMatchObject({ ok: false, error: { code: 'internal' } })
  expect(troubles.join()).toContain('boom')
})

test('fifty clients at once are all answered', async () => {
  const path = await listen()
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => callDaemon(path, { command: 'why', group: `g${index}` })))
  answers.forEach((answer, index) => expect(answer).toEqual({ ok: true, result: { command: 'why', group: `g${index}` } }))
})
