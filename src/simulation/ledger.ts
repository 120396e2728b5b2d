/**
 * What the checkers write down while they watch: packets as they pass, pauses, starts, overlaps. It is the world's
 * truth and the wire, never a look into the core's state.
 */
import type { AdvertisedGroup, AdvertisedState } from '../core/packet.ts'
import type { Event } from '../core/events.ts'
import type { NodeInit, NodeState } from '../core/state.ts'
import { createRandom, type Random } from './random.ts'

export type Rule = 'S1' | 'S2' | 'S3' | 'S4' | 'S5' | 'S6' | 'S7' | 'S8' | 'S9' | 'L1' | 'L2' | 'L3' | 'A1' | 'P1' | 'P2' | 'P3' | 'P4' | 'crash'

export interface Violation { readonly rule: Rule; readonly trueMs: number; readonly message: string }

/** Why two holders at once are no violation of P2 (design.md section 2); each is counted. */
export type Excuse =
  | 'silence'
  /** The acquirer heard nothing for deadtime; the other way the last packet passed within the first half of that: not heard long enough to let go. */
  | 'half-silence'
  | 'holder-paused'
  | 'daemon-dead'
  | 'clock-stood-still'
  | 'unclean-and-unheard'
  /** A service, not an address: heard one way only, its holder has dropped the addresses and its stop takes its time (P6). */
  | 'service-still-stopping'
  /** The other hears this node again, for less than 0.3 * deadtime, after a silence of deadtime: it is about to let go. */
  | 'healing'
  /** As before, but heard with gaps of more than half of deadtime: never long enough to let go (a very lossy one-way link). */
  | 'sparsely-heard'
  /** A paused guest goes on: its addresses are there until its daemon has looked at the clock. */
  | 'waking'
  /** It goes on without a daemon that could look: the kernel's lease ends it. */
  | 'waking-without-daemon'

export interface Overlap {
  readonly group: string
  readonly stage: number
  readonly isAddress: boolean
  readonly sinceMs: number
  readonly excuse: Excuse
  /** Packets sent after this are news of the overlap. Moved on by pauses and restarts. */
  judgedFromMs: number
  /** When each node first used such a packet. */
  readonly heardMs: [number | undefined, number | undefined]
  /** Since when each node hears the other without a gap. */
  readonly hearsSinceMs: [number | undefined, number | undefined]
}

/** A node's present stretch of serving a group, with what stood when it began. */
export interface Acquisition {
  readonly permission: 'consent' | 'left' | 'deadtime-alone' | 'will' | 'fenced' | 'witness' | 'vouched' | 'clock-stood-still'
  readonly beganMs: number
  /** For how long no packet had been used in either direction, and in the one towards this node. */
  readonly silentBothMs: number
  readonly silentMs: number
  /** How long the peer had been hearing this node without a gap, and the length of the gap before that. */
  readonly peerHearsMs: number
  readonly peerGapMs: number
  /** By which it judged, and the shorter one of the two nodes. */
  readonly deadtimeMs: number
  readonly leastDeadtimeMs: number
}

interface FormerLease { readonly askedUntilMs: number; readonly endMs: number }

export const noFormerLease: FormerLease = { askedUntilMs: -Infinity, endMs: 0 }

