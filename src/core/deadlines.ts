/**
 * The earliest instant at which something is due. The loop arms one timer for it. Honest both ways (S9): before it a tick
 * changes nothing, at it something changes; so every rule that compares with the clock has its instant here.
 */
import { contactDeadlines, peerIsHeard } from './contact.ts'
import { fencingDeadlines } from './fencing.ts'
import { leaseDeadlines } from './lease.ts'
import { linkDeadlines } from './links.ts'
import { meetingDeadlines } from './meeting.ts'
import { addOperationDeadlines } from './operations.ts'
import { numberIsSafe, persistDeadlines } from './persistence.ts'
import { adoptionMs, rulingFor } from './permission.ts'
import { balanceDeadlines } from './pings.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { configOf } from './turn.ts'
import { failbackMs } from './view.ts'
import { witnessDeadlines } from './witness.ts'
import { witnessLookDeadlines } from './witness-look.ts'

/** Called after every step, with every group: so it fills one list instead of joining many. */
function addGroupDeadlines(state: NodeState, group: GroupState, dues: (Millis | undefined)[]): void {
  addOperationDeadlines(state, group, dues)
  if (peerIsHeard(state)) dues.push(group.claim?.nextAskMs)
  dues.push(group.announce?.nextMs, group.flapUntilMs)
  dues.push(...leaseDeadlines(state, group), ...witnessDeadlines(state, group))
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

export function deadlinesOf(state: NodeState): readonly (Millis | undefined)[] {
  if (state.phase === 'left') return []
  if (!state.begun) return [state.startedMs]
  const dues: (Millis | undefined)[] = [state.nextKeepaliveMs, state.stalled?.untilMs, state.leaveByMs]
  dues.push(...persistDeadlines(state), ...contactDeadlines(state), ...linkDeadlines(state), ...meetingDeadlines(state))
  dues.push(...witnessLookDeadlines(state), ...fencingDeadlines(state), ...balanceDeadlines(state))
  for (const group of state.groups) addGroupDeadlines(state, group, dues)
  for (const request of state.requests) if (request.answered === undefined) dues.push(request.deadlineMs)
  return dues
}

/** Asked for by the loop and at the start of the next turn, for the same state. */
const known = new WeakMap<NodeState, { readonly dueMs: Millis | undefined }>()

export function nextDeadlineMs(state: NodeState): Millis | undefined {
  const before = known.get(state)
  if (before !== undefined) return before.dueMs
  const dueMs = earliest(state)
  known.set(state, { dueMs })
  return dueMs
}

function earliest(state: NodeState): Millis | undefined {
  let nextMs: Millis | undefined
  for (const dueMs of deadlinesOf(state)) if (dueMs !== undefined && (nextMs === undefined || dueMs < nextMs)) nextMs = dueMs
  return nextMs
}
