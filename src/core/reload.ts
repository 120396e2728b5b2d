/** A new configuration on a running node: all of it or nothing. What runs here may not change under its feet. */
import type { CoreConfig } from './config.ts'
import { renewSoon } from './lease.ts'
import { mayRun, peerMayRun, stateOf } from './group-view.ts'
import { reply } from './requests.ts'
import { stagesOf, type Stage } from './stage.ts'
import { newGroup } from './create-state.ts'
import { changed, copyGroup, copyStage } from './shape.ts'
import type { GroupState, StageState } from './state.ts'
import { record, setContact, setState, type Turn } from './turn.ts'

export function reloadConfig(turn: Turn, requestId: number | undefined, config: CoreConfig, keyNames?: readonly string[]): void {
  const refusal = reloadRefusal(turn, config)
  if (refusal !== undefined) {
    record(turn, 'error', 'config-reloaded', `the new configuration was refused, the old one stays: ${refusal}`)
    if (requestId !== undefined) reply(turn, requestId, 'refused', `${refusal}. The old configuration stays`)
    return
  }
  const { state } = turn
  const formerMs = state.config.timing.deadtimeMs
  if (config.timing.deadtimeMs !== formerMs) {
    setContact(turn, { formerDeadtime: { deadtimeMs: Math.max(formerMs, state.contact.formerDeadtime?.deadtimeMs ?? 0), untilSequence: state.nextSequence } })
  }
  const added = config.groups.filter((group) => !state.groups.some((one) => one.name === group.name))
  setState(turn, {
    config,
    keyNames: keyNames ?? state.keyNames,
    groups: config.groups.map((group) => renewed(state.groups.find((one) => one.name === group.name), group) ?? newGroup(group, state.persisted)),
    nextKeepaliveMs: turn.nowMs,
  })
  // Lifetimes follow the new timing at once: a shorter deadtime leaves less authority.
  renewSoon(turn)
  if (added.length > 0) turn.effects.push({ type: 'observe-resources' })
  record(turn, 'info', 'config-reloaded', `the configuration was read anew${added.length === 0 ? '' : `; new: ${added.map((group) => group.name).join(', ')}`}`)
  if (requestId !== undefined) reply(turn, requestId, 'done', 'the new configuration is in force')
}

function reloadRefusal(turn: Turn, config: CoreConfig): string | undefined {
  const { state } = turn
  if (state.phase === 'leaving' || state.phase === 'left') return `${state.self} is shutting down`
  if ([...config.nodes].sort().join(' ') !== [...state.config.nodes].sort().join(' ')) return 'the nodes changed: that needs a restart of the daemon (hactl pause, then systemctl restart hactl, then hactl resume)'
  for (const group of state.groups) {
    const next = config.groups.find((one) => one.name === group.name)
    const runs = stateOf(group) !== 'stopped' || group.operation !== undefined || group.stages.some(mayRun)
    if (next === undefined && (runs || peerMayRun(state, group.name))) return `group ${group.name} is gone from the file but still runs: stop it first, or keep its line`
    if (next !== undefined && runs && identityOf(stagesOf(next)) !== identityOf(group.stages.map((stage) => stage.what))) {
      return `the resources of ${group.name} changed while it runs on ${state.self}: type hactl standby, reload, then hactl online`
    }
  }
  return undefined
}

/** What a running stage is; timeouts, status policy and warm may change while it runs. */
function identityOf(stages: readonly Stage[]): string {
  return JSON.stringify(stages.map((stage) => (stage.kind === 'addresses' ? stage.addresses : [stage.name, stage.resource.parameters])))
}

function renewed(group: GroupState | undefined, config: CoreConfig['groups'][number]): GroupState | undefined {
  if (group === undefined) return undefined
  const stages = stagesOf(config)
  return changed(group, { stages: stages.map((what, index) => stageFor(what, group.stages[index], group.looked)) }, copyGroup)
}

function isWatched(what: Stage): boolean {
  return what.kind === 'script' && what.resource.status !== undefined
}

function stageFor(what: Stage, before: StageState | undefined, looked: boolean): StageState {
  if (before !== undefined && before.what.name === what.name) return changed(before, isWatched(what) ? { what } : { what, nextStatusMs: undefined }, copyStage)
  return { what, status: looked ? 'stopped' : 'unknown', statusFailures: 0, statusSuccesses: 0, failures: 0 }
}
