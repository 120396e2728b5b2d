/** What the dialogue knows: of the Heartbeat on the other node, of the exchange under way, of what it has said. Never changed in place. */
import type { GroupName } from '../core/config.ts'
import type { Facts, Packet } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import type { DialogueOutput, DialogueSetting, Report } from './dialogue-types.ts'
import type { Holding, Word } from './words.ts'

/** One generation of the Heartbeat. Sequences order what arrives in any order: an older word changes nothing. */
export interface PeerView {
  readonly generation: number
  readonly newestSequence: number
  readonly heardMs: Millis
  readonly nodeStatus: 'init' | 'up' | 'active'
  readonly statusSequence: number
  /** Of its first packet after the last silence, or after this node has begun anew for one; 0: there was none. What has a lower one came late. */
  readonly returnedSequence: number
  /** Its `dt`; undefined: no status was heard yet. */
  readonly deadtimeMs: Millis | undefined
  /** As it says it. Undefined: it has not said yet, so it may hold anything. */
  readonly holds: Holding | undefined
  readonly resourceSequence: number
  /** It takes nothing more on its own. */
  readonly stable: boolean
  /** It is shutting down, and stops what it held. */
  readonly leaving: boolean
  /**
   * `legacy`: it knows no classes and never says what it holds, but asks for each of its groups, and gives what it is asked for (5.12).
   * `unsure`: it has done neither the one nor the other.
   */
  readonly mode: 'unsure' | 'classes' | 'legacy'
  /** Its start was heard, so that it has taken nothing that was not heard either. */
  readonly joined: boolean
  readonly activeSinceMs: Millis | undefined
  /** Heartbeats of it, as an active one, since it was asked what it holds. */
  readonly silentHeartbeats: number
  /** It was told once, unasked, what we hold (tell.ts). */
  readonly nudged: boolean
  /** It has said goodbye: whatever else comes of this generation tells nothing. */
  readonly gone: boolean
}

/**
 * A class of groups changes hands in three words, `me`, `other`, `done`, and a second `done` (heartbeat-3.md 5.10). `holding` is that of
 * the words: of the node that gives. `moves`: the part of it that really changes hands.
 */
export type Exchange = { readonly holding: Holding; readonly moves: Holding; readonly sinceMs: Millis } & (
  /**
   * The Heartbeat gives. `wanted`: it has asked, we cannot yet. `agreed`: it was told so. `stopping`: it stops. `taking`: it has stopped,
   * and waits for our `done`.
   */
  | { readonly role: 'takes'; readonly step: 'wanted' | 'agreed' | 'stopping' | 'taking' }
  /** We give. `asked`: no answer yet. `stopping`: it has agreed and waits for our `done`. `given`: it starts. */
  | { readonly role: 'gives'; readonly step: 'asked' | 'stopping' | 'given' }
)

/**
 * How it stands with one group towards a Heartbeat in legacy mode. `unasked`: it may have it. `asked`: it was asked for it, and has not
 * answered. `free`: it has answered, so it has nothing of it, and takes it only where it counts this node dead. `letting-go`: it is to have it as
 * soon as all of it has stopped here. `theirs`: it was told to take it.
 */
export interface KeyTalk {
  readonly at: 'unasked' | 'asked' | 'free' | 'letting-go' | 'theirs'
  readonly sinceMs: Millis
  /** Its words on this group up to this number are past. */
  readonly sequence: number
  /** When it was asked last, and how many answers may still be on their way: the next one is to the oldest question. */
  readonly askedMs: Millis
  readonly open: number
  /** While asked: so many answers more, and the last of them is to a question of now. */
  readonly need?: number
  /** As it has called the group. */
  readonly key?: string
  /** While letting go: it is here; it is believed to be there as well, so that it goes at once. */
  readonly owned?: boolean
  readonly both?: boolean
  /** Since when nobody has it and this node does not want it. */
  readonly idleSinceMs?: Millis
}

