/** Who says of an address "it is at my hardware address": ARP of both kinds (RFC 826, RFC 5227) and neighbour advertisements (RFC 4861). */

/** What a frame claims. `key`: the address as `ipKey` writes it. */
export interface Claim {
  readonly key: string
  readonly hardwareAddress: string
}

export const etherArp = 0x0806
export const etherIpv6 = 0x86dd
/** Longer than any frame that claims something: what follows is of no interest. */
export const longestClaim = 256

const arpLength = 42
const icmpv6 = 58
const neighbourAdvertisement = 136
const advertisementLength = 24
const targetLinkLayerAddress = 2
/** Hop limit of packets that no router has passed on. */
const fromThisNetwork = 255

/** Undefined for everything else, cut or malformed frames included. */
export function claimIn(frame: Uint8Array): Claim | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (view.byteLength < arpLength) return undefined
  switch (view.getUint16(12)) {
    case etherArp:
      return arpClaim(frame, view)
    case etherIpv6:
      return advertisementClaim(frame, view)
    default:
      return undefined
  }
}

/** Request and reply alike: neighbours learn the sender from both. A probe, which asks before it claims, has no sender address. */
function arpClaim(frame: Uint8Array, view: DataView): Claim | undefined {
  const forEthernetAndIpv4 = view.getUint16(14) === 1 && view.getUint16(16) === 0x0800 && view.getUint16(18) === 0x0604
  const operation = view.getUint16(20)
  if (!forEthernetAndIpv4 || (operation !== 1 && operation !== 2) || view.getUint32(28) === 0) return undefined
  return { key: frame.subarray(28, 32).join('.'), hardwareAddress: shownHardware(frame.subarray(22, 28)) }
}

function advertisementClaim(frame: Uint8Array, view: DataView): Claim | undefined {
  const start = 54
  const end = start + view.getUint16(18)
  if (end < start + advertisementLength || end > view.byteLength) return undefined
  const isAdvertisement = view.getUint8(14) >> 4 === 6 && view.getUint8(20) === icmpv6 && view.getUint8(21) === fromThisNetwork
    && view.getUint8(start) === neighbourAdvertisement && view.getUint8(start + 1) === 0
  if (!isAdvertisement) return undefined
  // Without the option (an answer to one who asked by unicast) the sender of the frame is meant.
  const hardware = optionIn(frame.subarray(start + advertisementLength, end)) ?? frame.subarray(6, 12)
  return { key: Buffer.from(frame.subarray(start + 8, start + 24)).toString('hex'), hardwareAddress: shownHardware(hardware) }
}

function optionIn(options: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at + 8 <= options.length;) {
    const length = (options[at + 1] ?? 0) * 8
    if (length === 0) return undefined
    if (options[at] === targetLinkLayerAddress && at + length <= options.length) return options.subarray(at + 2, at + 8)
    at += length
  }
  return undefined
}

export function shownHardware(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

// Classic BPF (linux/filter.h): load a word or a byte at an offset, compare, return how much of the frame is wanted.
const loadWord = 0x20, loadByte = 0x30, jumpIfEqual = 0x15, giveBack = 0x06
const longestProgram = 4_096

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/**
 * A kernel filter for one kind of frame that lets pass claims to these addresses (`ipKey`) only; of IPv6 the last four bytes are compared.
 * A busy network's other frames then wake nobody. With more addresses than a program can hold every claim passes.
 */
export function claimFilter(etherType: typeof etherArp | typeof etherIpv6, keys: readonly string[]): Uint8Array {
  const drop: Instruction = [giveBack, 0, 0, 0]
  const pass: Instruction = [giveBack, 0, 0, longestClaim]
  const only = (offset: number, value: number): Instruction[] => [[loadByte, 0, 0, offset], [jumpIfEqual, 1, 0, value], drop]
  const arp = etherType === etherArp
  const head = arp ? [] : [...only(20, icmpv6), ...only(54, neighbourAdvertisement)]
  const words = [...new Set(keys.map(lastWord))]
  const chain: Instruction[] = [[loadWord, 0, 0, arp ? 28 : 74], ...words.flatMap((word): Instruction[] => [[jumpIfEqual, 0, 1, word], pass]), drop]
  const whole = [...head, ...chain]
  return assembled(whole.length > longestProgram ? [...head, pass] : whole)
}

function lastWord(key: string): number {
  const bytes = key.includes('.') ? Buffer.from(key.split('.').map(Number)) : Buffer.from(key.slice(-8), 'hex')
  return bytes.readUInt32BE(0)
}

function assembled(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(value, index * 8 + 4)
  })
  return bytes
}
