/** `hactl decode` as typed, on captures of tcpdump and on packets of a real Heartbeat pair. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runDecode } from '../../src/cli/decode.ts'
import { runHactl } from '../../src/cli/program.ts'
import { plainPaint, type Terminal } from '../../src/cli/terminal.ts'

process.env['TZ'] = 'UTC'
const captures = join(import.meta.dirname, '..', 'fixtures', 'captures')
const keys = join(captures, 'authkeys')
let directory: string

beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'hactl-decode-')) })
afterAll(() => rmSync(directory, { recursive: true }))

interface Said { readonly exitCode: number; readonly out: string; readonly err: string }

async function said(run: (terminal: Terminal) => Promise<number>): Promise<Said> {
  let [out, err] = ['', '']
  const view = { columns: 120, paint: plainPaint }
  const exitCode = await run({ out: (text) => void (out += text), err: (text) => void (err += text), interactive: false, view, errorView: view })
  return { exitCode, out, err }
}

function decode(...words: readonly string[]): Promise<Said> {
  return said((terminal) => runHactl(['decode', ...words, '--config', join(directory, 'nothing')], terminal))
}

interface Row { readonly verdict: string; readonly cause?: string; readonly method?: string; readonly bytes: number; readonly fields?: Record<string, string> }

function rows(out: string): readonly Row[] {
  return out.trimEnd().split('\n').map((line) => JSON.parse(line) as Row)
}

test('a capture of tcpdump as JSON: one object a datagram, with verdict, fields and what they mean', async () => {
  const { exitCode, out, err } = await decode(join(captures, 'ethernet.pcap'), '--keys', keys, '--json')
  expect(exitCode).toBe(0)
  const found = rows(out)
  expect(found.map(({ verdict, method }) => method ?? verdict)).toEqual(
    ['sha1', 'sha1', 'sha1', 'sha1', 'md5', 'crc', 'bad-signature', 'bad-signature', 'sha1', 'sha256', 'sha256'])
  expect(found[0]).toMatchObject({
    from: '192.0.2.1:34372', to: '192.0.2.255:694', bytes: 306, framing: 'netstring', keyIndex: 2, type: 'status', status: 'init',
    node: 'node-b', fields: { t: 'status', st: 'init', src: 'node-b', ttl: '3' }, types: { srcuuid: 1 },
  })
  expect(found[8]).toMatchObject({ framing: 'classic', facts: { dialogue: 1, confirms: { sequence: 41 } } })
  expect(err).toBe('11 datagrams of port 694: 9 valid, 2 bad-signature; 1 of other ports left out\n')
})

test('the same for people', async () => {
  const { out } = await decode(join(captures, 'ethernet.pcap'), '--keys', keys)
  const [first, verdict, meaning] = out.split('\n')
  expect(first).toBe('2026-11-25 13:43:06.686  192.0.2.1:34372 > 192.0.2.255:694  306 bytes, netstring framing')
  expect(verdict).toBe('  valid, key 2 (sha1)')
  expect(meaning).toMatch(/^ {2}status of node-b: init, deadtime 3\.0 s, generation \d+, packet 1$/)
  expect(out).toContain('  refused, bad-signature: the digest is not that of these bytes and this key (signed with key 2)\n')
})

test('without keys the fields are there, and it says that nothing was verified', async () => {
  const { exitCode, out, err } = await decode(join(captures, 'ethernet.pcap'), '--json')
  expect(exitCode).toBe(0)
  expect(new Set(rows(out).map(({ verdict }) => verdict))).toEqual(new Set(['not-verified']))
  expect(rows(out)[0]?.fields?.['src']).toBe('node-b')
  expect(err).toMatch(/^hactl: not verified: .*nothing has no key file that can be read\. To name the keys: --keys FILE\n/)
})

test('the keys of the configuration serve where none are named, and a key that is not there is unknown', async () => {
  const config = mkdtempSync(join(directory, 'ha.d-'))
  writeFileSync(join(config, 'ha.cf'), 'node node-a node-b\nbcast eth0\nauto_failback on\n')
  writeFileSync(join(config, 'haresources'), 'node-a 192.0.2.100\n')
  writeFileSync(join(config, 'authkeys'), 'auth 3\n3 md5 secret\n', { mode: 0o600 })
  const { out } = await said((terminal) => runHactl(['decode', '--json', '--config', config, join(captures, 'ethernet.pcap')], terminal))
  expect(rows(out).map(({ verdict }) => verdict)).toEqual([...Array<string>(4).fill('unknown-key'), 'valid', ...Array<string>(6).fill('unknown-key')])
})

test('a copy of authkeys that anyone may read serves for looking, and no key is ever printed', async () => {
  const copy = join(directory, 'authkeys')
  copyFileSync(keys, copy)
  chmodSync(copy, 0o644)
  for (const words of [[], ['--json']]) {
    const { exitCode, out, err } = await decode(join(captures, 'ethernet.pcap'), '--keys', copy, ...words)
    expect(exitCode).toBe(0)
    expect(out + err).not.toContain('secret')
  }
  writeFileSync(copy, 'auth 1\n1 sha2 aVerySecretWord\n')
  const bad = await decode(join(captures, 'ethernet.pcap'), '--keys', copy)
  expect(bad).toMatchObject({ exitCode: 2, out: '' })
  expect(bad.err).toMatch(/has no key: .*the method of key 1 is none of/)
  expect(bad.err).not.toContain('aVerySecretWord')
})

test('from standard input, as it comes from a running tcpdump', async () => {
  const bytes = readFileSync(join(captures, 'cooked-v2.pcap'))
  const pieces = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, index) => bytes.subarray(index * 100, index * 100 + 100))
  const { exitCode, out } = await said((terminal) => runDecode(
    { file: '-', config: join(directory, 'nothing'), keys, port: undefined, json: true }, terminal, Readable.from(pieces)))
  expect(exitCode).toBe(0)
  expect(rows(out)).toHaveLength(11)
})

test('--port looks at another port', async () => {
  const { out, err } = await decode(join(captures, 'ethernet.pcap'), '--keys', keys, '--port', '9999', '--json')
  expect(rows(out)).toMatchObject([{ to: '192.0.2.255:9999', verdict: 'malformed', bytes: 8 }])
  expect(err).toBe('1 datagram of port 9999: 1 malformed; 11 of other ports left out\n')
  expect(await decode('--port', '70000')).toMatchObject({ exitCode: 2, out: '' })
})

describe('what cannot be read', () => {
  test('a capture that is cut off: what is there is shown, exit code 1', async () => {
    const path = join(directory, 'cut.pcap')
    writeFileSync(path, readFileSync(join(captures, 'ethernet.pcap')).subarray(0, 1000))
    const { exitCode, out, err } = await decode(path, '--keys', keys, '--json')
    expect(exitCode).toBe(1)
    expect(rows(out)).toHaveLength(2)
    expect(err).toContain('the capture ends in the middle of a packet')
  })
  test('no capture, no file: exit code 2', async () => {
    expect(await decode(keys, '--keys', keys)).toMatchObject({ exitCode: 2, out: '', err: expect.stringContaining('this is no capture') as unknown })
    expect(await decode('/nowhere.pcap', '--keys', keys)).toMatchObject({ exitCode: 2, err: expect.stringContaining('/nowhere.pcap cannot be read') as unknown })
    expect(await decode(join(captures, 'ethernet.pcap'), '--keys', '/nowhere')).toMatchObject({ exitCode: 2, out: '', err: 'hactl: /nowhere cannot be read: no such file or directory (ENOENT)\n' })
  })
  test('fragments without their first one are counted, with the filter that catches all', async () => {
    const path = join(directory, 'orphan.pcap')
    const bytes = readFileSync(join(captures, 'ethernet.pcap'))
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 24), lastFragment(bytes)]))
    const { out, err } = await decode(path, '--keys', keys)
    expect(out).toBe('')
    expect(err).toContain('1 fragments came without their first one')
  })
})

/** The record of the one packet with a fragment offset. */
function lastFragment(bytes: Buffer): Buffer {
  for (let at = 24; at < bytes.length;) {
    const end = at + 16 + bytes.readUInt32LE(at + 8)
    if ((bytes.readUInt16BE(at + 16 + 14 + 6) & 0x1fff) !== 0) return bytes.subarray(at, end)
    at = end
  }
  throw new Error('no fragment')
}

test('bytes of a hostile sender do not reach the terminal as they are', async () => {
  const path = join(directory, 'hostile')
  const frame = Buffer.from('>>>\nt=\x1b]0;owned\x07\x9b31m\nsrc=x\nts=1\nauth=2 00\n<<<\n', 'latin1')
  writeFileSync(path, JSON.stringify({ from: '\x1b[2Jhere', to: '192.0.2.2:694', bytesBase64: frame.toString('base64') }))
  for (const words of [[], ['--json']]) {
    const { out } = await decode(path, '--keys', keys, ...words)
    expect(out).toContain('owned')
    expect([...out].filter((letter) => letter !== '\n' && (letter < ' ' || (letter > '~' && letter < '\xa0')))).toEqual([])
  }
})

test('a capture that tcpdump itself reads has the same number of packets', () => {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'ignore' })
  } catch {
    return
  }
  const lines = execFileSync('tcpdump', ['-nr', join(captures, 'cooked-v1.pcap'), 'udp port 694'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  expect(lines.trimEnd().split('\n')).toHaveLength(11)
})
