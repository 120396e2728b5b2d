/**
 * The event history on disk: JSON lines, one write each, in two files of bounded size. A kill -9 loses nothing that was handed to the
 * kernel; a power failure can leave one torn line, which is skipped. The newest records are also in memory, so that a full disk costs
 * the past and not the present.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { EventRecord } from '../core/records.ts'
import { createHistoryFile } from './history-file.ts'
import { parseJson } from './json-values.ts'

export interface History {
  append(record: EventRecord): void
  /** The newest `limit` records, oldest first; of earlier daemons too. */
  recent(limit: number): readonly EventRecord[]
  /** Every record from now on; the answer ends it. */
  follow(listener: (record: EventRecord) => void): () => void
  /** For fatal paths and the end: writes what waits. */
  flush(): void
  close(): void
}

export interface HistoryOptions {
  /** Of one file; there are two. Default 4 MiB. */
  readonly fileLimitBytes?: number
  /** Records in memory; default 2,000. */
  readonly memoryLimit?: number
  /** A sentence for the log: it stopped working, it works again. At most one a minute. */
  readonly onTrouble?: (message: string) => void
}

const names = { current: 'events.jsonl', previous: 'events.1.jsonl' }

/** Never throws: where the directory cannot be written, the history is in memory alone, and `onTrouble` says so. */
export function openHistory(directory: string, options: HistoryOptions = {}): History {
  const memoryLimit = options.memoryLimit ?? 2_000
  const ring = readRecent(directory, memoryLimit)
  const listeners = new Set<(record: EventRecord) => void>()
  const file = createHistoryFile({
    current: join(directory, names.current),
    previous: join(directory, names.previous),
    limitBytes: options.fileLimitBytes ?? 4 * 1024 * 1024,
    onTrouble: options.onTrouble ?? (() => undefined),
  })

  return {
    append(record) {
      ring.push(record)
      // In steps of a tenth, for moving the whole list at each record costs.
      if (ring.length > memoryLimit * 1.1) ring.splice(0, ring.length - memoryLimit)
      file.add(`${JSON.stringify(record)}\n`)
      for (const listener of listeners) listener(record)
    },
    recent: (limit) => (limit > 0 ? ring.slice(-Math.min(limit, memoryLimit)) : []),
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    flush: () => file.flush(),
    close() {
      listeners.clear()
      file.flush()
      file.close()
    },
  }
}

function readRecent(directory: string, limit: number): EventRecord[] {
  const texts = [names.previous, names.current].map((name) => readEnd(join(directory, name)))
  return texts.flatMap((text) => text.split('\n').flatMap(parseLine)).slice(-limit)
}

/** The last 2 MiB: more than the memory keeps. The first line may be cut, and is skipped like any other that is no record. */
function readEnd(path: string): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(fd)
      const buffer = Buffer.alloc(Math.min(size, 2 * 1024 * 1024))
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, size - buffer.length))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

function parseLine(line: string): EventRecord[] {
  if (line === '') return []
  const json = parseJson(line)
  return isRecord(json) ? [json] : []
}

function isRecord(value: unknown): value is EventRecord {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value && 'wallMs' in value && 'nowMs' in value &&
    'level' in value && typeof value.code === 'string' && typeof value.message === 'string' && typeof value.wallMs === 'number'
}
