/**
 * This node gives (an offer of the core, or what nobody holds and the core does not want): heartbeat-3.md 5.10 with this node as
 * the requester. Once the Heartbeat has said `other` it waits for our `done` for an hour, unable to shut down or to give anything, so
 * whatever becomes of the offer the exchange is brought to its end.
 *
 * A stop that fails is the one thing that must not end in `done`: the Heartbeat would start what may still run here (promise P6), and
 * it starts whole classes. So `done` then names only the class, if one is left, of which everything has stopped. Where none is left, it
 * names `none`: the Heartbeat finds nothing to start and waits for its own next `done`, for which ours, said once more, will do
 * (rsc.c: ask_for_resources, states OTHER and DONE). The other groups of the class return here, as the core sees fit.
 */
import type { AdvertisedGroup } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { common, covers, holdingOf, minus, mirrored, plus } from './classes.ts'
import { endExchange, isActive, maySpeak, say, setPeer, setState, type DialogueState, type Exchange, type Turn } from './dialogue-state.ts'
import { classesWith, isBlocked, isMoving, isUnwelcome, numbersAbove, ourGroups, ourHolding, peerHolds } from './ours.ts'
import type { Holding } from './words.ts'

/** Heartbeat's own limit. */
const otherWithinMs: Millis = 10_000
export const askAgainMs: Millis = 15_000
/** A group that nobody holds is given to the Heartbeat after this long; one that belongs here gets the time of a start. */
const idleMs: Millis = 3_000
const idleAtHomeMs: Millis = 60_000

/** Both nodes may be asking at once, so one question without an answer means nothing. */
const unheededTwice = 2

type Give = Extract<Exchange, { role: 'gives' }>

function giveUnderWay({ exchange }: DialogueState): Give | undefined {
  return exchange?.role === 'gives' ? exchange : undefined
}

/** Both are at rest, so that the Heartbeat would answer. */
export function mayAsk(state: DialogueState): boolean {
  const { peer, exchange, toldStartingMs } = state
  if (!isActive(state) || !maySpeak(state) || peer === undefined || exchange !== undefined || toldStartingMs === undefined) return false
  return peer.stable && peer.holds !== undefined && !peer.leaving && !isMoving(state, 'all')
}

function offered(state: DialogueState): Holding {
  const classes = classesWith(state, (group) => group.offer !== undefined)
  return holdingOf((one) => classes.includes(one))
}

/** In a class that the Heartbeat does not hold something is down and unwanted here. */
function idle(state: DialogueState, nowMs: Millis): Holding {
  const sinceMs = state.idleSinceMs ?? Infinity
  const classes = classesWith(state, (group, one) => isIdle(group) && nowMs >= sinceMs + (one === 'foreign' || isUnwelcome(state, group, one) ? idleMs : idleAtHomeMs))
  return holdingOf((one) => classes.includes(one) && !peerHolds(state, one))
}

function isIdle(group: AdvertisedGroup): boolean {
  return group.state === 'stopped' && !group.claiming
}

/** Whether there is anything idle, to count its time. */
export function noteIdle(turn: Turn): void {
  const { state } = turn
  if (state.exchange !== undefined) return
  const some = mayAsk(state) && classesWith(state, (group, one) => isIdle(group) && !peerHolds(state, one)).length > 0
  if (some && state.idleSinceMs === undefined) setState(turn, { idleSinceMs: turn.nowMs })
  if (!some && state.idleSinceMs !== undefined) setState(turn, { idleSinceMs: undefined })
}

/** What would be asked for now, were it not asked lately. */
function wishToGive(state: DialogueState, nowMs: Millis): Holding {
  if (!mayAsk(state)) return 'none'
  const wish = plus(offered(state), idle(state, nowMs))
  return holdingOf((one) => covers(wish, one) && !isBlocked(state, one))
}

export function settleGive(turn: Turn): void {
  const { state, nowMs } = turn
  const give = giveUnderWay(state)
  if (give === undefined) return ask(turn)
  switch (give.step) {
    case 'asked':
      if (nowMs < give.sinceMs + otherWithinMs) return
      setState(turn, { unanswered: give.holding })
      endExchange(turn)
      return noteUnheeded(turn)
    case 'stopping':
      return finishStopping(turn, give)
    case 'given':
      return
  }
}

/** `none` gives it nothing, and the second one is as good as its own. */
export function owedNothing({ state, nowMs }: Turn): NonNullable<DialogueState['owed']> {
  return { generation: state.peer?.generation ?? 0, holding: 'none', times: 2, sinceMs: nowMs }
}

