/**
 * A floating address that this node holds is not there any more. Either somebody else removed it: then it is put back and
 * counted, without a failover (field-notes 1.12). Or the kernel did, because nobody renewed its lifetime: then this node
 * stood still, and it comes back only where authority still stands.
 */
import type { Event } from './events.ts'
import { latestMs, leaseForStart, type LeaseNow } from './lease.ts'
import { kernelTimerMs } from './lease-arithmetic.ts'
import { changed, copyLease } from './shape.ts'
import type { GroupState, NodeState, Restored, StageState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { groupNamed, record, setGroup, setStage, type Turn } from './turn.ts'

/** One that is gone again so soon waits for this: who removes it may do so at once, for ever. Its first loss waits for nothing. */
const restoredAgainMs: Millis = 5_000
/** A lifetime that is over is told by whoever watches the addresses; where nobody has by then, it is over all the same. */
const toldWithinMs: Millis = 2_000

export function restoreStripped(turn: Turn, event: Extract<Event, { type: 'addresses-stripped' }>): void {
  loseAddresses(turn, event.group, event.stage, event.ips)
}

export function loseAddresses(turn: Turn, name: string, index: number, ips: readonly string[]): void {
  const group = groupNamed(turn.state, name)
  const stage = group?.stages[index]
  if (group?.hold === undefined || stage === undefined || stage.status !== 'running' || stage.what.kind !== 'addresses') return
  const lost = [...new Set([...ips, ...missingSince(stage, turn.nowMs)])]
  const expired = stage.lease !== undefined && turn.nowMs >= stage.lease.untilMs
  const lease = leaseForStart(turn.state, group, turn.nowMs)
  if (expired || lease === 'none') return expire(turn, group, index, lost)
  const recent = (stage.restored ?? []).filter(({ atMs }) => turn.nowMs < atMs + restoredAgainMs)
  const news = lost.filter((ip) => !recent.some((one) => one.ip === ip))
  setStage(turn, name, index, {
    restored: [...recent.map((one): Restored => (lost.includes(one.ip) ? { ...one, missing: true } : one)), ...news.map((ip): Restored => ({ ip, atMs: turn.nowMs }))],
  })
  if (news.length > 0) restore(turn, group, index, news, lease)
}

/** Missing again since they were put back, which is long enough ago by now. */
function missingSince({ restored }: StageState, nowMs: Millis): readonly string[] {
  return (restored ?? []).flatMap(({ ip, atMs, missing }) => (missing === true && nowMs >= atMs + restoredAgainMs ? [ip] : []))
}

function restore(turn: Turn, group: GroupState, index: number, ips: readonly string[], lease: Exclude<LeaseNow, 'none'>): void {
  const stage = group.stages[index]
  if (stage === undefined) return
  const strippedCount = group.strippedCount + ips.length
  record(turn, 'warning', 'address-stripped', `${shown(ips)} of ${group.name} was removed by someone else and is put back (${strippedCount} by now); a network manager that rewrites the interface does this`, {
    group: group.name,
    figures: { strippedCount },
  })
  setGroup(turn, group.name, { strippedCount, announce: { round: 0, nextMs: turn.nowMs } })
  if (lease !== 'forever' && stage.lease !== undefined) {
    // What is put back may live longer than the others, also than what a renewal under way says: what is given up must come off that.
    const longestMs = Math.max(latestMs(stage.lease), lease.notAfterMs + lease.validSeconds * 1_000)
    setStage(turn, group.name, index, { lease: changed(stage.lease, { latestMs: longestMs, renewing: undefined }, copyLease) })
  }
  turn.effects.push({ type: 'restore-addresses', group: group.name, stage: index, ips, what: stage.what, ...(lease === 'forever' ? {} : { lease }) })
}

/** What waits to be put back once more, and what must be gone by the clock although nobody has said so. */
export function lookForLost(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  group?.stages.forEach((stage, index) => {
    if (group.hold === undefined || stage.status !== 'running' || stage.what.kind !== 'addresses') return
    if (missingSince(stage, turn.nowMs).length > 0) loseAddresses(turn, name, index, [])
    else if (turn.nowMs >= overMs(turn.state, stage)) expire(turn, group, index, stage.what.addresses.map(({ ip }) => ip), 'suspect')
  })
}

/** When a lifetime that nobody renews is over for certain, and has been for long enough to be told to a node that was awake. */
function overMs({ contact }: NodeState, { lease }: StageState): Millis {
  return lease === undefined || lease.renewing !== undefined ? Infinity : Math.max(lease.latestMs + kernelTimerMs, contact.listenFromMs) + toldWithinMs
}

/** The renewal has found all of them. */
export function noneIsMissing(turn: Turn, name: string, index: number): void {
  const restored = groupNamed(turn.state, name)?.stages[index]?.restored
  if (restored?.some(({ missing }) => missing === true) === true) setStage(turn, name, index, { restored: restored.filter(({ missing }) => missing !== true) })
}

export function addLostDeadlines(state: NodeState, { hold, stages }: GroupState, dues: Dues): void {
  if (hold === undefined) return
  for (const stage of stages) {
    if (stage.status !== 'running' || stage.what.kind !== 'addresses') continue
    for (const { atMs, missing } of stage.restored ?? []) if (missing === true) dues.push(atMs + restoredAgainMs)
    const dueMs = overMs(state, stage)
    if (dueMs !== Infinity) dues.push(dueMs)
  }
}

/** Added once more like any resource that should run and does not: with permission looked up at that moment. */
function expire(turn: Turn, group: GroupState, index: number, ips: readonly string[], status?: 'suspect'): void {
  const what = group.stages[index]?.what
  const all = what?.kind === 'addresses' && what.addresses.every(({ ip }) => ips.includes(ip))
  setStage(turn, group.name, index, { status: status ?? (all ? 'stopped' : 'suspect'), lease: undefined, restored: undefined })
  record(turn, 'warning', 'lease-expired', `the kernel removed ${shown(ips)} of ${group.name}: its lifetime was not renewed in time, for this node stood still or had no authority left`, { group: group.name })
}

function shown(ips: readonly string[]): string {
  return ips.length > 3 ? `${ips.slice(0, 3).join(', ')} and ${ips.length - 3} more` : ips.join(', ')
}
