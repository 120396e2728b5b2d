/** IP addresses as bytes: subnets, broadcast addresses, and one text for each address. */
import { isIPv4, isIPv6 } from 'node:net'

/** 4 or 16 bytes; undefined for anything that is no plain address (a zone as in `fe80::1%eth0` is left out of account). */
export function ipBytes(text: string): Uint8Array | undefined {
  const address = text.replace(/%.*$/, '')
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number)
  if (!isIPv6(address)) return undefined
  const [head = '', tail] = address.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const words = [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]))
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

/** The same for every spelling of one address: `2001:DB8::0:1` and `2001:db8::1`. */
export function ipKey(text: string): string {
  // IPv4 has one spelling only (Node takes no leading zeros).
  if (isIPv4(text)) return text
  const bytes = ipBytes(text)
  return bytes === undefined ? text : Buffer.from(bytes).toString('hex')
}

/** True when `ip` lies in the subnet of `address/prefixLength`; false across families. */
export function inSubnet(ip: string, address: string, prefixLength: number): boolean {
  const [left, right] = [ipBytes(ip), ipBytes(address)]
  if (left === undefined || right === undefined || left.length !== right.length) return false
  return left.every((byte, index) => {
    const mask = byteMask(prefixLength, index)
    return (byte & mask) === ((right[index] ?? 0) & mask)
  })
}

/** IPv4: the highest address of the subnet. */
export function broadcastAddress(address: string, prefixLength: number): string {
  const bytes = ipBytes(address) ?? new Uint8Array(4)
  return Array.from(bytes, (byte, index) => byte | (~byteMask(prefixLength, index) & 255)).join('.')
}

function byteMask(prefixLength: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefixLength - index * 8))
  return (0xff << (8 - bits)) & 255
}
