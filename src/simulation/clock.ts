/** A machine's monotonic and wall clocks against true time: drift, and standing still while a guest is paused. */

export interface Clock {
  readonly rate: number
  /** True time and monotonic time of the same instant. */
  readonly anchorTrueMs: number
  readonly anchorMs: number
  /** Wall clock minus true time. */
  readonly wallOffsetMs: number
}

export function bootClock(trueMs: number, rate: number): Clock {
  return { rate, anchorTrueMs: trueMs, anchorMs: 1000, wallOffsetMs: 1_700_000_000_000 }
}

export function monotonicMs(clock: Clock, trueMs: number): number {
  return clock.anchorMs + (trueMs - clock.anchorTrueMs) * clock.rate
}

export function wallMsOf(clock: Clock, trueMs: number): number {
  return Math.round(trueMs + clock.wallOffsetMs)
}

export function trueMsOf(clock: Clock, nowMs: number): number {
  return clock.anchorTrueMs + (nowMs - clock.anchorMs) / clock.rate
}

/** The monotonic clock stood still from one true time to another; the wall clock too, unless it was set right on waking. */
export function stoodStill(clock: Clock, fromTrueMs: number, toTrueMs: number, wallIsSet: boolean): Clock {
  return {
    ...clock,
    anchorTrueMs: toTrueMs,
    anchorMs: monotonicMs(clock, fromTrueMs),
    wallOffsetMs: clock.wallOffsetMs - (wallIsSet ? 0 : toTrueMs - fromTrueMs),
  }
}