/** It may wait since the last daemon of this node (owed.ts). */
function noteUnheeded(turn: Turn): void {
  const unheeded = turn.state.unheeded + 1
  setState(turn, unheeded < unheededTwice ? { unheeded } : { unheeded: 0, owed: owedNothing(turn) })
}

function ask(turn: Turn): void {
  const { state, nowMs } = turn
  if (state.askedMs !== undefined && nowMs < state.askedMs + askAgainMs) return
  const holding = wishToGive(state, nowMs)
  if (holding === 'none') return
  say(turn, { word: 'ask', holds: holding, step: 'me' })
  setState(turn, { exchange: { role: 'gives', step: 'asked', holding, moves: 'none', sinceMs: nowMs }, askedMs: nowMs, unanswered: undefined })
}

/** `ask_resources … info=other`: the Heartbeat has nothing of it that it would not keep, and takes the rest. */
export function hearOther(turn: Turn, sequence: number, holding: Holding): void {
  const { state } = turn
  const give = giveUnderWay(state)
  const asked = give?.step === 'asked' ? give.holding : state.exchange === undefined ? state.unanswered : undefined
  if (asked !== holding || !isActive(state)) return
  if (state.peer !== undefined) setPeer(turn, { resourceSequence: Math.max(state.peer.resourceSequence, sequence) })
  const moves = minus(holding, mirrored(state.peer?.holds ?? 'none'))
  const numbers = { ...state.numbers, ...numbersAbove(ourGroups(state, moves)) }
  setState(turn, { unanswered: undefined, unheeded: 0, numbers, exchange: { role: 'gives', step: 'stopping', holding, moves, sinceMs: turn.nowMs } })
  say(turn, { word: 'resource', holds: minus(ourHolding(state), holding), full: true, stable: false, info: 'standby' })
}

function finishStopping(turn: Turn, give: Give): void {
  const { state } = turn
  const groups = ourGroups(state, give.moves)
  if (!groups.every((group) => (group.state === 'stopped' || group.state === 'unclean') && !group.claiming)) return
  const stuck = holdingOf((one) => covers(give.moves, one) && isBlocked(state, one))
  const free = stuck === 'none' ? give.holding : minus(give.moves, stuck)
  say(turn, { word: 'ask', holds: free, step: 'done' })
  if (free !== 'none') {
    setPeer(turn, { stable: false })
    return setState(turn, { exchange: { ...give, step: 'given', holding: free, moves: common(give.moves, free), sinceMs: turn.nowMs } })
  }
  say(turn, { word: 'ask', holds: 'none', step: 'done' })
  endExchange(turn)
}

/** `ask_resources … info=done` of the node that takes: it has started all of it, as far as it knows. */
export function hearTaken(turn: Turn, sequence: number, holding: Holding): void {
  const give = giveUnderWay(turn.state)
  if (give?.step !== 'given' || give.holding !== holding) return
  const { holds, resourceSequence } = turn.state.peer ?? { resourceSequence: 0 }
  setPeer(turn, { holds: plus(holds ?? 'none', mirrored(give.holding)), stable: true, resourceSequence: Math.max(resourceSequence, sequence) })
  setState(turn, { askedMs: undefined })
  endExchange(turn)
}

/**
 * `resource … isstable=1` in the midst of it. Of the node that takes it usually comes before its `done`, and says the same. One that holds
 * what is changing hands already has counted us dead meanwhile, and is out of the exchange.
 */
export function hearStable(turn: Turn): void {
  const { exchange, peer } = turn.state
  if (exchange === undefined || peer?.holds === undefined || exchange.step === 'wanted' || exchange.step === 'agreed' || exchange.step === 'asked') return
  if (exchange.role === 'takes') return common(peer.holds, exchange.moves) === 'none' ? undefined : endExchange(turn)
  if (exchange.step === 'stopping') return common(peer.holds, mirrored(exchange.moves)) === 'none' ? undefined : endExchange(turn)
  if (minus(mirrored(exchange.holding), peer.holds) === 'none') hearTaken(turn, peer.resourceSequence, exchange.holding)
}

export function giveDueMs(state: DialogueState): Millis {
  const give = giveUnderWay(state)
  if (give !== undefined) return give.step === 'asked' ? give.sinceMs + otherWithinMs : Infinity
  const sinceMs = state.idleSinceMs ?? Infinity
  const wishMs = [0, sinceMs + idleMs, sinceMs + idleAtHomeMs].find((atMs) => wishToGive(state, atMs) !== 'none') ?? Infinity
  return Math.max(wishMs, (state.askedMs ?? -Infinity) + askAgainMs)
}
