/**
 * The earliest instant at which something is due. The loop arms one timer for it. Honest both ways (S9): before it a tick
 * changes nothing, at it something changes; so every rule that compares with the clock has its instant here.
 */
import { contactDeadlines, peerIsHeard } from './contact.ts'
import { linkDeadlines } from './links.ts'
import { meetingDeadlines } from './meeting.ts'
import { operationDeadlines } from './operations.ts'
import { adoptionMs } from './permission.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { configOf } from './turn.ts'
import { failbackMs } from './view.ts'

function groupDeadlines(state: NodeState, group: GroupState): readonly (Millis | undefined)[] {
  const config = configOf(state, group.name)
  const failback = group.hold === undefined || config === undefined ? undefined : failbackMs(state, config)
  return [
    ...operationDeadlines(state, group),
    peerIsHeard(state) ? group.claim?.nextAskMs : undefined,
    group.announce?.nextMs,
    group.failed === undefined ? undefined : group.failed.atMs + state.config.failureMemoryMs,
    group.found ? adoptionMs(state, group) : undefined,
    // Once it is due nothing is left to wait for: what then keeps the group here is not the clock.
    failback !== undefined && group.placement === 'failback-waits' ? failback : undefined,
  ]
}

export function deadlinesOf(state: NodeState): readonly Millis[] {
  if (state.phase === 'left') return []
  if (!state.begun) return [state.startedMs]
  return [
    state.nextKeepaliveMs,
    ...contactDeadlines(state),
    ...linkDeadlines(state),
    ...meetingDeadlines(state),
    ...state.groups.flatMap((group) => groupDeadlines(state, group)),
    ...state.requests.map((request) => request.deadlineMs),
    state.stalled?.untilMs,
    state.retryPersistMs,
    state.leaveByMs,
  ].filter((dueMs) => dueMs !== undefined)
}

export function nextDeadlineMs(state: NodeState): Millis | undefined {
  const deadlines = deadlinesOf(state)
  return deadlines.length === 0 ? undefined : deadlines.reduce((least, dueMs) => Math.min(least, dueMs), Infinity)
}
