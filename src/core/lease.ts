/**
 * The address lease (design.md section 6): a floating address stands in the kernel with a lifetime that the running loop
 * renews. When the loop hangs, or is killed together with its guard, the kernel itself takes the address away. With a
 * witness every lifetime is cut to what is left of authority, so that the address is gone before the peer may start (F1).
 * Without one the lifetime is the configured one: a backstop (promise P2).
 */
import { authorityOf, mayStart, restsOnWitness } from './authority.ts'
import { holdingDeadtimeMs, isSuspended } from './contact.ts'
import type { Timing } from './config.ts'
import type { Lease } from './effects.ts'
import type { Event } from './events.ts'
import { configuredLeaseSeconds, isFixedLease, kernelTimerMs, renewIntervalMs, validSecondsUntil } from './lease-arithmetic.ts'
import { raisedSeconds, raisedUntilMs } from './raised.ts'
import { changed, copyLease, whole } from './shape.ts'
import type { GroupState, NodeState, RunningOperation, StageLease, StageState } from './state.ts'
import { loseAddresses, noneIsMissing } from './stripped.ts'
import type { Dues, Millis } from './time.ts'
import { groupNamed, record, setStage, setState, type Turn } from './turn.ts'

/** `forever`: leases are off. `none`: no whole second is left that authority covers, so nothing is added or renewed. */
export type LeaseNow = Lease | 'forever' | 'none'

/** The child that asks the kernel answers within milliseconds; without an end of authority, later than this is too late. */
function answerLimitMs(state: NodeState): Millis {
  return Math.max(1_000, 0.5 * state.config.timing.deadtimeMs)
}

function timingHere(state: NodeState): Timing {
  const { timing } = state.config
  const deadtimeMs = holdingDeadtimeMs(state)
  return deadtimeMs === timing.deadtimeMs ? timing : { ...timing, deadtimeMs }
}

/** For a renewal; an add needs `mayStart` besides (`leaseForStart`). */
function leaseFor(state: NodeState, group: GroupState, nowMs: Millis): LeaseNow {
  const configured = configuredLeaseSeconds(timingHere(state), state.config.lease)
  if (configured === undefined) return 'forever'
  if (isSuspended(state)) return 'none'
  const raised = raisedSeconds(state)
  const limit = Math.max(configured, raised ?? 0)
  const { orderlyMs, endMs: authorityEndMs } = authorityOf(state, group)
  const endMs = Math.max(authorityEndMs, raisedUntilMs(state))
  if (endMs === Infinity) return { validSeconds: limit, notAfterMs: nowMs + answerLimitMs(state) }
  if (raised === undefined && isFixedLease(timingHere(state))) return nowMs < orderlyMs ? { validSeconds: 1, notAfterMs: orderlyMs } : 'none'
  const validSeconds = validSecondsUntil(endMs, nowMs, limit)
  if (validSeconds < 1) return 'none'
  return { validSeconds, notAfterMs: Math.min(endMs - kernelTimerMs - validSeconds * 1_000, nowMs + answerLimitMs(state)) }
}

export function leaseForStart(state: NodeState, group: GroupState, nowMs: Millis): LeaseNow {
  return mayStart(state, group, nowMs) ? leaseFor(state, group, nowMs) : 'none'
}

/** Among a thousand others the kernel takes several times as long for one of IPv6 (measured: 0.6 ms). */
const ipv6Weight = 4

function renewalPaceMs(state: NodeState, stage: StageState, validSeconds: number): Millis {
  const addresses = stage.what.kind === 'addresses' ? stage.what.addresses.reduce((sum, { family }) => sum + (family === 'ipv6' ? ipv6Weight : 1), 0) : 1
  const seconds = Math.min(validSeconds, configuredLeaseSeconds(timingHere(state), state.config.lease) ?? 1)
  return renewIntervalMs(timingHere(state), restsOnWitness(state), seconds, addresses)
}

/** A stage whose addresses this daemon has added by now. */
export function leasedStage(state: NodeState, stage: StageState, { startedMs, leaseUntilMs, notAfterMs }: RunningOperation, nowMs: Millis): Pick<StageState, 'lease'> | { readonly lease: undefined } {
  if (leaseUntilMs === undefined) return { lease: undefined }
  const validMs = leaseUntilMs - startedMs
  const latestMs = Math.min(nowMs, notAfterMs ?? Infinity) + validMs
  return { lease: whole<StageLease>({ untilMs: leaseUntilMs, latestMs, nextRenewMs: startedMs + renewalPaceMs(state, stage, Math.round(validMs / 1_000)) }, copyLease) }
}

