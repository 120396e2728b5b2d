/**
 * Frames out of a stream of bytes. A serial line has no datagrams: a frame begins with a line `>>>` and ends with a line `<<<`, and
 * whatever was lost or disturbed in between costs the frames that it touched, and no others.
 */

const start = Buffer.from('>>>\n')
const startAnywhere = '>>>'
const end = Buffer.from('<<<\n')
const newline = 0x0a
/** Of UDP's largest datagram: no packet is longer, whatever link it comes by. */
const maxFrameBytes = 65_507
/** A line in noise, before a frame has begun: only its end may be the beginning of one. */
const keptOfNoise = 64

export interface FrameScanner {
  /** The frames that end in these bytes, each from `>>>` to the newline behind `<<<`. */
  take(bytes: Buffer): readonly Buffer[]
}

export function createFrameScanner(): FrameScanner {
  /** Of the line that has not ended yet. */
  let rest: Buffer = Buffer.alloc(0)
  /** The lines of the frame that has begun. */
  let frame: Buffer[] | undefined
  let length = 0

  function begin(): void {
    frame = [start]
    length = start.length
  }

  /** With its newline. */
  function takeLine(line: Buffer): Buffer | undefined {
    if (line.equals(start)) return void begin()
    if (frame === undefined) {
      // Noise, or the break that a Heartbeat sends when it opens the line, may stand right before a frame.
      if (line.toString('latin1', 0, line.length - 1).endsWith(startAnywhere)) begin()
      return undefined
    }
    frame.push(line)
    length += line.length
    if (!line.equals(end)) {
      if (length > maxFrameBytes) frame = undefined
      return undefined
    }
    const whole = Buffer.concat(frame)
    frame = undefined
    return whole
  }

  return {
    take(bytes) {
      const frames: Buffer[] = []
      let at = 0
      for (let found = bytes.indexOf(newline); found !== -1; found = bytes.indexOf(newline, at)) {
        const whole = takeLine(Buffer.concat([rest, bytes.subarray(at, found + 1)]))
        if (whole !== undefined) frames.push(whole)
        rest = Buffer.alloc(0)
        at = found + 1
      }
      rest = Buffer.concat([rest, bytes.subarray(at)])
      if (frame !== undefined && length + rest.length > maxFrameBytes) frame = undefined
      if (frame === undefined && rest.length > keptOfNoise) rest = Buffer.from(rest.subarray(-keptOfNoise))
      return frames
    },
  }
}
