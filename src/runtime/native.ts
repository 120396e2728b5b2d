/**
 * The few calls of the C library that Node does not offer, by koffi. koffi is an optional dependency: without it each caller has
 * another way (`arping`, a subnet filter, `systemd-notify`), so that nothing here may be needed at import time.
 */
import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { ipBytes } from './addresses-bytes.ts'
import { errorText } from './errors.ts'

/** Codes are names as `EADDRINUSE`; no call throws but `openUdp`. No call blocks. */
export interface NativeCalls {
  /** A bound UDP socket that `dgram.bind({ fd })` can adopt. Throws an Error whose `code` is the name of the errno. */
  openUdp(request: UdpRequest): { readonly fd: number; readonly boundToInterface: boolean }
  /** For a socket that `dgram` has adopted: from now on nobody else can bind its port, whatever they ask for. */
  refuseSharing(fd: number): void
  /** A socket for whole Ethernet frames that receives nothing, or the code of the error. */
  openPacketSocket(): { readonly fd: number } | { readonly code: string }
  /** The code of the error, or undefined when the frame was handed over. */
  sendFrame(fd: number, frame: Uint8Array, interfaceIndex: number): string | undefined
  /** A socket for whole frames of one Ethernet type that others sent, on all interfaces; `filter` is a program of classic BPF, 8 bytes a step. */
  openFrameReceiver(etherType: number, filter: Uint8Array): { readonly fd: number } | { readonly code: string }
  /** Another filter from now on, at once. The code of the error. */
  setFrameFilter(fd: number, filter: Uint8Array): string | undefined
  /** One frame, cut to the buffer; undefined when none waits. */
  receiveFrame(fd: number, into: Uint8Array): { readonly length: number; readonly interfaceIndex: number } | undefined
  closeSocket(fd: number): void
  /** Asked anew each time: an interface that is made again has another index. */
  interfaceIndex(name: string): number | undefined
  /** ARPHRD type (1: Ethernet, 772: loopback) and the address. */
  hardwareAddress(name: string): { readonly type: number; readonly bytes: Uint8Array } | undefined
  /** One datagram to a unix socket; a path that starts with `@` is of the abstract namespace. */
  sendUnixDatagram(path: string, text: string): string | undefined
  /** Sets the time after which the open watchdog resets this host unless fed; the driver may take another, which is the answer. */
  setWatchdogTimeout(fd: number, seconds: number): { readonly seconds: number } | { readonly code: string }
}

export interface UdpRequest {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly port: number
  readonly interface: string
  /** Only for sockets that this daemon itself opens several times on one address: shared with others, packets would get lost. */
  readonly reuse: boolean
  /** Of IPv6: Node does not know the family of a socket that it was given, and would set those of IPv4. */
  readonly multicast?: { readonly hops: number; readonly loop: boolean }
}

// Linux, little-endian (x64, arm64, riscv64): socket.h, if_packet.h, sockios.h.
const AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_PACKET = 17
const SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_FLAGS = 0o2000000 | 0o4000
const SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_BINDTODEVICE = 25, SO_ATTACH_FILTER = 26, filterProgramLength = 16, IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26, IPV6_MULTICAST_HOPS = 18, IPV6_MULTICAST_LOOP = 19
const MSG_DONTWAIT = 0x40, MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const SIOCGIFHWADDR = 0x8927
const interfaceRequestLength = 40
// watchdog.h: _IOWR('W', 6, int).
const WDIOC_SETTIMEOUT = 0xc0045706
const packetAddressLength = 20

interface LibC {
  readonly socket: (family: number, type: number, protocol: number) => number
  readonly bind: (fd: number, address: Uint8Array, length: number) => number
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number
  readonly sendto: (fd: number, data: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number) => number
  readonly setFilter: (fd: number, level: number, option: number, program: { readonly length: number; readonly steps: Uint8Array }, length: number) => number
  readonly recvfrom: (fd: number, data: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: Uint8Array) => number
  readonly close: (fd: number) => number
  readonly ioctl: (fd: number, request: number, value: Uint8Array) => number
  readonly ifNameToIndex: (name: string) => number
  readonly errno: () => number
}

interface Koffi {
  load(path: string | null): { func(definition: string): unknown }
  struct(name: string, members: Readonly<Record<string, string>>): unknown
  errno(): number
}

let loaded: { readonly calls?: NativeCalls; readonly reason?: string } | undefined

