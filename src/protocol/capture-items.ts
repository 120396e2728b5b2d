/** What a capture file holds, whichever of its formats it has, and the bounds of everything that is read from it. */

export interface CapturedFrame {
  readonly type: 'frame'
  /** Seconds since 1970, with their fraction; a capture may have none. */
  readonly t?: number
  /** A LINKTYPE_ of tcpdump.org. */
  readonly linkType: number
  /** As the capture names it; pcap files name none. */
  readonly interface?: string
  readonly bytes: Buffer
  /** Larger than `bytes` where tcpdump kept only the beginning (`-s`). */
  readonly wholeLength: number
}

/** The payload of a datagram as a line of text gives it. `from` and `to`: as there, `192.0.2.1:694`. */
export interface CapturedPayload {
  readonly type: 'payload'
  readonly t?: number
  readonly from?: string
  readonly to?: string
  readonly bytes: Buffer
}

/** `message`: a sentence for the person who gave the file. `ends`: nothing after it can be read. */
export interface CaptureTrouble { readonly type: 'trouble'; readonly message: string; readonly ends: boolean }

/** `skipped`: a line of JSON without a packet, as ARP frames are. */
export type CaptureItem = CapturedFrame | CapturedPayload | CaptureTrouble | { readonly type: 'skipped' }

/**
 * Reads one format from wherever the last call stopped. `used`: so many bytes are done with; less than all of them means that the rest
 * is the beginning of a record. `last`: nothing follows `bytes`.
 */
export type CaptureStep = (bytes: Buffer, last: boolean) => { readonly used: number; readonly items: readonly CaptureItem[] }

/** The largest packet that libpcap captures has 256 KiB; a length above this is no length. */
export const maxRecordBytes = 1 << 20

export function fatal(message: string): CaptureTrouble {
  return { type: 'trouble', message, ends: true }
}