export interface DialogueState {
  readonly setting: DialogueSetting
  /** The newest packet of the core with facts. */
  readonly spoken: Packet | undefined
  readonly peer: PeerView | undefined
  readonly exchange: Exchange | undefined
  /** What we asked for and gave up: a late `other` is honoured all the same. */
  readonly unanswered: Holding | undefined
  /** The Heartbeat of this generation may wait for this `done`, said so often, of an exchange that came to nothing. */
  readonly owed: { readonly generation: number; readonly holding: Holding; readonly times: number; readonly sinceMs: Millis } | undefined
  /** How often in a row it did not answer. */
  readonly unheeded: number
  /** When we last asked for something that did not come about. */
  readonly askedMs: Millis | undefined
  readonly takeoverMs: Millis | undefined
  /** Since when there is something that nobody holds and this node does not want. */
  readonly idleSinceMs: Millis | undefined
  /** Since when both hold something. */
  readonly bothSinceMs: Millis | undefined
  /**
   * This node was silent and begins anew: what the Heartbeat has taken meanwhile it keeps, because it takes this node for one that was just
   * started and holds nothing. Until both are known to hold nothing in common.
   */
  readonly yields: boolean
  /** The Heartbeat has counted this node dead while that heard it all the time, and has acknowledged nothing since: what is said now it does not hear. */
  readonly unheard: boolean
  /** To this generation of the Heartbeat. */
  readonly toldStartingMs: Millis | undefined
  /** Undefined: it is to be told, whatever it is. */
  readonly told: { readonly holds: Holding; readonly stable: boolean } | undefined
  /** It is said once more then. */
  readonly tellAgainMs: Millis | undefined
  readonly toldLeaving: boolean
  /** The claim numbers under which the Heartbeat has, or is to have, a group; 0 where nothing is said: it loses against any of ours. */
  readonly numbers: Readonly<Record<GroupName, number>>
  readonly keys: Readonly<Record<GroupName, KeyTalk>>
  /** The Heartbeat of this generation may still answer what another daemon of this node, or this one before a silence, has asked it. */
  readonly askedBefore: boolean
  /** The Heartbeat there was in legacy mode when that was last known. */
  readonly legacyBefore: boolean
  /** A key that it asked for and that nobody here knows. */
  readonly unknownKey: string | undefined
  /** How many ping nodes it sees, if its ipfail has told. */
  readonly peerPings: number | undefined
  readonly toldPings: number | undefined
}

export interface Turn {
  readonly nowMs: Millis
  state: DialogueState
  readonly says: Word[]
  /** What is said needs our status before it. */
  heartbeatFirst: boolean
  readonly commands: Extract<DialogueOutput, { type: 'command' }>[]
  readonly reports: Report[]
  renews: boolean
}

export function setState(turn: Turn, change: Partial<DialogueState>): void {
  turn.state = { ...turn.state, ...change }
}

export function setPeer(turn: Turn, change: Partial<PeerView>): void {
  const { peer } = turn.state
  if (peer !== undefined) setState(turn, { peer: { ...peer, ...change } })
}

export function say(turn: Turn, word: Word): void {
  turn.says.push(word)
}

export function factsOf(state: DialogueState): Facts | undefined {
  return state.spoken?.facts
}

/** This node takes part: its core has joined and is not shutting down. */
export function isActive({ spoken }: DialogueState): boolean {
  return spoken?.kind === 'status' && spoken.nodeStatus === 'active' && spoken.facts?.leaving !== true
}

/** Words about resources mean something to it: not before it is active itself, and no more when it has left. */
export function peerListens({ peer }: DialogueState): boolean {
  return peer !== undefined && !peer.gone && peer.nodeStatus === 'active'
}

/** And it hears what is said. */
export function maySpeak(state: DialogueState): boolean {
  return peerListens(state) && !state.unheard
}

/** An exchange, or its end, changes what this node says of itself: it is told afresh. */
export function endExchange(turn: Turn): void {
  setState(turn, { exchange: undefined, told: undefined })
}
