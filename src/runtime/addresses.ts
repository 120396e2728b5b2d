/**
 * Floating addresses in the kernel: added and removed through one persistent `ip` child, and watched. What should be there and is not was
 * stripped by somebody else (a network daemon, an administrator), which is told at once; the core decides what to do about it.
 */
import type { FloatingAddress } from '../core/config.ts'
import type { Outcome } from '../core/events.ts'
import { openBatch, type BatchAnswer } from './addresses-batch.ts'
import { ipKey } from './addresses-bytes.ts'
import { addCommand, placeAddress, removeCommand, type Place } from './addresses-place.ts'
import { explain, isStale, removeCopies } from './addresses-remove.ts'
import { heed, look, readMachine, retryFailed, type AddressEvents, type AddressSet } from './addresses-watch.ts'
import { openMonitor, type InterfaceChange } from './links-monitor.ts'

export type { AddressEvents } from './addresses-watch.ts'

export interface Addresses {
  /**
   * All or none: after a failure those that this call added are gone again. Addresses that are there already are adopted.
   * `cancelled`: they were removed while they were being added.
   */
  add(addresses: readonly FloatingAddress[]): Promise<Outcome>
  /** Every copy of each address, with any prefix length, on any interface; `ok` only after a look that they are gone. */
  remove(addresses: readonly FloatingAddress[]): Promise<Outcome>
  /** For each: does it stand on this machine, in whatever shape? Rejects when the kernel cannot be asked. */
  observe(addresses: readonly FloatingAddress[]): Promise<readonly boolean[]>
  /** Goes the way of `add` up to the writing of the first word: what is called first in an emergency is slow. */
  rehearse(addresses: readonly FloatingAddress[]): void
  /** Where the address stands or would be put; undefined when no interface fits. */
  interfaceOf(address: FloatingAddress): string | undefined
  close(): Promise<void>
}

const lookMs = 5_000
const existsForm = /File exists|already assigned/

/** Rejects when `ip` is not there or cannot talk to the kernel. */
export async function openAddresses(events: AddressEvents): Promise<Addresses> {
  const wake: { call?: (change: InterfaceChange) => void } = {}
  const monitor = await openMonitor((change) => wake.call?.(change))
  const batch = openBatch((reason) => {
    if (wake.call === undefined) return
    events.onRestarted(reason)
    look(set)
  })
  const set: AddressSet = { batch, monitor, events, wanted: new Map(), adding: new Set(), looking: false, lookAgain: false, closed: false }
  try {
    await readMachine(set)
  } catch (error) {
    set.closed = true
    monitor.close()
    await batch.close()
    throw new Error(`floating addresses cannot be managed: ${messageOf(error)}`, { cause: error })
  }
  wake.call = (change) => heed(set, change)
  const timer = setInterval(() => retryFailed(set), lookMs)
  return {
    add: (addresses) => add(set, addresses),
    remove: (addresses) => remove(set, addresses),
    rehearse(addresses) {
      const placed = placeAll(set, addresses)
      if ('places' in placed && placed.places.map((place) => addCommand(place, 'add')).length > 0) void batch.run([]).catch(() => undefined)
    },
    async observe(addresses) {
      const found = new Set((await readMachine(set)).filter((address) => !address.duplicate).map((address) => ipKey(address.ip)))
      return addresses.map((address) => found.has(ipKey(address.ip)))
    },
    interfaceOf: (address) => interfaceOf(set, address),
    async close() {
      set.closed = true
      clearInterval(timer)
      monitor.close()
      await batch.close()
    },
  }
}

async function add(set: AddressSet, addresses: readonly FloatingAddress[]): Promise<Outcome> {
  const placed = placeAll(set, addresses)
  if ('error' in placed) {
    // What was wanted already stays wanted: its interface may come back.
    for (const address of addresses) markFailed(set, ipKey(address.ip))
    return failed(placed.error)
  }
  const { places } = placed
  const keys = places.map((place) => ipKey(place.ip))
  const before = new Map(keys.map((key) => [key, set.wanted.get(key)]))
  const now = places.map((place, index) => ({ place, source: JSON.stringify(addresses[index]), lost: false, addFailed: false }))
  keys.forEach((key, index) => {
    const wanted = now[index]
    if (wanted !== undefined) set.wanted.set(key, wanted)
    set.adding.add(key)
  })
  try {
    const failure = await addPlaces(set, places)
    const dropped = places.filter((_place, index) => set.wanted.get(keys[index] ?? '') === undefined)
    if (dropped.length > 0) return await undo(set, dropped, failure)
    if (failure === undefined) return { result: 'ok' }
    keys.forEach((key, index) => {
      if (set.wanted.get(key) !== now[index]) return
      if (before.get(key) === undefined) set.wanted.delete(key)
      else markFailed(set, key)
    })
    return failed(failure)
  } finally {
    for (const key of keys) set.adding.delete(key)
  }
}

