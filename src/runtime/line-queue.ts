/** Lines that wait to be written, in chunks, up to a number of bytes; what does not fit is counted. */

export interface LineQueue {
  /** False: it did not fit, and was counted as lost. */
  push(line: string): boolean
  /** The next chunk, which leaves the queue: `wrote`, `putBack` or `lose` says what became of it. */
  take(): Buffer | undefined
  /** The first so many bytes are out; the rest is next again. */
  wrote(chunk: Buffer, bytes: number): void
  putBack(chunk: Buffer): void
  lose(chunk: Buffer): void
  waits(): boolean
  /** Lines lost so far. */
  lost(): number
}

const chunkBytes = 64 * 1024

/** `lossLine` tells the reader, once something could be written again, how many lines are missing there. */
export function createLineQueue(limitBytes: number, lossLine: (count: number) => string): LineQueue {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let lost = 0
  let untold = 0

  function count(lines: number): void {
    lost += lines
    untold += lines
  }
  function putBack(chunk: Buffer): void {
    waiting.unshift(chunk)
    waitingBytes += chunk.length
  }

  return {
    push(line) {
      const bytes = Buffer.from(line)
      if (waitingBytes + bytes.length > limitBytes) {
        count(1)
        return false
      }
      waiting.push(bytes)
      waitingBytes += bytes.length
      return true
    },
    take() {
      if (waiting.length === 0) return undefined
      let end = 0
      for (let size = 0; end < waiting.length && size < chunkBytes; end += 1) size += waiting[end]?.length ?? 0
      const chunk = Buffer.concat(waiting.slice(0, end))
      waiting = waiting.slice(end)
      waitingBytes -= chunk.length
      return chunk
    },
    wrote(chunk, bytes) {
      if (bytes < chunk.length) return putBack(chunk.subarray(bytes))
      if (untold === 0) return
      const line = Buffer.from(lossLine(untold))
      untold = 0
      putBack(line)
    },
    putBack,
    lose: (chunk) => count(chunk.toString('latin1').split('\n').length - 1),
    waits: () => waiting.length > 0,
    lost: () => lost,
  }
}
