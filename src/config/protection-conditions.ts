/**
 * The relations between deadtime, lease and witness on which "never two holders" rests (design.md section 5, what `hactl check`
 * computes). All times in milliseconds; what is computed here is computed with the core's own arithmetic.
 */
import type { LeasePolicy, Timing, WitnessTiming } from '../core/config.ts'
import {
  askingShare, configuredLeaseSeconds, decisionToKernelMs, finalShare, isFixedLease, kernelTimerMs, orderlyShare, packetsLost, renewIntervalMs,
  roundTripMs,
} from '../core/lease-arithmetic.ts'
import type { Millis } from '../core/time.ts'
import type { ConfigCode } from './codes.ts'

export interface Violation {
  readonly code: ConfigCode
  /** What does not hold, its figures, and what follows. */
  readonly what: string
  /** What to write, where it is another thing than a longer deadtime. */
  readonly remedy?: string
  /** Where it can be mended. */
  readonly of: 'deadtime' | 'keepalive' | 'witness'
}

export interface Figures {
  readonly timing: Timing
  readonly lease: LeasePolicy
  readonly witness: WitnessTiming
  readonly addressCount: number
}

/** Between release in order and the end of authority. */
export const hardShare = finalShare - orderlyShare

export function seconds(ms: Millis): string {
  return `${Number((ms / 1_000).toFixed(ms < 100 ? 3 : 2))} s`
}

/** With a witness: every condition that does not hold. */
export function witnessViolations(figures: Figures): readonly Violation[] {
  const leased = figures.lease === 'off' ? [] : [fixedLease(figures), flapping(figures), lateAnswer(figures)]
  return [...leased, lateRemoval(figures), slowWitness(figures), askedInHealth(figures), shortGrant(figures), rareRenewal(figures)]
    .filter((violation) => violation !== undefined)
}

function fixedLease({ timing }: Figures): Violation | undefined {
  if (!isFixedLease(timing)) return undefined
  const overlapMs = 2_000 + decisionToKernelMs - hardShare * timing.deadtimeMs
  return {
    code: 'lease-fixed', of: 'deadtime',
    what: `deadtime ${seconds(timing.deadtimeMs)} is too short for a lease that ends with authority: 0.98 x deadtime must hold ` +
      `${seconds(2_000 + decisionToKernelMs + roundTripMs)}. The lease is then fixed at 1 s, and an address can stay on a hung node for up ` +
      `to ${seconds(overlapMs)} after its peer has taken it over (2 s + ${seconds(decisionToKernelMs)} - 0.18 x deadtime)`,
  }
}

function flapping({ timing }: Figures): Violation | undefined {
  const { deadtimeMs } = timing
  const neededMs = 2_000 + decisionToKernelMs + deadtimeMs / 10 + (1 + packetsLost) * deadtimeMs / 20 + roundTripMs
  if (isFixedLease(timing) || finalShare * deadtimeMs >= neededMs) return undefined
  return {
    code: 'lease-flaps', of: 'deadtime',
    what: `deadtime ${seconds(deadtimeMs)} leaves no time to ask again when ${packetsLost} packets are lost: the lease, its kernel timer and ` +
      `the questions take ${seconds(neededMs)} of 0.98 x deadtime (${seconds(finalShare * deadtimeMs)}), so that an address goes and comes ` +
      `back for ${seconds(neededMs - finalShare * deadtimeMs)} although the peer lives`,
  }
}

function lateAnswer({ timing, lease, witness, addressCount }: Figures): Violation | undefined {
  const leaseSeconds = configuredLeaseSeconds(timing, lease) ?? 1
  const neededMs = kernelTimerMs + decisionToKernelMs + renewIntervalMs(timing, true, leaseSeconds, addressCount) + witness.timeoutMs
  const leftMs = (finalShare - askingShare) * timing.deadtimeMs
  if (leftMs >= neededMs) return undefined
  return {
    code: 'lease-before-witness', of: 'deadtime',
    what: `an address can expire ${seconds(neededMs - leftMs)} before the witness answers: the question starts at 0.5 x deadtime, an answer ` +
      `may take ${seconds(witness.timeoutMs)}, and kernel timer and renewal take the rest of ${seconds(neededMs)}, which is more than 0.48 x ` +
      `deadtime (${seconds(leftMs)})`,
  }
}

function lateRemoval({ timing: { deadtimeMs } }: Figures): Violation | undefined {
  const neededMs = decisionToKernelMs + roundTripMs
  if (neededMs <= hardShare * deadtimeMs) return undefined
  return {
    code: 'removal-late', of: 'deadtime',
    what: `removing an address can take ${seconds(neededMs)}, and only 0.18 x deadtime (${seconds(hardShare * deadtimeMs)}) is left for it: ` +
      `both nodes can hold it for ${seconds(neededMs - hardShare * deadtimeMs)}`,
  }
}

