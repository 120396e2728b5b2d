/** Packets out and in: the protocol's bytes on one side, the core's events on the other. */
import type { ClusterConfig, GroupName, LinkName } from '../core/config.ts'
import type { Packet, Will } from '../core/packet.ts'
import { encodePacket, encodeWill } from '../protocol/datagram.ts'
import { emptyReception, receive, type Receiver } from '../protocol/reception.ts'
import type { Keyring } from '../protocol/signature.ts'
import { signingMethod } from '../protocol/signing.ts'
import { willSequence } from '../protocol/will.ts'
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
  /**
   * A will of this daemon, of exactly so many bytes. Undefined while the peer is not known to be ours, and where it does not fit. Each will
   * of a generation has a number of its own, so that a group keeps its number whatever becomes of the configuration.
   */
  signWill(will: Will, bytes: number): Uint8Array | undefined
  packetsRead(): number
}

export interface WireOptions {
  readonly config: ClusterConfig
  readonly self: string
  readonly peer: string
  readonly generation: number
  readonly uuid: string
  /** What an earlier daemon of this node has heard. */
  readonly floorGeneration: number | undefined
  readonly chronicle: Chronicle
  feed(happening: Happening): void
  /** What `signWill` gives is another one from now on. */
  onSigningChanged(): void
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
  const floor = options.floorGeneration === undefined ? {} : { floorGeneration: options.floorGeneration }
  let { deadtimeMs } = options.config.timing
  /** The newest packet of the peer had our facts. */
  let peerIsOurs = false
  const willIndexes = new Map<GroupName, number>()

  function indexOf(group: GroupName): number {
    const index = willIndexes.get(group) ?? willIndexes.size
    willIndexes.set(group, index)
    return index
  }
  function signature(): string {
    return `${peerIsOurs ? 'ours' : 'classic'} ${signingMethod(reception.signing, keyring)}`
  }

  return {
    attach: (opened) => { links = opened },
    rekey(config) {
      keyring = keyringOf(config)
      deadtimeMs = config.timing.deadtimeMs
      options.onSigningChanged()
    },
    signWill(will, bytes) {
      const sequence = willSequence(will.says, will.says === 'daemon-dead' ? 0 : indexOf(will.group))
      if (!peerIsOurs || sequence === undefined) return undefined
      const packet: Packet = { id: { generation, sequence }, from: self, kind: 'will', nodeStatus: 'dead', deadtimeMs, will }
      const encoded = encodeWill(packet, { keyring, method: signingMethod(reception.signing, keyring), uuid, wallMs: wallMs() }, bytes)
      return encoded.result === 'encoded' ? encoded.bytes : undefined
    },
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
      const receiver: Receiver = { self: { name: self, generation }, peer, keyring, ...floor }
      const received = receive(reception, bytes, receiver, nowMs(), link)
      const before = signature()
      reception = received.reception
      if (received.verdict === 'new' && (received.packet.kind === 'status' || received.packet.kind === 'goodbye')) {
        peerIsOurs = received.packet.facts !== undefined
      }
      if (signature() !== before) options.onSigningChanged()
      if (received.verdict === 'new') options.feed({ type: 'packet-received', link, packet: received.packet })
      else if (received.verdict === 'duplicate') options.feed({ type: 'duplicate-received', link })
      else if (received.logLine !== undefined) chronicle.say('warning', 'packets-dropped', received.logLine)
    },
  }
}