/** Undefined when koffi is not installed, cannot be loaded, or `HACTL_NO_NATIVE=1`; `nativeMissingReason()` then says why. */
export function loadNative(): NativeCalls | undefined {
  loaded ??= load()
  return loaded.calls
}

/** A sentence for the log and for `hactl check`; undefined when the native calls are there. */
export function nativeMissingReason(): string | undefined {
  loaded ??= load()
  return loaded.reason
}

function load(): { readonly calls: NativeCalls } | { readonly reason: string } {
  if (process.env['HACTL_NO_NATIVE'] === '1') return { reason: 'native calls are switched off by HACTL_NO_NATIVE=1' }
  if (process.platform !== 'linux' || endianness() !== 'LE') {
    return { reason: `native calls are not known for ${process.platform} ${process.arch}` }
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    return { calls: nativeCalls(bindLibC(koffi)) }
  } catch (error) {
    return { reason: `koffi cannot be loaded (${errorText(error).split('\n')[0] ?? ''}); install it: npm install koffi` }
  }
}

function bindLibC(koffi: Koffi): LibC {
  const library = koffi.load(null)
  koffi.struct('sock_fprog', { length: 'uint16_t', steps: 'const void *' })
  const bound = {
    socket: library.func('int socket(int family, int type, int protocol)'),
    bind: library.func('int bind(int fd, const void *address, uint32_t length)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)'),
    sendto: library.func('long sendto(int fd, const void *data, size_t length, int flags, const void *address, uint32_t addressLength)'),
    setFilter: library.func('int setsockopt(int fd, int level, int option, const sock_fprog *program, uint32_t length)'),
    recvfrom: library.func('long recvfrom(int fd, void *data, size_t length, int flags, void *address, void *addressLength)'),
    close: library.func('int close(int fd)'),
    ioctl: library.func('int ioctl(int fd, unsigned long request, void *value)'),
    ifNameToIndex: library.func('uint32_t if_nametoindex(const char *name)'),
    errno: () => koffi.errno(),
  }
  return bound as LibC
}

function nativeCalls(libc: LibC): NativeCalls {
  const codeOf = (result: number): string | undefined => (result < 0 ? errorName(libc.errno()) : undefined)
  let querySocket: number | undefined
  let unixSocket: number | undefined
  const from = Buffer.alloc(packetAddressLength)
  const fromLength = Buffer.alloc(4)
  return {
    openUdp: (request) => openUdp(libc, request),
    refuseSharing: (fd) => void libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.alloc(4), 4),
    openPacketSocket() {
      const fd = libc.socket(AF_PACKET, SOCK_RAW | SOCK_FLAGS, 0)
      return fd < 0 ? { code: errorName(libc.errno()) } : { fd }
    },
    sendFrame: (fd, frame, index) => codeOf(libc.sendto(fd, frame, frame.length, MSG_DONTWAIT_NOSIGNAL, packetAddress(frame, index), packetAddressLength)),
    openFrameReceiver: (etherType, filter) => openFrameReceiver(libc, etherType, filter),
    setFrameFilter: (fd, filter) => codeOf(attachFilter(libc, fd, filter)),
    receiveFrame(fd, into) {
      fromLength.writeUInt32LE(packetAddressLength, 0)
      const length = libc.recvfrom(fd, into, into.length, MSG_DONTWAIT, from, fromLength)
      return length < 0 ? undefined : { length, interfaceIndex: from.readInt32LE(4) }
    },
    closeSocket: (fd) => void libc.close(fd),
    interfaceIndex: (name) => libc.ifNameToIndex(name) || undefined,
    hardwareAddress(name) {
      querySocket ??= libc.socket(AF_INET, SOCK_DGRAM | SOCK_FLAGS, 0)
      const request = Buffer.alloc(interfaceRequestLength)
      request.write(name.slice(0, 15), 'latin1')
      if (libc.ioctl(querySocket, SIOCGIFHWADDR, request) < 0) return undefined
      return { type: request.readUInt16LE(16), bytes: new Uint8Array(request.subarray(18, 24)) }
    },
    sendUnixDatagram(path, text) {
      unixSocket ??= libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_FLAGS, 0)
      const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path)
      if (name.length > 107) return 'ENAMETOOLONG'
      const data = Buffer.from(text)
      const address = Buffer.concat([uint16(AF_UNIX), name])
      return codeOf(libc.sendto(unixSocket, data, data.length, MSG_DONTWAIT_NOSIGNAL, address, address.length))
    },
    setWatchdogTimeout(fd, seconds) {
      const value = Buffer.alloc(4)
      value.writeInt32LE(seconds)
      const code = codeOf(libc.ioctl(fd, WDIOC_SETTIMEOUT, value))
      return code === undefined ? { seconds: value.readInt32LE() } : { code }
    },
  }
}

