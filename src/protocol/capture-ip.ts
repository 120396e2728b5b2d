/** From a captured frame to the IP packet in it, and what that says of UDP. Only what lies between a wire and port 694 is known here. */

export interface IpPart {
  readonly from: string
  readonly to: string
  /** Parts of one datagram have the same. */
  readonly id: number
  /** In bytes of the datagram's IP payload; 0 and no `more` for a whole one. */
  readonly offset: number
  readonly more: boolean
  readonly payload: Buffer
  /** How long the payload should be; longer than `payload` where the capture kept only the beginning. */
  readonly length: number
}

const udp = 17
const etherIpv4 = 0x0800
const etherIpv6 = 0x86dd
const etherVlans: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100])

/** The IP packet of a frame; `none`: the frame carries something else. Undefined: frames of this link type are not known. */
export function ipOfFrame(linkType: number, frame: Buffer): Buffer | 'none' | undefined {
  switch (linkType) {
    // The address family of BSD, in the byte order of whoever captured; the IP version says the same.
    case 0:
    case 108: return frame.length > 4 ? frame.subarray(4) : 'none'
    case 1: return ofEtherType(frame, 12)
    case 12:
    case 14:
    case 101:
    case 228:
    case 229: return frame
    // Linux cooked: what `-i any` gives.
    case 113: return ofEtherType(frame, 14)
    case 276: return frame.length > 20 ? ofType(frame, frame.readUInt16BE(0), 20) : 'none'
  }
  return undefined
}

function ofEtherType(frame: Buffer, at: number): Buffer | 'none' {
  return frame.length < at + 2 ? 'none' : ofType(frame, frame.readUInt16BE(at), at + 2)
}

function ofType(frame: Buffer, type: number, start: number): Buffer | 'none' {
  if (etherVlans.has(type)) return ofEtherType(frame, start + 2)
  return type === etherIpv4 || type === etherIpv6 ? frame.subarray(start) : 'none'
}

/** Undefined: no UDP in it. */
export function readIp(packet: Buffer): IpPart | undefined {
  if (packet.length < 20) return undefined
  const version = packet.readUInt8(0) >> 4
  if (version === 4) return readIpv4(packet)
  return version === 6 ? readIpv6(packet) : undefined
}

function readIpv4(packet: Buffer): IpPart | undefined {
  const start = (packet.readUInt8(0) & 0x0f) * 4
  const total = packet.readUInt16BE(2)
  if (start < 20 || packet.readUInt8(9) !== udp) return undefined
  const flags = packet.readUInt16BE(6)
  // An Ethernet frame is filled up to 60 bytes; a card that cuts large packets itself leaves the length 0.
  const end = total === 0 ? packet.length : total
  if (end < start) return undefined
  return {
    from: ipv4Text(packet, 12), to: ipv4Text(packet, 16), id: packet.readUInt16BE(4), offset: (flags & 0x1fff) * 8,
    more: (flags & 0x2000) !== 0, payload: packet.subarray(start, Math.max(start, end)), length: end - start,
  }
}

const fragmentHeader = 44
const authenticationHeader = 51
/** What else may stand before UDP: hop-by-hop options, routing, destination options. */
const skippedHeaders: ReadonlySet<number> = new Set([0, 43, 60, authenticationHeader])

function readIpv6(packet: Buffer): IpPart | undefined {
  if (packet.length < 40) return undefined
  const end = 40 + packet.readUInt16BE(4)
  let next = packet.readUInt8(6)
  let at = 40
  let fragment = { id: 0, offset: 0, more: false }
  while (next !== udp) {
    if (at + 8 > packet.length) return undefined
    const following = packet.readUInt8(at)
    if (next === fragmentHeader) {
      const flags = packet.readUInt16BE(at + 2)
      fragment = { id: packet.readUInt32BE(at + 4), offset: flags & 0xfff8, more: (flags & 1) !== 0 }
      at += 8
      // What follows in a later fragment is no header.
      if (fragment.offset > 0 && following !== udp) return undefined
    } else if (skippedHeaders.has(next)) {
      at += next === authenticationHeader ? (packet.readUInt8(at + 1) + 2) * 4 : (packet.readUInt8(at + 1) + 1) * 8
    } else return undefined
    next = following
  }
  if (at > end) return undefined
  return { from: ipv6Text(packet, 8), to: ipv6Text(packet, 24), ...fragment, payload: packet.subarray(at, end), length: end - at }
}

function ipv4Text(bytes: Buffer, at: number): string {
  return `${bytes.readUInt8(at)}.${bytes.readUInt8(at + 1)}.${bytes.readUInt8(at + 2)}.${bytes.readUInt8(at + 3)}`
}

/** As RFC 5952 writes it: the longest run of zeros (of two groups or more, the first of equal ones) is `::`. */
function ipv6Text(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + index * 2))
  let best = { start: 0, length: 1 }
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0
    while (groups[start + length] === 0) length += 1
    if (length > best.length) best = { start, length }
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  if (best.length === 1) return text(groups)
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`
}
