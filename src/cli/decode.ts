/** `hactl decode`: what is in the datagrams of a capture, and whether their signatures are good. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { openCapture } from '../protocol/capture.ts'
import { collectDatagrams, datagramOfPayload, type CapturedDatagram } from '../protocol/capture-datagrams.ts'
import type { CaptureItem } from '../protocol/capture-items.ts'
import { inspectDatagram, type Inspection, type InspectionVerdict } from '../protocol/inspection.ts'
import { refuse } from '../protocol/refusals.ts'
import { keysOfConfig, keysOfFile, type DecodeKeys } from './decode-keys.ts'
import { datagramLines, datagramObject, jsonLine } from './render-decode.ts'
import type { Terminal } from './terminal.ts'
import { grouped } from './text.ts'

export interface DecodeOptions {
  /** Undefined and `-`: standard input. */
  readonly file: string | undefined
  readonly config: string
  readonly keys: string | undefined
  readonly port: number | undefined
  readonly json: boolean
}

const heartbeatPort = 694
const readBytes = 1 << 20
/** One damaged file may have a complaint for each line. */
const mostTroubles = 10

/** Exit code 0: all was read, whatever the verdicts; 1: only the beginning could be; 2: it is no capture, or the keys cannot be read. */
export async function runDecode(options: DecodeOptions, terminal: Terminal, input: Readable = process.stdin): Promise<number> {
  const keys = options.keys === undefined ? keysOfConfig(options.config) : keysOfFile(options.keys)
  if (typeof keys === 'string') return fail(terminal, keys)
  if (keys.note !== undefined) terminal.err(`hactl: ${printableLine(keys.note)}\n`)
  const reading = openReading(options, keys, terminal)
  const isInput = options.file === undefined || options.file === '-'
  if (isInput && input === process.stdin && process.stdin.isTTY) {
    return fail(terminal, 'name a file, or send packets: tcpdump -U -w - udp port 694 | hactl decode')
  }
  try {
    const stream = isInput ? input : createReadStream(options.file, { highWaterMark: readBytes })
    for await (const bytes of stream as AsyncIterable<Buffer>) if (!reading.take(bytes)) break
  } catch (error) {
    return fail(terminal, `${options.file ?? 'standard input'} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return reading.end()
}

function fail(terminal: Terminal, message: string): number {
  terminal.err(`hactl: ${printableLine(message)}\n`)
  return 2
}

function printableLine(text: string): string {
  return text.replace(/[^ -~]/g, '?')
}

interface Reading {
  /** False: nothing of what follows can be read. */
  take(bytes: Buffer): boolean
  end(): number
}

function openReading(options: DecodeOptions, { keyring, ports: configured }: DecodeKeys, terminal: Terminal): Reading {
  const capture = openCapture()
  const datagrams = collectDatagrams()
  const ports: ReadonlySet<number> = new Set(options.port === undefined ? [heartbeatPort, ...configured] : [options.port])
  const verdicts = new Map<InspectionVerdict, number>()
  let [others, troubles, packets] = [0, 0, 0]
  let cutShort = false

  function show(datagram: CapturedDatagram): string {
    // A payload without a place was chosen by whoever wrote it down.
    if (datagram.ports.length > 0 && !datagram.ports.some((port) => ports.has(port))) {
      others += 1
      return ''
    }
    const inspection = datagram.incomplete === undefined ? inspectDatagram(datagram.bytes, keyring) : incomplete(datagram.incomplete)
    verdicts.set(inspection.verdict, (verdicts.get(inspection.verdict) ?? 0) + 1)
    if (options.json) return `${jsonLine(datagramObject(datagram, inspection))}\n`
    return `${datagramLines(datagram, inspection, terminal.view).join('\n')}\n`
  }

  function complain(message: string, ends: boolean): void {
    cutShort ||= ends
    troubles += 1
    if (troubles <= mostTroubles || ends) terminal.err(`hactl: ${printableLine(message)}\n`)
  }

  function showAll(items: readonly CaptureItem[]): void {
    let text = ''
    for (const item of items) {
      if (item.type === 'trouble') complain(item.message, item.ends)
      else packets += 1
      if (item.type === 'frame') for (const datagram of datagrams.take(item)) text += show(datagram)
      else if (item.type === 'payload') text += show(datagramOfPayload(item))
    }
    if (text !== '') terminal.out(text)
  }

  return {
    take(bytes) {
      showAll(capture.take(bytes))
      return !cutShort
    },
    end() {
      showAll(capture.end())
      const text = datagrams.end().map(show).join('')
      if (text !== '') terminal.out(text)
      if (troubles > mostTroubles) terminal.err(`hactl: ${grouped(troubles - mostTroubles)} more complaints of that kind\n`)
      for (const line of notes(datagrams.unknownLinkTypes(), datagrams.orphans(), ports)) terminal.err(`hactl: ${line}\n`)
      terminal.err(`${summary(verdicts, others, ports)}\n`)
      if (troubles > 0 && packets === 0) return fail(terminal, 'this is no capture: a file of tcpdump -w, or lines of base64 or of JSON with bytesBase64')
      return cutShort ? 1 : 0
    },
  }
}

function incomplete(reason: string): Inspection {
  return { verdict: 'malformed', refused: refuse('malformed', reason), fields: [] }
}

function notes(linkTypes: ReadonlyMap<number, number>, orphans: number, ports: ReadonlySet<number>): readonly string[] {
  return [
    ...[...linkTypes].map(([type, count]) => `${grouped(count)} frames of link type ${type} were not read: Ethernet, Linux cooked, raw IP and loopback are`),
    ...(orphans === 0 ? [] : [`${grouped(orphans)} fragments came without their first one, so that nobody knows their port. ` +
      `To capture all: tcpdump -w FILE 'udp port ${[...ports][0] ?? heartbeatPort} or ip[6:2] & 0x1fff != 0 or ip6 proto 44'`]),
  ]
}

function summary(verdicts: ReadonlyMap<InspectionVerdict, number>, others: number, ports: ReadonlySet<number>): string {
  const total = [...verdicts.values()].reduce((sum, count) => sum + count, 0)
  const each = [...verdicts].map(([verdict, count]) => `${grouped(count)} ${verdict}`).join(', ')
  const port = `port ${[...ports].join(' or ')}`
  const rest = others === 0 ? '' : `; ${grouped(others)} of other ports left out`
  return `${grouped(total)} datagram${total === 1 ? '' : 's'} of ${port}${each === '' ? '' : `: ${each}`}${rest}`
}