export interface NodeLedger {
  lastUsedMs: number
  /** Since when packets were used without a gap of half of deadtime, and how long the gap before that was. */
  hearsSinceMs: number
  gapBeforeMs: number
  lastUsedGeneration: number
  /** A packet was used in this life of the daemon. */
  heard: boolean
  peerLeft: boolean
  /** Its newest packet said that the pair is paused. */
  saysPaused: boolean
  /** The longest deadtime that this daemon has had: a node judges by the longer one until the peer knows the other (F7). */
  longestDeadtimeMs: number
  shortestDeadtimeMs: number
  /** Of the configurations before the one in force; a peer that was judged dead by one stays dead. */
  formerInitdeadMs: number
  /** Own packets not yet confirmed, and when the newest confirmed one was sent. */
  sent: { readonly sequence: number; readonly sentMs: number }[]
  confirmedSentMs: number
  lastWakeMs: number
  /** The last waking from a pause of at least deadtime. */
  lastLongWakeMs: number
  lastFreezeEndMs: number
  /** Of the last pause of the whole guest that it could notice. */
  lastGuestWakeMs: number
  /** Wills of the peer's newest generation that were used here, by what they say. */
  readonly wills: Map<string, number>
  /** Groups for which an administrator has vouched here (`cleanup --i-have-checked`) since the peer was heard last. */
  readonly vouched: Set<string>
  /** The peer was certainly off after this node had asked for it, and was not heard since. */
  fencedMs: number
  /** Its addresses may stay until then without a word of it (`hactl pause`). */
  raisedUntilMs: number
  /** The lease before the last reload, and until when, by the kernel's clock, a line by it may have been asked for. */
  formerLease: FormerLease
  daemonStartMs: number
  daemonEndMs: number
  /** The kernel was not booted since the last daemon: what is found may be adopted after deadtime. */
  sameBoot: boolean
  /** Own claims on the wire: the first packet of this generation that carried it. */
  readonly claims: Map<string, { readonly number: number; readonly firstSequence: number }>
  /** Answers of the peer that confirmed such a claim and showed nothing of the group. */
  readonly consents: Map<string, { readonly number: number; readonly atMs: number }>
  readonly acquisitions: Map<string, Acquisition>
  /** The newest one, over or not: a start that is being cancelled may still come through. */
  readonly lastAcquisitions: Map<string, Acquisition>
  readonly sentStates: Map<string, AdvertisedState>
  /** What the peer's newest packet showed of each group. */
  readonly shown: Map<string, AdvertisedGroup>
  /** Stops that failed here, and whether the peer's present daemon has used a packet sent after it. */
  readonly unclean: Map<string, { readonly sinceMs: number; readonly generation: number; readonly stages: Set<number>; peerKnows: boolean; rebooted: boolean }>
  tickSecond: number
  ticksInSecond: number
}

export interface Journal { readonly init: NodeInit; readonly events: Event[]; end: NodeState | undefined }

export interface Ledger {
  readonly violations: Violation[]
  readonly nodes: readonly [NodeLedger, NodeLedger]
  readonly overlaps: Map<string, Overlap>
  readonly excused: Map<Excuse, number>
  readonly journals: Journal[]
  /** When somebody last typed cleanup for a group. */
  readonly cleanups: Map<string, number>
  /** Of its own, so that looking closer does not change what happens. */
  readonly random: Random
  starts: number
  moves: number
  requests: number
  /** What the present step was given, as text, if it is one of those looked at closely. */
  input: string | undefined
}

export function createLedger(): Ledger {
  return {
    violations: [],
    nodes: [createNodeLedger(), createNodeLedger()],
    overlaps: new Map(),
    excused: new Map(),
    journals: [],
    cleanups: new Map(),
    random: createRandom(7),
    starts: 0,
    moves: 0,
    requests: 0,
    input: undefined,
  }
}

function createNodeLedger(): NodeLedger {
  return {
    lastUsedMs: -Infinity, hearsSinceMs: -Infinity, gapBeforeMs: Infinity, lastUsedGeneration: 0, heard: false, peerLeft: false, saysPaused: false, longestDeadtimeMs: 0, shortestDeadtimeMs: Infinity, formerInitdeadMs: Infinity, sent: [], confirmedSentMs: -Infinity,
    lastWakeMs: -Infinity, lastLongWakeMs: -Infinity, lastFreezeEndMs: -Infinity, lastGuestWakeMs: -Infinity,
    wills: new Map(), vouched: new Set(), fencedMs: -Infinity, raisedUntilMs: -Infinity, formerLease: noFormerLease, daemonStartMs: -Infinity, daemonEndMs: -Infinity, sameBoot: false,
    claims: new Map(), consents: new Map(), acquisitions: new Map(), lastAcquisitions: new Map(), sentStates: new Map(), shown: new Map(), unclean: new Map(),
    tickSecond: 0, ticksInSecond: 0,
  }
}
