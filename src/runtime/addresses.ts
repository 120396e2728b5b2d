/**
 * Floating addresses in the kernel: added and removed through one persistent `ip` child, and watched. What should be there and is not was
 * stripped by somebody else (a network daemon, an administrator), which is told at once; the core decides what to do about it.
 */
import type { FloatingAddress } from '../core/config.ts'
import type { Outcome } from '../core/events.ts'
import type { Lease } from '../core/effects.ts'
import { add, placeAll } from './addresses-add.ts'
import { openBatch } from './addresses-batch.ts'
import { ipKey } from './addresses-bytes.ts'
import { addCommand, copiesOf, placeAddress, removeCommand, type Place } from './addresses-place.ts'
import { removeCopies } from './addresses-remove.ts'
import { renew, type Renewal } from './addresses-renew.ts'
import { heed, look, readMachine, retryFailed, type AddressEvents, type AddressSet } from './addresses-watch.ts'
import { errorText } from './errors.ts'
import { openMonitor, type InterfaceChange } from './links-monitor.ts'

export type { AddressEvents } from './addresses-watch.ts'
export type { Renewal } from './addresses-renew.ts'

export interface Addresses {
  /**
   * All or none: after a failure those that this call added are gone again. Addresses that are there already are adopted.
   * `cancelled`: they were removed while they were being added. With a lease the kernel removes each after its time unless it is renewed,
   * and copies in another shape, which nobody would renew, are removed; when its `notAfterMs` passes before the kernel's answer, the
   * outcome is `failed` and none of the addresses stands. Without one: for ever.
   */
  add(addresses: readonly FloatingAddress[], lease?: Lease): Promise<Outcome>
  /** New lifetimes for those that stand; never adds one. */
  renew(addresses: readonly FloatingAddress[], lease: Lease): Promise<Renewal>
  /** Those that should stand now, by `ipKey`. Each add makes another entry. */
  wanted(): ReadonlyMap<string, { readonly place: Place }>
  /** Every copy of each address, with any prefix length, on any interface; `ok` only after a look that they are gone. */
  remove(addresses: readonly FloatingAddress[]): Promise<Outcome>
  /** For each: does it stand on this machine, in whatever shape? Rejects when the kernel cannot be asked. */
  observe(addresses: readonly FloatingAddress[]): Promise<readonly boolean[]>
  /** Goes the way of `add` up to the writing of the first word: what is called first in an emergency is slow. */
  rehearse(addresses: readonly FloatingAddress[]): void
  /** What `ip -batch` is to be told to take them away: every copy that is known, and the place where each would be put. */
  removals(addresses: readonly FloatingAddress[]): readonly string[]
  /** Where the address stands or would be put; undefined when no interface fits. */
  interfaceOf(address: FloatingAddress): string | undefined
  close(): Promise<void>
}

const lookMs = 5_000

/** Rejects when `ip` is not there or cannot talk to the kernel. */
export async function openAddresses(events: AddressEvents): Promise<Addresses> {
  const wake: { call?: (change: InterfaceChange) => void } = {}
  const monitor = await openMonitor((change) => wake.call?.(change))
  const batch = openBatch((reason) => {
    if (wake.call === undefined) return
    events.onRestarted(reason)
    look(set)
  }, (pid, lives) => events.onProgram?.(pid, lives))
  const set: AddressSet = { batch, monitor, events, wanted: new Map(), adding: new Set(), looking: false, lookAgain: false, closed: false }
  try {
    await readMachine(set)
  } catch (error) {
    set.closed = true
    monitor.close()
    await batch.close()
    throw new Error(`floating addresses cannot be managed: ${errorText(error)}`, { cause: error })
  }
  wake.call = (change) => heed(set, change)
  const timer = setInterval(() => retryFailed(set), lookMs)
  return {
    add: (addresses, lease) => add(set, addresses, lease),
    renew: (addresses, lease) => renew(set, addresses, lease),
    wanted: () => set.wanted,
    remove: (addresses) => remove(set, addresses),
    rehearse(addresses) {
      const placed = placeAll(set, addresses)
      if ('places' in placed && placed.places.map((place) => addCommand(place, 'add')).length > 0) void batch.run([]).catch(() => undefined)
    },
    async observe(addresses) {
      const found = new Set((await readMachine(set)).filter((address) => !address.duplicate).map((address) => ipKey(address.ip)))
      return addresses.map((address) => found.has(ipKey(address.ip)))
    },
    removals: (addresses) => removals(set, addresses),
    interfaceOf: (address) => interfaceOf(set, address),
    async close() {
      set.closed = true
      clearInterval(timer)
      monitor.close()
      await batch.close()
    },
  }
}

async function remove(set: AddressSet, addresses: readonly FloatingAddress[]): Promise<Outcome> {
  for (const address of addresses) set.wanted.delete(ipKey(address.ip))
  try {
    const left = await removeCopies(set.batch, set.monitor.interfaces(), addresses)
    return left === undefined ? { result: 'ok' } : failed(left)
  } catch (error) {
    return failed(`${addresses[0]?.ip ?? ''}: it is not known whether the addresses are gone: ${errorText(error)}`)
  }
}

function removals(set: AddressSet, addresses: readonly FloatingAddress[]): readonly string[] {
  const interfaces = set.monitor.interfaces()
  const isFloating = (ip: string): boolean => set.wanted.has(ipKey(ip)) || addresses.some((address) => ipKey(address.ip) === ipKey(ip))
  const places = addresses.flatMap((address) => {
    const wanted = set.wanted.get(ipKey(address.ip))
    if (wanted !== undefined) return [wanted.place]
    const placed = placeAddress(address, interfaces, isFloating)
    return 'place' in placed ? [placed.place] : []
  })
  const known = [...interfaces.values()].flatMap((found) => [...found.addresses.values()])
  const copies = copiesOf(new Set(addresses.map((address) => ipKey(address.ip))), known)
  return [...new Set([...places, ...copies].map(removeCommand))]
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
