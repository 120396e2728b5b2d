/**
 * The Heartbeat gives (its hb_standby, its auto_failback, its answer to our takeover): heartbeat-3.md 5.10 with this node as the
 * partner. Whoever answers `other` has promised to take and to say `done`: until then the Heartbeat can neither shut down nor give
 * anything. So we answer only when nothing stands against taking all of it, and are silent otherwise, upon which the Heartbeat keeps
 * what it has and gives up after 10 s.
 */
import type { Millis } from '../core/time.ts'
import { common, covers, minus, mirrored } from './classes.ts'
import { endExchange, isActive, say, setPeer, setState, type DialogueState, type Exchange, type Turn } from './dialogue-state.ts'
import { classesWith, isMoving, isUnwelcome, ourGroups } from './ours.ts'
import type { Holding } from './words.ts'

/** The Heartbeat waits for `other` for as long. */
const givenUpAfterMs: Millis = 10_000
const answerWithinMs: Millis = 8_000
/** After `other` it stops its groups at once and says so: a Heartbeat that does not has given up before. */
const beginWithinMs: Millis = 20_000
/** What nothing visible becomes of is not started any more. Starts have their own time limits. */
const settleWithinMs: Millis = 60_000

type Take = Extract<Exchange, { role: 'takes' }>

export function takeUnderWay({ exchange }: DialogueState): Take | undefined {
  return exchange?.role === 'takes' ? exchange : undefined
}

/** `ask_resources … info=me`. A second one counts only when the first was given up there: the Heartbeat ignores its own until then. */
export function hearMe(turn: Turn, holding: Holding): void {
  const { exchange } = turn.state
  const free = exchange === undefined || (exchange.role === 'takes' && exchange.step === 'agreed' && turn.nowMs >= exchange.sinceMs + givenUpAfterMs)
  if (!free || holding === 'none' || !isActive(turn.state)) return
  setState(turn, { exchange: { role: 'takes', step: 'wanted', holding, moves: holding, sinceMs: turn.nowMs } })
}

/** `resource … info=standby`: it begins to stop what it has now left out. Should we have forgotten why, we take it all the same. */
export function hearStopping(turn: Turn, before: Holding | undefined, rest: Holding): void {
  const take = takeUnderWay(turn.state)
  if (take !== undefined && (take.step === 'wanted' || take.step === 'agreed')) return setTake(turn, { ...take, step: 'stopping', sinceMs: turn.nowMs })
  const left = before === undefined ? 'none' : minus(before, rest)
  if (turn.state.exchange !== undefined || left === 'none') return
  setState(turn, { exchange: { role: 'takes', step: 'stopping', holding: left, moves: left, sinceMs: turn.nowMs } })
}

/**
 * `ask_resources … info=done` of the node that gives. One of other groups is that of a takeover of its own, which may end at any time.
 * What it said of its groups before that is past, whenever it comes.
 */
export function hearGiven(turn: Turn, sequence: number, holding: Holding): void {
  const take = takeUnderWay(turn.state)
  if (take?.holding !== holding || (take.step !== 'agreed' && take.step !== 'stopping')) return
  const { holds, resourceSequence } = turn.state.peer ?? { resourceSequence: 0 }
  setPeer(turn, { resourceSequence: Math.max(resourceSequence, sequence), ...(holds === undefined ? {} : { holds: minus(holds, holding) }) })
  setTake(turn, { ...take, step: 'taking', sinceMs: turn.nowMs })
}

function setTake(turn: Turn, take: Take): void {
  setState(turn, { exchange: take })
}

export function settleTake(turn: Turn): void {
  const take = takeUnderWay(turn.state)
  if (take === undefined) return
  switch (take.step) {
    case 'wanted':
      if (canTake(turn.state, take)) return agree(turn, take)
      if (turn.nowMs >= take.sinceMs + answerWithinMs || !isActive(turn.state)) endExchange(turn)
      return
    case 'agreed':
      if (turn.nowMs >= take.sinceMs + beginWithinMs) endExchange(turn)
      return
    case 'stopping':
      return
    case 'taking':
      if (!isSettled(turn.state, take, turn.nowMs)) return
      say(turn, { word: 'ask', holds: take.holding, step: 'done' })
      return endExchange(turn)
  }
}

function agree(turn: Turn, take: Take): void {
  const holds = turn.state.peer?.holds ?? 'none'
  say(turn, { word: 'ask', holds: take.holding, step: 'other' })
  setTake(turn, { ...take, step: 'agreed', moves: common(take.holding, holds), sinceMs: turn.nowMs })
}

/** Nothing is on its way here, and of what would come nothing is unclean, not looked at, failed, or kept off by `hactl standby`. */
function canTake(state: DialogueState, take: Take): boolean {
  if (!isActive(state) || state.peer?.stable !== true || state.peer.leaving || isMoving(state, 'all')) return false
  const comes = mirrored(take.holding)
  return classesWith(state, (group, one) => covers(comes, one) && group.state !== 'held' && (group.state !== 'stopped' || isUnwelcome(state, group, one))).length === 0
}

/** Each group has arrived, or has failed here; or nothing comes of it, and the Heartbeat is not to wait for ever. */
function isSettled(state: DialogueState, take: Take, nowMs: Millis): boolean {
  return ourGroups(state, mirrored(take.holding)).every((group) => {
    if (group.state === 'held' || group.state === 'unclean') return true
    if (group.state !== 'stopped') return false
    return group.failed || !isActive(state) || nowMs >= take.sinceMs + settleWithinMs
  })
}

export function takeDueMs(state: DialogueState): Millis {
  const take = takeUnderWay(state)
  switch (take?.step) {
    case 'wanted':
      return take.sinceMs + answerWithinMs
    case 'agreed':
      return take.sinceMs + beginWithinMs
    case 'taking':
      return isSettled(state, take, Infinity) ? take.sinceMs + settleWithinMs : Infinity
    case 'stopping':
    case undefined:
      return Infinity
  }
}

/** What the Heartbeat gives up is not told as its own any more, and it does not want it. */
export function givenAway(state: DialogueState): Holding {
  const take = takeUnderWay(state)
  return take === undefined || take.step === 'wanted' ? 'none' : take.moves
}
