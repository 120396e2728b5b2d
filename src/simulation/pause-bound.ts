/**
 * P2 after a pause: without witness and fencing an address is on two nodes after a pause of its holder for no longer than
 * `max(0, lease + 1 s + X + keepalive - 0.98 * deadtime)` (design.md section 2), as long as the paused node has only to read
 * what waits in its sockets: where no packet reached it either, it is a partition, which P2 permits. The formula counts on
 * a holder that was heard up to its pause; one whose packets were lost before it may have its address until its lease ends.
 */
import { configuredLeaseSeconds, decisionToKernelMs, finalShare, kernelTimerMs } from '../core/lease-arithmetic.ts'
import type { Overlap } from './ledger.ts'
import { guestStandsStill, timingOf, type Machine } from './machine.ts'
import { violate } from './violations.ts'
import { peerOf, type World } from './world.ts'

/** Undefined: without leases nothing bounds it. */
export function pauseBoundMs(machine: Machine): number | undefined {
  const lastMs = longestAfterRenewalMs(machine)
  if (lastMs === undefined) return undefined
  const { keepaliveMs, deadtimeMs } = timingOf(machine)
  return Math.max(0, lastMs + keepaliveMs - finalShare * deadtimeMs)
}

/** How long an address is there after the last renewal that a node can have sent. */
function longestAfterRenewalMs(machine: Machine): number | undefined {
  const config = machine.daemon?.state.config ?? machine.config
  const seconds = configuredLeaseSeconds(config.timing, config.lease)
  return seconds === undefined ? undefined : seconds * 1000 + kernelTimerMs + decisionToKernelMs
}

/** `holder` stands still, or did so lately, and the other has taken its address over. */
export function limitAfterPause(world: World, overlap: Overlap, holder: Machine, removalMs: number): void {
  const boundMs = pauseBoundMs(holder)
  const afterLeaseMs = longestAfterRenewalMs(holder)
  if (!overlap.isAddress || boundMs === undefined || afterLeaseMs === undefined || isBeyondFormula(world, holder)) return
  const key = `${overlap.group}/${overlap.stage}`
  const leaseEndsMs = (holder.paused?.sinceMs ?? -Infinity) + afterLeaseMs
  // A process that is stopped is heard by its kernel's lease alone; a guest that is must be told when it wakes.
  let told = !guestStandsStill(holder) && hasWaiting(holder, world.nowMs - 0.5 * timingOf(holder).deadtimeMs)
  const look = (): void => {
    if (world.ledger.overlaps.get(key) !== overlap || world.ledger.nodes.some((node) => node.unclean.has(overlap.group))) return
    if (guestStandsStill(holder)) {
      told ||= hasWaiting(holder, overlap.sinceMs)
      return world.queue.add(world.nowMs + lookEveryMs, look)
    }
    const dueMs = Math.max(countsFromMs(world, overlap, holder) + boundMs, leaseEndsMs) + removalMs
    if (!told || keepsIt(world, overlap, holder) || stoodStill(world, peerOf(world, holder), overlap.sinceMs)) return
    if (world.nowMs < dueMs) return world.queue.add(dueMs, look)
    violate(world, 'P2', `${key} is on both nodes for ${Math.round(world.nowMs - overlap.sinceMs)} ms after a pause of ${holder.name}, where the lease allows ${Math.round(boundMs)} ms`)
  }
  look()
}

const lookEveryMs = 20

/** It awoke, and its claim is not lower: the other lets go, once it hears that, which holders.ts judges. */
function keepsIt(world: World, { group }: Overlap, holder: Machine): boolean {
  const numberAt = ({ daemon }: Machine): number => daemon?.state.groups.find(({ name }) => name === group)?.hold?.number ?? -1
  return holder.paused === undefined && numberAt(holder) >= numberAt(peerOf(world, holder))
}

/** The other may be the one that has to let go: both stood still, which is more than the pause of a holder. */
function stoodStill(world: World, { index, paused }: Machine, sinceMs: number): boolean {
  return paused !== undefined || world.ledger.nodes[index].lastWakeMs >= sinceMs
}

/** A guest that stands still answers for nothing: it counts from its waking. */
function countsFromMs(world: World, overlap: Overlap, holder: Machine): number {
  const { lastGuestWakeMs, lastFreezeEndMs } = world.ledger.nodes[holder.index]
  return Math.max(overlap.sinceMs, lastGuestWakeMs, lastFreezeEndMs)
}

/** A packet that the other sent after that waits in its sockets. */
function hasWaiting({ daemon }: Machine, afterMs: number): boolean {
  return daemon?.waitingPackets.some((waiting) => waiting.sentMs > afterMs) === true
}

/** The formula counts on a child that asks the kernel at once, on one deadtime, and on no promise of a pause (`hactl pause`). */
function isBeyondFormula(world: World, holder: Machine): boolean {
  const node = world.ledger.nodes[holder.index]
  const deadtimeMs = timingOf(holder).deadtimeMs
  const sameDeadtime = world.ledger.nodes.every((one) => one.longestDeadtimeMs === deadtimeMs && one.shortestDeadtimeMs === deadtimeMs)
  return !sameDeadtime || holder.childBlockedUntilMs > world.nowMs - 2 * deadtimeMs || node.saysPaused || node.raisedUntilMs > world.nowMs
}
