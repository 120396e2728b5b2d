/**
 * What comes from a real Heartbeat: each message once, in whatever order, what is missing asked for, what is here acknowledged
 * (heartbeat-3.md sections 3.1 and 3.3 to 3.5). Only a status opens a generation, and nothing is used before.
 */
import type { PacketId } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'

/** A number that was passed over; asked for at `askMs`, and then again and again. */
export interface Hole { readonly sequence: number; readonly askMs: Millis }

export interface Incoming {
  readonly generation: number
  /** The highest number of it that was heard. */
  readonly newest: number
  /** Lowest first. */
  readonly holes: readonly Hole[]
  /** The peer was told that all up to this one is here. */
  readonly acknowledged: number
  /** The peer is dead after this long without a status: by its own word. */
  readonly deadtimeMs: Millis
  readonly heardMs: Millis
}

export type Verdict =
  | 'new'
  /** Heard before: over another link, or asked for twice. */
  | 'duplicate'
  /** Older than any link may still bring: sent again by someone. */
  | 'stale'
  /** Of a generation that was followed by another, or that no status has opened yet. */
  | 'old-generation' | 'unopened'

/** Packets overtake each other by design (section 3.3). */
const patienceMs: Millis = 50
const repeatMs: Millis = 250
/** So many missing at once are lost for good, as in a Heartbeat. */
const maxHoles = 250
/** So far back another link may still bring what was heard before. */
const remembered = 32
/** Asked for in one go; the others a moment later. */
const maxRequests = 50
/** A Heartbeat acknowledges every tenth; half of that keeps its history short although acknowledgements are lost. */
const acknowledgeEvery = 5

/** `deadtimeMs`: set if and only if it is a status. */
export function hear(before: Incoming | undefined, id: PacketId, deadtimeMs: Millis | undefined, nowMs: Millis): { readonly state: Incoming | undefined; readonly verdict: Verdict } {
  if (before !== undefined && id.generation < before.generation) return { state: before, verdict: 'old-generation' }
  if (before === undefined || id.generation > before.generation) {
    if (deadtimeMs === undefined) return { state: before, verdict: 'unopened' }
    return { state: { generation: id.generation, newest: id.sequence, holes: [], acknowledged: 0, deadtimeMs, heardMs: nowMs }, verdict: 'new' }
  }
  const state = forgetIfDead(before, nowMs)
  if (id.sequence <= state.newest) {
    if (!state.holes.some((hole) => hole.sequence === id.sequence)) return { state, verdict: state.newest - id.sequence < remembered ? 'duplicate' : 'stale' }
    return { state: { ...state, holes: withoutHole(state, id.sequence) }, verdict: 'new' }
  }
  const alive = deadtimeMs === undefined ? state : { ...state, deadtimeMs, heardMs: nowMs }
  return { state: { ...alive, newest: id.sequence, holes: holesUpTo(state, id.sequence, nowMs) }, verdict: 'new' }
}

function holesUpTo({ holes, newest }: Incoming, sequence: number, nowMs: Millis): readonly Hole[] {
  const missing = sequence - newest - 1
  if (missing === 0) return holes
  if (holes.length + missing > maxHoles) return []
  return [...holes, ...Array.from({ length: missing }, (_, index) => ({ sequence: newest + 1 + index, askMs: nowMs + patienceMs }))]
}

function withoutHole({ holes }: Incoming, sequence: number): readonly Hole[] {
  return holes.filter((hole) => hole.sequence !== sequence)
}

/** The sender cannot send this one again. */
export function forget(state: Incoming, sequence: number): Incoming {
  const holes = withoutHole(state, sequence)
  return holes.length === state.holes.length ? state : { ...state, holes }
}

/** All up to this one is here, or lost for good. */
function complete({ holes, newest }: Incoming): number {
  return (holes[0]?.sequence ?? newest + 1) - 1
}

/** What is to be told to the peer now, if anything: every fifth in a row, the first of a generation, and at once when a hole has closed. */
export function acknowledgement(state: Incoming, hadHoles: boolean): number | undefined {
  const sequence = complete(state)
  const due = state.acknowledged === 0 || sequence - state.acknowledged >= acknowledgeEvery || (hadHoles && state.holes.length === 0)
  return due && sequence > state.acknowledged ? sequence : undefined
}

function deathMs({ heardMs, deadtimeMs }: Incoming): Millis {
  return heardMs + deadtimeMs
}

/** Nobody answers for a dead node. */
function forgetIfDead(state: Incoming, nowMs: Millis): Incoming {
  return state.holes.length > 0 && nowMs >= deathMs(state) ? { ...state, holes: [] } : state
}

/** The numbers to ask for now. */
export function requestsDue(before: Incoming, nowMs: Millis): { readonly state: Incoming; readonly sequences: readonly number[] } {
  const state = forgetIfDead(before, nowMs)
  const due = state.holes.filter(({ askMs }) => nowMs >= askMs)
  if (due.length === 0) return { state, sequences: [] }
  const asked = due.slice(0, maxRequests)
  const holes = state.holes.map((hole) => (asked.includes(hole) ? { ...hole, askMs: nowMs + repeatMs } : due.includes(hole) ? { ...hole, askMs: nowMs + patienceMs } : hole))
  return { state: { ...state, holes }, sequences: asked.map(({ sequence }) => sequence) }
}

export function requestDueMs(state: Incoming): Millis | undefined {
  if (state.holes.length === 0) return undefined
  return Math.min(deathMs(state), ...state.holes.map(({ askMs }) => askMs))
}
