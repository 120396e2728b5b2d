/** Someone else removed a floating address that this node holds: it is put back and counted, without a failover (field-notes 1.12). */
import type { Event } from './events.ts'
import { groupNamed, record, setGroup, type Turn } from './turn.ts'

export function restoreStripped(turn: Turn, event: Extract<Event, { type: 'addresses-stripped' }>): void {
  const group = groupNamed(turn.state, event.group)
  const stage = group?.stages[event.stage]
  if (group?.hold === undefined || stage === undefined || stage.status !== 'running' || stage.what.kind !== 'addresses') return
  const strippedCount = group.strippedCount + event.ips.length
  const shown = event.ips.length > 3 ? `${event.ips.slice(0, 3).join(', ')} and ${event.ips.length - 3} more` : event.ips.join(', ')
  record(turn, 'warning', 'address-stripped', `${shown} of ${group.name} was removed by someone else and is put back (${strippedCount} by now); a network manager that rewrites the interface does this`, {
    group: group.name,
    figures: { strippedCount },
  })
  setGroup(turn, group.name, { strippedCount, announce: { round: 0, nextMs: turn.nowMs } })
  turn.effects.push({ type: 'restore-addresses', group: group.name, stage: event.stage, ips: event.ips, what: stage.what })
}
