/** The checksum that Heartbeat calls crc: it finds damage, not forgery. */

const polynomial = 0x04c11db7
const table = Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 24
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder < 0 ? (remainder << 1) ^ polynomial : remainder << 1
  return remainder
})

/**
 * Most significant bit first, initial value 0, complemented at the end, no length appended: not that of POSIX cksum
 * (heartbeat-3.md section 2.1).
 */
export function crc32(parts: readonly Uint8Array[]): number {
  let remainder = 0
  for (const part of parts) {
    for (const byte of part) remainder = (remainder << 8) ^ (table[(remainder >>> 24) ^ byte] ?? 0)
  }
  return ~remainder >>> 0
}
