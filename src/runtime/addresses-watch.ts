/**
 * Wanted against observed: which floating addresses should stand, and the look that finds one missing. Nothing here puts one back: it is
 * the core that knows whether authority still stands, and for how long.
 */
import { addressesIn, runTwice, showAll } from './addresses-remove.ts'
import type { Batch } from './addresses-batch.ts'
import { ipKey } from './addresses-bytes.ts'
import type { MachineAddress } from './addresses-lines.ts'
import { isAt, standingAt, type Place } from './addresses-place.ts'
import { nowMs } from './clock.ts'
import type { InterfaceChange, Monitor } from './links-monitor.ts'
import type { Lease } from '../core/effects.ts'
import type { Millis } from '../core/time.ts'

export interface AddressEvents {
  /** A wanted address vanished, or another host was found to use it. Told once for each loss, and again while putting it back fails. */
  onStripped(ip: string, interfaceName: string): void
  /** An interface was switched on or got its cable back: neighbours may have forgotten its addresses. */
  onLinkUp(interfaceName: string): void
  /** The `ip` child ended; another one serves. Code `address-program-restarted`. */
  onRestarted(reason: string): void
  /** A process that may add addresses lives from now on, or lives no more. */
  onProgram?(pid: number, lives: boolean): void
}

export interface Wanted {
  readonly place: Place
  /** What it was made from: after a reload the same address may belong elsewhere. */
  readonly source: string
  /** The kernel's text for the address with its prefix length, as the monitor keeps it. */
  readonly tableKey: string
  /** Since when it stands here at the latest; undefined while it is being added. */
  addedMs: Millis | undefined
  /** Until then the kernel does not end its lifetime. Monotonic; Infinity: for ever. */
  expiresMs: Millis
  lost: boolean
  /** It was deleted for certain, whether or not it stands again. */
  vanished: boolean
  /** Removed by us, because its renewal came too late, which that renewal tells. It counts again once it is added anew. */
  taken: boolean
  /** The last attempt to put it back failed: worth another one when the interface is back, and now and then. */
  addFailed: boolean
}

/** So long after an add, a deletion that the monitor tells of is no echo of what we did before. */
const echoMs: Millis = 1_000
/** The kernel rounds: it may end a lifetime a fiftieth of a second early (addrconf.h, ADDRCONF_TIMER_FUZZ_MINUS). */
const earlyMs: Millis = 20

export function expiryOf(setMs: Millis, lease: Lease | undefined): Millis {
  return lease === undefined ? Infinity : setMs + lease.validSeconds * 1_000 - earlyMs
}

export interface AddressSet {
  readonly batch: Batch
  readonly monitor: Monitor
  readonly events: AddressEvents
  /** By `ipKey`. An address is wanted from before its add until before its removal. */
  readonly wanted: Map<string, Wanted>
  /** Being added just now: its absence means nothing yet. */
  readonly adding: Set<string>
  looking: boolean
  lookAgain: boolean
  closed: boolean
}

export async function readMachine(set: AddressSet): Promise<readonly MachineAddress[]> {
  return addressesIn(await runTwice(set.batch, [showAll]))
}

/** `ip monitor` lags behind our own changes, so that a loss that it tells of is looked at, not believed. */
export function heed(set: AddressSet, change: InterfaceChange): void {
  if (set.closed) return
  if (change.type === 'reread') return look(set)
  if (change.type === 'address') {
    if (change.deleted || change.address.duplicate) heedLoss(set, change.address)
    return
  }
  const { line, deleted, before } = change
  const other = before?.index !== line.index
  // The child caches names: it would go on with the index of the interface that is gone.
  if (deleted || other) set.batch.renew()
  if (deleted || !line.up || (before?.up === true && !other)) return
  set.events.onLinkUp(line.name)
  retryFailed(set)
}

/** A renewal on its way to the kernel may have brought the address back before the look: that it was gone is told all the same. */
function heedLoss(set: AddressSet, address: MachineAddress): void {
  const key = ipKey(address.ip)
  const wanted = set.wanted.get(key)
  if (wanted === undefined || wanted.taken || !isAt(address, wanted.place)) return
  const echo = set.adding.has(key) || wanted.addedMs === undefined || nowMs() < wanted.addedMs + echoMs
  if (!echo && !address.duplicate && !wanted.lost) wanted.vanished = true
  look(set)
}

/** Addresses that could not be put back are told as stripped once more. */
export function retryFailed(set: AddressSet): void {
  for (const wanted of set.wanted.values()) if (wanted.addFailed) wanted.lost = false
  look(set)
}

/** One look at a time, whatever number of changes asked for it. */
export function look(set: AddressSet): void {
  if (set.closed || set.wanted.size === 0) return
  if (set.looking) {
    set.lookAgain = true
    return
  }
  set.looking = true
  const expected = new Map([...set.wanted].filter(([key]) => !set.adding.has(key)))
  readMachine(set).then((found) => {
    const standing = standingAt(found)
    for (const [key, wanted] of expected) tellIfLost(set, key, wanted, standing(wanted.place))
  }, () => undefined).finally(() => {
    set.looking = false
    if (!set.lookAgain) return
    set.lookAgain = false
    look(set)
  })
}

function tellIfLost(set: AddressSet, key: string, wanted: Wanted, present: boolean): void {
  // Removed or added anew in the meantime: this look says nothing about it.
  if (set.closed || set.wanted.get(key) !== wanted || set.adding.has(key) || wanted.taken) return
  const told = wanted.lost
  const news = !present || wanted.vanished
  Object.assign(wanted, { lost: !present, vanished: false })
  if (news && !told) set.events.onStripped(wanted.place.ip, wanted.place.interface)
}
