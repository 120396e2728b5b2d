/**
 * The flap guard: a group that has moved too often within a time stays where it is, whatever speaks for the other node,
 * until `hactl clear` or that time has passed. It never keeps a node from taking over what nobody serves.
 */
import { peerIsHeard } from './contact.ts'
import { peerGroup, peerServes } from './group-view.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, inMs, record, setGroup, type Turn } from './turn.ts'

function serverOf(state: NodeState, group: GroupState): string | undefined {
  if (group.hold?.heldSinceMs !== undefined) return state.self
  return group.hold === undefined && peerIsHeard(state) && peerServes(state, group.name) ? state.peer : undefined
}

export function isFlapHeld(group: GroupState, nowMs: Millis): boolean {
  return group.flapUntilMs !== undefined && nowMs < group.flapUntilMs
}

/** What an administrator moves is no flap. */
function isAutomatic(turn: Turn, group: GroupState): boolean {
  if (turn.state.standby !== undefined || turn.state.contact.facts?.standby !== undefined) return false
  return !group.pinned && peerGroup(turn.state, group.name)?.pinned !== true
}

export function countMoves(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  const guard = turn.state.config.flapGuard
  if (group === undefined) return
  if (guard === undefined) return setGroup(turn, name, { flapUntilMs: undefined })
  if (group.flapUntilMs !== undefined && turn.nowMs >= group.flapUntilMs) {
    setGroup(turn, name, { flapUntilMs: undefined, movedMs: [] })
    record(turn, 'info', 'flap-guard-off', `${name} may move again`, { group: name })
  }
  const server = serverOf(turn.state, group)
  if (server === undefined || server === group.servedBy) return
  const moved = group.servedBy !== undefined && isAutomatic(turn, group)
  const movedMs = [...group.movedMs.filter((atMs) => turn.nowMs - atMs < guard.withinMs), ...(moved ? [turn.nowMs] : [])].slice(-guard.moves)
  setGroup(turn, name, { servedBy: server, movedMs })
  if (!moved || movedMs.length < guard.moves || isFlapHeld(group, turn.nowMs)) return
  setGroup(turn, name, { flapUntilMs: turn.nowMs + guard.withinMs })
  record(turn, 'error', 'flap-guard-on', `${name} has moved ${movedMs.length} times within ${inMs(guard.withinMs)}: it stays on ${server} for as long, or until somebody types hactl clear ${name}. Find the cause first: hactl why ${name}`, {
    group: name, figures: { moves: movedMs.length },
  })
}

export function clearFlaps(turn: Turn, name: string, who: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined) return
  if (group.flapUntilMs !== undefined) record(turn, 'info', 'flap-guard-off', `${who} has cleared the flap guard of ${name}`, { group: name })
  setGroup(turn, name, { flapUntilMs: undefined, movedMs: [] })
}
