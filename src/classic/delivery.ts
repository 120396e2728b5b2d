/**
 * Delivery between this daemon and a real Heartbeat, below the dialogue: numbers, acknowledgement, retransmission, both ways. Pure: the
 * clock and the wire are the daemon's.
 */
import type { PacketId } from '../core/packet.ts'
import type { Millis, WallMillis } from '../core/time.ts'
import type { RefusalCause } from '../protocol/refusals.ts'
import { acknowledgement, forget, hear, requestDueMs, requestsDue, type Incoming, type Verdict } from './incoming.ts'
import type { Note } from './notes.ts'
import { acknowledged, answerRequest, newOutgoing, number, type Outgoing, type Said, type Sent } from './outgoing.ts'
import type { Reading } from './reading.ts'
import type { Sign, Word } from './words.ts'

export interface DeliveryState {
  readonly outgoing: Outgoing
  /** Absent until a status of the peer was heard. */
  readonly incoming?: Incoming
}

export type DeliveryInput = { readonly nowMs: Millis } & (
  /** `keep`: the peer is, or may be, a Heartbeat, which asks for what it missed. */
  | { readonly type: 'say'; readonly said: Said; readonly keep: boolean; readonly wallMs: WallMillis }
  | { readonly type: 'read'; readonly reading: Reading }
  /** From here on this node speaks with another generation, which begins at its first number. It must be higher and on disk. */
  | { readonly type: 'renew'; readonly generation: number }
  | { readonly type: 'tick' }
)

export type DeliveryOutput =
  /** With its number: fresh, or once more. */
  | { readonly type: 'send'; readonly sent: Sent }
  | { readonly type: 'note'; readonly note: Note }
  /** Each message once, in whatever order. */
  | { readonly type: 'heard'; readonly id: PacketId; readonly heard: Word | Sign }
  /** One for each message that was read. */
  | { readonly type: 'judged'; readonly id: PacketId; readonly verdict: Verdict }
  /** The peer hears us: it has acknowledged something of this generation. */
  | { readonly type: 'acknowledged' }
  | { readonly type: 'trouble'; readonly cause: RefusalCause }

export interface DeliveryStep { readonly state: DeliveryState; readonly outputs: readonly DeliveryOutput[] }

export function newDelivery(generation: number): DeliveryState {
  return { outgoing: newOutgoing(generation) }
}

export function deliveryStep(state: DeliveryState, input: DeliveryInput): DeliveryStep {
  switch (input.type) {
    case 'say': {
      const numbered = number(state.outgoing, input.said, input.keep, input.wallMs)
      return numbered === undefined ? { state, outputs: [] } : { state: { ...state, outgoing: numbered.state }, outputs: [{ type: 'send', sent: numbered.sent }] }
    }
    case 'read':
      return read(state, input.reading, input.nowMs)
    case 'renew': {
      if (input.generation <= state.outgoing.generation) return { state, outputs: [] }
      const outgoing = { ...newOutgoing(input.generation), answers: state.outgoing.answers }
      // A Heartbeat forgets with our old generation what we have acknowledged.
      return { state: state.incoming === undefined ? { outgoing } : { outgoing, incoming: { ...state.incoming, acknowledged: 0 } }, outputs: [] }
    }
    case 'tick': {
      if (state.incoming === undefined) return { state, outputs: [] }
      const due = requestsDue(state.incoming, input.nowMs)
      const outputs = due.sequences.map((sequence): DeliveryOutput => ({ type: 'note', note: { note: 'ask-again', first: sequence, last: sequence } }))
      return due.state === state.incoming ? { state, outputs } : { state: { ...state, incoming: due.state }, outputs }
    }
  }
}

/** The next instant at which a tick changes something. */
export function deliveryDueMs({ incoming }: DeliveryState): Millis | undefined {
  return incoming === undefined ? undefined : requestDueMs(incoming)
}

function read(state: DeliveryState, reading: Reading, nowMs: Millis): DeliveryStep {
  switch (reading.reads) {
    case 'note':
      return takeNote(state, reading.generation, reading.note, nowMs)
    case 'message':
      return takeMessage(state, reading, nowMs)
    case 'nothing':
      return { state, outputs: reading.trouble === undefined ? [] : [{ type: 'trouble', cause: reading.trouble }] }
  }
}

function takeMessage(state: DeliveryState, { id, heard, trouble }: Extract<Reading, { reads: 'message' }>, nowMs: Millis): DeliveryStep {
  const deadtimeMs = heard !== undefined && 'sign' in heard && heard.sign === 'status' ? heard.deadtimeMs : undefined
  const { state: incoming, verdict } = hear(state.incoming, id, deadtimeMs, nowMs)
  const outputs: DeliveryOutput[] = [{ type: 'judged', id, verdict }]
  if (incoming === undefined) return { state, outputs }
  if (verdict === 'new' && heard !== undefined) outputs.push({ type: 'heard', id, heard })
  if (verdict === 'new' && trouble !== undefined) outputs.push({ type: 'trouble', cause: trouble })
  return acknowledge({ ...state, incoming }, incoming, hadHoles(state), outputs)
}

function hadHoles({ incoming }: DeliveryState): boolean {
  return (incoming?.holes.length ?? 0) > 0
}

/** Not before our own first status: for the peer this daemon would not be there yet (heartbeat-3.md section 3.4). */
function acknowledge(state: DeliveryState, incoming: Incoming, before: boolean, outputs: DeliveryOutput[]): DeliveryStep {
  const sequence = state.outgoing.sequence === 0 ? undefined : acknowledgement(incoming, before)
  if (sequence === undefined) return { state, outputs }
  outputs.push({ type: 'note', note: { note: 'ack', sequence } })
  return { state: { ...state, incoming: { ...incoming, acknowledged: sequence } }, outputs }
}

/** One of another generation speaks of other numbers. */
function takeNote(state: DeliveryState, generation: number, note: Note, nowMs: Millis): DeliveryStep {
  const { incoming, outgoing } = state
  if (incoming === undefined || generation !== incoming.generation) return { state, outputs: [] }
  switch (note.note) {
    case 'ack': {
      const after = acknowledged(outgoing, note.sequence)
      return after === outgoing ? { state, outputs: [] } : { state: { ...state, outgoing: after }, outputs: [{ type: 'acknowledged' }] }
    }
    case 'ask-again': {
      const answers = answerRequest(outgoing, note.first, note.last, nowMs)
      const again = answers.again.map((sent): DeliveryOutput => ({ type: 'send', sent }))
      return { state: { ...state, outgoing: answers.state }, outputs: [...again, ...answers.refused.map((one): DeliveryOutput => ({ type: 'note', note: one }))] }
    }
    case 'never-again': {
      const after = forget(incoming, note.sequence)
      return after === incoming ? { state, outputs: [] } : acknowledge({ ...state, incoming: after }, after, true, [])
    }
  }
}
