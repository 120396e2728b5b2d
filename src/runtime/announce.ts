/**
 * Announcements: each call is one round for its addresses (when a round is due is the core's to say). A failure is told, never skipped:
 * an address that nobody was told of answers nobody until the neighbours' caches run out.
 */
import { readFileSync } from 'node:fs'
import type { FloatingAddress } from '../core/config.ts'
import { advertisementFrame, arpFrame } from './announce-frames.ts'
import { openProgramAnnouncer } from './announce-programs.ts'
import { ipBytes } from './addresses-bytes.ts'
import type { Addresses } from './addresses.ts'
import { loadNative, type NativeCalls } from './native.ts'

export interface Announcer {
  /** Returns at once; the frames of the first addresses have left by then. */
  announce(addresses: readonly FloatingAddress[]): void
  /** Everything of `announce` but the sending. */
  rehearse(addresses: readonly FloatingAddress[]): void
  close(): void
}

/** Code `announce-failed`: one sentence for each interface and round. */
export type AnnounceFailed = (message: string) => void

type PlacedAddresses = ReadonlyMap<string, readonly FloatingAddress[]>

const ignored = (): void => undefined
const ethernetType = 1
/** Nobody is there to be told. */
const loopback = 'lo'
/** Between slices the loop gets its turn: a keepalive must not wait for a thousand frames. */
const sliceSize = 64

export function openAnnouncer(addresses: Pick<Addresses, 'interfaceOf'>, onFailed: AnnounceFailed): Announcer {
  const native = loadNative()
  const announceAll = (
    list: readonly FloatingAddress[], announce: (name: string, placed: readonly FloatingAddress[]) => void, fail: AnnounceFailed = onFailed,
  ): void => {
    for (const [name, placed] of byInterface(addresses, list, fail)) if (name !== loopback) announce(name, placed)
  }
  if (native === undefined) {
    const programs = openProgramAnnouncer(onFailed)
    const ipsOf = (placed: readonly FloatingAddress[], family: 'ipv4' | 'ipv6'): string[] =>
      placed.filter((address) => address.family === family).map((address) => address.ip)
    return {
      announce: (list) => announceAll(list, (name, placed) => programs.announce(name, ipsOf(placed, 'ipv4'), ipsOf(placed, 'ipv6'))),
      rehearse: () => undefined,
      close: () => undefined,
    }
  }
  const sender: Sender = { native, fd: undefined, closed: false }
  return {
    announce: (list) => announceAll(list, (name, placed) => announceOn(sender, name, placed, onFailed, true)),
    rehearse: (list) => announceAll(list, (name, placed) => announceOn(sender, name, placed, ignored, false), ignored),
    close() {
      sender.closed = true
      if (sender.fd !== undefined) native.closeSocket(sender.fd)
    },
  }
}

function byInterface(
  addresses: Pick<Addresses, 'interfaceOf'>, list: readonly FloatingAddress[], onFailed: AnnounceFailed,
): PlacedAddresses {
  const found = new Map<string, FloatingAddress[]>()
  const lost: string[] = []
  for (const address of list) {
    const name = addresses.interfaceOf(address)
    const placed = found.get(name ?? '')
    if (name === undefined) lost.push(address.ip)
    else if (placed === undefined) found.set(name, [address])
    else placed.push(address)
  }
  if (lost.length > 0) onFailed(`${named(lost)} cannot be announced: no interface has it`)
  return found
}

interface Sender { readonly native: NativeCalls; fd: number | undefined; closed: boolean }

function announceOn(sender: Sender, name: string, placed: readonly FloatingAddress[], onFailed: AnnounceFailed, sends: boolean): void {
  const fail = (why: string): void => onFailed(`${named(placed.map((address) => address.ip))} cannot be announced on ${name}: ${why}`)
  // Asked each time: an interface that was made anew has another index and another address.
  const index = sender.native.interfaceIndex(name)
  const hardware = sender.native.hardwareAddress(name)
  if (index === undefined || hardware === undefined) return fail('the interface does not exist')
  if (hardware.type !== ethernetType) return fail(`it is not an Ethernet interface (type ${hardware.type})`)
  if (sender.fd === undefined) {
    const opened = sender.native.openPacketSocket()
    if ('code' in opened) return fail(`${opened.code}${opened.code === 'EPERM' ? ': run the daemon as root or with CAP_NET_RAW' : ''}`)
    sender.fd = opened.fd
  }
  const { fd } = sender
  const router = placed.some((address) => address.family === 'ipv6') && forwardsIpv6(name)
  const sendSlice = (from: number): void => {
    if (sender.closed) return
    for (const address of placed.slice(from, from + sliceSize)) {
      for (const frame of framesFor(address, hardware.bytes, router)) {
        const code = sends ? sender.native.sendFrame(fd, frame, index) : undefined
        if (code !== undefined) return fail(code === 'ENETDOWN' ? 'the interface is down' : code)
      }
    }
    if (from + sliceSize < placed.length) setImmediate(sendSlice, from + sliceSize)
  }
  sendSlice(0)
}

function framesFor(address: FloatingAddress, mac: Uint8Array, router: boolean): readonly Uint8Array[] {
  const ip = ipBytes(address.ip)
  if (ip === undefined) return []
  return ip.length === 4 ? [arpFrame('request', mac, ip), arpFrame('reply', mac, ip)] : [advertisementFrame(mac, ip, router)]
}

/** A router that advertises itself without the flag is struck off its neighbours' lists of routers. */
function forwardsIpv6(name: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${name}/forwarding`, 'latin1').trim() !== '0'
  } catch {
    return false
  }
}

function named(ips: readonly string[]): string {
  return ips.length > 1 ? `${ips[0] ?? ''} and ${ips.length - 1} more` : (ips[0] ?? '')
}
