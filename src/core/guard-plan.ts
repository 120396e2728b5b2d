/**
 * What the guard does when this daemon has died (design.md section 6 "Guard", "Last will"): a tiny shell process cannot
 * decide anything, so it is told beforehand, whenever the answer changes.
 */
import type { FloatingAddress, GroupName, ResourceConfig } from './config.ts'
import { isUnclean, mayRun } from './group-view.ts'
import { peerRefusal } from './requests.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState } from './state.ts'
import { setState, type Turn } from './turn.ts'

export interface GuardedGroup {
  readonly name: GroupName
  /** Removed at once; each may be there. */
  readonly addresses: readonly FloatingAddress[]
  /** Stopped afterwards, in this order (reverse list order, never warm ones); only addresses of scripts where the peer could not take the group. */
  readonly stops: readonly ResourceConfig[]
  /** Which wills are true once that is done. `stopped` only after every stop has succeeded; none for a group that is unclean. */
  readonly wills: readonly ('addresses-gone' | 'stopped')[]
}

/** `asleep`: during `hactl pause` and after a shutdown in order nothing is done. */
export interface GuardPlan { readonly asleep: boolean; readonly groups: readonly GuardedGroup[] }

/** Something of the stage is here, or an operation may just now be putting it here. */
function mayBeHere(group: GroupState, index: number): boolean {
  const stage = group.stages[index]
  const busy = group.operation?.stage === index && group.operation.action !== 'status'
  return stage !== undefined && (busy || mayRun(stage))
}

/** Its address must not outlive the daemon either, though only its own stop can take it away. */
function servesAddress(resource: ResourceConfig): boolean {
  return resource.scriptAddress !== undefined
}

function guarded(state: NodeState, group: GroupState): GuardedGroup {
  // What the last daemon left is not this one's to give away, and what is unclean nobody may start; no address outlives the daemon.
  const stops = group.stages.flatMap(({ what }) => (what.kind === 'script' && servesAddress(what.resource) ? [what.resource] : [])).reverse()
  const nothing = { name: group.name, addresses: group.stages.flatMap(({ what }) => (what.kind === 'addresses' ? what.addresses : [])), stops, wills: [] }
  if (!group.looked || (group.found && group.hold === undefined) || isUnclean(group)) return nothing
  const here = group.stages.map(({ what }, index) => ({ what, index })).filter(({ index }) => mayBeHere(group, index))
  const cold = here.flatMap(({ what }) => (what.kind === 'script' && !isWarm(what) ? [what.resource] : [])).reverse()
  const peerTakes = peerRefusal(state, group) === undefined
  const scripted = cold.filter(servesAddress)
  return {
    name: group.name,
    addresses: here.flatMap(({ what }) => (what.kind === 'addresses' ? what.addresses : [])),
    stops: peerTakes ? cold : scripted,
    wills: [...(scripted.length === 0 ? ['addresses-gone'] as const : []), ...(cold.length === 0 || peerTakes ? ['stopped'] as const : [])],
  }
}

function guardPlanOf(state: NodeState): GuardPlan {
  return { asleep: state.pause.paused || state.phase === 'left', groups: state.groups.map((group) => guarded(state, group)) }
}

/** All that the plan is made of, short enough to compare in each turn. */
function outlineOf(state: NodeState): string {
  const groups = state.groups.map((group) => {
    const doubtful = !group.looked || (group.found && group.hold === undefined) || isUnclean(group)
    let here = doubtful ? '-' : ''
    if (!doubtful) for (let index = 0; index < group.stages.length; index += 1) here += mayBeHere(group, index) ? '1' : '0'
    return `${here}${peerRefusal(state, group) === undefined ? 'p' : ''}`
  })
  return `${state.pause.paused ? 'asleep' : state.phase === 'left' ? 'left' : ''} ${groups.join(' ')}`
}

/** Last in a turn, but performed first: an add or a start must not begin while a will that denies it lies ready (section 6). */
export function planGuard(turn: Turn): void {
  const { state, before } = turn
  if (!state.begun || (state.groups === before.groups && state.contact === before.contact && state.pause === before.pause && state.phase === before.phase && state.config === before.config)) return
  const outline = outlineOf(state)
  if (outline === state.guardOutline && state.config === before.config) return
  setState(turn, { guardOutline: outline })
  turn.effects.unshift({ type: 'plan-guard', plan: guardPlanOf(state) })
}
