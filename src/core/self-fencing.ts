/**
 * Permission that was lost while nobody hears this node must be acted upon by the end of authority, for then the peer may
 * start (P6, F10). Addresses are gone by then; a script whose stop fails, or takes longer, is not. Where a watchdog is
 * configured the node resets itself rather than run it beside the peer.
 */
import { authorityOf, contactAuthority, restsOnWitness } from './authority.ts'
import { inMutualContact } from './contact.ts'
import { mayRun } from './group-view.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, record, setGroup, setState, type Turn } from './turn.ts'

/** The instant at which nothing may run here any more, for a group that is let go because nobody hears this node. */
export function finalMs(state: NodeState, group: GroupState): Millis {
  return restsOnWitness(state) ? authorityOf(state, group).endMs : contactAuthority(state).endMs
}

export function settleSelfFencing(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group?.mustStopByMs === undefined) return
  // Contact is back: the peer sees what still runs here, and waits for it.
  const left = group.stages.filter((stage) => stage.what.kind === 'script' && !isWarm(stage.what) && mayRun(stage)).map(({ what }) => what.name)
  if (left.length === 0 || group.hold !== undefined || inMutualContact(turn.state, turn.nowMs)) return setGroup(turn, name, { mustStopByMs: undefined })
  if (turn.nowMs < group.mustStopByMs) return
  setGroup(turn, name, { mustStopByMs: undefined })
  const what = `${left.join(', ')} of ${name} still runs on ${turn.state.self}, which has no permission any more: ${turn.state.peer} may start it from now on`
  if (!turn.state.config.watchdog) {
    record(turn, 'error', 'not-stopped-in-time', `stop ${left.join(', ')} on ${turn.state.self} by hand: ${what}. No watchdog is configured, so this node cannot make sure of it`, { group: name })
    return
  }
  if (turn.state.resetting) return
  record(turn, 'error', 'host-resets', `${what}: the watchdog is fed no more and resets this host`, { group: name })
  setState(turn, { resetting: true })
  turn.effects.push({ type: 'reset-host' })
}
