/**
 * What two Heartbeats say to each other beyond their status, as meaning (heartbeat-3.md sections 1.7, 3.6, 5): words.ts of a
 * language that our own dialogue replaces. Delivery (sequence, acknowledgement, retransmission) is not seen here.
 */
import type { Millis } from '../core/time.ts'

/** Which groups, from the point of view of whoever is meant: those whose preferred node it is, the others, both (heartbeat-3.md 5.1). */
export type Holding = 'none' | 'local' | 'foreign' | 'all'

/** One message of the dialogue, said by either side. */
export type Word =
  | { readonly word: 'reqnodes' }
  | { readonly word: 'repnodes'; readonly nodes: readonly string[] }
  | { readonly word: 'starting' }
  /** `holds` is the sender's. `full` replaces what was known, else it is added. `stable` absent: said by a script, tells nothing of it. */
  | { readonly word: 'resource'; readonly holds: Holding; readonly full: boolean; readonly stable?: boolean; readonly info?: string }
  /** The standby exchange; `holds` is that of the node which gives up, in all three steps (5.10). */
  | { readonly word: 'ask'; readonly holds: Holding; readonly step: 'me' | 'other' | 'done' }
  /** Of a Heartbeat without classes (5.12): it wants this group, called by its key. */
  | { readonly word: 'ip-request'; readonly key: string }
  /** Whoever hears it starts the group; `owned`: the sender had it, and has stopped it. */
  | { readonly word: 'ip-answer'; readonly key: string; readonly owned: boolean }
  /** Whoever hears it gives up: all of it, its foreign groups for `local`, its local ones for `foreign` (5.10). */
  | { readonly word: 'takeover'; readonly holds: Holding }
  /** Its sender counts `node` dead, and has reset it, or takes over as it is (5.6); `result`: which. */
  | { readonly word: 'stonith'; readonly node: string; readonly result: string }
  /** How many ping nodes its sender sees, and what ipfail answers (8.6). */
  | { readonly word: 'pings'; readonly seen: number }
  | { readonly word: 'pings-answer'; readonly answer: 'you-are-dead' | 'abort-giveup' }

/** The heartbeat of the other side, and its last word. */
export type Sign =
  | { readonly sign: 'status'; readonly nodeStatus: 'init' | 'up' | 'active'; readonly deadtimeMs: Millis }
  /** `shutdone`: everything is stopped there. */
  | { readonly sign: 'goodbye' }
