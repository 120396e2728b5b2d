/**
 * The look at start-up: what did this node's last daemon leave running? What is found is left alone until the node may
 * adopt it or must answer a claim (design.md section 5 "Restart").
 */
import type { GroupName } from './config.ts'
import type { Observation } from './events.ts'
import { runsHere } from './group-view.ts'
import { changed, copyStage } from './shape.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState, StageState } from './state.ts'
import { groupNamed, record, setGroup, setState, type Turn } from './turn.ts'

export function beginLook(turn: Turn): void {
  if (turn.state.begun) return
  setState(turn, { begun: true })
  record(turn, 'info', 'daemon-started', `${turn.state.self} starts, generation ${turn.state.generation}; the peer is ${turn.state.peer}`, {
    figures: { generation: turn.state.generation, groups: turn.state.groups.length },
  })
  turn.effects.push({ type: 'observe-resources' })
}

export function takeObservations(turn: Turn, observations: readonly Observation[]): void {
  for (const group of turn.state.groups) {
    const seen = observations.filter((one) => one.group === group.name)
    // A group that a reload has added since has a look of its own coming.
    if (!group.looked && group.stages.every((_stage, index) => seen.some((one) => one.stage === index))) lookAt(turn, group, seen)
  }
  if (turn.state.phase !== 'looking') return
  setState(turn, { phase: 'joining' })
  turn.effects.push({ type: 'notify-service', state: 'ready' })
  record(turn, 'info', 'daemon-ready', `${turn.state.self} has looked at its resources and joins`)
}

/** A stop failed under the last daemon, and the kernel has not been booted since. */
export function wasUnclean({ sameBoot, persisted }: NodeState, name: GroupName): boolean {
  return sameBoot && persisted.groups.some((one) => one.name === name && one.unclean)
}

function lookAt(turn: Turn, group: GroupState, observations: readonly Observation[]): void {
  const unclean = wasUnclean(turn.state, group.name)
  const stages = group.stages.map((stage, index): StageState => {
    const seen = observations.find((one) => one.stage === index)
    return seen === undefined || seen.found === 'stopped' ? changed(stage, { status: 'stopped' }, copyStage) : foundStage(stage, seen, unclean)
  })
  setGroup(turn, group.name, { stages, looked: true })
  const now = groupNamed(turn.state, group.name)
  if (now === undefined || unclean || !runsHere(now)) return
  const names = now.stages.filter((stage) => stage.status !== 'stopped').map((stage) => stage.what.name)
  setGroup(turn, group.name, { found: true })
  record(turn, 'info', 'resources-found', `found running on ${turn.state.self}: ${names.join(', ')} of ${group.name}; left alone until it is clear who holds it`, { group: group.name })
}

function foundStage(stage: StageState, seen: Observation, unclean: boolean): StageState {
  const status = unclean ? 'unclean' : seen.found === 'running' ? 'running' : 'suspect'
  const statusKind = seen.found === 'running' && stage.what.kind === 'script' ? 'answers' : stage.statusKind
  return changed(stage, { status, statusKind, message: seen.message ?? stage.message }, copyStage)
}

/** What was found running, and adopted or warm, takes part in status checks like what was started. */
export function watchFound(turn: Turn): void {
  for (const group of turn.state.groups) {
    const unwatched = (stage: StageState) =>
      (group.hold !== undefined || isWarm(stage.what)) &&
      stage.status === 'running' &&
      stage.nextStatusMs === undefined &&
      stage.statusKind !== 'mute' &&
      stage.what.kind === 'script' &&
      stage.what.resource.status !== undefined
    if (!group.stages.some(unwatched)) continue
    setGroup(turn, group.name, { stages: group.stages.map((stage) => (unwatched(stage) ? changed(stage, { nextStatusMs: turn.nowMs }, copyStage) : stage)) })
  }
}
