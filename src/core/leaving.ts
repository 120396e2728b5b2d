/** Shutting down: hand over what the peer can take, stop the rest, say goodbye, exit (design.md section 6 "systemd"). */
import { peerIsClassic, peerIsHeard } from './contact.ts'
import { isUnclean, mayRun, runsHere } from './group-view.ts'
import { dropHold } from './holds.ts'
import { isSaved } from './persistence.ts'
import { raisingOf } from './raised.ts'
import type { Millis } from './time.ts'
import { record, setState, type Turn } from './turn.ts'
import { reply } from './requests.ts'

/** The peer claims what it is offered within one round trip; one that has not done so by then will not. */
const offerForMs: Millis = 5_000

export function beginLeaving(turn: Turn): void {
  const { state } = turn
  if (state.phase === 'leaving' || state.phase === 'left' || state.leaveByMs !== undefined) return
  turn.effects.push({ type: 'notify-service', state: 'stopping' })
  for (const request of state.requests) if (request.answered === undefined) reply(turn, request.requestId, 'failed', `${state.self} is shutting down`)
  setState(turn, { requests: [], peerRequests: [] })
  setState(turn, { leaveByMs: turn.nowMs + offerForMs })
  // A real Heartbeat knows of no pause: it would take over beside what is left here.
  if (state.pause.paused && !(peerIsClassic(state) && peerIsHeard(state))) leaveAsItIs(turn)
  else handOver(turn)
}

function handOver(turn: Turn): void {
  const { self, peer } = turn.state
  record(turn, 'info', 'daemon-leaving', `${self} shuts down: it hands over what ${peer} can take and stops the rest`)
  setState(turn, { phase: 'leaving', leaveByMs: turn.nowMs + offerForMs })
}

/** During a pause nothing is handed over and nothing stopped; it is waited for the disk, and until the addresses outlast this daemon (raised.ts). */
function leaveAsItIs(turn: Turn): void {
  const { state, nowMs } = turn
  if (!state.pause.paused) return handOver(turn)
  const { status, short } = raisingOf(state, nowMs)
  const waits = status === 'waits' || !isSaved(state)
  if (waits && nowMs < (state.leaveByMs ?? -Infinity)) return
  const lost = short.length === 0 ? '' : `. But ${short.join(', ')} will go within seconds unless the next daemon runs by then: ${state.peer} has not promised to leave it here`
  record(turn, 'warning', 'daemon-left', `${state.self} stops during a pause: everything stays as it is, and the next daemon adopts it${lost}`)
  setState(turn, { phase: 'left', leaveByMs: undefined })
}

/** True once the node has left: goodbye and exit follow in the same turn. */
export function settleLeaving(turn: Turn): void {
  if (turn.state.phase !== 'leaving') {
    if (turn.state.leaveByMs !== undefined) leaveAsItIs(turn)
    return
  }
  if (turn.state.leaveByMs !== undefined && turn.nowMs >= turn.state.leaveByMs) {
    setState(turn, { leaveByMs: undefined })
    for (const group of turn.state.groups) {
      dropHold(turn, group, { kind: 'ordered', reason: 'leaving-alone', explanation: `${turn.state.peer} did not take it within ${offerForMs} ms and ${turn.state.self} is shutting down` })
    }
  }
  const waits = turn.state.groups.some(
    // A goodbye says that nothing is left here: before the look nobody knows.
    (group) => !group.looked || group.hold !== undefined || group.operation !== undefined || group.stages.some((stage) => mayRun(stage) && stage.status !== 'unclean'),
  )
  // What is unclean, or a standby typed just now, must be known to the next daemon.
  if (waits || !isSaved(turn.state)) return
  const unclean = turn.state.groups.filter((group) => isUnclean(group) && runsHere(group))
  const left = unclean.length === 0 ? 'nothing of its groups runs here' : `a stop failed for ${unclean.map((group) => group.name).join(', ')}`
  record(turn, unclean.length === 0 ? 'info' : 'error', 'daemon-left', `${turn.state.self} has left: ${left}`)
  setState(turn, { phase: 'left', leaveByMs: undefined })
}
