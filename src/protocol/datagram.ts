/** From a packet to the bytes on the wire, and back. Nothing here throws, whatever the bytes are. */
import type { AuthMethod } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import { classicFrame, classicLines } from './classic-frame.ts'
import { maxDatagramBytes, type Field } from './fields.ts'
import type { Framing } from './frame.ts'
import { decodeFrame } from './framing.ts'
import { messageFields, readMessage, type Message, type SenderDetails } from './message.ts'
import type { Refused } from './refusals.ts'
import { signLines, verifyFrame, type Keyring } from './signature.ts'

export interface Sending extends SenderDetails {
  readonly keyring: Keyring
  /** Of `signingMethod` (signing.ts). */
  readonly method: AuthMethod
}

/** `message` names what cannot be sent and why, for the log: a packet that is not sent is seen as silence by the peer. */
export type Encoded =
  | { readonly result: 'encoded'; readonly bytes: Uint8Array }
  | { readonly result: 'not-encodable'; readonly cause: 'too-large' | 'bad-value' | 'no-key'; readonly message: string }

export function encodePacket(packet: Packet, sending: Sending): Encoded {
  const fields = messageFields(packet, sending)
  if (typeof fields === 'string') return notEncodable('bad-value', `the field ${fields} cannot hold what this node has to say`)
  const encoded = encodeFields(fields, sending)
  if (encoded.result === 'encoded' || encoded.cause !== 'too-large') return encoded
  return notEncodable(
    'too-large',
    `a packet with ${packet.facts?.groups.length ?? 0} groups is too large: ${encoded.message}: configure fewer groups, or shorter names`,
  )
}

/** One datagram of fields that are in their order already. */
export function encodeFields(fields: readonly Field[], sending: Pick<Sending, 'keyring' | 'method'>): Encoded {
  const lines = classicLines(fields)
  if (lines === undefined) return notEncodable('bad-value', 'a field cannot be written as a line of a classic frame')
  const signature = signLines(lines, sending.keyring, sending.method)
  if ('cause' in signature) return notEncodable('no-key', signature.reason)
  const bytes = classicFrame(lines, signature)
  if (bytes.length <= maxDatagramBytes) return { result: 'encoded', bytes }
  return notEncodable('too-large', `${bytes.length} bytes, and a datagram has at most ${maxDatagramBytes}`)
}

/** A packet of the kind `will`, filled up to exactly so many bytes: the guard sends many of them with one program (runtime/guard.ts). */
export function encodeWill(packet: Packet, sending: Sending, bytes: number): Encoded {
  const bare = encodePacket(packet, sending)
  if (bare.result !== 'encoded') return bare
  const missing = bytes - bare.bytes.length
  // The first try does it, but for crc: its checksum has as many digits as it needs.
  for (let attempt = 0; attempt < fillAttempts && missing >= fillLeast; attempt += 1) {
    const length = missing + (attempt % 2 === 0 ? 0 : (attempt % fillLeast) - fillLeast / 2)
    const filled = encodePacket(packet, { ...sending, fill: String(attempt).padStart(length, '-') })
    if (filled.result === 'encoded' && filled.bytes.length === bytes) return filled
  }
  return notEncodable('too-large', `a will of ${bare.bytes.length} bytes does not fit into ${bytes}`)
}

const fillAttempts = 400
const fillLeast = 16

function notEncodable(cause: 'too-large' | 'bad-value' | 'no-key', message: string): Encoded {
  return { result: 'not-encodable', cause, message }
}

/** How a datagram was written and by whom signed; `fields` in the order of the wire. */
export interface Envelope {
  readonly framing: Framing
  readonly keyIndex: number
  readonly method: AuthMethod
  readonly fields: readonly Field[]
}

export type Decoded = Message & Envelope

/** The stages are decodeFrame, verifyFrame and readMessage: no meaning is looked for in what is not signed. */
export function decodeDatagram(bytes: Uint8Array, keyring: Keyring): Decoded | Refused {
  const frame = decodeFrame(bytes)
  if (frame.result === 'refused') return frame
  const verified = verifyFrame(frame, keyring)
  if (verified.result === 'refused') return verified
  const message = readMessage(frame.fields)
  if (message.result === 'refused') return message
  return { ...message, framing: frame.framing, keyIndex: verified.keyIndex, method: verified.method, fields: frame.fields }
}
