/**
 * Sockets for the guard: connected, so that a shell can send a datagram by writing to a descriptor, and apart from the links' own, whose
 * port the next daemon needs while the guard is still stopping things. Nobody reads from them.
 */
import { createSocket, type Socket } from 'node:dgram'
import { closeSync, openSync } from 'node:fs'
import type { NetworkOutlet, Outlet } from './links-plan.ts'
import { outputFlags } from './serial-device.ts'
import { codeOf, multicastOf } from './links-socket.ts'
import { loadNative } from './native.ts'

export interface GuardSocket { readonly fd: number; close(): void }

export interface GuardSockets {
  readonly sockets: readonly GuardSocket[]
  /** One sentence for each way that could not be opened. */
  readonly problems: readonly string[]
}

/** A shell names descriptors by one digit: this many are left beside its own three and the log's. */
const mostSockets = 6

export async function openGuardSockets(outlets: readonly Outlet[]): Promise<GuardSockets> {
  const sockets: GuardSocket[] = []
  const problems: string[] = []
  for (const outlet of outlets.slice(0, mostSockets)) {
    try {
      sockets.push('family' in outlet ? await openOutlet(outlet) : openLine(outlet.target))
    } catch (error) {
      problems.push(`a last will cannot be sent to ${outlet.target} on ${outlet.config.interface}: ${codeOf(error)}`)
    }
  }
  const left = outlets.length - mostSockets
  if (left > 0) problems.push(`a last will goes the first ${mostSockets} ways to the peer, and not the other ${left}`)
  return { sockets, problems }
}

/** The daemon has set up the line; what does not fit into its buffer is dropped, for a guard must not wait. */
function openLine(device: string): GuardSocket {
  const fd = openSync(device, outputFlags)
  return { fd, close: () => closeSync(fd) }
}

async function openOutlet(outlet: NetworkOutlet): Promise<GuardSocket> {
  const { config, family, target, memberOf } = outlet
  const any = family === 'ipv4' ? '0.0.0.0' : '::'
  const address = outlet.source ?? any
  const socket = createSocket({ type: family === 'ipv4' ? 'udp4' : 'udp6', ipv6Only: family === 'ipv6' })
  try {
    const native = loadNative()
    const opened = native?.openUdp({ family, address, port: 0, interface: config.interface, reuse: false, ...multicastOf(config) })
    await once(socket, 'listening', () => (opened === undefined ? socket.bind({ address, port: 0 }) : socket.bind({ fd: opened.fd })))
    if (config.kind === 'bcast') socket.setBroadcast(true)
    if (config.kind === 'mcast') {
      if (memberOf !== undefined) socket.setMulticastInterface(memberOf)
      socket.setMulticastTTL(config.ttl ?? 1)
      socket.setMulticastLoopback(config.loop ?? false)
    }
    await once(socket, 'connect', () => socket.connect(config.port, target))
    const fd = opened?.fd ?? descriptorOf(socket)
    if (fd === undefined) throw new Error('its descriptor is not known')
    socket.on('error', () => undefined)
    socket.unref()
    return { fd, close: () => socket.close() }
  } catch (error) {
    socket.close()
    throw error
  }
}

function once(socket: Socket, event: 'listening' | 'connect', begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
    begin()
  })
}

/** Node keeps the descriptor of a datagram socket to itself; without native calls it is looked up where Node has it. */
function descriptorOf(socket: Socket): number | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  const state: unknown = symbol === undefined ? undefined : Reflect.get(socket, symbol)
  const handle = valueOf(state, 'handle')
  const fd = valueOf(handle, 'fd')
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

function valueOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
}
