/**
 * Authority that is given up comes off the lifetimes in the kernel first, and only then is it told to anybody (F5): the
 * end of a pause to the peer, a grant back to the witness.
 */
import { authorityOf } from './authority.ts'
import { leaseFor, renew } from './lease.ts'
import { kernelTimerMs } from './lease-arithmetic.ts'
import type { GroupState, NodeState, StageState } from './state.ts'
import type { Millis } from './time.ts'
import { setState, type Turn } from './turn.ts'

/** The kernel may keep the stage's addresses longer than present authority covers. */
function isOverlong(state: NodeState, group: GroupState, { lease }: StageState, nowMs: Millis): boolean {
  if (lease === undefined) return false
  const untilMs = Math.max(lease.untilMs, lease.renewing?.untilMs ?? -Infinity)
  if (nowMs >= untilMs + kernelTimerMs) return false
  const { endMs } = authorityOf(state, group)
  if (endMs !== Infinity) return untilMs + kernelTimerMs > endMs
  const next = leaseFor(state, group, nowMs)
  return typeof next === 'object' && untilMs > nowMs + next.validSeconds * 1_000 + kernelTimerMs
}

/** True once no lifetime of the group is longer than present authority; until then they are being shortened. */
export function areLeasesShort(turn: Turn, group: GroupState): boolean {
  const overlong = group.stages.map((stage, index) => ({ stage, index })).filter(({ stage }) => isOverlong(turn.state, group, stage, turn.nowMs))
  for (const { stage, index } of overlong) if (stage.lease?.renewing === undefined && stage.status === 'running') renew(turn, group.name, index, true)
  return overlong.length === 0
}

/** During `hactl pause` this node tells that its addresses may outlast its word (raised.ts); afterwards until none does. */
export function settleRaising(turn: Turn): void {
  const { raising, pause, nextSequence } = turn.state
  if (pause.paused) {
    if (raising === undefined || raising.ending) setState(turn, { raising: { firstSequence: raising?.firstSequence ?? nextSequence, ending: false } })
    return
  }
  if (raising === undefined) return
  if (!raising.ending) setState(turn, { raising: { ...raising, ending: true } })
  const short = turn.state.groups.map((group) => areLeasesShort(turn, group))
  if (short.every((one) => one)) setState(turn, { raising: undefined })
}
