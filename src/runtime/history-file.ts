/** Appends lines to a file of bounded size with one predecessor, without ever waiting for the disk. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, write, writeSync } from 'node:fs'
import { nowMs } from './clock.ts'
import { errorText } from './errors.ts'

export interface HistoryFile {
  /** One line with its newline. */
  add(line: string): void
  /** Writes what waits, now. */
  flush(): void
  close(): void
}

export interface HistoryFileOptions {
  readonly current: string
  /** What `current` is renamed to when it is full. */
  readonly previous: string
  readonly limitBytes: number
  /** It stopped working, it works again: at most one a minute. */
  readonly onTrouble: (message: string) => void
}

/** Lines that wait for a stalled disk. */
const waitingLimit = 10_000
const troubleIntervalMs = 60_000

interface Batch { readonly fd: number; readonly bytes: Buffer; readonly count: number }

export function createHistoryFile(options: HistoryFileOptions): HistoryFile {
  const file = createAppended(options)
  const losses = createLosses(options)
  const lines: string[] = []
  let busy = false
  let closed = false

  function next(): Batch | undefined {
    if (lines.length === 0) return undefined
    const batch = lines.splice(0, countThatFits(lines, options.limitBytes))
    const bytes = Buffer.from(batch.join(''))
    const count = batch.length
    try {
      return { fd: file.open(bytes.length, !busy), bytes, count }
    } catch (error) {
      losses.add(error, count)
      return undefined
    }
  }
  function finish(batch: Batch, error: unknown, written: number): void {
    if (error === undefined && written === batch.bytes.length) {
      file.grown(written)
      losses.over()
      return
    }
    // Half a line must not spoil the next one; beside another write nobody knows where the file should end.
    if (!busy) file.takeBack()
    losses.add(error ?? new Error('it is full, a record went in only in part'), batch.count)
  }
  function pump(): void {
    if (busy || closed) return
    const batch = next()
    if (batch === undefined) return
    busy = true
    write(batch.fd, batch.bytes, 0, batch.bytes.length, null, (error, written) => {
      busy = false
      finish(batch, error ?? undefined, written)
      if (closed) file.close()
      else pump()
    })
  }

  return {
    add(line) {
      if (lines.length >= waitingLimit) return losses.add(new Error(`${waitingLimit} records wait for the disk`), 1)
      lines.push(line)
      pump()
    },
    flush() {
      for (let batch = next(); batch !== undefined; batch = next()) {
        try {
          finish(batch, undefined, writeSync(batch.fd, batch.bytes))
        } catch (error) {
          finish(batch, error, 0)
        }
      }
    },
    close() {
      closed = true
      if (!busy) file.close()
    },
  }
}

/** What has waited for a slow disk may be more than a file holds; one line always goes. */
function countThatFits(lines: readonly string[], limitBytes: number): number {
  let bytes = 0
  const at = lines.findIndex((line) => (bytes += Buffer.byteLength(line)) > limitBytes)
  return at === -1 ? lines.length : Math.max(1, at)
}

interface Appended {
  /** The descriptor for `bytes` more; where `mayRotate`, of a new file if they do not fit. */
  open(bytes: number, mayRotate: boolean): number
  grown(bytes: number): void
  takeBack(): void
  close(): void
}

/** Opening and renaming touch no data, so they are quick on any disk that works at all. */
function createAppended({ current, previous, limitBytes }: HistoryFileOptions): Appended {
  let fd: number | undefined
  let size = 0

  function close(): void {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }

  return {
    open(bytes, mayRotate) {
      if (fd === undefined) {
        fd = openSync(current, 'a+', 0o600)
        size = repair(fd)
      }
      if (!mayRotate || size === 0 || size + bytes <= limitBytes) return fd
      close()
      renameSync(current, previous)
      size = 0
      fd = openSync(current, 'a+', 0o600)
      return fd
    },
    grown(bytes) {
      size += bytes
    },
    takeBack() {
      try {
        if (fd !== undefined) ftruncateSync(fd, size)
      } catch {
        // The torn line then stays; readers skip it.
      }
    },
    close,
  }
}

/** The length of the file, after a torn last line (power failure) was ended. */
function repair(fd: number): number {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  if (size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last[0] === 0x0a) return size
  return size + writeSync(fd, '\n')
}

function createLosses({ current, onTrouble }: HistoryFileOptions): { add(error: unknown, count: number): void; over(): void } {
  let lost = 0
  let toldMs = Number.NEGATIVE_INFINITY
  return {
    add(error, count) {
      lost += count
      if (nowMs() - toldMs < troubleIntervalMs) return
      toldMs = nowMs()
      onTrouble(`the event history ${current} cannot be written: ${errorText(error)}; records are in memory only; type: df -h ${current}`)
    },
    over() {
      if (lost === 0) return
      const count = lost
      lost = 0
      toldMs = Number.NEGATIVE_INFINITY
      onTrouble(`the event history ${current} is written again; ${count} records are missing from it`)
    },
  }
}
