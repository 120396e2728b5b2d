/** Packets out and in: the protocol's bytes on one side, the core's events on the other. */
import type { ClusterConfig, LinkName } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import { encodePacket } from '../protocol/datagram.ts'
import { emptyReception, receive, type Receiver } from '../protocol/reception.ts'
import type { Keyring } from '../protocol/signature.ts'
import { signingMethod } from '../protocol/signing.ts'
import { nowMs, wallMs } from '../runtime/clock.ts'
import type { Links } from '../runtime/links.ts'
import type { Chronicle } from './chronicle.ts'
import type { Happening } from './loop.ts'

export interface Wire {
  send(packet: Packet): void
  /** A datagram arrived. */
  take(link: LinkName, bytes: Uint8Array): void
  /** Sockets opened later; until then packets are not sent. */
  attach(links: Links): void
  rekey(config: ClusterConfig): void
  packetsRead(): number
}

export interface WireOptions {
  readonly config: ClusterConfig
  readonly self: string
  readonly peer: string
  readonly generation: number
  readonly uuid: string
  readonly chronicle: Chronicle
  feed(happening: Happening): void
}

export function keyringOf(config: ClusterConfig): Keyring {
  return { active: config.auth.active, keys: config.auth.keys, allowCrc: config.allowCrc }
}

export function createWire(options: WireOptions): Wire {
  const { self, peer, generation, chronicle } = options
  const uuid = Buffer.from(options.uuid.replaceAll('-', ''), 'hex')
  let keyring = keyringOf(options.config)
  let reception = emptyReception
  let links: Links | undefined
  let read = 0
  let unsentMessage = ''
  return {
    attach: (opened) => { links = opened },
    rekey: (config) => { keyring = keyringOf(config) },
    packetsRead: () => read,
    send(packet) {
      const encoded = encodePacket(packet, { keyring, method: signingMethod(reception.signing, keyring), uuid, wallMs: wallMs() })
      if (encoded.result === 'encoded') return links?.send(encoded.bytes)
      if (encoded.message === unsentMessage) return
      unsentMessage = encoded.message
      chronicle.say('error', 'packets-dropped', `a packet cannot be sent, and ${peer} hears silence: ${encoded.message}`)
    },
    take(link, bytes) {
      read += 1
      const receiver: Receiver = { self: { name: self, generation }, peer, keyring }
      const received = receive(reception, bytes, receiver, nowMs(), link)
      reception = received.reception
      if (received.verdict === 'new') options.feed({ type: 'packet-received', link, packet: received.packet })
      else if (received.verdict === 'duplicate') options.feed({ type: 'duplicate-received', link })
      else if (received.logLine !== undefined) chronicle.say('warning', 'packets-dropped', received.logLine)
    },
  }
}
