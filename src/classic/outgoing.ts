/**
 * What leaves for a real Heartbeat: one row of numbers without a gap for everything that has one, and what was sent not long ago, to be
 * sent again word for word when it is asked for (heartbeat-3.md sections 3.4 and 3.5).
 */
import type { Packet, PacketId } from '../core/packet.ts'
import type { Millis, WallMillis } from '../core/time.ts'
import type { Note } from './notes.ts'
import type { Word } from './words.ts'

/** What has a number: the core's packets and the dialogue's words. */
export type Said = { readonly packet: Packet } | { readonly word: Word }

/** With what makes it the same packet when it is sent again: its number and the second of its first sending. */
export interface Sent {
  readonly id: PacketId
  readonly said: Said
  readonly wallMs: WallMillis
  /** When it was last sent again. */
  readonly againMs?: Millis
}

export interface Outgoing {
  /** Of this node on the wire: the core's, or a later one (`renewed`). */
  readonly generation: number
  /** The last number used; 0: none yet. */
  readonly sequence: number
  /** Oldest first; those that the peer has acknowledged are not kept. */
  readonly history: readonly Sent[]
  /** How many were sent again, or refused, since then: anyone can replay a request. */
  readonly answers: { readonly sinceMs: Millis; readonly count: number }
}

/** A Heartbeat keeps 500. */
export const keptPackets = 512
/** Not again within Heartbeat's `max_rexmit_delay` less 10 ms (section 3.5). */
const againAfterMs: Millis = 240
/** For one request, and for all of them within `againAfterMs`. */
const maxAnswers = 50

export function newOutgoing(generation: number): Outgoing {
  return { generation, sequence: 0, history: [], answers: { sinceMs: -Infinity, count: 0 } }
}

/** `keep`: the peer may ask for it again. Undefined for a word before the first status: a Heartbeat takes no generation up from a word (section 3.1). */
export function number(state: Outgoing, said: Said, keep: boolean, wallMs: WallMillis): { readonly state: Outgoing; readonly sent: Sent } | undefined {
  if (state.sequence === 0 && !('packet' in said && said.packet.kind === 'status')) return undefined
  const sequence = state.sequence + 1
  const sent: Sent = { id: { generation: state.generation, sequence }, said, wallMs }
  return { state: { ...state, sequence, history: keep ? [...state.history, sent].slice(-keptPackets) : [] }, sent }
}

/** The peer has all up to `sequence`. One that is older than what it acknowledged before, or above all that was sent, tells nothing. */
export function acknowledged(state: Outgoing, sequence: number): Outgoing {
  const first = state.history[0]
  if (sequence > state.sequence || first === undefined || sequence < first.id.sequence) return state
  return { ...state, history: state.history.filter((one) => one.id.sequence > sequence) }
}

export interface Answers { readonly state: Outgoing; readonly again: readonly Sent[]; readonly refused: readonly Note[] }

/** What the peer misses is sent again as it was; what is no longer there is refused by number, so that it asks for it no more. */
export function answerRequest(state: Outgoing, first: number, last: number, nowMs: Millis): Answers {
  const fresh = nowMs - state.answers.sinceMs >= againAfterMs
  const budget = maxAnswers - (fresh ? 0 : state.answers.count)
  const again: Sent[] = []
  const refused: Note[] = []
  const lowest = state.history[0]?.id.sequence ?? state.sequence + 1
  for (let sequence = Math.max(1, first); sequence <= Math.min(last, state.sequence) && again.length + refused.length < budget; sequence += 1) {
    const kept = state.history.find((one) => one.id.sequence === sequence)
    if (kept === undefined) refused.push({ note: 'never-again', sequence, reason: sequence < lowest ? 'seqno too low' : 'seqno not found' })
    else if (kept.againMs === undefined || nowMs - kept.againMs >= againAfterMs) again.push(kept)
  }
  if (again.length + refused.length === 0) return { state, again, refused }
  const history = state.history.map((one) => (again.includes(one) ? { ...one, againMs: nowMs } : one))
  const answers = fresh ? { sinceMs: nowMs, count: again.length + refused.length } : { ...state.answers, count: state.answers.count + again.length + refused.length }
  return { state: { ...state, history, answers }, again, refused }
}
