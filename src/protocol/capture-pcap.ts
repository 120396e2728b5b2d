/** The format of `tcpdump -w` (draft-ietf-opsawg-pcap): a header of 24 bytes, then records of 16 bytes and a frame. */
import { fatal, maxRecordBytes, type CaptureItem, type CaptureStep } from './capture-items.ts'

const headerBytes = 24
const recordHeaderBytes = 16
/** The upper bits of the link type say how long a frame's checksum is. */
const linkTypeMask = 0x0fff_ffff

interface PcapForm { readonly littleEndian: boolean; readonly fractionsPerSecond: number }

/** Undefined: the bytes begin no pcap file. Of at least 4 bytes. */
export function pcapForm(bytes: Buffer): PcapForm | undefined {
  switch (bytes.readUInt32BE(0)) {
    case 0xa1b2c3d4: return { littleEndian: false, fractionsPerSecond: 1e6 }
    case 0xd4c3b2a1: return { littleEndian: true, fractionsPerSecond: 1e6 }
    case 0xa1b23c4d: return { littleEndian: false, fractionsPerSecond: 1e9 }
    case 0x4d3cb2a1: return { littleEndian: true, fractionsPerSecond: 1e9 }
  }
  return undefined
}

export function pcapReader({ littleEndian, fractionsPerSecond }: PcapForm): CaptureStep {
  const number = (bytes: Buffer, at: number): number => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  let linkType: number | undefined
  return (bytes) => {
    const items: CaptureItem[] = []
    let used = 0
    if (linkType === undefined) {
      if (bytes.length < headerBytes) return { used, items }
      linkType = number(bytes, 20) & linkTypeMask
      used = headerBytes
    }
    while (bytes.length - used >= recordHeaderBytes) {
      const length = number(bytes, used + 8)
      if (length > maxRecordBytes) {
        items.push(fatal(`a record claims ${length} bytes: the file is damaged there, and what follows cannot be found`))
        break
      }
      const end = used + recordHeaderBytes + length
      if (end > bytes.length) break
      const t = number(bytes, used) + number(bytes, used + 4) / fractionsPerSecond
      const wholeLength = Math.max(length, number(bytes, used + 12))
      items.push({ type: 'frame', t, linkType, bytes: bytes.subarray(used + recordHeaderBytes, end), wholeLength })
      used = end
    }
    return { used, items }
  }
}
