/**
 * P1: with a witness or fencing, no floating address on two running machines at any moment. Only what no clock of a guest
 * can show is excused, and it ends: a guest in which all clocks stood still, and the moment between the waking of a paused
 * guest and its daemon's first look at the clock.
 */
import type { CoreConfig } from '../core/config.ts'
import { configuredLeaseSeconds, kernelTimerMs, renewIntervalMs } from '../core/lease-arithmetic.ts'
import type { Excuse, Overlap } from './ledger.ts'
import { timingOf, type Machine } from './machine.ts'
import { violate } from './violations.ts'
import type { World } from './world.ts'

const slackMs = 50

export function isProtected(world: World): boolean {
  const { config } = world.options
  return (config.witness !== undefined || config.fencing !== undefined) && config.lease !== 'off'
}

/** Undefined: nothing excuses it. */
export function excuseFromPromise(world: World, machine: Machine, peer: Machine): Excuse | undefined {
  const excuses: readonly Excuse[] = ['clock-stood-still', 'waking', 'waking-without-daemon']
  return excuses.find((excuse) => (endOf(world, excuse, machine, peer) ?? -Infinity) > world.nowMs)
}

/** Until when an overlap may last by this excuse. */
function endOf(world: World, excuse: Excuse, machine: Machine, peer: Machine): number | undefined {
  const nodes = [machine, peer].map((one) => ({ one, ledger: world.ledger.nodes[one.index] }))
  if (excuse === 'clock-stood-still') return Math.max(...nodes.map(({ one, ledger }) => ledger.lastFreezeEndMs + authorityMs(world, one)))
  if (excuse === 'waking') {
    return Math.max(...nodes.map(({ one, ledger }) => ledger.lastGuestWakeMs + firstLookMs(world, one)))
  }
  if (excuse === 'waking-without-daemon') {
    // A daemon that was started since knows nothing of the pause either, nor of what its predecessor was permitted.
    const knowsNothing = ({ one, ledger }: (typeof nodes)[number]): boolean => one.daemon?.lookedMs === undefined || ledger.daemonStartMs >= ledger.lastGuestWakeMs
    return Math.max(...nodes.map((node) => (knowsNothing(node) ? node.ledger.lastGuestWakeMs + leaseEndMs(node.one) : -Infinity)))
  }
  return undefined
}

/** No packet may wait for it and no answer come: then it looks at the clock when the next renewal is due, and then removes. */
function firstLookMs(world: World, machine: Machine): number {
  const timing = timingOf(machine)
  const seconds = configuredLeaseSeconds(timing, (machine.daemon?.state.config ?? machine.config).lease) ?? 1
  return renewIntervalMs(timing, world.options.config.witness !== undefined, seconds, 1) * 1.02 + world.options.timerLateMs + 20 + slackMs
}

/** All that a node can have been given before its clocks stood still, and not have used. */
function authorityMs(world: World, machine: Machine): number {
  return Math.max(timingOf(machine).deadtimeMs, world.options.config.witness?.grantMs ?? 0) * 1.02 + leaseEndMs(machine)
}

/** No address of a machine whose daemon does nothing outlives this. */
export function leaseEndMs(machine: Machine): number {
  return Math.max(leaseEndOf(machine.daemon?.state.config ?? machine.config), leaseEndOf(machine.config))
}

/** By this configuration. */
export function leaseEndOf({ timing, lease }: Pick<CoreConfig, 'timing' | 'lease'>): number {
  return ((configuredLeaseSeconds(timing, lease) ?? Infinity) * 1000 + kernelTimerMs) * 1.02 + 2 * slackMs
}

/** What was excused must have ended by then. */
export function limitOverlap(world: World, overlap: Overlap, machine: Machine, peer: Machine): void {
  if (!overlap.isAddress || !isProtected(world)) return
  const key = `${overlap.group}/${overlap.stage}`
  const look = (): void => {
    if (world.ledger.overlaps.get(key) !== overlap) return
    const untilMs = endOf(world, overlap.excuse, machine, peer) ?? -Infinity
    if (untilMs > world.nowMs) world.queue.add(untilMs, look)
    else if (excuseFromPromise(world, machine, peer) === undefined) {
      violate(world, 'P1', `${key} is on both nodes for ${Math.round(world.nowMs - overlap.sinceMs)} ms, longer than ${overlap.excuse} excuses`)
    } else world.queue.add(world.nowMs + slackMs, look)
  }
  look()
}
