/**
 * The seam between the dialogue with a real Heartbeat and the rest: the dialogue turns what the peer says into packets as one of
 * our own daemons would send them, and the core's packets into words that a Heartbeat understands. So the core's rules about
 * permission and claims need not know which of both it is (design.md section 5 "Classic peers").
 */
import type { Code } from '../core/codes.ts'
import type { GroupName, NodeName } from '../core/config.ts'
import type { Packet, PacketId, Scope } from '../core/packet.ts'
import type { Level } from '../core/records.ts'
import type { Millis } from '../core/time.ts'
import type { Sign, Word } from './words.ts'

/** `key`: as a Heartbeat calls the group; absent: by its name. */
export interface SettingGroup { readonly name: GroupName; readonly preferredNode: NodeName; readonly key?: string }

/** `groups`: every group, as configured. */
export interface DialogueSetting {
  readonly self: NodeName
  readonly peer: NodeName
  readonly groups: readonly SettingGroup[]
}

export type DialogueInput = { readonly nowMs: Millis } & (
  /** Accepted by delivery: authentic, not heard before, in whatever order. */
  | { readonly type: 'heard'; readonly id: PacketId; readonly heard: Word | Sign }
  /** The core sends this packet; it leaves as it is, before what the dialogue has to say. */
  | { readonly type: 'spoke'; readonly packet: Packet }
  /** After a silence this node goes on under another generation: for the Heartbeat it has just been started (heartbeat-3.md 4.6). */
  | { readonly type: 'renewed' }
  /** The Heartbeat has acknowledged something of this generation: it hears us. */
  | { readonly type: 'acknowledged' }
  | { readonly type: 'tick' }
)

/**
 * In order: `heartbeat`: our newest status once more; `say` to the peer; `feed` to the core as heard; `command` to the core as if typed here; `report` to the log; `renew`: this node goes on
 * under another generation, and the dialogue is told so. What is fed makes the core speak, so
 * the new state must be in force before an output is performed.
 */
export type DialogueOutput =
  | { readonly type: 'heartbeat' }
  | { readonly type: 'say'; readonly word: Word }
  | { readonly type: 'feed'; readonly packet: Packet }
  | { readonly type: 'command'; readonly command: { readonly kind: 'standby-once'; readonly scope: Scope } }
  | Report
  | { readonly type: 'renew' }

export interface Report { readonly type: 'report'; readonly level: Level; readonly code: Code; readonly message: string }
