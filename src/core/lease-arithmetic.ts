/**
 * How long an address may live in the kernel without a renewal, and how often it is renewed (design.md sections 5 and 6).
 * `hactl check` computes its warnings with the same figures.
 */
import type { LeasePolicy, Timing, WitnessTiming } from './config.ts'
import type { Millis } from './time.ts'

/** X: from the decision to the kernel. */
export const decisionToKernelMs: Millis = 50
/** The kernel ends a lifetime late by up to 0.76 s (measured); this covers it. */
export const kernelTimerMs: Millis = 1_000
/** R: round trip between the nodes and one turn of the loop, where nothing better is known. */
export const roundTripMs: Millis = 100
/** m: this many packets in a row may be lost before anything is given up for it. */
export const packetsLost = 2
/** A holder releases in order after this share of deadtime (or of its grant) since its last confirmed send. */
export const orderlyShare = 0.8
/** Its authority ends for good after this share: 2 % are left to clocks that run apart by 1 % each. */
export const finalShare = 0.98
/** A holder without confirmation for this share of deadtime asks the witness. */
export const askingShare = 0.5
/** So long after its last food a hardware watchdog resets the host, once it was told to take no more time: devices count whole seconds. */
export const watchdogLeastMs: Millis = 1_000
/** Nothing is renewed, and no confirmation asked for, more often than this. */
const shortestRenewalMs: Millis = 50
/** One renewal of one address costs about this much; all of them must not fill the time between two renewals. */
const renewalCostMs: Millis = 0.5

/** L: the most that an address is ever given, in whole seconds of at least one; undefined when leases are off. */
export function configuredLeaseSeconds(timing: Timing, policy: LeasePolicy): number | undefined {
  if (policy === 'off') return undefined
  if (policy !== 'auto') return policy.seconds
  const spareMs = finalShare * timing.deadtimeMs - kernelTimerMs - decisionToKernelMs - timing.keepaliveMs
  return Math.max(1, Math.floor(spareMs / 1_000))
}

/**
 * Deadtime is too short for a lease that ends within authority: it is one second then, set while orderly authority
 * stands and never renewed after it, and the address may outlive authority (`hactl check` says by how much).
 */
export function isFixedLease({ deadtimeMs }: Timing): boolean {
  return finalShare * deadtimeMs < 2_000 + decisionToKernelMs + roundTripMs
}

/**
 * V: with a witness as often as authority moves on, since every renewal is cut to what is left of it; without one
 * (authority does not end) three times in the life of the lease. A lease shorter than deadtime sets the pace itself.
 */
export function renewIntervalMs(timing: Timing, hasWitness: boolean, leaseSeconds: number, addressCount: number): Millis {
  const thirdMs = leaseSeconds * 1_000 / 3
  const paceMs = hasWitness ? Math.min(timing.deadtimeMs / 20, thirdMs) : thirdMs
  return Math.floor(Math.max(shortestRenewalMs, paceMs, addressCount * renewalCostMs))
}

/** Whole seconds that an address may be given at `nowMs` so that it is gone at `endMs`; below 1: neither add nor renew. */
export function validSecondsUntil(endMs: Millis, nowMs: Millis, limitSeconds: number): number {
  return Math.min(limitSeconds, Math.floor((endMs - nowMs - kernelTimerMs - decisionToKernelMs) / 1_000))
}

/** W, T and Vg where the configuration does not say them; `grantMs`: a T that it says. */
export function defaultWitnessTiming(
  { deadtimeMs }: Timing, grantMs: Millis = Math.max(3_000, Math.ceil(deadtimeMs / 1_000) * 1_000),
): WitnessTiming {
  return { timeoutMs: Math.min(500, Math.floor(deadtimeMs / 10)), grantMs, renewMs: Math.floor(grantMs / 6) }
}
