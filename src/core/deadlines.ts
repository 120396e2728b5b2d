/**
 * The earliest instant at which something is due. The loop arms one timer for it. Honest both ways (S9): before it a tick
 * changes nothing, at it something changes; so every rule that compares with the clock has its instant here.
 */
import { addContactDeadlines, peerIsHeard } from './contact.ts'
import { addFencingDeadlines } from './fencing.ts'
import { addLeaseDeadlines } from './lease.ts'
import { addLinkDeadlines } from './links.ts'
import { addMeetingDeadlines } from './meeting.ts'
import { addOperationDeadlines } from './operations.ts'
import { addPersistDeadlines, numberIsSafe } from './persistence.ts'
import { adoptionMs, rulingFor } from './permission.ts'
import { addBalanceDeadlines } from './pings.ts'
import type { GroupState, NodeState } from './state.ts'
import { addLostDeadlines } from './stripped.ts'
import type { Dues, Millis } from './time.ts'
import { configOf } from './turn.ts'
import { failbackMs } from './view.ts'
import { addWitnessDeadlines } from './witness.ts'
import { addWitnessLookDeadlines } from './witness-look.ts'

/** Called after every step, with every group: so each rule adds to one list instead of making its own. */
function addGroupDeadlines(state: NodeState, group: GroupState, dues: Dues): void {
  addOperationDeadlines(state, group, dues)
  if (peerIsHeard(state)) dues.push(group.claim?.nextAskMs)
  dues.push(group.announce?.nextMs, group.flapUntilMs)
  addMeetingDeadlines(state, group, dues)
  addLeaseDeadlines(state, group, dues)
  addLostDeadlines(state, group, dues)
  addWitnessDeadlines(state, group, dues)
  if (group.failed !== undefined) dues.push(group.failed.atMs + state.config.failureMemoryMs)
  if (group.found && numberIsSafe(state, group)) {
    const dueMs = adoptionMs(state, group)
    if (dueMs !== Infinity && 'permission' in rulingFor(state, group, dueMs)) dues.push(dueMs)
  }
  // Once it is due nothing is left to wait for: what then keeps the group here is not the clock.
  if (group.hold === undefined || group.placement !== 'failback-waits') return
  const config = configOf(state, group.name)
  if (config !== undefined) dues.push(failbackMs(state, config))
}

function deadlinesOf(state: NodeState): readonly (Millis | undefined)[] {
  if (state.phase === 'left') return []
  if (!state.begun) return [state.startedMs]
  const dues: Dues = [state.nextKeepaliveMs, state.stalled?.untilMs, state.leaveByMs]
  addPersistDeadlines(state, dues)
  addContactDeadlines(state, dues)
  addLinkDeadlines(state, dues)
  addWitnessLookDeadlines(state, dues)
  addFencingDeadlines(state, dues)
  addBalanceDeadlines(state, dues)
  for (const group of state.groups) addGroupDeadlines(state, group, dues)
  for (const request of state.requests) if (request.answered === undefined) dues.push(request.deadlineMs)
  return dues
}

/**
 * Asked for by the loop and at the start of the next turn, for the same state, which never changes: so the newest few are
 * kept. (All of them in a WeakMap cost the collector more than they save.)
 */
const newest: { readonly state: NodeState; readonly dueMs: Millis | undefined }[] = []
const kept = 4

export function nextDeadlineMs(state: NodeState): Millis | undefined {
  for (const known of newest) if (known.state === state) return known.dueMs
  const dueMs = earliest(state)
  if (newest.length === kept) newest.pop()
  newest.unshift({ state, dueMs })
  return dueMs
}

function earliest(state: NodeState): Millis | undefined {
  let nextMs: Millis | undefined
  for (const dueMs of deadlinesOf(state)) if (dueMs !== undefined && (nextMs === undefined || dueMs < nextMs)) nextMs = dueMs
  return nextMs
}
