/**
 * Whoever has answered in an exchange waits for the other's `done` for an hour, and can meanwhile neither shut down nor give anything (the
 * hazard of heartbeat-3.md 5.10). An exchange that a silence, or the death of this node's last daemon, has cut short is brought to its end
 * by hand. A Heartbeat that does not wait (any more) logs an error and does nothing.
 */
import type { Millis } from '../core/time.ts'
import { say, setState, type DialogueState, type Turn } from './dialogue-state.ts'
import { mayAsk, owedNothing } from './exchange-give.ts'

/** It may still be stopping what it gives, and its own `done` is yet to come. */
const ownDoneWithinMs: Millis = 30_000

/** The exchange ends here and now, without its `done`. */
export function noteOwed(turn: Turn): void {
  const { exchange, unanswered, peer } = turn.state
  const { generation } = peer ?? { generation: 0 }
  if (exchange?.role === 'takes' && exchange.step !== 'wanted') setState(turn, { owed: { generation, holding: exchange.holding, times: 1, sinceMs: turn.nowMs } })
  // It waits to take, or may have answered unheard.
  if ((exchange?.role === 'gives' && exchange.step !== 'given') || unanswered !== undefined) setState(turn, { owed: owedNothing(turn) })
}

/** The node that gives says `done`: it has not counted us dead, and waits. */
export function hearDoneOwed(turn: Turn, holding: string): void {
  const { owed, exchange } = turn.state
  if (exchange === undefined && owed !== undefined && owed.times === 1 && owed.holding === holding) pay(turn, owed)
}

export function settleOwed(turn: Turn): void {
  const { owed } = turn.state
  if (owed === undefined || turn.nowMs < owedMs(turn.state)) return
  // One that counted us dead has taken everything, and waits for nothing.
  if (turn.state.peer?.holds === 'all') setState(turn, { owed: undefined })
  else pay(turn, owed)
}

function pay(turn: Turn, owed: NonNullable<DialogueState['owed']>): void {
  for (let time = 0; time < owed.times; time += 1) say(turn, { word: 'ask', holds: owed.holding, step: 'done' })
  setState(turn, { owed: undefined, told: undefined })
}

export function owedMs(state: DialogueState): Millis {
  const { owed } = state
  if (owed === undefined || !mayAsk(state)) return Infinity
  return owed.times === 1 ? owed.sinceMs + ownDoneWithinMs : owed.sinceMs
}
