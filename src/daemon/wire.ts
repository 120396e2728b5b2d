/** Packets out and in: the protocol's bytes on one side, the core's events on the other. */
import type { AuthMethod, ClusterConfig, GroupName, LinkName } from '../core/config.ts'
import type { Packet, Will } from '../core/packet.ts'
import { encodeFields, encodeWill, type Encoded } from '../protocol/datagram.ts'
import type { Field } from '../protocol/fields.ts'
import { drop, emptyReception, receive, type Dropped, type Receiver } from '../protocol/reception.ts'
import type { Keyring } from '../protocol/signature.ts'
import { signingMethod } from '../protocol/signing.ts'
import { willSequence } from '../protocol/will.ts'
import type { Millis } from '../core/time.ts'
import { nowMs, wallMs } from '../runtime/clock.ts'
import type { Links } from '../runtime/links.ts'
import type { Chronicle } from './chronicle.ts'
import { createClassicPeer } from './classic.ts'
import type { ClassicPeer, Dialogue } from './classic-types.ts'
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
  /** See ClassicPeer: for a shutdown. */
  whenAtRest(run: () => void): void
  /** What towards a real Heartbeat is due beside the core's own deadlines. */
  dueMs(): Millis | undefined
  tick(): void
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
  openDialogue(config: ClusterConfig): Dialogue
  reserveGeneration(): Promise<number>
  feed(happening: Happening): void
  /** What `signWill` gives is another one from now on. */
  onSigningChanged(): void
}

export function keyringOf(config: ClusterConfig): Keyring {
  return { active: config.auth.active, keys: config.auth.keys, allowCrc: config.allowCrc }
}

export function createWire(options: WireOptions): Wire {
  const { self, peer, chronicle } = options
  const uuid = Buffer.from(options.uuid.replaceAll('-', ''), 'hex')
  let config = options.config
  let keyring = keyringOf(config)
  let reception = emptyReception
  let links: Links | undefined
  let read = 0
  const indexOf = willIndexer()
  const sendingFault = faultTeller(chronicle, peer)
  const classic: ClassicPeer = createClassicPeer({
    ...options, uuid,
    openDialogue: () => options.openDialogue(config),
    keepaliveMs: () => config.timing.keepaliveMs,
    clock: () => ({ nowMs: nowMs(), wallMs: wallMs() }),
    transmit(fields) {
      const encoded = encode(fields, keyring, method())
      if (encoded.result === 'encoded') links?.send(encoded.bytes)
      else sendingFault(encoded.message)
      return encoded.result === 'encoded'
    },
    drop: (cause, link) => tell(drop(reception, cause, nowMs(), link)),
    report: ({ level, code, message }) => chronicle.say(level, code, message),
    onRenewed: (generation) => chronicle.say('info', 'generation-renewed', `${peer} runs Heartbeat and may have taken ${self} for dead: ${self} speaks to it as generation ${generation} from here on`),
  })

  const method = (): AuthMethod => signingMethod(reception.signing, keyring)
  const signature = (): string => `${classic.isOurs() ? 'ours' : 'classic'} ${method()}`
  function tell({ reception: counted, logLine }: Dropped): void {
    reception = counted
    if (logLine !== undefined) chronicle.say('warning', 'packets-dropped', logLine)
  }

  return {
    attach: (opened) => { links = opened },
    rekey(changed) {
      config = changed
      keyring = keyringOf(config)
      classic.useGroups(config.groups)
      options.onSigningChanged()
    },
    signWill(will, bytes) {
      const sequence = willSequence(will.says, will.says === 'daemon-dead' ? 0 : indexOf(will.group))
      if (!classic.isOurs() || sequence === undefined) return undefined
      const id = { generation: classic.generation(), sequence }
      const packet: Packet = { id, from: self, kind: 'will', nodeStatus: 'dead', deadtimeMs: config.timing.deadtimeMs, will }
      const encoded = encodeWill(packet, { keyring, method: method(), uuid, wallMs: wallMs() }, bytes)
      return encoded.result === 'encoded' ? encoded.bytes : undefined
    },
    packetsRead: () => read,
    whenAtRest: (run) => classic.whenAtRest(run),
    dueMs: () => classic.dueMs(),
    tick: () => classic.tick(),
    send: (packet) => classic.say(packet),
    take(link, bytes) {
      read += 1
      const floor = options.floorGeneration === undefined ? {} : { floorGeneration: options.floorGeneration }
      const receiver: Receiver = { self: { name: self, generation: options.generation, newest: classic.generation() }, peer, keyring, ...floor }
      const received = receive(reception, bytes, receiver, nowMs(), link)
      if (received.verdict === 'dropped') return tell(received)
      const before = signature()
      reception = received.reception
      const packet = received.verdict === 'new' ? classic.takeOurs(received.packet) : undefined
      if (received.verdict === 'classic') classic.take(link, received.decoded)
      if (signature() !== before) options.onSigningChanged()
      if (packet !== undefined) options.feed({ type: 'packet-received', link, packet })
      else if (received.verdict === 'duplicate') options.feed({ type: 'duplicate-received', link })
    },
  }
}

function encode(fields: readonly Field[] | string, keyring: Keyring, method: AuthMethod): Encoded {
  if (typeof fields !== 'string') return encodeFields(fields, { keyring, method })
  return { result: 'not-encodable', cause: 'bad-value', message: `the field ${fields} cannot hold what this node has to say` }
}

function willIndexer(): (group: GroupName) => number {
  const indexes = new Map<GroupName, number>()
  return (group) => {
    const index = indexes.get(group) ?? indexes.size
    indexes.set(group, index)
    return index
  }
}

/** Each trouble once, not once a keepalive. */
function faultTeller(chronicle: Chronicle, peer: string): (message: string) => void {
  let told = ''
  return (message) => {
    if (message === told) return
    told = message
    chronicle.say('error', 'packets-dropped', `a packet cannot be sent, and ${peer} hears silence: ${message}`)
  }
}
