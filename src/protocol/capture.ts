/** A capture file, read as it comes: from a file in one piece or from a running tcpdump bit by bit. Nothing here throws. */
import { fatal, type CaptureItem, type CaptureStep } from './capture-items.ts'
import { lineReader } from './capture-lines.ts'
import { pcapForm, pcapReader } from './capture-pcap.ts'
import { pcapngReader, sectionHeader } from './capture-pcapng.ts'

export interface Capture {
  /** What `bytes`, together with what was left of earlier ones, complete. */
  take(bytes: Buffer): readonly CaptureItem[]
  /** There are no more: a record that has begun is named as cut off. */
  end(): readonly CaptureItem[]
}

const formBytes = 4

export function openCapture(): Capture {
  let rest: Buffer = Buffer.alloc(0)
  let step: CaptureStep | undefined
  let ended = false

  function go(last: boolean): readonly CaptureItem[] {
    if (ended) return []
    if (step === undefined) {
      if (rest.length < formBytes && !last) return []
      const found = readerOf(rest)
      if (typeof found !== 'function') {
        ended = true
        return [found]
      }
      step = found
    }
    const { used, items } = step(rest, last)
    rest = rest.subarray(used)
    ended = last || items.some((item) => item.type === 'trouble' && item.ends)
    return ended && rest.length > 0 && !items.some(isFatal) ? [...items, fatal('the capture ends in the middle of a packet')] : items
  }

  return {
    take(bytes) {
      if (ended) return []
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      return go(false)
    },
    end: () => go(true),
  }
}

function isFatal(item: CaptureItem): boolean {
  return item.type === 'trouble' && item.ends
}

function readerOf(bytes: Buffer): CaptureStep | CaptureItem {
  if (bytes.length < formBytes) return lineReader()
  const form = pcapForm(bytes)
  if (form !== undefined) return pcapReader(form)
  if (bytes.readUInt32BE(0) === sectionHeader) return pcapngReader()
  if (bytes.readUInt16BE(0) === 0x1f8b) return fatal('the file is compressed; type: zcat FILE | hactl decode')
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return fatal('the file is compressed; type: zstdcat FILE | hactl decode')
  return lineReader()
}