function openUdp(libc: LibC, request: UdpRequest): { fd: number; boundToInterface: boolean } {
  const ipv6 = request.family === 'ipv6'
  const fd = libc.socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_FLAGS, 0)
  const check = (call: string, result: number): void => {
    if (result >= 0) return
    const code = errorName(libc.errno())
    if (fd >= 0) libc.close(fd)
    throw Object.assign(new Error(`${call}: ${code}`), { code })
  }
  check('socket', fd)
  const one = Buffer.from([1, 0, 0, 0])
  const setIpv6 = (name: string, option: number, value: number): void =>
    check(`setsockopt ${name}`, libc.setsockopt(fd, IPPROTO_IPV6, option, Buffer.from([value, 0, 0, 0]), 4))
  if (ipv6) setIpv6('IPV6_V6ONLY', IPV6_V6ONLY, 1)
  if (ipv6 && request.multicast !== undefined) {
    setIpv6('IPV6_MULTICAST_HOPS', IPV6_MULTICAST_HOPS, request.multicast.hops)
    setIpv6('IPV6_MULTICAST_LOOP', IPV6_MULTICAST_LOOP, request.multicast.loop ? 1 : 0)
  }
  if (request.reuse) check('setsockopt SO_REUSEADDR', libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4))
  const name = Buffer.from(`${request.interface}\0`)
  const bound = libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length)
  // Old kernels keep this call for root: the subnet filter of links.ts then serves instead.
  if (bound < 0 && errorName(libc.errno()) !== 'EPERM') check('setsockopt SO_BINDTODEVICE', bound)
  const address = socketAddress(request, libc.ifNameToIndex(request.interface))
  check('bind', libc.bind(fd, address, address.length))
  return { fd, boundToInterface: bound >= 0 }
}

function socketAddress(request: UdpRequest, interfaceIndex: number): Uint8Array {
  const port = Buffer.from([request.port >> 8, request.port & 255])
  const bytes = ipBytes(request.address)
  if (bytes === undefined) throw Object.assign(new Error(`${request.address} is not an IP address`), { code: 'EINVAL' })
  if (request.family === 'ipv4') return Buffer.concat([uint16(AF_INET), port, bytes, Buffer.alloc(8)])
  const scope = Buffer.alloc(4)
  // Only link-local addresses (fe80::/10, ff02::/16) need the interface's index.
  if (bytes[0] === 0xfe || bytes[0] === 0xff) scope.writeUInt32LE(interfaceIndex)
  return Buffer.concat([uint16(AF_INET6), port, Buffer.alloc(4), bytes, scope])
}

/** Of no type at first: nothing may come before the filter is there. */
function openFrameReceiver(libc: LibC, etherType: number, filter: Uint8Array): { fd: number } | { code: string } {
  const fd = libc.socket(AF_PACKET, SOCK_RAW | SOCK_FLAGS, 0)
  const fault = (): { code: string } => {
    const code = errorName(libc.errno())
    if (fd >= 0) libc.close(fd)
    return { code }
  }
  if (fd < 0 || attachFilter(libc, fd, filter) < 0) return fault()
  const address = Buffer.alloc(packetAddressLength)
  address.writeUInt16LE(AF_PACKET, 0)
  address.writeUInt16BE(etherType, 2)
  return libc.bind(fd, address, packetAddressLength) < 0 ? fault() : { fd }
}

function attachFilter(libc: LibC, fd: number, steps: Uint8Array): number {
  return libc.setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, { length: steps.length / 8, steps }, filterProgramLength)
}

/** struct sockaddr_ll: the protocol and the receiver's hardware address are those of the frame itself. */
function packetAddress(frame: Uint8Array, interfaceIndex: number): Uint8Array {
  const address = Buffer.alloc(packetAddressLength)
  address.writeUInt16LE(AF_PACKET, 0)
  address.set(frame.subarray(12, 14), 2)
  address.writeInt32LE(interfaceIndex, 4)
  address[11] = 6
  address.set(frame.subarray(0, 6), 12)
  return address
}

function uint16(value: number): Buffer {
  return Buffer.from([value & 255, value >> 8])
}

function errorName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`
}
