import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFrameScanner } from '../../src/runtime/serial-frames.ts'
import { openSerialOutput } from '../../src/runtime/serial-output.ts'
import { namespaceTest, runScenario } from './in-namespace.ts'

const frame = (text: string): Buffer => Buffer.from(`>>>\nt=status\nsrc=${text}\nauth=1 00\n<<<\n`)

function framesOf(...pieces: readonly Buffer[]): readonly string[] {
  const scanner = createFrameScanner()
  return pieces.flatMap((piece) => scanner.take(piece)).map((found) => found.toString('latin1'))
}

describe('frames out of a stream of bytes', () => {
  const [one, two] = [frame('one'), frame('two')]
  const texts = [one, two].map((bytes) => bytes.toString('latin1'))

  test('in whatever pieces they come', () => {
    const stream = Buffer.concat([Buffer.from('\n'), one, Buffer.from('\n'), two])
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 20 }), (lengths) => {
      let at = 0
      const pieces = lengths.map((length) => stream.subarray(at, at += length))
      expect(framesOf(...pieces, stream.subarray(at))).toEqual(texts)
    }))
  })
  test('after any noise: the next frame that is sent with a newline before it is read', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(framesOf(Buffer.from(noise), Buffer.from('\n'), one, Buffer.from('\n'), two).slice(-2)).toEqual(texts)
    }))
  })
  test('a frame that was cut off costs no other, nor does a break in front of one', () => {
    expect(framesOf(one.subarray(0, 20), Buffer.from('\n'), two)).toEqual([texts[1]])
    expect(framesOf(one.subarray(20), two)).toEqual([texts[1]])
    expect(framesOf(Buffer.of(0), one)).toEqual([texts[0]])
  })
  test('noise without an end, and a frame without one, are not kept', () => {
    const scanner = createFrameScanner()
    for (let round = 0; round < 1_000; round += 1) expect(scanner.take(Buffer.alloc(4_000, 'x'))).toEqual([])
    scanner.take(Buffer.from('\n>>>\n'))
    for (let round = 0; round < 1_000; round += 1) expect(scanner.take(Buffer.alloc(4_000, round % 2 === 0 ? 'x' : 'x\n'))).toEqual([])
    expect(scanner.take(Buffer.concat([Buffer.from('\n'), one]))).toHaveLength(1)
  })
})

describe('what waits for a slow line', () => {
  const other = (text: string): Buffer => Buffer.from(`>>>\nt=resource\nsrc=${text}\nauth=1 00\n<<<\n`)

  test('of statuses only the newest, and other packets in their order', () => {
    const written: string[] = []
    let room = 0
    const output = openSerialOutput(9_600, {
      write: (bytes) => {
        if (room > 0) written.push(Buffer.from(bytes).toString('latin1'))
        return room > 0 ? bytes.length : 0
      },
      onGone: () => undefined, onStuck: () => undefined,
    })
    for (const bytes of [frame('first'), other('a'), frame('old'), other('b'), frame('new')]) output.send(bytes)
    room = 1
    output.close()
    expect(written.join('').match(/src=\w+/g)).toEqual(['src=first', 'src=a', 'src=b', 'src=new'])
  })
  test('not more than the line carries in a second', () => {
    let taken = 0
    const output = openSerialOutput(9_600, { write: (bytes) => { taken = bytes.length; return 0 }, onGone: () => undefined, onStuck: () => undefined })
    for (let round = 0; round < 10_000; round += 1) output.send(other(`packet ${round}`))
    output.close()
    expect(taken).toBeLessThan(960 + 2 * other('packet 10000').length)
  })
})

const run = (scenario: string): Promise<Record<string, unknown>> => runScenario('serial.ts', scenario)
const tools = spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0 && spawnSync('stty', ['--version'], { stdio: 'ignore' }).status === 0

describe.skipIf(!tools)('serial links over a pair of pseudo-terminals (socat)', () => {
  namespaceTest('packets pass both ways byte for byte, whatever the terminal was set to before', async () => {
    expect(await run('conversation')).toEqual({ names: ['bcast eth0', 'serial /run/ttyA'], heard: true, exact: true, changes: [] })
  })
  namespaceTest('noise on the line costs the frames that it touches', async () => {
    expect(await run('noise')).toEqual({ before: true, after: true })
  })
  namespaceTest('a device that goes is told once, and once when it is back, and works again', async () => {
    expect(await run('unplugged')).toEqual({
      failed: true, reopened: true, heard: true,
      changes: ['serial /run/ttyA failed: /run/ttyA: the device is gone', 'serial /run/ttyA open: /run/ttyA at 115200 baud'],
    })
  })
  namespaceTest('a line that nobody reads blocks nothing, keeps nothing, is told, and gives the newest status when it is read again', async () => {
    expect(await run('full')).toEqual({
      heldUp: false, newest: true, told: true, older: true,
      changes: ['serial /run/ttyA failed: /run/ttyA takes no more bytes: is anybody at the other end?', 'serial /run/ttyA open: bytes leave again'],
    })
  })
  namespaceTest('a device that is not there, and one that is no serial line, are told, and the first is used when it comes', async () => {
    expect(await run('not there')).toEqual({
      atStart: ['serial /run/nothing failed: /run/nothing is not there', 'serial /dev/null failed: /dev/null is no serial line'],
      opened: true,
    })
  })
  namespaceTest('a last packet is on the line when the link has been closed', async () => {
    expect(await run('last packet')).toEqual({ heard: true })
  })
  namespaceTest('the guard has a way over the line of its own', async () => {
    expect(await run('guard')).toEqual({ outlets: ['/run/ttyA'], problems: [], heard: true })
  })
})
