/**
 * What a datagram says and whether its signature is good, for whoever looks at the port with tcpdump. Only the signature is judged: a
 * replayed packet and one that is signed with crc are valid here. Nothing here throws, and no key is in what comes out.
 */
import type { AuthMethod } from '../core/config.ts'
import type { Field } from './fields.ts'
import type { Framing } from './frame.ts'
import { decodeFrame } from './framing.ts'
import { readMessage, type Message } from './message.ts'
import type { RefusalCause, Refused } from './refusals.ts'
import { verifyFrame, type Keyring } from './signature.ts'

/** design.md section 10; `not-verified`: there are no keys to verify with. */
export type InspectionVerdict = 'valid' | 'bad-signature' | 'unknown-key' | 'malformed' | 'not-verified'

export interface Inspection {
  readonly verdict: InspectionVerdict
  /** Why it is not valid, or why no daemon uses it although it is. */
  readonly refused?: Refused
  readonly framing?: Framing
  readonly keyIndex?: number
  /** Without keys, and for a digest that is wrong, unknown. */
  readonly method?: AuthMethod
  /** In the order of the wire; empty if it is no frame. */
  readonly fields: readonly Field[]
  readonly message?: Message
}

/** `keyring` undefined: fields only. */
export function inspectDatagram(bytes: Uint8Array, keyring: Keyring | undefined): Inspection {
  const frame = decodeFrame(bytes)
  if (frame.result === 'refused') return { verdict: 'malformed', refused: frame, fields: [] }
  const { framing, fields, signature: { index: keyIndex } } = frame
  const read = readMessage(fields)
  const seen = { framing, keyIndex, fields, ...(read.result === 'refused' ? {} : { message: read }) }
  const unusable = read.result === 'refused' ? { refused: read } : {}
  if (keyring === undefined) return { verdict: 'not-verified', ...unusable, ...seen }
  const verified = verifyFrame(frame, { ...keyring, allowCrc: true })
  if (verified.result === 'refused') return { verdict: verdictOf(verified.cause), refused: verified, ...seen }
  return { verdict: 'valid', ...unusable, ...seen, method: verified.method }
}

function verdictOf(cause: RefusalCause): InspectionVerdict {
  return cause === 'unknown-key' ? 'unknown-key' : 'bad-signature'
}
