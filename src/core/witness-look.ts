/**
 * Is the witness there? Nothing rests on it while the nodes see each other, but whoever is to be paged wants to know before
 * it is needed: with the peer gone and the witness unreachable nobody holds (F13).
 */
import type { WitnessAnswer } from './events.ts'
import { changed, copyWitness, type Change } from './shape.ts'
import type { NodeState, WitnessState } from './state.ts'
import { witnessGraceMs, type Dues, type Millis } from './time.ts'
import { inMs, record, setState, type Turn } from './turn.ts'

const everyMs: Millis = 10_000
/** One lost answer is not worth a page; so the second look follows soon. */
const soonMs: Millis = 2_000

export function lookAtWitness(turn: Turn): void {
  const { config, witness } = turn.state
  if (config.witness === undefined) return
  const { look } = witness
  if (look !== undefined) {
    if (turn.nowMs < look.deadlineMs) return
    seeWitness(turn, look.id, { result: 'unreachable', message: 'no answer' })
  }
  if (turn.nowMs < turn.state.witness.nextLookMs) return
  const id = turn.state.nextWitnessId
  setState(turn, {
    nextWitnessId: id + 1,
    witness: changed(turn.state.witness, { look: { id, type: 'look', deadlineMs: turn.nowMs + config.witness.timeoutMs + witnessGraceMs }, nextLookMs: turn.nowMs + everyMs }, copyWitness),
  })
  turn.effects.push({ type: 'ask-witness', requestId: id, ask: { type: 'look' } })
}

/** Every answer tells, not only that to a look. */
export function seeWitness(turn: Turn, requestId: number, answer: WitnessAnswer): void {
  const { witness } = turn.state
  const answersLook = witness.look?.id === requestId
  const look = answersLook ? undefined : witness.look
  if (answer.result !== 'unreachable') {
    // A witness that is full still renews: only a look, or a grant, shows that a grant could be had.
    if (witness.status === 'unreachable' && answer.result !== 'seen' && answer.result !== 'granted') return setWitness(turn, { lastSeenMs: turn.nowMs })
    if (witness.status === 'unreachable') record(turn, 'info', 'witness-reachable', `the witness answers again${witness.lastSeenMs === undefined ? '' : `, after ${inMs(turn.nowMs - witness.lastSeenMs)}`}`)
    setWitness(turn, { look, message: undefined, status: 'reachable', lastSeenMs: turn.nowMs })
    return
  }
  // An answer to a request that was given up long ago, by a witness that has answered since, is no news.
  if (!answersLook && witness.status === 'reachable') {
    setWitness(turn, { nextLookMs: Math.min(witness.nextLookMs, turn.nowMs) })
    return
  }
  if (witness.status !== 'unreachable') record(turn, 'warning', 'witness-unreachable', `the witness does not answer: ${answer.message}. ${isLost(turn.state) ? `${turn.state.peer} is lost as well: what is not held by consent, nobody may hold` : 'While both nodes see each other nothing changes; should one be lost, nobody may hold'}`)
  setWitness(turn, { look, status: 'unreachable', message: answer.message, nextLookMs: turn.nowMs + soonMs })
}

function setWitness(turn: Turn, change: Change<WitnessState>): void {
  setState(turn, { witness: changed(turn.state.witness, change, copyWitness) })
}

function isLost({ contact }: NodeState): boolean {
  return contact.status === 'dead' || contact.status === 'left'
}

export function addWitnessLookDeadlines({ config, witness }: NodeState, dues: Dues): void {
  if (config.witness !== undefined) dues.push(witness.look?.deadlineMs ?? witness.nextLookMs)
}
