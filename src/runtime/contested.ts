/**
 * Another host that answers for a floating address of ours, as seen on the cable. koffi cannot wake the loop for a socket, so that the
 * sockets are looked at once a second; the kernel's filter keeps for us only frames that claim an address of ours.
 */
import type { Addresses } from './addresses.ts'
import { nowMs } from './clock.ts'
import { claimFilter, claimIn, etherArp, etherIpv6, longestClaim, shownHardware } from './contested-frames.ts'
import { mayTell, openClaimLimit, type ClaimLimit } from './contested-limit.ts'
import { openMonitor, type Monitor } from './links-monitor.ts'
import { loadNative, type NativeCalls } from './native.ts'

export interface ContestEvents {
  /** A frame said that `ip`, which should stand on this interface here, is at this hardware address, which is none of this host's. */
  onContested(ip: string, hardwareAddress: string, interfaceName: string): void
  /** Such frames cannot be seen, for this reason; told once. */
  onBlind(reason: string): void
}

export interface ContestWatch { close(): void }

const lookMs = 1_000
/** Of each socket at a look; what is left waits for the next one, or is dropped by the kernel. */
const mostFrames = 256

type Wanted = ReturnType<Addresses['wanted']>
type Entry = Wanted extends ReadonlyMap<string, infer E> ? E : never
type Kind = typeof etherArp | typeof etherIpv6

interface Watch {
  readonly native: NativeCalls
  readonly monitor: Monitor
  readonly events: ContestEvents
  readonly limit: ClaimLimit
  readonly sockets: Map<Kind, number>
  /** What the filter was made for. A frame that waits now came while these were wanted, so that no former holder is meant. */
  watched: ReadonlyMap<string, Entry>
  blind: boolean
}

/** Without native calls it watches nothing, which whoever asks `nativeMissingReason()` has said. */
export async function watchContests(addresses: Pick<Addresses, 'wanted'>, events: ContestEvents): Promise<ContestWatch> {
  const native = loadNative()
  if (native === undefined) return { close: () => undefined }
  const monitor = await openMonitor(() => undefined)
  const watch: Watch = { native, monitor, events, limit: openClaimLimit(), sockets: new Map(), watched: new Map(), blind: false }
  const timer = setInterval(() => {
    const wanted = addresses.wanted()
    read(watch, wanted)
    follow(watch, wanted)
  }, lookMs)
  return {
    close() {
      clearInterval(timer)
      for (const fd of watch.sockets.values()) native.closeSocket(fd)
      watch.sockets.clear()
      monitor.close()
    },
  }
}

function read(watch: Watch, wanted: Wanted): void {
  const buffer = new Uint8Array(longestClaim)
  let own: ReadonlySet<string> | undefined
  for (const fd of watch.sockets.values()) {
    for (let frames = 0; frames < mostFrames; frames += 1) {
      const received = watch.native.receiveFrame(fd, buffer)
      if (received === undefined) break
      const claim = claimIn(buffer.subarray(0, received.length))
      const entry = claim === undefined ? undefined : watch.watched.get(claim.key)
      // Removed and added anew since: the frame may be of the time between.
      if (claim === undefined || entry === undefined || wanted.get(claim.key) !== entry) continue
      const { ip, interface: name } = entry.place
      if (watch.monitor.interfaces().get(name)?.index !== received.interfaceIndex) continue
      own ??= ownHardware(watch)
      if (own.has(claim.hardwareAddress) || !mayTell(watch.limit, ip, claim.hardwareAddress, nowMs())) continue
      watch.events.onContested(ip, claim.hardwareAddress, name)
    }
  }
}

function ownHardware({ native, monitor }: Watch): ReadonlySet<string> {
  return new Set([...monitor.interfaces().keys()].flatMap((name) => {
    const hardware = native.hardwareAddress(name)
    return hardware === undefined ? [] : [shownHardware(hardware.bytes)]
  }))
}

/** A socket for each family that has an address to watch, with a filter for just these. */
function follow(watch: Watch, wanted: Wanted): void {
  if (isSame(watch.watched, wanted)) return
  const keys: Record<Kind, string[]> = { [etherArp]: [], [etherIpv6]: [] }
  for (const [key, { place }] of wanted) keys[place.family === 'ipv4' ? etherArp : etherIpv6].push(key)
  for (const kind of [etherArp, etherIpv6] as const) followKind(watch, kind, keys[kind])
  watch.watched = new Map(wanted)
}

function followKind(watch: Watch, kind: Kind, keys: readonly string[]): void {
  const open = watch.sockets.get(kind)
  if (keys.length === 0) {
    if (open !== undefined) watch.native.closeSocket(open)
    watch.sockets.delete(kind)
    return
  }
  const filter = claimFilter(kind, keys)
  if (open !== undefined) return blindBy(watch, watch.native.setFrameFilter(open, filter))
  const opened = watch.native.openFrameReceiver(kind, filter)
  if ('code' in opened) return blindBy(watch, opened.code)
  watch.sockets.set(kind, opened.fd)
}

function blindBy(watch: Watch, code: string | undefined): void {
  if (code === undefined || watch.blind) return
  watch.blind = true
  watch.events.onBlind(`${code}${code === 'EPERM' ? ': run the daemon as root or with CAP_NET_RAW' : ''}`)
}

function isSame(watched: ReadonlyMap<string, Entry>, wanted: Wanted): boolean {
  if (watched.size !== wanted.size) return false
  for (const [key, entry] of wanted) if (watched.get(key) !== entry) return false
  return true
}
