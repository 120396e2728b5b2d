/** What joins a peer that may be a real Heartbeat to the wire, the core and the dialogue. */
import type { DialogueInput, DialogueOutput, Report } from '../classic/dialogue-types.ts'
import type { GroupConfig, LinkName, NodeName } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import type { Millis, WallMillis } from '../core/time.ts'
import type { Decoded } from '../protocol/datagram.ts'
import type { Field } from '../protocol/fields.ts'
import type { RefusalCause } from '../protocol/refusals.ts'
import type { Happening } from './loop.ts'

/** The dialogue with the Heartbeat on the other node. */
export interface Dialogue {
  step(input: DialogueInput): readonly DialogueOutput[]
  dueMs(): Millis | undefined
  /** A group changes hands and the Heartbeat waits for this node, or is about to. */
  isExchanging(nowMs: Millis): boolean
  /** From here on these are the groups. */
  useGroups(groups: readonly GroupConfig[]): void
}

export interface ClassicOptions {
  readonly self: NodeName
  readonly peer: NodeName
  readonly generation: number
  readonly uuid: Uint8Array
  openDialogue(): Dialogue
  keepaliveMs(): Millis
  /** A generation of this node above all that it has used, on disk when it is given. Rejects when it cannot be kept. */
  reserveGeneration(): Promise<number>
  /** False: it cannot be sent, and its number is not used up. A string: the field that cannot be written. */
  transmit(fields: readonly Field[] | string): boolean
  feed(happening: Happening): void
  drop(cause: RefusalCause, link: LinkName): void
  onRenewed(generation: number): void
  report(report: Report): void
  clock(): { readonly nowMs: Millis; readonly wallMs: WallMillis }
}

export interface ClassicPeer {
  /** A packet of the core leaves. */
  say(packet: Packet): void
  /** An authentic message of a real Heartbeat. */
  take(link: LinkName, decoded: Decoded): void
  /** A new packet of a peer of our own kind, as the core understands it: what it confirms is a number of the wire. */
  takeOurs(packet: Packet): Packet
  isOurs(): boolean
  /** From here on these are the groups. */
  useGroups(groups: readonly GroupConfig[]): void
  /**
   * Runs it once no group changes hands between this node and a Heartbeat, which would otherwise start what this node still stops: at once
   * where none does, and in any case after `restWithinMs`.
   */
  whenAtRest(run: () => void): void
  /** Of this node on the wire. */
  generation(): number
  dueMs(): Millis | undefined
  tick(): void
}
