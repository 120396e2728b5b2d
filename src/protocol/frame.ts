/** What a datagram is made of, before anyone has looked whether it is true. */
import { maxDigestLength, maxKeyIndex, type Field } from './fields.ts'

export type Framing = 'classic' | 'netstring'

/** `digest` as written, for the method of that key. */
export interface Signature { readonly index: number; readonly digest: string }

export interface Frame {
  readonly result: 'frame'
  readonly framing: Framing
  /** All of them, `auth` too: the signature of a classic frame, unused in a netstring frame. */
  readonly fields: readonly Field[]
  readonly signature: Signature
  /** The bytes that the signature covers, in order: parts of the datagram, not copies. */
  readonly signed: readonly Uint8Array[]
}

/** `N digest`: the key's index in decimal, one blank, the digest. */
export function readSignature(text: string): Signature | undefined {
  const blank = text.indexOf(' ')
  if (blank !== 1 && blank !== 2) return undefined
  const index = Number(text.slice(0, blank))
  if (!Number.isInteger(index) || index < 0 || index > maxKeyIndex || String(index).length !== blank) return undefined
  const digest = text.slice(blank + 1)
  return digest.length >= 1 && digest.length <= maxDigestLength ? { index, digest } : undefined
}
