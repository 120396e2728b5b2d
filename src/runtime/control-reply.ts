/** One client of the control socket: its request line, and what is written back without ever waiting for the client to read. */
import type { Socket } from 'node:net'
import type { Progress } from '../core/admin.ts'
import type { EventRecord } from '../core/records.ts'
import { lineLimitBytes, type ControlLine } from './control-protocol.ts'

/** After `result` or `error`, and once the client has gone, every call does nothing. */
export interface ControlReply {
  progress(progress: Progress): void
  record(record: EventRecord): void
  /** The last line; the connection closes. */
  result(value: unknown): void
  error(code: string, message: string): void
  /** Called once when the client has gone or was dropped; at once if it has. */
  onClose(listener: () => void): void
}

/** What may wait for a client that does not read; one more byte and it is dropped. */
const unreadLimitBytes = 4 * 1024 * 1024
/** How long a finished client may take to read its answer. */
const lingerMs = 10_000

export function createReply(socket: Socket): ControlReply {
  let over = false
  let gone = false
  const listeners: (() => void)[] = []
  socket.once('close', () => {
    over = true
    gone = true
    for (const listener of listeners.splice(0)) listener()
  })

  function send(line: ControlLine): void {
    if (over || !socket.writable) return
    socket.write(`${JSON.stringify(line)}\n`)
    if (socket.writableLength > unreadLimitBytes) socket.destroy()
  }
  function finish(line: ControlLine): void {
    if (over) return
    send(line)
    over = true
    socket.end()
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
    socket.once('close', () => clearTimeout(timer))
  }

  return {
    progress: (progress) => send({ progress }),
    record: (record) => send({ record }),
    result: (value) => finish({ result: value === undefined ? {} : value }),
    error: (code, message) => finish({ error: { code, message } }),
    onClose(listener) {
      if (gone) listener()
      else listeners.push(listener)
    },
  }
}

/** Gives the first line, or says why there is none: too long, too late, or the client stopped in the middle of it. */
export function readLine(
  socket: Socket,
  limitMs: number,
  onLine: (line: string) => void,
  onTrouble: (message: string) => void,
): void {
  let chunks: Buffer[] = []
  let size = 0
  let done = false
  const timer = setTimeout(() => trouble(`no whole request line came within ${limitMs / 1_000} s`), limitMs).unref()

  function end(): boolean {
    if (done) return false
    done = true
    clearTimeout(timer)
    chunks = []
    return true
  }
  function trouble(message: string): void {
    if (end()) onTrouble(message)
  }

  socket.on('data', (chunk: Buffer) => {
    // What comes after the request is read and thrown away, so that the client's leaving is noticed.
    if (done) return
    const newline = chunk.indexOf(0x0a)
    size += newline < 0 ? chunk.length : newline
    if (size > lineLimitBytes) return trouble(`the request line is longer than ${lineLimitBytes} bytes`)
    chunks.push(newline < 0 ? chunk : chunk.subarray(0, newline))
    if (newline < 0) return
    const line = Buffer.concat(chunks).toString('utf8')
    if (end()) onLine(line)
  })
  socket.once('end', () => trouble('the connection ended before a whole request line'))
  socket.once('close', end)
}