/** Until when the kernel may keep the addresses at the longest, whether or not a renewal under way comes through; its timer may be late besides. */
export function latestMs({ latestMs: reachedMs, renewing }: StageLease): Millis {
  return Math.max(reachedMs, renewing?.latestMs ?? -Infinity)
}

/** Renews what is due. What authority does not cover any more is left to the kernel. */
export function renewLeases(turn: Turn, name: string): void {
  const stages = groupNamed(turn.state, name)?.stages ?? []
  stages.forEach((stage, index) => {
    const { lease } = stage
    if (lease !== undefined && lease.latestMs !== -Infinity && lease.renewing === undefined && isEnding(turn.state, groupNamed(turn.state, name)) && turn.nowMs >= lease.latestMs + kernelTimerMs) {
      // Over for certain: nothing waits for it any more.
      setStage(turn, name, index, { lease: changed(lease, { untilMs: -Infinity, latestMs: -Infinity }, copyLease) })
    }
    if (lease?.renewing !== undefined && turn.nowMs >= lease.renewing.deadlineMs) return endRenewal(turn, name, index, 'failed', 'no answer')
    if (lease === undefined || lease.renewing !== undefined || stage.status !== 'running' || turn.nowMs < lease.nextRenewMs) return
    renew(turn, name, index, false)
  })
}

/** The kernel may keep the stage's addresses longer than present authority covers: a grant, a pause or a longer deadtime is over. */
export function isOverlong(state: NodeState, group: GroupState, { lease }: StageState, nowMs: Millis): boolean {
  if (lease === undefined) return false
  const goneMs = latestMs(lease) + kernelTimerMs
  if (nowMs >= goneMs) return false
  const endMs = Math.max(authorityOf(state, group).endMs, raisedUntilMs(state))
  if (endMs !== Infinity) return goneMs > endMs
  const untilMs = Math.max(lease.untilMs, lease.renewing?.untilMs ?? -Infinity)
  const next = leaseFor(state, group, nowMs)
  return typeof next === 'object' && untilMs > nowMs + next.validSeconds * 1_000 + kernelTimerMs
}

/** `shortens`: also when the new lifetime ends earlier, because authority was given back (F5). */
export function renew(turn: Turn, name: string, index: number, shortens: boolean): void {
  const { state, nowMs } = turn
  const group = groupNamed(state, name)
  const stage = group?.stages[index]
  if (group === undefined || stage?.lease === undefined) return
  const next = leaseFor(state, group, nowMs)
  // The address may have expired, and been put back by nobody, so it is looked at in time too.
  const paceMs = renewalPaceMs(state, stage, next === 'none' || next === 'forever' ? 1 : next.validSeconds)
  const untilMs = next === 'none' || next === 'forever' ? -Infinity : nowMs + next.validSeconds * 1_000
  if (next === 'none' || next === 'forever' || (!shortens && untilMs <= stage.lease.untilMs && !isOverlong(state, group, stage, nowMs)) || nowMs >= stage.lease.latestMs + kernelTimerMs) {
    setStage(turn, name, index, { lease: changed(stage.lease, { nextRenewMs: nowMs + paceMs }, copyLease) })
    return
  }
  const validMs = next.validSeconds * 1_000
  const serial = state.nextRenewalSerial
  setState(turn, { nextRenewalSerial: serial + 1 })
  setStage(turn, name, index, {
    lease: changed(stage.lease, { nextRenewMs: nowMs + paceMs, renewing: { serial, validMs, untilMs, latestMs: next.notAfterMs + validMs, deadlineMs: nowMs + answerLimitMs(state) + 2_000 } }, copyLease),
  })
  turn.effects.push({ type: 'renew-addresses', group: name, stage: index, serial, what: stage.what, lease: next })
}

