/**
 * Takes log lines and never makes the daemon wait for whoever reads them: what cannot be written waits in a bounded queue, then it is
 * dropped and counted. Pipes, sockets and terminals are written to in non-blocking mode (a blocking write in a thread would even keep
 * the process from exiting while the reader is stuck); regular files by the thread pool, for a disk can stall.
 */
import { write, writeSync } from 'node:fs'
import { errorCode, errorText } from './errors.ts'
import { createLineQueue } from './line-queue.ts'
import type { Target } from './log-target.ts'

export interface Sink {
  /** One line with its newline. */
  write(line: string): void
  /** For the end of the process: writes what waits; a reader that is slow but alive gets `flushLimitMs`. */
  flush(): void
  /** Opens the file of a file sink anew (it was renamed away). */
  reopen(): void
  /** Lines lost so far. */
  lost(): number
  close(): void
}

const retryMs = 50
const flushLimitMs = 200
const flushStepMs = 2

export function createSink(target: Target, limitBytes: number, lossLine: (count: number) => string): Sink {
  const queue = createLineQueue(limitBytes, lossLine)
  let busy = false
  let closed = false
  let reopenWanted = false
  let timer: NodeJS.Timeout | undefined

  function failed(chunk: Buffer, error: unknown): void {
    // Anything but "not now" (EPIPE, ENOSPC, EIO) loses this chunk; the next line tries again.
    if (errorCode(error) !== 'EAGAIN') return queue.lose(chunk)
    queue.putBack(chunk)
    if (!closed) timer ??= setTimeout(tryAgain, retryMs).unref()
  }
  function tryAgain(): void {
    timer = undefined
    pump()
  }
  function writeNow(): void {
    for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) {
      try {
        queue.wrote(chunk, writeSync(target.fd(), chunk))
      } catch (error) {
        return failed(chunk, error)
      }
    }
  }
  function pump(): void {
    if (busy || closed || timer !== undefined) return
    if (!target.waits) return writeNow()
    const chunk = queue.take()
    if (chunk === undefined) return
    busy = true
    write(target.fd(), chunk, (error, bytes) => {
      busy = false
      if (reopenWanted) reopen()
      if (error === null) queue.wrote(chunk, bytes)
      else failed(chunk, error)
      pump()
    })
  }
  /** A chunk that a thread is writing is on its way, and an orderly exit waits for it. */
  function flush(): void {
    writeNow()
    for (let waitedMs = 0; waitedMs < flushLimitMs && queue.waits(); waitedMs += flushStepMs) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, flushStepMs)
      writeNow()
    }
  }
  function reopen(): void {
    // Not under a write: its descriptor would be closed, and perhaps another file's by then.
    reopenWanted = busy
    if (busy) return
    try {
      target.reopen()
    } catch (error) {
      queue.push(`the log file cannot be opened anew: ${errorText(error)}\n`)
    }
  }
  return {
    write(line) {
      if (!closed && queue.push(line)) pump()
    },
    flush,
    reopen,
    lost: () => queue.lost(),
    close() {
      flush()
      clearTimeout(timer)
      closed = true
    },
  }
}
