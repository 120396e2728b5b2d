/** The format of Wireshark and dumpcap (draft-ietf-opsawg-pcapng): sections of blocks, each interface described before its packets. */
import { fatal, maxRecordBytes, type CaptureItem, type CaptureStep } from './capture-items.ts'

export const sectionHeader = 0x0a0d0d0a
const interfaceDescription = 1
const oldPacket = 2
const simplePacket = 3
const enhancedPacket = 6
const leastBlockBytes = 12
/** An option of an interface: its name; the resolution of its times; seconds to add to them. */
const nameOption = 2
const resolutionOption = 9
const offsetOption = 14
const mostInterfaces = 4096

interface Interface {
  readonly linkType: number
  readonly snapLength: number
  readonly name?: string
  readonly ticksPerSecond: number
  readonly offsetSeconds: number
}

interface Numbers { u16(bytes: Buffer, at: number): number; u32(bytes: Buffer, at: number): number }

const little: Numbers = { u16: (bytes, at) => bytes.readUInt16LE(at), u32: (bytes, at) => bytes.readUInt32LE(at) }
const big: Numbers = { u16: (bytes, at) => bytes.readUInt16BE(at), u32: (bytes, at) => bytes.readUInt32BE(at) }

export function pcapngReader(): CaptureStep {
  let numbers = little
  let interfaces: Interface[] = []
  return (bytes) => {
    const items: CaptureItem[] = []
    let used = 0
    while (bytes.length - used >= leastBlockBytes) {
      const isSection = bytes.readUInt32BE(used) === sectionHeader
      if (isSection) {
        const magic = bytes.readUInt32BE(used + 8)
        if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a) return { used, items: [...items, fatal('a section of the pcapng file has no byte order')] }
        numbers = magic === 0x1a2b3c4d ? big : little
        interfaces = []
      }
      const type = numbers.u32(bytes, used)
      const length = numbers.u32(bytes, used + 4)
      if (length < leastBlockBytes || length > maxRecordBytes || length % 4 !== 0) {
        items.push(fatal(`a block claims ${length} bytes: the file is damaged there, and what follows cannot be found`))
        break
      }
      if (used + length > bytes.length) break
      const body = bytes.subarray(used + 8, used + length - 4)
      if (type === interfaceDescription && interfaces.length < mostInterfaces) interfaces.push(readInterface(body, numbers))
      else if (!isSection) items.push(...readPacket(type, body, numbers, interfaces))
      used += length
    }
    return { used, items }
  }
}

function readInterface(body: Buffer, numbers: Numbers): Interface {
  if (body.length < 8) return { linkType: -1, snapLength: 0, ticksPerSecond: 1e6, offsetSeconds: 0 }
  let name: string | undefined
  let ticksPerSecond = 1e6
  let offsetSeconds = 0
  for (let at = 8; at + 4 <= body.length;) {
    const code = numbers.u16(body, at)
    const value = body.subarray(at + 4, at + 4 + numbers.u16(body, at + 2))
    if (code === 0) break
    if (code === nameOption) name = value.toString('utf8').replace(/\0.*$/s, '')
    if (code === resolutionOption) ticksPerSecond = ticksOf(value[0] ?? 6)
    if (code === offsetOption && value.length === 8) offsetSeconds = numbers.u32(value, numbers === little ? 0 : 4)
    at += 4 + Math.ceil(numbers.u16(body, at + 2) / 4) * 4
  }
  const known = { linkType: numbers.u16(body, 0), snapLength: numbers.u32(body, 4), ticksPerSecond, offsetSeconds }
  return name === undefined || name === '' ? known : { ...known, name }
}

/** A power of ten, or, with the upper bit set, of two. */
function ticksOf(resolution: number): number {
  return resolution < 0x80 ? 10 ** resolution : 2 ** (resolution & 0x7f)
}

function readPacket(type: number, body: Buffer, numbers: Numbers, interfaces: readonly Interface[]): readonly CaptureItem[] {
  if (type === simplePacket) return body.length < 4 ? [] : simple(body, numbers, interfaces[0])
  if ((type !== enhancedPacket && type !== oldPacket) || body.length < 20) return []
  const from = interfaces[type === enhancedPacket ? numbers.u32(body, 0) : numbers.u16(body, 0)]
  if (from === undefined) return [{ type: 'trouble', message: 'a packet of an interface that the pcapng file does not describe', ends: false }]
  const ticks = numbers.u32(body, 4) * 0x1_0000_0000 + numbers.u32(body, 8)
  const kept = numbers.u32(body, 12)
  const bytes = body.subarray(20, 20 + kept)
  return [{
    type: 'frame', t: ticks / from.ticksPerSecond + from.offsetSeconds, linkType: from.linkType, bytes,
    wholeLength: Math.max(bytes.length, numbers.u32(body, 16)), ...(from.name === undefined ? {} : { interface: from.name }),
  }]
}

/** It has neither a time nor an interface of its own, and its length is cut to what the first interface keeps. */
function simple(body: Buffer, numbers: Numbers, from: Interface | undefined): readonly CaptureItem[] {
  if (from === undefined) return []
  const wholeLength = numbers.u32(body, 0)
  const kept = from.snapLength === 0 ? wholeLength : Math.min(wholeLength, from.snapLength)
  const bytes = body.subarray(4, 4 + kept)
  return [{ type: 'frame', linkType: from.linkType, bytes, wholeLength: Math.max(bytes.length, wholeLength),
    ...(from.name === undefined ? {} : { interface: from.name }) }]
}
