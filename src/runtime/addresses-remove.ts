/** Taking addresses away until a look shows that they are gone, even when the persistent `ip` child is no more. */
import { ipKey } from './addresses-bytes.ts'
import { runOnce, type Batch, type BatchAnswer } from './addresses-batch.ts'
import { parseAddressLine, type MachineAddress } from './addresses-lines.ts'
import { copiesOf, removeCommand } from './addresses-place.ts'
import type { Interfaces } from './links-monitor.ts'

export const showAll = 'addr show'
const removalRounds = 3

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
export async function removeCopies(
  batch: Batch, interfaces: Interfaces, addresses: readonly { readonly ip: string }[],
): Promise<string | undefined> {
  const keys = new Set(addresses.map((address) => ipKey(address.ip)))
  if (keys.size === 0) return undefined
  let copies = copiesOf(keys, [...interfaces.values()].flatMap((found) => [...found.addresses.values()]))
  let message = 'it came back'
  for (let round = 0; round < removalRounds; round += 1) {
    const answer = await runForRemoval(batch, [...copies.map(removeCommand), showAll])
    const errors = [...answer.errors.values()]
    message = errors.find((error) => !/not found|Cannot assign/.test(error)) ?? errors[0] ?? message
    if (errors.some(isStale)) batch.renew()
    copies = copiesOf(keys, addressesIn(answer))
    if (copies.length === 0) return undefined
  }
  const [first] = copies
  const more = copies.length > 1 ? ` (and ${copies.length - 1} more)` : ''
  return `${first?.ip ?? ''}/${first?.prefixLength ?? ''} is still on ${first?.interface ?? ''}${more}: ${explain(message)}`
}

/** A fresh `ip` of its own does it when the persistent child cannot even be started again. */
async function runForRemoval(batch: Batch, commands: readonly string[]): Promise<BatchAnswer> {
  try {
    return await runTwice(batch, commands)
  } catch {
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