/** `remove` came in between: whichever of both the kernel did last, the addresses must be gone. */
async function undo(set: AddressSet, dropped: readonly Place[], failure: string | undefined): Promise<Outcome> {
  const left = await removeCopies(set.batch, set.monitor.interfaces(), dropped).catch(messageOf)
  return left === undefined ? { result: 'cancelled' } : failed(`${failure ?? 'removed while being added'}; ${left}`)
}

function markFailed(set: AddressSet, key: string): void {
  const wanted = set.wanted.get(key)
  if (wanted !== undefined) Object.assign(wanted, { lost: true, addFailed: true })
}

type AllPlaced = { readonly places: readonly Place[] } | { readonly error: string }

function placeAll(set: AddressSet, addresses: readonly FloatingAddress[]): AllPlaced {
  const interfaces = set.monitor.interfaces()
  const floating = new Set(addresses.map((address) => ipKey(address.ip)))
  const isFloating = (ip: string): boolean => floating.has(ipKey(ip)) || set.wanted.has(ipKey(ip))
  const places: Place[] = []
  for (const address of addresses) {
    const known = set.wanted.get(ipKey(address.ip))
    // Put back where it was, even when whoever stripped it took the interface's own addresses as well.
    if (known !== undefined && known.source === JSON.stringify(address) && interfaces.has(known.place.interface)) {
      places.push(known.place)
      continue
    }
    const placed = placeAddress(address, interfaces, isFloating)
    if ('error' in placed) return placed
    places.push(placed.place)
  }
  return { places }
}

/** The sentence of what failed, after those that were added are gone again; undefined when all stand. */
async function addPlaces(set: AddressSet, places: readonly Place[]): Promise<string | undefined> {
  const commands = places.map((place) => addCommand(place, 'add'))
  // Those that this call may have added: all of them when a child ended in the middle.
  const mine = new Set<Place>()
  let answer: BatchAnswer
  try {
    answer = await set.batch.run(commands).catch(() => {
      for (const place of places) mine.add(place)
      return set.batch.run(commands)
    })
    noteAdded(answer, places, mine)
    if ([...answer.errors.values()].some(isStale)) {
      set.batch.renew()
      answer = await set.batch.run(commands)
      noteAdded(answer, places, mine)
    }
    await adopt(set, places.filter((place, index) => !mine.has(place) && existsForm.test(answer.errors.get(index) ?? '')))
  } catch (error) {
    await removeCopies(set.batch, set.monitor.interfaces(), places).catch(() => undefined)
    return messageOf(error)
  }
  const errors = [...answer.errors].filter(([, message]) => !existsForm.test(message))
  const [first] = errors
  if (first === undefined) return undefined
  const left = await removeCopies(set.batch, set.monitor.interfaces(), [...mine]).catch(messageOf)
  const place = places[first[0]]
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const rest = left === undefined ? '' : `; and what had been added could not be removed: ${left}`
  const what = `${place?.ip ?? ''}/${place?.prefixLength ?? ''}`
  return `${what} cannot be added on ${place?.interface ?? ''}: ${explain(first[1])}${others}${rest}`
}

function noteAdded(answer: BatchAnswer, places: readonly Place[], mine: Set<Place>): void {
  places.forEach((place, index) => {
    if (!answer.errors.has(index)) mine.add(place)
  })
}

/** Already there in our shape: our lifetimes from now on. One that the kernel has marked as a duplicate is of no use until added anew. */
async function adopt(set: AddressSet, places: readonly Place[]): Promise<void> {
  if (places.length === 0) return
  const told = set.monitor.interfaces()
  await set.batch.run(places.flatMap((place) => {
    const duplicate = told.get(place.interface)?.addresses.get(`${place.ip}/${place.prefixLength}`)?.duplicate === true
    return duplicate ? [removeCommand(place), addCommand(place, 'add')] : [addCommand(place, 'change')]
  }))
}

async function remove(set: AddressSet, addresses: readonly FloatingAddress[]): Promise<Outcome> {
  for (const address of addresses) set.wanted.delete(ipKey(address.ip))
  try {
    const left = await removeCopies(set.batch, set.monitor.interfaces(), addresses)
    return left === undefined ? { result: 'ok' } : failed(left)
  } catch (error) {
    return failed(`${addresses[0]?.ip ?? ''}: it is not known whether the addresses are gone: ${messageOf(error)}`)
  }
}

function interfaceOf(set: AddressSet, address: FloatingAddress): string | undefined {
  const wanted = set.wanted.get(ipKey(address.ip))
  if (wanted !== undefined) return wanted.place.interface
  const placed = placeAddress(address, set.monitor.interfaces(), () => false)
  return 'place' in placed ? placed.place.interface : undefined
}

function failed(message: string): Outcome {
  return { result: 'failed', message }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
