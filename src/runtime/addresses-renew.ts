/**
 * New lifetimes for floating addresses that stand. The kernel has no "only if it is there": `ip addr change` on an address that is
 * gone adds it (field notes 2.A; neither inet_rtm_newaddr nor inet6_rtm_newaddr asks for NLM_F_CREATE). So a renewal goes to the kernel
 * only while the lifetime that was set before still runs, which rules out that the kernel ends it in between, and only for what the
 * monitor, or a look, shows. What somebody else strips in the moment between is brought back by the renewal, and told as stripped when
 * the monitor's word of it comes (addresses-watch.ts).
 */
import type { FloatingAddress } from '../core/config.ts'
import type { Lease } from '../core/effects.ts'
import { ipKey } from './addresses-bytes.ts'
import { leaseFault, notAsked, tooLate } from './addresses-lease.ts'
import { addCommand, standingAt } from './addresses-place.ts'
import { explain, isStale, removeAfresh } from './addresses-remove.ts'
import { expiryOf, readMachine, type AddressSet, type Wanted } from './addresses-watch.ts'
import { nowMs } from './clock.ts'
import { errorText } from './errors.ts'

export type Renewal =
  | { readonly result: 'renewed' }
  /** These were missing and were not added; the others are renewed. */
  | { readonly result: 'gone'; readonly ips: readonly string[] }
  /** The time for it passed before the kernel's answer: all of them were removed. */
  | { readonly result: 'too-late'; readonly message: string }
  /** Nothing is known to be renewed; what stood before stands, with the lifetime that it had. */
  | { readonly result: 'failed'; readonly message: string }

interface Selection {
  readonly standing: readonly Wanted[]
  readonly gone: readonly string[]
}

export async function renew(set: AddressSet, addresses: readonly FloatingAddress[], lease: Lease): Promise<Renewal> {
  const fault = leaseFault(lease)
  if (fault !== undefined) return { result: 'failed', message: `${addresses[0]?.ip ?? ''}: ${fault}` }
  try {
    for (let attempt = 0; ; attempt += 1) {
      const renewal = await attemptRenewal(set, addresses, lease)
      // Another child, or the same one with a new list of interfaces, may do better; what stands is looked up anew.
      if (renewal !== 'again') return renewal
      if (attempt > 0) return { result: 'failed', message: `${addresses[0]?.ip ?? ''}: ip ended twice before it answered` }
    }
  } catch (error) {
    return { result: 'failed', message: `${addresses[0]?.ip ?? ''}: ${errorText(error)}` }
  }
}

async function attemptRenewal(set: AddressSet, addresses: readonly FloatingAddress[], lease: Lease): Promise<Renewal | 'again'> {
  const { standing, gone } = await select(set, addresses)
  if (standing.length === 0) return gone.length === 0 ? { result: 'renewed' } : { result: 'gone', ips: gone }
  const places = standing.map((wanted) => wanted.place)
  const askedMs = nowMs()
  const told = await set.batch.runBefore(places.map((place) => addCommand(place, 'change', lease.validSeconds)), lease.notAfterMs)
  if (told.result === 'not-written') return { result: 'failed', message: notAsked(places, 'renewed') }
  if (told.result === 'late') return { result: 'too-late', message: tooLate(places, 'renewed', await takeAway(set, standing)) }
  if (told.result === 'broken') {
    // The old lifetime, or the new one: which of both is not known.
    for (const wanted of standing) wanted.expiresMs = Math.min(wanted.expiresMs, expiryOf(askedMs, lease))
    return 'again'
  }
  const { errors } = told.answer
  const answeredMs = nowMs()
  // The answer took so long that the kernel may have ended the old lifetime before: then the renewal has added the address.
  const doubtful = standing.filter((wanted, index) => !errors.has(index) && answeredMs > wanted.expiresMs)
  standing.forEach((wanted, index) => {
    if (!errors.has(index)) wanted.expiresMs = expiryOf(askedMs, lease)
  })
  const left = doubtful.length === 0 ? undefined : await takeAway(set, doubtful)
  const missed = [...gone, ...doubtful.map((wanted) => wanted.place.ip)]
  const judged = errors.size === 0 ? { missing: [], refused: undefined } : await judge(set, standing, errors)
  const message = left ?? judged.refused
  if (message !== undefined) return { result: 'failed', message }
  const ips = [...missed, ...judged.missing]
  return ips.length === 0 ? { result: 'renewed' } : { result: 'gone', ips }
}

/** What is not wanted any more was removed by us, and counts as gone. */
async function select(set: AddressSet, addresses: readonly FloatingAddress[]): Promise<Selection> {
  // What the monitor has told already is heard first, also after this loop stood still.
  await new Promise((resolve) => setImmediate(resolve))
  const standing: Wanted[] = []
  const gone: string[] = []
  const unseen: Wanted[] = []
  for (const address of addresses) {
    const key = ipKey(address.ip)
    // Being put back just now: that sets the lifetime.
    if (set.adding.has(key)) continue
    const wanted = set.wanted.get(key)
    if (wanted === undefined || wanted.taken || nowMs() > wanted.expiresMs) gone.push(address.ip)
    else if (isTold(set, wanted)) standing.push(wanted)
    else unseen.push(wanted)
  }
  if (unseen.length === 0) return { standing, gone }
  // Added a moment ago, adopted in another shape, or the monitor is no more: the kernel is asked.
  const stands = standingAt(await readMachine(set))
  for (const wanted of unseen) {
    const still = isWanted(set, wanted) && nowMs() <= wanted.expiresMs && stands(wanted.place)
    if (still) standing.push(wanted)
    else gone.push(wanted.place.ip)
  }
  // The look took time, in which others of them may have been removed.
  return { standing: standing.filter((wanted) => isWanted(set, wanted)), gone }
}

function isWanted(set: AddressSet, wanted: Wanted): boolean {
  return set.wanted.get(ipKey(wanted.place.ip)) === wanted
}

function isTold(set: AddressSet, wanted: Wanted): boolean {
  if (!set.monitor.following()) return false
  const told = set.monitor.interfaces().get(wanted.place.interface)?.addresses.get(wanted.tableKey)
  return told !== undefined && !told.duplicate
}

/** An interface that is gone takes its addresses along; anything else that the kernel refuses leaves them as they were. */
async function judge(
  set: AddressSet, standing: readonly Wanted[], errors: ReadonlyMap<number, string>,
): Promise<{ readonly missing: readonly string[]; readonly refused: string | undefined }> {
  if ([...errors.values()].some(isStale)) set.batch.renew()
  const stands = standingAt(await readMachine(set))
  const missing: string[] = []
  const refused: string[] = []
  for (const [index, message] of errors) {
    const place = standing[index]?.place
    if (place === undefined) continue
    if (stands(place)) refused.push(`${place.ip}/${place.prefixLength} cannot be renewed on ${place.interface}: ${explain(message)}`)
    else missing.push(place.ip)
  }
  return { missing, refused: refused.length > 1 ? `${refused[0] ?? ''} (and ${refused.length - 1} more)` : refused[0] }
}

/** Our own doing, which the answer tells: the monitor's word of it is no news. What was added anew in the meantime is no more ours to judge. */
async function takeAway(set: AddressSet, standing: readonly Wanted[]): Promise<string | undefined> {
  const current = standing.filter((wanted) => isWanted(set, wanted))
  for (const wanted of current) wanted.taken = true
  return removeAfresh(set.monitor.interfaces(), current.map((wanted) => wanted.place)).catch(errorText)
}
