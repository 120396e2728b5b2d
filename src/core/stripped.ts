/**
 * A floating address that this node holds is not there any more. Either somebody else removed it: then it is put back and
 * counted, without a failover (field-notes 1.12). Or the kernel did, because nobody renewed its lifetime: then this node
 * stood still, and it comes back only where authority still stands.
 */
import type { Event } from './events.ts'
import { leaseForStart } from './lease.ts'
import type { GroupState } from './state.ts'
import type { Millis } from './time.ts'
import { groupNamed, record, setGroup, setStage, type Turn } from './turn.ts'

/** A renewal that finds one missing again so soon is no news: putting it back failed, which the runtime has told. */
const restoredAgainMs: Millis = 5_000

export function restoreStripped(turn: Turn, event: Extract<Event, { type: 'addresses-stripped' }>): void {
  loseAddresses(turn, event.group, event.stage, event.ips)
}

export function loseAddresses(turn: Turn, name: string, index: number, ips: readonly string[]): void {
  const group = groupNamed(turn.state, name)
  const stage = group?.stages[index]
  if (group?.hold === undefined || stage === undefined || stage.status !== 'running' || stage.what.kind !== 'addresses') return
  const expired = stage.lease !== undefined && turn.nowMs >= stage.lease.untilMs
  const lease = leaseForStart(turn.state, group, turn.nowMs)
  if (expired || lease === 'none') return expire(turn, group, index, ips)
  if (turn.nowMs < (stage.restoredMs ?? -Infinity) + restoredAgainMs) return
  const strippedCount = group.strippedCount + ips.length
  record(turn, 'warning', 'address-stripped', `${shown(ips)} of ${name} was removed by someone else and is put back (${strippedCount} by now); a network manager that rewrites the interface does this`, {
    group: name,
    figures: { strippedCount },
  })
  setGroup(turn, name, { strippedCount, announce: { round: 0, nextMs: turn.nowMs } })
  setStage(turn, name, index, { restoredMs: turn.nowMs })
  turn.effects.push({ type: 'restore-addresses', group: name, stage: index, ips, what: stage.what, ...(lease === 'forever' ? {} : { lease }) })
}

/** Added once more like any resource that should run and does not: with permission looked up at that moment. */
function expire(turn: Turn, group: GroupState, index: number, ips: readonly string[]): void {
  const what = group.stages[index]?.what
  const all = what?.kind === 'addresses' && what.addresses.every(({ ip }) => ips.includes(ip))
  setStage(turn, group.name, index, { status: all ? 'stopped' : 'suspect', lease: undefined })
  record(turn, 'warning', 'lease-expired', `the kernel removed ${shown(ips)} of ${group.name}: its lifetime was not renewed in time, for this node stood still or had no authority left`, { group: group.name })
}

function shown(ips: readonly string[]): string {
  return ips.length > 3 ? `${ips.slice(0, 3).join(', ')} and ${ips.length - 3} more` : ips.join(', ')
}
