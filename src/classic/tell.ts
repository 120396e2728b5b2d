/** What is said unasked: that this node joins, what it holds and whether it is at rest, what it wants, that it shuts down. */
import type { Millis } from '../core/time.ts'
import { holdingOf } from './classes.ts'
import { factsOf, isActive, maySpeak, say, setPeer, setState, type DialogueState, type Turn } from './dialogue-state.ts'
import { askAgainMs, mayAsk } from './exchange-give.ts'
import { areWeStable, claimWithinMs, classesWith, numbersAbove, ourGroups, ourHolding, peerHolds } from './ours.ts'
import type { Holding } from './words.ts'

/** A Heartbeat that does not say what it holds is asked again. */
const startAgainMs: Millis = 10_000
/** The answer takes a message each way, and another one each way where it was lost. */
const nudgeAfterMs: Millis = 500

/**
 * A Heartbeat goes by what comes last, and what was lost on the way comes later than what was said after it: an `isstable=0` that it hears
 * after the `isstable=1` would keep it from ever shutting down. So the last word is said again when nothing older can be on its way.
 */
const tellAgainAfterMs: Millis = 2_000

/**
 * `starting` makes a Heartbeat tell what it holds, and one that waits for a partner go on. Said before it is active itself it would be
 * lost (5.3).
 */
export function tellStarting(turn: Turn): void {
  nudge(turn)
  const { state, nowMs } = turn
  if (nowMs < startingMs(state)) return
  say(turn, { word: 'starting' })
  setState(turn, { toldStartingMs: nowMs, told: undefined })
  setPeer(turn, { silentHeartbeats: 0 })
}

/** When `starting` is due, and what goes with it. */
export function startingDueMs(state: DialogueState): Millis {
  return Math.min(startingMs(state), nudgeMs(state))
}

/** Infinity: it was said, or need not be. */
function startingMs(state: DialogueState): Millis {
  const { peer, toldStartingMs } = state
  if (!isActive(state) || !maySpeak(state) || peer?.leaving === true) return Infinity
  if (toldStartingMs === undefined) return -Infinity
  return peer?.holds === undefined && peer?.mode !== 'legacy' ? toldStartingMs + startAgainMs : Infinity
}

/**
 * A Heartbeat that has just answered another daemon of this node takes no second `starting`, and says nothing, before it has heard once what
 * we hold (BOTHSTARTING in 5.3). One in legacy mode makes nothing of either.
 */
function nudge(turn: Turn): void {
  if (turn.nowMs < nudgeMs(turn.state)) return
  say(turn, { word: 'resource', holds: ourHolding(turn.state), full: true, stable: false })
  say(turn, { word: 'starting' })
  setState(turn, { toldStartingMs: turn.nowMs })
  setPeer(turn, { nudged: true, silentHeartbeats: 0 })
}

function nudgeMs(state: DialogueState): Millis {
  const { peer, toldStartingMs } = state
  if (peer?.mode !== 'unsure' || peer.nudged || toldStartingMs === undefined || !isActive(state) || !maySpeak(state)) return Infinity
  return toldStartingMs + nudgeAfterMs
}

function mayTellHolding(state: DialogueState): boolean {
  // After a silence it will be less as soon as the Heartbeat has said what it holds.
  if (state.yields && state.peer?.holds === undefined) return false
  return isActive(state) && maySpeak(state) && state.peer?.mode === 'classes' && state.exchange === undefined && state.toldStartingMs !== undefined
}

export function tellHolding(turn: Turn): void {
  const { state } = turn
  if (!mayTellHolding(state)) return
  const [holds, stable] = [ourHolding(state), areWeStable(state, turn.nowMs)]
  const isNews = state.told?.holds !== holds || state.told.stable !== stable
  if (!isNews && !(state.tellAgainMs !== undefined && turn.nowMs >= state.tellAgainMs)) return
  say(turn, { word: 'resource', holds, full: true, stable })
  setState(turn, { told: { holds, stable }, tellAgainMs: isNews && stable ? turn.nowMs + tellAgainAfterMs : undefined })
}

/** Upon our `shutdone`, which is the core's goodbye, it takes everything at once; until then it waits. */
export function tellLeaving(turn: Turn): void {
  const { state } = turn
  if (state.spoken?.kind !== 'status' || factsOf(state)?.leaving !== true || state.toldLeaving || !maySpeak(state) || state.peer?.mode !== 'classes') return
  say(turn, { word: 'resource', holds: 'none', full: true, stable: false, info: 'shutdown' })
  setState(turn, { toldLeaving: true, numbers: { ...state.numbers, ...numbersAbove(ourGroups(state, 'all')) } })
}

/** What an administrator wants here (`hactl takeover`) and the Heartbeat holds, which it answers with an exchange of its own. */
function wishToTake(state: DialogueState): Holding {
  if (!mayAsk(state)) return 'none'
  const classes = classesWith(state, (group) => group.claiming)
  return holdingOf((one) => classes.includes(one) && peerHolds(state, one))
}

export function tellTakeover(turn: Turn): void {
  const { state, nowMs } = turn
  const holds = wishToTake(state)
  if (holds === 'none' || (state.takeoverMs !== undefined && nowMs < state.takeoverMs + askAgainMs)) return
  say(turn, { word: 'takeover', holds })
  setState(turn, { takeoverMs: nowMs })
}

export function tellDueMs(state: DialogueState): Millis {
  const claimMs = state.idleSinceMs !== undefined && state.told?.stable === false ? state.idleSinceMs + claimWithinMs : Infinity
  const restMs = areWeStable(state, claimMs) && mayTellHolding(state) ? claimMs : Infinity
  const takeoverMs = state.takeoverMs === undefined || wishToTake(state) === 'none' ? Infinity : state.takeoverMs + askAgainMs
  const againMs = mayTellHolding(state) ? (state.tellAgainMs ?? Infinity) : Infinity
  return Math.min(startingDueMs(state), takeoverMs, restMs, againMs)
}