function slowWitness({ timing: { deadtimeMs }, witness: { timeoutMs } }: Figures): Violation | undefined {
  if (timeoutMs <= 0.3 * deadtimeMs) return undefined
  return {
    code: 'witness-slow', of: 'witness', remedy: `Write timeout: ${Math.max(1, Math.floor(0.1 * deadtimeMs))}ms, or leave it out.`,
    what: `an answer of the witness may take ${seconds(timeoutMs)}, more than 0.3 x deadtime (${seconds(0.3 * deadtimeMs)}): a holder that ` +
      `loses contact releases ${seconds(timeoutMs - 0.3 * deadtimeMs)} before an answer that would have let it stay`,
  }
}

function askedInHealth({ timing: { keepaliveMs, deadtimeMs } }: Figures): Violation | undefined {
  const neededMs = 2 * keepaliveMs + roundTripMs
  if (neededMs < askingShare * deadtimeMs) return undefined
  return {
    code: 'witness-in-health', of: 'keepalive',
    what: `a confirmation takes up to ${seconds(neededMs)} (2 x keepalive ${seconds(keepaliveMs)} and ${seconds(roundTripMs)}), not less than ` +
      `0.5 x deadtime (${seconds(askingShare * deadtimeMs)}): the witness is asked although nothing is wrong, ` +
      `${seconds(neededMs - askingShare * deadtimeMs)} too early`,
  }
}

/** T: at least this long. */
function leastGrantMs({ timeoutMs, renewMs }: WitnessTiming): Millis {
  const neededMs = Math.max(2_000, (2_000 + decisionToKernelMs + renewMs + timeoutMs) / finalShare)
  return Math.ceil(neededMs / 1_000) * 1_000
}

function shortGrant({ witness }: Figures): Violation | undefined {
  const { grantMs, renewMs, timeoutMs } = witness
  const neededMs = Math.max(2_000, (2_000 + decisionToKernelMs + renewMs + timeoutMs) / finalShare)
  if (grantMs >= neededMs) return undefined
  return {
    code: 'witness-grant-short', of: 'witness', remedy: `Write grant: ${leastGrantMs(witness) / 1_000}s, or leave it out.`,
    what: `a grant lives ${seconds(grantMs)} and must live ${seconds(neededMs)} (2 s, ${seconds(decisionToKernelMs)}, its renewal every ` +
      `${seconds(renewMs)} and an answer of ${seconds(timeoutMs)}, over 0.98): a holder by grant loses its addresses for ` +
      `${seconds(neededMs - grantMs)} between renewals`,
  }
}

function rareRenewal({ witness: { grantMs, renewMs, timeoutMs } }: Figures): Violation | undefined {
  if (renewMs + timeoutMs <= 0.3 * grantMs) return undefined
  const mostMs = Math.floor(0.3 * grantMs - timeoutMs)
  return {
    code: 'witness-renewal-rare', of: 'witness',
    remedy: mostMs >= 50 ? `Write renew: ${mostMs}ms, or leave it out.` : `Write a grant of ${Math.ceil((renewMs + timeoutMs) / 300)}s.`,
    what: `a grant of ${seconds(grantMs)} is renewed every ${seconds(renewMs)} and an answer may take ${seconds(timeoutMs)}, together more ` +
      `than 0.3 x grant (${seconds(0.3 * grantMs)}): one lost answer and the holder by grant lets go, ` +
      `${seconds(renewMs + timeoutMs - 0.3 * grantMs)} early`,
  }
}

/** The shortest deadtime, in steps of 0.1 s, with which nothing is violated; undefined when none does it. */
export function smallestDeadtimeMs(at: (deadtimeMs: Millis) => Figures): Millis | undefined {
  for (let deadtimeMs = 100; deadtimeMs <= 300_000; deadtimeMs += 100) {
    if (witnessViolations(at(deadtimeMs)).length === 0) return deadtimeMs
  }
  return undefined
}

/** P2, without witness and fencing: how long a node that was stopped can still hold an address that its peer has taken; 0: not at all. */
export function pausedOverlapMs({ keepaliveMs, deadtimeMs }: Timing, leaseSeconds: number): Millis {
  return Math.max(0, leaseSeconds * 1_000 + kernelTimerMs + decisionToKernelMs + keepaliveMs - finalShare * deadtimeMs)
}
