/**
 * Making sure that a silent peer is off (design.md section 5 "Fencing", F9): fence, confirm, then acquire. Levels are tried
 * in order, each with its retries, until one confirms. A holder fences at once, the other node a deadtime later, so that
 * of two that cannot hear each other one survives; a delay that was configured comes on top. A node that has not been in
 * mutual contact since its own start never fences: else two that boot would shoot each other for ever.
 */
import { restsOnWitness } from './authority.ts'
import { judgingDeadtimeMs } from './contact.ts'
import type { Event } from './events.ts'
import { canFence, levelsOf } from './fenced.ts'
import { rulingFor } from './permission.ts'
import type { FencingState, NodeState } from './state.ts'
import { programGraceMs, type Dues, type Millis } from './time.ts'
import { inMs, record, setState, type Turn } from './turn.ts'
import { placementAt } from './view.ts'

/** After every level has failed it begins anew. */
const retryAllMs: Millis = 60_000

function isWanted(state: NodeState, nowMs: Millis): boolean {
  if (state.contact.status !== 'dead' || !canFence(state) || state.pause.paused || state.phase === 'leaving') return false
  // Where the witness decides, a holder needs nobody off: the grant keeps the peer from starting.
  if (!restsOnWitness(state) && state.groups.some((group) => group.hold !== undefined)) return true
  return state.groups.some((group) => {
    if (group.hold !== undefined) return false
    const ruling = rulingFor(state, group, nowMs)
    return 'needs' in ruling && ruling.needs === 'fencing' && placementAt(state, group, nowMs).node === 'self'
  })
}

export function settleFencing(turn: Turn): void {
  const { state, nowMs } = turn
  const { fencing } = state
  if (fencing?.status === 'runs') {
    if (nowMs >= fencing.dueMs) fail(turn, fencing, 'no answer from the fencing program')
    return
  }
  if (fencing?.status === 'confirmed') {
    if (state.contact.status !== 'dead') setState(turn, { fencing: undefined })
    return
  }
  if (!isWanted(state, nowMs)) {
    if (fencing !== undefined) setState(turn, { fencing: undefined })
    return
  }
  if (fencing === undefined) return begin(turn)
  if (nowMs >= fencing.dueMs) run(turn, fencing)
}

function begin(turn: Turn): void {
  const { state, nowMs } = turn
  const { contact, peer, config } = state
  const holds = state.groups.some((group) => group.hold !== undefined)
  // Where both hold something, the name decides who is first: else each would switch the other off.
  const peerHolds = contact.facts?.groups.some(({ state: theirs }) => theirs === 'held' || theirs === 'starting') === true
  const first = holds && (!peerHolds || state.self < peer)
  const waitMs = (first ? 0 : judgingDeadtimeMs(state)) + (config.fencing?.delaysMs[peer] ?? 0)
  // With a witness the grant has decided already which of both is to live.
  const dueMs = restsOnWitness(state) ? nowMs : Math.max(nowMs, contact.sinceMs + waitMs)
  const fencing: FencingState = { status: 'waits', generation: contact.newest?.generation ?? 0, level: 0, attempts: 0, dueMs }
  record(turn, 'warning', 'fence-begins', `${peer} is dead and will be switched off first${dueMs > nowMs ? `, in ${inMs(dueMs - nowMs)}` : ''}; until that is confirmed nothing of it starts here`)
  setState(turn, { fencing })
  if (nowMs >= dueMs) run(turn, fencing)
}

function run(turn: Turn, fencing: FencingState): void {
  const { state } = turn
  const level = levelsOf(state)[fencing.level]
  if (level === undefined) return
  const fenceId = state.nextFenceId
  setState(turn, { nextFenceId: fenceId + 1, fencing: { ...fencing, status: 'runs', fenceId, attempts: fencing.attempts + 1, dueMs: turn.nowMs + level.timeoutMs + programGraceMs } })
  record(turn, 'warning', 'fence-runs', `${level.name} fences ${state.peer} (attempt ${fencing.attempts + 1} of ${level.retries + 1}, at most ${inMs(level.timeoutMs)})`)
  turn.effects.push({ type: 'run-fence', fenceId, node: state.peer, level: fencing.level, timeoutMs: level.timeoutMs })
}

export function finishFence(turn: Turn, event: Extract<Event, { type: 'fence-finished' }>): void {
  const { fencing, peer, contact } = turn.state
  if (fencing?.status !== 'runs' || fencing.fenceId !== event.fenceId) return
  if (event.result !== 'confirmed') return fail(turn, fencing, event.message)
  record(turn, 'warning', 'peer-fenced', `${peer} is off, the device confirms it (${event.message})`, { figures: { generation: fencing.generation } })
  // Heard again while the program ran: it was alive, and goes down now; its silence will be judged anew.
  if (contact.status !== 'dead' || contact.newest?.generation !== fencing.generation) return setState(turn, { fencing: undefined })
  setState(turn, { fencing: { ...fencing, status: 'confirmed', message: event.message, dueMs: Infinity } })
}

function fail(turn: Turn, fencing: FencingState, message: string): void {
  const { state, nowMs } = turn
  const level = levelsOf(state)[fencing.level]
  const again = level !== undefined && fencing.attempts <= level.retries
  const next = again ? fencing.level : fencing.level + 1
  const exhausted = next >= levelsOf(state).length
  const then = again ? 'it is tried again' : exhausted ? `nothing of ${state.peer} is started here; all of it is tried again in ${retryAllMs / 1000} s. If you have seen that ${state.peer} is off: hactl cleanup GROUP --i-have-checked` : 'the next level is tried'
  record(turn, 'error', 'fence-failed', `${level?.name ?? 'fencing'} did not fence ${state.peer}: ${message}; ${then}`)
  setState(turn, {
    fencing: { ...fencing, status: exhausted ? 'failed' : 'waits', message, level: exhausted ? 0 : next, attempts: again ? fencing.attempts : 0, dueMs: exhausted ? nowMs + retryAllMs : nowMs },
  })
}

export function addFencingDeadlines({ fencing }: NodeState, dues: Dues): void {
  if (fencing !== undefined && fencing.dueMs !== Infinity) dues.push(fencing.dueMs)
}
