/**
 * Was this node itself stopped? A daemon that was not run (SIGSTOP, a paused guest, a starved host) sees everybody else
 * silent, so it must not judge by what it did not hear (design.md section 5 "Pause", F11; field-notes 1.4).
 */
import { waitForRenewals } from './lease.ts'
import { judgingDeadtimeMs, listenAfresh } from './contact.ts'
import { nextDeadlineMs } from './deadlines.ts'
import { changed, copyGrant, copyWitness } from './shape.ts'
import type { Millis } from './time.ts'
import { inMs, record, setContact, setGroup, setState, type Turn } from './turn.ts'

const answersWithinMs: Millis = 1_000

/** Run before anything else in a turn, with the state as the last turn left it. True if this node stood still. */
export function noticeStall(turn: Turn): boolean {
  const { state, nowMs, wallMs } = turn
  if (!state.begun) return false
  const dueMs = nextDeadlineMs(state) ?? nowMs
  const lateMs = nowMs - dueMs
  const clockJumpMs = Math.max(wallMs - nowMs - state.wallOffsetMs, bootJumpMs(turn))
  if (clockJumpMs > shortestJumpMs) ageBy(turn, clockJumpMs)
  const stalledMs = Math.max(lateMs, clockJumpMs)
  if (stalledMs <= 0.5 * judgingDeadtimeMs(state)) return false
  const how = lateMs >= clockJumpMs ? 'this daemon was not run' : 'the wall or boot clock ran ahead of the monotonic one, as after a pause of this host,'
  record(turn, 'warning', 'was-stalled', `${how} for ${inMs(stalledMs)}: listening afresh before anybody is judged`, { figures: { stalledMs: Math.round(stalledMs) } })
  listenAfresh(turn)
  waitForAnswers(turn)
  waitForRenewals(turn, nowMs + answersWithinMs)
  setState(turn, {
    wallOffsetMs: wallMs - nowMs,
    stalled: { forMs: stalledMs, untilMs: nowMs + 2 * judgingDeadtimeMs(state) },
  })
  return true
}

/** Less than this is the rounding of clocks. */
const shortestJumpMs: Millis = 50

/** The monotonic clock stood still: what was sent before, and a grant, are older than it shows. */
function ageBy(turn: Turn, jumpMs: Millis): void {
  const { contact, groups } = turn.state
  setState(turn, { wallOffsetMs: turn.wallMs - turn.nowMs })
  setContact(turn, {
    sent: contact.sent.map((one) => ({ sequence: one.sequence, sentMs: one.sentMs - jumpMs })),
    ...(contact.confirmed === undefined ? {} : { confirmed: { sequence: contact.confirmed.sequence, sentMs: contact.confirmed.sentMs - jumpMs, by: contact.confirmed.by } }),
  })
  for (const { name, grant } of groups) if (grant !== undefined) setGroup(turn, name, { grant: changed(grant, { sentMs: grant.sentMs - jumpMs }, copyGrant) })
}

/** What was asked before may have been answered meanwhile, and is read in a moment. */
function waitForAnswers(turn: Turn): void {
  const { witness, groups } = turn.state
  const untilMs = turn.nowMs + answersWithinMs
  if (witness.look !== undefined) setState(turn, { witness: changed(witness, { look: { ...witness.look, deadlineMs: Math.max(witness.look.deadlineMs, untilMs) } }, copyWitness) })
  for (const { name, witnessRequest } of groups) {
    if (witnessRequest !== undefined) setGroup(turn, name, { witnessRequest: { ...witnessRequest, deadlineMs: Math.max(witnessRequest.deadlineMs, untilMs) } })
  }
}

/** While a host is suspended its boot clock runs on and the monotonic one stands still. */
function bootJumpMs(turn: Turn): Millis {
  if (turn.bootMs === undefined) return -Infinity
  const offsetMs = turn.bootMs - turn.nowMs
  const before = turn.state.bootOffsetMs
  setState(turn, { bootOffsetMs: offsetMs })
  return before === undefined ? -Infinity : offsetMs - before
}

export function forgetStall(turn: Turn): void {
  const { stalled } = turn.state
  if (stalled !== undefined && turn.nowMs >= stalled.untilMs) setState(turn, { stalled: undefined })
}
