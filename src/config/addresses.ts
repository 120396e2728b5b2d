/** IP addresses as text: parsed strictly, written in one way, so that two spellings of one address are seen to be the same. */

export type Family = 'ipv4' | 'ipv6'
export interface IpAddress {
  readonly family: Family
  /** As `ip addr` shows it. */
  readonly text: string
  readonly bytes: readonly number[]
}

export function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Four decimal numbers without leading zeros: some programs read 010 as eight. */
export function parseIpv4(text: string): IpAddress | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const parts = text.split('.')
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined
  return { family: 'ipv4', text, bytes: parts.map(Number) }
}

export function parseIpv6(text: string): IpAddress | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(wordsOf)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const words = halves.length === 1 ? head : filled(head, tail ?? [])
  if (words === undefined || words.length !== 8) return undefined
  return { family: 'ipv6', text: ipv6Text(words), bytes: words.flatMap((word) => [word >> 8, word & 255]) }
}

/** Undefined when a part is no hexadecimal word; the last part may be a dotted IPv4 address. */
function wordsOf(half: string): number[] | undefined {
  if (half === '') return []
  const words: number[] = []
  const parts = half.split(':')
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const [a = 0, b = 0, c = 0, d = 0] = parseIpv4(part)?.bytes ?? [-1]
      if (a < 0) return undefined
      words.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16))
    else return undefined
  }
  return words
}

function filled(head: readonly number[], tail: readonly number[]): number[] | undefined {
  const missing = 8 - head.length - tail.length
  return missing < 1 ? undefined : [...head, ...Array<number>(missing).fill(0), ...tail]
}

/** RFC 5952: lower case, the longest run of two or more zero words shortened. */
function ipv6Text(words: readonly number[]): string {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < words.length; start += 1) {
    let length = 0
    while (words[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
  }
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':')
  if (best.start < 0) return hex(words)
  return `${hex(words.slice(0, best.start))}::${hex(words.slice(best.start + best.length))}`
}

/** The prefix length of a contiguous dotted mask (255.255.255.0 is 24), undefined for anything else. */
export function prefixOfNetmask(text: string): number | undefined {
  const mask = parseIpv4(text)
  if (mask === undefined) return undefined
  const bits = mask.bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined
}

export function isMulticast(address: IpAddress): boolean {
  const first = address.bytes[0] ?? 0
  return address.family === 'ipv4' ? first >= 224 && first <= 239 : first === 255
}

/** All zeros, or 255.255.255.255: no host has such an address. */
export function isNoHost(address: IpAddress): boolean {
  return address.bytes.every((byte) => byte === 0) || (address.family === 'ipv4' && address.bytes.every((byte) => byte === 255))
}

/** A name that the kernel takes for an interface and that fits one: 1 to 15 characters, no blank, slash, colon, comma. */
export function isInterfaceName(text: string): boolean {
  return /^[^\s/:,#%\p{Cc}]{1,15}$/u.test(text) && text !== '.' && text !== '..'
}

/** Could be resolved as a host name; says nothing about whether it is. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/.test(text)
    && !/^[\d.]+$/.test(text)
}
