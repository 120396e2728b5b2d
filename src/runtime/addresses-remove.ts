/** Taking addresses away until a look shows that they are gone, even when the persistent `ip` child is no more. */
import { ipKey } from './addresses-bytes.ts'
import { runOnce, type Batch, type BatchAnswer } from './addresses-batch.ts'
import { parseAddressLine, type MachineAddress } from './addresses-lines.ts'
import { copiesOf, isAt, removeCommand, type Place } from './addresses-place.ts'
import { nowMs } from './clock.ts'
import type { Interfaces } from './links-monitor.ts'
import type { Millis } from '../core/time.ts'

export const showAll = 'addr show'
const removalRounds = 3
/** Ten times the slowest answer that was seen on a host with four times more to do than it could (field notes 2.A). */
const patienceMs: Millis = 300
const patiencePerCommandMs: Millis = 2

export function addressesIn(answer: BatchAnswer): MachineAddress[] {
  return answer.output.flatMap((line) => parseAddressLine(line) ?? [])
}

/** A child that ended in the middle has done an unknown part: only for commands that may be given twice. */
export async function runTwice(batch: Batch, commands: readonly string[]): Promise<BatchAnswer> {
  try {
    return await batch.run(commands)
  } catch {
    return batch.run(commands)
  }
}

/**
 * Every copy of each address: one with another prefix length is an address of its own, and keeps answering. Undefined once none is left,
 * else a sentence; rejects when the kernel could not be asked. What the monitor has told is removed before the first look.
 */
export function removeCopies(batch: Batch, interfaces: Interfaces, addresses: readonly { readonly ip: string }[]): Promise<string | undefined> {
  const keys = new Set(addresses.map((address) => ipKey(address.ip)))
  return removeAll(keys, copiesOf(keys, [...interfaces.values()].flatMap((found) => [...found.addresses.values()])), async (commands) => {
    const answer = await runForRemoval(batch, commands)
    if ([...answer.errors.values()].some(isStale)) batch.renew()
    return answer
  })
}

/**
 * The same by an `ip` of its own each time, because the persistent child was too late just now. The monitor may not have told yet what
 * that child added, so that the places themselves are removed before the first look.
 */
export function removeAfresh(interfaces: Interfaces, places: readonly Place[]): Promise<string | undefined> {
  const keys = new Set(places.map((place) => ipKey(place.ip)))
  return removeAll(keys, [...places, ...otherCopies(interfaces, places)], runOnce)
}

/** As last told: the same addresses on another interface, or with another prefix length. IPv6 keeps one prefix length on an interface. */
export function otherCopies(interfaces: Interfaces, places: readonly Place[]): readonly MachineAddress[] {
  const byKey = new Map(places.map((place) => [ipKey(place.ip), place]))
  return copiesOf(new Set(byKey.keys()), [...interfaces.values()].flatMap((found) => [...found.addresses.values()])).filter((copy) => {
    const place = byKey.get(ipKey(copy.ip))
    return place === undefined || !isAt(copy, place)
  })
}

type Run = (commands: readonly string[]) => Promise<BatchAnswer>
type Copy = Pick<MachineAddress, 'ip' | 'prefixLength' | 'interface'>

async function removeAll(keys: ReadonlySet<string>, told: readonly Copy[], run: Run): Promise<string | undefined> {
  if (keys.size === 0) return undefined
  let copies = told
  let message = 'it came back'
  for (let round = 0; round < removalRounds; round += 1) {
    const answer = await run([...copies.map(removeCommand), showAll])
    const errors = [...answer.errors.values()]
    message = errors.find((error) => !/not found|Cannot assign/.test(error)) ?? errors[0] ?? message
    copies = copiesOf(keys, addressesIn(answer))
    if (copies.length === 0) return undefined
  }
  const [first] = copies
  const more = copies.length > 1 ? ` (and ${copies.length - 1} more)` : ''
  return `${first?.ip ?? ''}/${first?.prefixLength ?? ''} is still on ${first?.interface ?? ''}${more}: ${explain(message)}`
}

/** A removal that waits for a child that hangs would outlast what is left of authority: the child is killed soon, and another one asked. */
async function runForRemoval(batch: Batch, commands: readonly string[]): Promise<BatchAnswer> {
  const told = await batch.runBefore(commands, nowMs() + patienceMs + commands.length * patiencePerCommandMs)
  if (told.result === 'answered') return told.answer
  try {
    return await batch.run(commands)
  } catch {
    // An `ip` of its own does it when the persistent child cannot even be started again.
    return runOnce(commands)
  }
}

/** The child's cache of interface names, or the interface itself, is out of date. */
export function isStale(message: string): boolean {
  return /Device not found|No such device|Cannot find device/.test(message)
}

export function explain(message: string): string {
  if (/not permitted/.test(message)) return 'not permitted; run the daemon as root or with CAP_NET_ADMIN'
  return message.replace(/^(RTNETLINK answers|Error): /, '').trim()
}
