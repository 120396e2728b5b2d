/**
 * What waits to be written to a serial line. The line is slow, and a packet that was true a second ago is worth less than the newest one:
 * so at most as much waits as the line carries in a second, the oldest goes first, and of statuses only the newest waits. Nothing is
 * given to the kernel before the line has had the time to carry what it got before, so that nothing grows old there either.
 */
import type { Millis } from '../core/time.ts'

export interface SerialOutput {
  /** Never waits. */
  send(frame: Uint8Array): void
  /** What waits is given to the kernel as far as that takes it: the last packet of a daemon that leaves is the one that counts. */
  close(): void
}

export interface SerialOutputEvents {
  /** How many bytes were taken. Throws when the device is gone. */
  write(bytes: Uint8Array): number
  onGone(error: unknown): void
  /** Nothing has left for `stuckMs`, and: something leaves again. */
  onStuck(stuck: boolean): void
}

/** Start bit, eight bits, stop bit. */
const bitsOfByte = 10
const stuckMs: Millis = 3_000
const retryMs: Millis = 20
/** What a status begins with in the framing that is sent (protocol/classic-frame.ts). */
const statusStart = Buffer.from('>>>\nt=status\n')
const newline = Buffer.from('\n')

export function lineMs(bytes: number, baud: number): Millis {
  return bytes * bitsOfByte * 1_000 / baud
}

export function openSerialOutput(baud: number, events: SerialOutputEvents): SerialOutput {
  let waiting: Uint8Array[] = []
  let current: Uint8Array | undefined
  let timer: NodeJS.Timeout | undefined
  let stuckSinceMs: Millis | undefined
  let stuck = false
  let closed = false

  function queue(frame: Uint8Array): void {
    if (isStatus(frame)) waiting = waiting.filter((other) => !isStatus(other))
    waiting.push(frame)
    let total = waiting.reduce((sum, { length }) => sum + length, 0)
    while (waiting.length > 1 && lineMs(total, baud) > 1_000) total -= waiting.shift()?.length ?? 0
  }

  function pump(): void {
    timer = undefined
    if (closed) return
    const next = current ?? waiting.shift()
    if (next === undefined) return
    // A newline before each frame ends whatever disturbed line came before it; outside of a frame it means nothing.
    const bytes = current ?? Buffer.concat([newline, next])
    let written: number
    try {
      written = events.write(bytes)
    } catch (error) {
      return events.onGone(error)
    }
    current = written < bytes.length ? bytes.subarray(written) : undefined
    judge(written)
    timer = setTimeout(pump, Math.max(written === 0 ? retryMs : 1, Math.ceil(lineMs(written, baud))))
  }

  function judge(written: number): void {
    if (written > 0) {
      stuckSinceMs = undefined
      if (stuck) events.onStuck(false)
      stuck = false
      return
    }
    stuckSinceMs ??= performance.now()
    if (stuck || performance.now() - stuckSinceMs < stuckMs) return
    stuck = true
    events.onStuck(true)
  }

  return {
    send(frame) {
      if (closed) return
      queue(frame)
      if (timer === undefined) pump()
    },
    close() {
      if (closed) return
      closed = true
      clearTimeout(timer)
      const rest = Buffer.concat([...(current === undefined ? [] : [current]), ...waiting.flatMap((frame) => [newline, frame])])
      waiting = []
      try {
        if (rest.length > 0) events.write(rest)
      } catch {
        // The device is gone, and with it whoever should have read this.
      }
    },
  }
}

function isStatus(frame: Uint8Array): boolean {
  return statusStart.equals(frame.subarray(0, statusStart.length))
}
