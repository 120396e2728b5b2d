/** What a lifetime may be, and the sentences for one that came too late. */
import type { Lease } from '../core/effects.ts'

/** The kernel takes 32 bits of seconds, of which the last value means for ever. */
const longestSeconds = 0xffff_fffe

/** A lifetime that `ip` would stumble over never reaches it. */
export function leaseFault(lease: Lease): string | undefined {
  const { validSeconds, notAfterMs } = lease
  if (!(Number.isInteger(validSeconds) && validSeconds >= 1 && validSeconds <= longestSeconds)) {
    return `the lifetime ${String(validSeconds)} is not a whole number of seconds from 1 to ${longestSeconds}`
  }
  return Number.isNaN(notAfterMs) ? 'the time until which the lifetime may be set is not a number' : undefined
}

export interface Named { readonly ip: string; readonly prefixLength: number }

export function shownPlaces(places: readonly Named[]): string {
  const [first] = places
  return `${first?.ip ?? ''}/${first?.prefixLength ?? ''}${places.length > 1 ? ` (and ${places.length - 1} more)` : ''}`
}

/** Nothing reached the kernel. No figures here: the core tells each sentence once, and a renewal is tried again many times a minute. */
export function notAsked(places: readonly Named[], verb: 'added' | 'renewed'): string {
  return `${shownPlaces(places)} was not ${verb}: the time for it had passed before the kernel was asked, so nothing was changed; ${why}`
}

/** It may have been done, and was undone. `left`: why it could not be. */
export function tooLate(places: readonly Named[], verb: 'added' | 'renewed', left: string | undefined): string {
  const removed = left === undefined ? 'removed again' : `to be removed, but ${left}`
  return `${shownPlaces(places)} was ${verb} too late and is ${removed}: the time for it had passed before ip had answered; ${why}`
}

const why = 'this host stood still or is overloaded'