/** Every lifetime is due: what authority allows has changed. */
export function renewSoon(turn: Turn): void {
  for (const { name, stages } of turn.state.groups) {
    stages.forEach(({ lease }, index) => {
      if (lease !== undefined) setStage(turn, name, index, { lease: changed(lease, { nextRenewMs: turn.nowMs }, copyLease) })
    })
  }
}

/** After a pause: what was asked before may have been answered meanwhile, and is read in a moment. */
export function waitForRenewals(turn: Turn, untilMs: Millis): void {
  for (const { name, stages } of turn.state.groups) {
    stages.forEach(({ lease }, index) => {
      if (lease?.renewing === undefined) return
      const deadlineMs = Math.max(lease.renewing.deadlineMs, untilMs)
      setStage(turn, name, index, { lease: { ...lease, renewing: { ...lease.renewing, deadlineMs } } })
    })
  }
}

export function finishRenewal(turn: Turn, event: Extract<Event, { type: 'addresses-renewed' }>): void {
  const stage = groupNamed(turn.state, event.group)?.stages[event.stage]
  if (stage?.lease?.renewing?.serial === event.serial) return endRenewal(turn, event.group, event.stage, event.result, event.message, event.ips)
  // Given up before its answer came, as after a pause of this node; what was done stands all the same.
  if (stage?.status !== 'running') return
  if (event.result === 'gone') loseAddresses(turn, event.group, event.stage, event.ips ?? [])
  if (event.result === 'too-late') loseToLateness(turn, event.group, event.stage, event.message)
}

type RenewalResult = Extract<Event, { type: 'addresses-renewed' }>['result']

function endRenewal(turn: Turn, name: string, index: number, result: RenewalResult, message = '', ips: readonly string[] = []): void {
  const stage = groupNamed(turn.state, name)?.stages[index]
  if (stage?.lease === undefined) return
  setStage(turn, name, index, { lease: changed(stage.lease, { ...reached(stage.lease, result, turn.nowMs), renewing: undefined }, copyLease) })
  if (result === 'renewed') noneIsMissing(turn, name, index)
  if (result === 'gone') loseAddresses(turn, name, index, ips)
  if (result === 'failed') recordTrouble(turn, name, index, `the lifetime of ${stage.what.name} cannot be renewed: ${message}`)
  if (result !== 'too-late') return
  loseToLateness(turn, name, index, message)
}

/** One that has failed may have come through, or may do so yet. */
function reached(lease: StageLease, result: RenewalResult, nowMs: Millis): Pick<StageLease, 'untilMs' | 'latestMs'> {
  const { renewing } = lease
  const done = result === 'renewed' || result === 'gone'
  if (renewing === undefined || !done) return { untilMs: lease.untilMs, latestMs: latestMs(lease) }
  return { untilMs: renewing.untilMs, latestMs: Math.min(nowMs + renewing.validMs, renewing.latestMs) }
}

/** It may have been renewed after its time, so it was removed, and is to be started anew in its place. */
function loseToLateness(turn: Turn, name: string, index: number, message = ''): void {
  const stage = groupNamed(turn.state, name)?.stages[index]
  recordTrouble(turn, name, index, `the renewal of ${stage?.what.name ?? ''} came too late and its addresses were removed: ${message}`)
  setStage(turn, name, index, { status: 'suspect', lease: undefined })
}

/** Something is being given up, which waits for lifetimes to end where they cannot be shortened (lease-shortening.ts). */
function isEnding(state: NodeState, group: GroupState | undefined): boolean {
  return group?.grant?.ending === true || state.raising?.ending === true
}

/** Once for each cause: a renewal is tried many times a minute. */
function recordTrouble(turn: Turn, name: string, index: number, message: string): void {
  if (groupNamed(turn.state, name)?.stages[index]?.message === message) return
  setStage(turn, name, index, { message })
  record(turn, 'warning', 'lease-failed', message, { group: name })
}

export function addLeaseDeadlines(state: NodeState, group: GroupState, dues: Dues): void {
  const ending = isEnding(state, group)
  for (const { lease, status } of group.stages) {
    if (lease === undefined) continue
    const endMs = latestMs(lease) + kernelTimerMs
    if (ending && endMs !== -Infinity) dues.push(endMs)
    if (lease.renewing !== undefined) dues.push(lease.renewing.deadlineMs)
    else if (status === 'running') dues.push(lease.nextRenewMs)
  }
}
