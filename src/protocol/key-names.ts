/**
 * Names of keys, so that two nodes can compare which keys they accept without showing them (`hactl keys rotate`). A name is made with
 * the key as a secret of HMAC: whoever can guess a key from it could guess it from any packet.
 */
import { createHmac } from 'node:crypto'
import type { Keyring } from './signature.ts'

const shownDigits = 8

/** `1-0f3a9c71`: index and digest of each accepted key; the first one is that of the key that signs. */
export function keyNames({ active, keys, allowCrc }: Keyring): readonly string[] {
  const accepted = keys.filter(({ method }) => method !== 'crc' || allowCrc)
  const ordered = [...accepted.filter(({ index }) => index === active), ...accepted.filter(({ index }) => index !== active)]
  return ordered.map(({ index, key }) => `${index}-${digestOf(key).slice(0, shownDigits)}`)
}

function digestOf(key: string): string {
  return createHmac('sha256', key).update('hactl key name').digest('hex')
}
