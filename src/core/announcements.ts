/** When the neighbours are told where a floating address is: at once, after 1 s and 5 s, then every 60 s (field-notes 1.3). */
import { mayRun } from './group-view.ts'
import type { GroupState } from './state.ts'
import type { Millis } from './time.ts'
import { setGroup, type Turn } from './turn.ts'

const firstRoundsMs: readonly Millis[] = [1_000, 4_000]
const laterRoundsMs: Millis = 60_000

export function announceDue(turn: Turn): void {
  for (const group of turn.state.groups) {
    const { announce } = group
    if (announce === undefined || turn.nowMs < announce.nextMs) continue
    if (group.hold === undefined) {
      setGroup(turn, group.name, { announce: undefined })
      continue
    }
    group.stages.forEach((stage, index) => {
      if (stage.what.kind !== 'addresses' || stage.status !== 'running') return
      turn.effects.push({ type: 'announce', group: group.name, stage: index, what: stage.what })
    })
    const waitMs = firstRoundsMs[announce.round] ?? laterRoundsMs
    setGroup(turn, group.name, { announce: { round: announce.round + 1, nextMs: turn.nowMs + waitMs } })
  }
}

export function announceAgain(turn: Turn, concerns: (group: GroupState) => boolean): void {
  for (const group of turn.state.groups) {
    const holdsAddresses = group.hold !== undefined && group.stages.some((stage) => stage.what.kind === 'addresses' && mayRun(stage))
    if (holdsAddresses && concerns(group)) setGroup(turn, group.name, { announce: { round: 0, nextMs: turn.nowMs } })
  }
}
