/** One UDP socket of a link: opened, bound to its interface, and sending without ever waiting. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { NetworkLinkConfig } from '../core/config.ts'
import { errorCode } from './errors.ts'
import type { NativeCalls } from './native.ts'
import type { Path } from './links-plan.ts'

export interface LinkSocket {
  readonly path: Path
  /** False: packets of other interfaces may arrive here, and the subnet of the sender must tell. */
  readonly boundToInterface: boolean
  /** `done` gets the code of the error (`ENETUNREACH`), or undefined. A packet that finds the queue full is dropped: `ENOBUFS`. */
  send(bytes: Uint8Array, target: string, done: (code: string | undefined) => void): void
  close(): void
}

export interface SocketRequest {
  readonly config: NetworkLinkConfig
  readonly path: Path
  readonly family: 'ipv4' | 'ipv6'
  /** mcast: the interface's own address, by which a membership names the interface. */
  readonly memberOf?: string
  readonly reuse: boolean
  readonly onMessage: (bytes: Buffer, from: RemoteInfo) => void
  readonly onError: (code: string) => void
}

/** A burst of a whole deadtime of packets fits even when the loop was held up; the kernel cuts it to net.core.rmem_max. */
const receiveBufferBytes = 1 << 20
/** Packets that the kernel would not take yet; a late heartbeat is worth nothing. */
const longestSendQueue = 64

/** Rejects with an Error whose `code` names the reason, for example EADDRINUSE. */
export async function openLinkSocket(request: SocketRequest, native: NativeCalls | undefined): Promise<LinkSocket> {
  const { config, path, family } = request
  const socket = createSocket({
    type: family === 'ipv4' ? 'udp4' : 'udp6',
    reuseAddr: request.reuse,
    ipv6Only: family === 'ipv6',
    // Every target is an address already: without this Node asks its resolver and sends in a later turn.
    lookup: (host, _options, found) => found(null, host, family === 'ipv4' ? 4 : 6),
  })
  let boundToInterface = false
  try {
    if (native === undefined) await listen(socket, { address: path.bind, port: config.port, exclusive: true })
    else {
      const opened = native.openUdp({
        family, address: path.bind, port: config.port, interface: config.interface, reuse: request.reuse, ...multicastOf(config),
      })
      boundToInterface = opened.boundToInterface
      await listen(socket, { fd: opened.fd })
      // Node lets every socket share its port that it adopts, so that a Heartbeat started here would run beside this daemon.
      if (!request.reuse) native.refuseSharing(opened.fd)
    }
    prepare(socket, request)
  } catch (error) {
    socket.close()
    throw error
  }
  socket.on('message', request.onMessage)
  socket.on('error', (error) => request.onError(codeOf(error)))
  let closed = false
  return {
    path,
    boundToInterface,
    send(bytes, target, done) {
      if (closed) return done('EBADF')
      if (socket.getSendQueueCount() >= longestSendQueue) return done('ENOBUFS')
      try {
        socket.send(bytes, config.port, target, (error) => done(error === null ? undefined : codeOf(error)))
      } catch (error) {
        done(codeOf(error))
      }
    },
    close() {
      if (closed) return
      closed = true
      socket.removeAllListeners('message')
      socket.close()
    },
  }
}

export function multicastOf({ kind, ttl, loop }: NetworkLinkConfig): { readonly multicast?: { readonly hops: number; readonly loop: boolean } } {
  return kind === 'mcast' ? { multicast: { hops: ttl ?? 1, loop: loop ?? false } } : {}
}

function prepare(socket: Socket, request: SocketRequest): void {
  const { config, memberOf } = request
  socket.setRecvBufferSize(receiveBufferBytes)
  if (config.kind === 'bcast') socket.setBroadcast(true)
  if (config.kind !== 'mcast' || config.address === undefined) return
  socket.addMembership(config.address, memberOf)
  if (memberOf !== undefined) socket.setMulticastInterface(memberOf)
  socket.setMulticastTTL(config.ttl ?? 1)
  socket.setMulticastLoopback(config.loop ?? false)
}

type ListenOn = { readonly fd: number } | { readonly address: string; readonly port: number; readonly exclusive: boolean }

function listen(socket: Socket, where: ListenOn): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('listening', () => {
      socket.off('error', reject)
      resolve()
    })
    socket.bind(where)
  })
}

export function codeOf(error: unknown): string {
  return errorCode(error) || String(error)
}
