/** Sockets that Node does not have, for looking at what was really sent: whole frames of an interface, datagrams of a unix socket. */
import { createRequire } from 'node:module'
import { readSync } from 'node:fs'

const koffi = createRequire(import.meta.url)('koffi') as { load(path: null): { func(definition: string): (...values: unknown[]) => number } }
const libc = koffi.load(null)
const socket = libc.func('int socket(int family, int type, int protocol)')
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)')
const setsockopt = libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)')
const ifNameToIndex = libc.func('uint32_t if_nametoindex(const char *name)')

const SOCK_NONBLOCK = 0o4000

function reader(fd: number): () => Buffer[] {
  return () => {
    const received: Buffer[] = []
    const buffer = Buffer.alloc(65_536)
    for (;;) {
      try {
        received.push(Buffer.from(buffer.subarray(0, readSync(fd, buffer))))
      } catch {
        return received
      }
    }
  }
}

/** Each call gives the frames since the last one, what this host itself sends on the interface included. */
export function receiveFrames(interfaceName: string): () => Buffer[] {
  const fd = socket(17, 3 | SOCK_NONBLOCK, 0x0300)
  const address = Buffer.alloc(20)
  address.writeUInt16LE(17, 0)
  address.writeUInt16BE(3, 2)
  address.writeInt32LE(ifNameToIndex(interfaceName), 4)
  if (fd < 0 || bind(fd, address, 20) < 0) throw new Error(`no packet socket on ${interfaceName}`)
  // SO_RCVBUFFORCE: a thousand addresses are two thousand frames before the first look.
  const size = Buffer.alloc(4)
  size.writeInt32LE(16 << 20)
  setsockopt(fd, 1, 33, size, 4)
  return reader(fd)
}

export function receiveDatagrams(path: string): () => string[] {
  const fd = socket(1, 2 | SOCK_NONBLOCK, 0)
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path)
  if (fd < 0 || bind(fd, Buffer.concat([Buffer.from([1, 0]), name]), 2 + name.length) < 0) throw new Error(`no unix socket at ${path}`)
  const read = reader(fd)
  return () => read().map(String)
}
