/** UDP datagrams of a capture: fragments are put together, and those of which a part is missing are told as that. */
import { ipOfFrame, readIp, type IpPart } from './capture-ip.ts'
import type { CapturedFrame, CapturedPayload } from './capture-items.ts'

export interface CapturedDatagram {
  readonly t?: number
  /** With the port: `192.0.2.1:694`, `[2001:db8::1]:694`; absent for a payload that came without. */
  readonly from?: string
  readonly to?: string
  readonly ports: readonly number[]
  readonly interface?: string
  readonly bytes: Buffer
  /** Why `bytes` are not all of it. */
  readonly incomplete?: string
}

export interface Datagrams {
  take(frame: CapturedFrame): readonly CapturedDatagram[]
  /** Whatever still waits for a fragment. */
  end(): readonly CapturedDatagram[]
  /** Frames of link types that are not known, by link type. */
  unknownLinkTypes(): ReadonlyMap<number, number>
  /** Fragments without the first one, which alone has the ports: the filter `udp port 694` lets no others through. */
  orphans(): number
}

/** The kernel's own limit (net.ipv4.ipfrag_time), and more datagrams at once than a pair ever has under way. */
const patienceSeconds = 30
const mostWaiting = 256
const udpHeaderBytes = 8

interface Waiting { readonly frame: CapturedFrame; readonly parts: IpPart[] }

export function collectDatagrams(): Datagrams {
  const waiting = new Map<string, Waiting>()
  const unknown = new Map<number, number>()
  let orphans = 0

  function giveUp(key: string, entry: Waiting): readonly CapturedDatagram[] {
    waiting.delete(key)
    const first = entry.parts.find(({ offset }) => offset === 0)
    const got = entry.parts.reduce((sum, { payload }) => sum + payload.length, 0)
    if (first !== undefined) return datagram(entry.frame, first, first.payload, `fragments are missing: ${got} bytes are there`)
    orphans += entry.parts.length
    return []
  }

  function late(t: number | undefined): readonly CapturedDatagram[] {
    const found: CapturedDatagram[] = []
    for (const [key, entry] of waiting) {
      const isLate = t !== undefined && entry.frame.t !== undefined && t - entry.frame.t > patienceSeconds
      if (isLate || waiting.size > mostWaiting) found.push(...giveUp(key, entry))
    }
    return found
  }

  function addFragment(frame: CapturedFrame, part: IpPart): readonly CapturedDatagram[] {
    const key = `${part.from} ${part.to} ${part.id}`
    const entry = waiting.get(key) ?? { frame, parts: [] }
    waiting.set(key, entry)
    if (!entry.parts.some(({ offset, length }) => offset === part.offset && length === part.length)) entry.parts.push(part)
    const whole = assembled(entry.parts)
    if (whole === undefined) return []
    waiting.delete(key)
    return datagram(entry.frame, part, whole)
  }

  return {
    take(frame) {
      const packet = ipOfFrame(frame.linkType, frame.bytes)
      if (packet === undefined) unknown.set(frame.linkType, (unknown.get(frame.linkType) ?? 0) + 1)
      const part = packet === undefined || packet === 'none' ? undefined : readIp(packet)
      if (part === undefined) return []
      if (part.offset === 0 && !part.more) return datagram(frame, part, part.payload)
      return [...late(frame.t), ...addFragment(frame, part)]
    },
    end: () => [...waiting].flatMap(([key, entry]) => giveUp(key, entry)),
    unknownLinkTypes: () => unknown,
    orphans: () => orphans,
  }
}

/** Undefined while a part is missing, was cut, or overlaps another, which no honest host sends. */
function assembled(parts: readonly IpPart[]): Buffer | undefined {
  let end = 0
  const ordered = [...parts].sort((one, other) => one.offset - other.offset)
  for (const { offset, payload, length } of ordered) {
    if (offset !== end || payload.length < length) return undefined
    end += length
  }
  return ordered.at(-1)?.more === false ? Buffer.concat(ordered.map(({ payload }) => payload)) : undefined
}

/** `payload`: the UDP header and what follows it. */
function datagram(frame: CapturedFrame, { from, to, length }: IpPart, payload: Buffer, missing?: string): readonly CapturedDatagram[] {
  if (payload.length < udpHeaderBytes) return []
  const ports = [payload.readUInt16BE(0), payload.readUInt16BE(2)]
  // 0: the card computes it, or the datagram is a jumbogram.
  const claimed = payload.readUInt16BE(4) === 0 ? Math.max(length, payload.length) : payload.readUInt16BE(4)
  const bytes = payload.subarray(udpHeaderBytes, Math.max(udpHeaderBytes, claimed))
  const incomplete = missing ?? (payload.length < claimed
    ? `the capture has ${bytes.length} of its ${claimed - udpHeaderBytes} bytes (tcpdump -s 0 keeps all)` : undefined)
  return [{
    ...(frame.t === undefined ? {} : { t: frame.t }), from: place(from, ports[0]), to: place(to, ports[1]), ports,
    ...(frame.interface === undefined ? {} : { interface: frame.interface }), bytes, ...(incomplete === undefined ? {} : { incomplete }),
  }]
}

function place(address: string, port = 0): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function datagramOfPayload({ t, from, to, bytes }: CapturedPayload): CapturedDatagram {
  const ports = [from, to].flatMap((text) => {
    const port = /:(\d{1,5})$/.exec(text ?? '')?.[1]
    return port === undefined ? [] : [Number(port)]
  })
  return { ...(t === undefined ? {} : { t }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ports, bytes }
}
