/** Wanted against observed: which floating addresses should stand, and the look that finds one missing. */
import { addressesIn, runTwice, showAll } from './addresses-remove.ts'
import type { Batch } from './addresses-batch.ts'
import { ipKey } from './addresses-bytes.ts'
import type { MachineAddress } from './addresses-lines.ts'
import type { Place } from './addresses-place.ts'
import type { InterfaceChange, Monitor } from './links-monitor.ts'

export interface AddressEvents {
  /** A wanted address vanished, or another host was found to use it. Told once for each loss, and again while putting it back fails. */
  onStripped(ip: string, interfaceName: string): void
  /** An interface was switched on or got its cable back: neighbours may have forgotten its addresses. */
  onLinkUp(interfaceName: string): void
  /** The `ip` child ended; another one serves. Code `address-program-restarted`. */
  onRestarted(reason: string): void
}

export interface Wanted {
  readonly place: Place
  /** What it was made from: after a reload the same address may belong elsewhere. */
  readonly source: string
  lost: boolean
  /** The last attempt to put it back failed: worth another one when the interface is back, and now and then. */
  addFailed: boolean
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
    const lost = change.deleted || change.address.duplicate
    if (lost && set.wanted.has(ipKey(change.address.ip))) look(set)
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
    const present = new Set(found.filter((address) => !address.duplicate).map((address) => ipKey(address.ip)))
    for (const [key, wanted] of expected) tellIfLost(set, key, wanted, present.has(key))
  }, () => undefined).finally(() => {
    set.looking = false
    if (!set.lookAgain) return
    set.lookAgain = false
    look(set)
  })
}

function tellIfLost(set: AddressSet, key: string, wanted: Wanted, present: boolean): void {
  // Removed or added anew in the meantime: this look says nothing about it.
  if (set.closed || set.wanted.get(key) !== wanted || set.adding.has(key)) return
  const told = wanted.lost
  wanted.lost = !present
  if (!present && !told) set.events.onStripped(wanted.place.ip, wanted.place.interface)
}
