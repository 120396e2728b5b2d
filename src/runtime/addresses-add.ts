/** Floating addresses are added all or none, and with a lease only while its time lasts: what came too late is removed again (F11). */
import type { FloatingAddress } from '../core/config.ts'
import type { Lease } from '../core/effects.ts'
import type { Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import type { BatchAnswer } from './addresses-batch.ts'
import { ipKey } from './addresses-bytes.ts'
import { leaseFault, notAsked, shownPlaces, tooLate } from './addresses-lease.ts'
import { addCommand, placeAddress, removeCommand, tableKeyOf, type Place } from './addresses-place.ts'
import { explain, isStale, otherCopies, removeAfresh, removeCopies } from './addresses-remove.ts'
import { expiryOf, type AddressSet, type Wanted } from './addresses-watch.ts'
import { nowMs } from './clock.ts'
import { errorText } from './errors.ts'

const existsForm = /File exists|already assigned/
const absentForm = /not found|Cannot assign/

export async function add(set: AddressSet, addresses: readonly FloatingAddress[], lease: Lease | undefined): Promise<Outcome> {
  const fault = lease === undefined ? undefined : leaseFault(lease)
  const placed = fault === undefined ? placeAll(set, addresses) : { error: `${addresses[0]?.ip ?? ''}: ${fault}` }
  if ('error' in placed) {
    // What was wanted already stays wanted: its interface may come back.
    for (const address of addresses) markFailed(set, ipKey(address.ip))
    return failed(placed.error)
  }
  const { places } = placed
  const keys = places.map((place) => ipKey(place.ip))
  const before = new Map(keys.map((key) => [key, set.wanted.get(key)]))
  const now = places.map((place, index) => wantedAt(place, JSON.stringify(addresses[index])))
  keys.forEach((key, index) => {
    const wanted = now[index]
    if (wanted !== undefined) set.wanted.set(key, wanted)
    set.adding.add(key)
  })
  // The kernel counts the lifetime from a later moment than this.
  const askedMs = nowMs()
  try {
    const failure = await addPlaces(set, places, lease)
    const dropped = places.filter((_place, index) => set.wanted.get(keys[index] ?? '') === undefined)
    if (dropped.length > 0) return await undo(set, dropped, failure)
    if (failure === undefined) {
      for (const wanted of now) Object.assign(wanted, { addedMs: nowMs(), expiresMs: expiryOf(askedMs, lease) })
      return { result: 'ok' }
    }
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

function wantedAt(place: Place, source: string): Wanted {
  return { place, source, tableKey: tableKeyOf(place), addedMs: undefined, expiresMs: Infinity, lost: false, vanished: false, taken: false, addFailed: false }
}

/** `remove` came in between: whichever of both the kernel did last, the addresses must be gone. */
async function undo(set: AddressSet, dropped: readonly Place[], failure: string | undefined): Promise<Outcome> {
  const left = await removeCopies(set.batch, set.monitor.interfaces(), dropped).catch(errorText)
  return left === undefined ? { result: 'cancelled' } : failed(`${failure ?? 'removed while being added'}; ${left}`)
}

function markFailed(set: AddressSet, key: string): void {
  const wanted = set.wanted.get(key)
  if (wanted !== undefined) Object.assign(wanted, { lost: true, addFailed: true })
}

type AllPlaced = { readonly places: readonly Place[] } | { readonly error: string }

export function placeAll(set: AddressSet, addresses: readonly FloatingAddress[]): AllPlaced {
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

interface Addition {
  readonly set: AddressSet
  readonly places: readonly Place[]
  readonly lifetimeSeconds: number | undefined
  readonly notAfterMs: Millis
  /** Those that this call may have added: all of them when a child ended in the middle. */
  readonly mine: Set<Place>
  /** Something of this call may be in the kernel. */
  begun: boolean
  late: boolean
}

/** The sentence of what failed, after those that were added are gone again; undefined when all stand. */
async function addPlaces(set: AddressSet, places: readonly Place[], lease: Lease | undefined): Promise<string | undefined> {
  const addition: Addition = {
    set, places, lifetimeSeconds: lease?.validSeconds, notAfterMs: lease?.notAfterMs ?? Infinity, mine: new Set(), begun: false, late: false,
  }
  try {
    const refused = await tellKernel(addition)
    if (refused === undefined) return lease === undefined ? undefined : await removeOtherShapes(addition)
    const left = await removeCopies(set.batch, set.monitor.interfaces(), [...addition.mine]).catch(errorText)
    return left === undefined ? refused : `${refused}; and what had been added could not be removed: ${left}`
  } catch (error) {
    if (!addition.late) {
      await removeCopies(set.batch, set.monitor.interfaces(), places).catch(() => undefined)
      return errorText(error)
    }
    if (!addition.begun) return notAsked(places, 'added')
    return tooLate(places, 'added', await removeAfresh(set.monitor.interfaces(), places).catch(errorText))
  }
}

/** Undefined when all stand with the lifetime of this call; throws when that is not known, or came too late. */
async function tellKernel(addition: Addition): Promise<string | undefined> {
  const { set, places, lifetimeSeconds } = addition
  const commands = places.map((place) => addCommand(place, 'add', lifetimeSeconds))
  let answer = await ask(addition, commands)
  noteAdded(answer, addition)
  if ([...answer.errors.values()].some(isStale)) {
    set.batch.renew()
    answer = await ask(addition, commands)
    noteAdded(answer, addition)
  }
  const standing = places.filter((_place, index) => existsForm.test(answer.errors.get(index) ?? ''))
  const refused = [...answer.errors].flatMap(([index, message]) => (existsForm.test(message) ? [] : [{ place: places[index], message }]))
  const [first] = refused.length > 0 ? refused : await adopt(addition, standing)
  if (first === undefined) return undefined
  const others = refused.length > 1 ? ` (and ${refused.length - 1} more)` : ''
  const { place, message } = first
  return `${place?.ip ?? ''}/${place?.prefixLength ?? ''} cannot be added on ${place?.interface ?? ''}: ${explain(message)}${others}`
}

/** Once more when the child ends in the middle: the kernel then says which of them stand already. */
async function ask(addition: Addition, commands: readonly string[]): Promise<BatchAnswer> {
  const { set, notAfterMs } = addition
  for (let attempt = 0; ; attempt += 1) {
    const told = await set.batch.runBefore(commands, notAfterMs)
    if (told.result === 'not-written') {
      addition.late = true
      throw new Error('not written')
    }
    addition.begun = true
    if (told.result === 'answered') return told.answer
    if (told.result === 'late') {
      addition.late = true
      throw new Error('late')
    }
    for (const place of addition.places) addition.mine.add(place)
    if (attempt > 0) throw new Error(told.message)
  }
}

function noteAdded(answer: BatchAnswer, { places, mine }: Addition): void {
  places.forEach((place, index) => {
    if (!answer.errors.has(index)) mine.add(place)
  })
}

interface Refusal { readonly place: Place | undefined; readonly message: string }

/** Already there in our shape: our lifetimes from now on. One that the kernel has marked as a duplicate is of no use until added anew. */
async function adopt(addition: Addition, standing: readonly Place[]): Promise<readonly Refusal[]> {
  if (standing.length === 0) return []
  const told = addition.set.monitor.interfaces()
  const steps = standing.flatMap((place) => {
    const duplicate = told.get(place.interface)?.addresses.get(tableKeyOf(place))?.duplicate === true
    const lines = duplicate ? [removeCommand(place), addCommand(place, 'add', addition.lifetimeSeconds)] : [addCommand(place, 'change', addition.lifetimeSeconds)]
    return lines.map((line) => ({ place, line }))
  })
  const answer = await ask(addition, steps.map((step) => step.line))
  return [...answer.errors].flatMap(([index, message]) => (absentForm.test(message) ? [] : [{ place: steps[index]?.place, message }]))
}

/** A copy with another prefix length or on another interface has a lifetime of its own, and would outlive ours (field notes 2.A). */
async function removeOtherShapes({ set, places }: Addition): Promise<string | undefined> {
  const copies = otherCopies(set.monitor.interfaces(), places)
  if (copies.length === 0) return undefined
  const answer = await set.batch.run(copies.map(removeCommand)).catch(errorText)
  if (typeof answer === 'string') return `whether ${shownPlaces(copies)}, a copy in another shape, is gone is not known: ${answer}`
  const message = [...answer.errors.values()].find((error) => !absentForm.test(error))
  return message === undefined ? undefined : `${shownPlaces(copies)}, a copy in another shape, cannot be removed: ${explain(message)}`
}

function failed(message: string): Outcome {
  return { result: 'failed', message }
}
