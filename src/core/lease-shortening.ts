/**
 * Authority that is given up comes off the lifetimes in the kernel first, and only then is it told to anybody (F5): the
 * end of a pause to the peer, a grant back to the witness. And the other way round: what a pause adds goes onto them at once.
 */
import { isOverlong, renew, renewSoon } from './lease.ts'
import { raisedSeconds } from './raised.ts'
import type { GroupState } from './state.ts'
import { setState, type Turn } from './turn.ts'

/** True once no lifetime of the group is longer than present authority; until then they are being shortened. */
export function areLeasesShort(turn: Turn, group: GroupState): boolean {
  const overlong = group.stages.map((stage, index) => ({ stage, index })).filter(({ stage }) => isOverlong(turn.state, group, stage, turn.nowMs))
  for (const { stage, index } of overlong) if (stage.lease?.renewing === undefined && stage.status === 'running') renew(turn, group.name, index, true)
  return overlong.length === 0
}

/** The peer has promised: no lifetime waits for its next renewal, for this daemon may be ended in a moment. */
function beginRaised(turn: Turn): void {
  const { raising } = turn.state
  if (raising === undefined || raising.begun === true || raisedSeconds(turn.state) === undefined) return
  setState(turn, { raising: { ...raising, begun: true } })
  renewSoon(turn)
}

/** During `hactl pause` this node tells that its addresses may outlast its word (raised.ts); afterwards until none does. */
export function settleRaising(turn: Turn): void {
  const { raising, pause, nextSequence } = turn.state
  if (pause.paused) {
    if (raising === undefined || raising.ending) setState(turn, { raising: { firstSequence: raising?.firstSequence ?? nextSequence, ending: false } })
    return beginRaised(turn)
  }
  if (raising === undefined) return
  if (!raising.ending) setState(turn, { raising: { ...raising, ending: true } })
  const short = turn.state.groups.map((group) => areLeasesShort(turn, group))
  if (short.every((one) => one)) setState(turn, { raising: undefined })
}
