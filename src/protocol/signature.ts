/**
 * Signing and verifying (heartbeat-3.md section 2). `sha256` is ours: the construction of `sha1` with HMAC-SHA256. It may be used with
 * the text of every key but crc's, which has none (design.md section 8).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AuthKey, AuthMethod } from '../core/config.ts'
import { crc32 } from './crc.ts'
import type { Frame, Signature } from './frame.ts'
import { refuse, type Refused } from './refusals.ts'

/** Every key is accepted, the active one signs: two keys stand in it during a key change. */
export interface Keyring {
  readonly active: number
  readonly keys: readonly AuthKey[]
  /** `crc` is no protection: anyone can sign. Refused both ways unless the configuration says `allow_crc: true`. */
  readonly allowCrc: boolean
}

/** `keyIndex` and `method` that the signature was made with. */
export interface Verified { readonly result: 'verified'; readonly keyIndex: number; readonly method: AuthMethod }

const sha256DigestLength = 64
const digestLengths: Readonly<Record<AuthMethod, number | undefined>> = { sha256: sha256DigestLength, sha1: 40, md5: 32, crc: undefined }

export function verifyFrame(frame: Frame, keyring: Keyring): Verified | Refused {
  const { index, digest } = frame.signature
  const key = keyAt(keyring, index)
  if (key === undefined) return refuse('unknown-key', `authkeys has no key ${index}`)
  const method = key.method !== 'crc' && digest.length === sha256DigestLength ? 'sha256' : key.method
  if (method === 'crc' && !keyring.allowCrc) return refuse('method-refused', 'crc is accepted only with allow_crc: true')
  const length = digestLengths[method]
  if (length !== undefined && length !== digest.length) return refuse('bad-signature', 'the digest is not of the length of its method')
  const expected = Buffer.from(digestOf(method, key.key, frame.signed), 'latin1')
  const given = Buffer.from(digest, 'latin1')
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
    return refuse('bad-signature', 'the digest is not that of these bytes and this key')
  }
  return { result: 'verified', keyIndex: index, method }
}

/** The signature of a classic frame's lines by the active key. `method`: the key's own, or `sha256` for any key that has a text. */
export function signLines(lines: string, keyring: Keyring, method: AuthMethod): Signature | Refused {
  const key = keyAt(keyring, keyring.active)
  if (key === undefined) return refuse('unknown-key', `authkeys has no key ${keyring.active}, which "auth ${keyring.active}" chooses`)
  if (method === 'crc' && !keyring.allowCrc) return refuse('method-refused', 'crc signs only with allow_crc: true')
  if (method !== key.method && (method !== 'sha256' || key.method === 'crc')) {
    return refuse('method-refused', `key ${key.index} is of ${key.method} and cannot sign with ${method}`)
  }
  return { index: key.index, digest: digestOf(method, key.key, [Buffer.from(lines, 'latin1')]) }
}

export function keyAt(keyring: Keyring, index: number): AuthKey | undefined {
  for (const key of keyring.keys) if (key.index === index) return key
  return undefined
}

/** Lower-case hexadecimal. */
function digestOf(method: AuthMethod, key: string, parts: readonly Uint8Array[]): string {
  if (method === 'crc') return crc32(parts).toString(16)
  const hmac = createHmac(method, key)
  for (const part of parts) hmac.update(part)
  return hmac.digest('hex')
}
