/**
 * The first stage of reading a datagram: from bytes to fields and a signature, which is not verified yet (heartbeat-3.md sections
 * 1.2 to 1.4). Nothing but the one optional NUL of a classic frame may follow a frame, and there is one way only to write a number
 * or a type, so that no byte of a frame can be changed without changing its meaning or its signature.
 */
import { decodeClassicText } from './classic-frame.ts'
import { maxDatagramBytes } from './fields.ts'
import type { Frame } from './frame.ts'
import { decodeNetstringText } from './netstring-frame.ts'
import { refuse, type Refused } from './refusals.ts'

export function decodeFrame(bytes: Uint8Array): Frame | Refused {
  if (bytes.length > maxDatagramBytes) return refuse('too-large', `a datagram has at most ${maxDatagramBytes} bytes`)
  const buffer = bufferOf(bytes)
  if (bytes.length < 4 || bytes[3] !== 0x0a || bytes[0] !== bytes[1] || bytes[1] !== bytes[2]) return noFrame()
  if (bytes[0] === 0x3e) return decodeClassicText(buffer.toString('latin1'), buffer)
  if (bytes[0] === 0x23) return decodeNetstringText(buffer.toString('latin1'), buffer)
  return noFrame()
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function noFrame(): Refused {
  return refuse('malformed', 'a frame begins with ">>>" or "###" and a newline')
}
