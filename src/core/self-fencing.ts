/**
 * Permission that was lost while nobody hears this node must be acted upon by the end of authority, for then the peer may
 * start (P6, F10). Addresses are gone by then; a script whose stop fails, or takes longer, is not. Where a watchdog is
 * configured the node resets itself rather than run it beside the peer: the device is fed no more just so early that it
 * acts when the time is over, and is fed again if all has stopped by then. Where losing permission leaves less than the
 * device's least time, it acts late by the difference (`hactl check` says by how much).
 */
import { authorityOf, contactAuthority, restsOnWitness } from './authority.ts'
import { inMutualContact } from './contact.ts'
import { mayRun } from './group-view.ts'
import { watchdogLeastMs } from './lease-arithmetic.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, inMs, record, setGroup, setState, type Turn } from './turn.ts'

/** The instant at which nothing may run here any more, for a group that is let go because nobody hears this node. */
export function finalMs(state: NodeState, group: GroupState): Millis {
  return restsOnWitness(state) ? authorityOf(state, group).endMs : contactAuthority(state).endMs
}

/** When the watchdog is starved for it, then when its time is over. */
export function selfFencingMs({ config, resetting }: NodeState, { mustStopByMs }: GroupState): Millis | undefined {
  return mustStopByMs !== undefined && config.watchdog && resetting === undefined ? mustStopByMs - watchdogLeastMs : mustStopByMs
}

export function settleSelfFencing(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group?.mustStopByMs === undefined) return spareHost(turn)
  const { mustStopByMs } = group
  // Contact is back: the peer sees what still runs here, and waits for it.
  const left = group.stages.filter((stage) => stage.what.kind === 'script' && !isWarm(stage.what) && mayRun(stage)).map(({ what }) => what.name)
  if (left.length === 0 || group.hold !== undefined || inMutualContact(turn.state, turn.nowMs)) {
    setGroup(turn, name, { mustStopByMs: undefined })
    return spareHost(turn)
  }
  const { self, peer, config } = turn.state
  const what = `${left.join(', ')} of ${name} still runs on ${self}, which has no permission any more`
  if (config.watchdog) resetUnlessStopped(turn, name, mustStopByMs, what)
  if (turn.nowMs < mustStopByMs) return
  setGroup(turn, name, { mustStopByMs: undefined })
  if (config.watchdog) return setState(turn, { resetting: 'surely' })
  record(turn, 'error', 'not-stopped-in-time', `stop ${left.join(', ')} on ${self} by hand: ${what}: ${peer} may start it from now on. No watchdog is configured, so this node cannot make sure of it`, { group: name })
}

function resetUnlessStopped(turn: Turn, name: string, mustStopByMs: Millis, what: string): void {
  if (turn.state.resetting !== undefined || turn.nowMs < mustStopByMs - watchdogLeastMs) return
  const leftMs = Math.max(0, mustStopByMs - turn.nowMs)
  record(turn, 'error', 'host-resets', `${what}, and ${turn.state.peer} may start it in ${inMs(leftMs)}: the watchdog is fed no more and resets this host ${inMs(watchdogLeastMs)} from now unless it has stopped in time`, { group: name })
  setState(turn, { resetting: 'unless-stopped' })
  turn.effects.push({ type: 'reset-host' })
}

function spareHost(turn: Turn): void {
  const { resetting, groups, self, peer } = turn.state
  if (resetting !== 'unless-stopped') return
  if (groups.some(({ mustStopByMs }) => mustStopByMs !== undefined && turn.nowMs >= mustStopByMs - watchdogLeastMs)) return
  record(turn, 'warning', 'host-spared', `the watchdog of ${self} is fed again: what had to stop has stopped in time, or ${peer} is in contact again and waits for it`)
  setState(turn, { resetting: undefined })
  turn.effects.push({ type: 'spare-host' })
}
