/** Where a floating address belongs on this machine, and the commands of `ip` that put it there and take it away. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import type { FloatingAddress } from '../core/config.ts'
import { inSubnet, ipBytes, ipKey } from './addresses-bytes.ts'
import type { MachineAddress } from './addresses-lines.ts'
import type { Interfaces } from './links-monitor.ts'

/** A floating address with everything that was missing filled in. */
export interface Place {
  readonly ip: string
  readonly family: 'ipv4' | 'ipv6'
  readonly prefixLength: number
  readonly interface: string
  readonly label?: string
  readonly broadcast?: string
}

export type Placed = { readonly place: Place } | { readonly error: string }

/** Of the kernel, with its closing zero. */
const longestName = 15
/** Nothing that the batch reader takes for a comment, a quote or an option. */
const nameForm = /^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$/
const labelForm = /^[A-Za-z0-9_.+@-]+$/

/**
 * `isFloating`: addresses that come and go themselves, whose subnets are no support for another. Where the interface already has the
 * address's subnet, the host prefix is used (design.md section 6): the loss of one address then takes no other one with it.
 */
export function placeAddress(address: FloatingAddress, interfaces: Interfaces, isFloating: (ip: string) => boolean): Placed {
  const bad = badWord(address)
  if (bad !== undefined) return { error: bad }
  const { ip, family, interface: wanted } = address
  const full = family === 'ipv4' ? 32 : 128
  const usual = family === 'ipv4' ? 24 : 64
  if (wanted !== undefined && interfaces.size > 0 && !interfaces.has(wanted)) {
    return { error: `${ip}: interface ${wanted} does not exist on this machine; it has ${[...interfaces.keys()].join(', ')}` }
  }
  const support = supportingSubnet(address, interfaces, isFloating)
  const name = wanted ?? support?.interface
  if (name === undefined) {
    return { error: `no interface has a subnet containing ${ip}: ` +
      `write ${ip}/${usual}/eth0 (prefix length and interface) in the configuration` }
  }
  if (address.label !== undefined && `${name}:${address.label}`.length > longestName) {
    return { error: `${ip}: the label ${name}:${address.label} is longer than the ${longestName} characters that the kernel allows` }
  }
  if (support === undefined && address.prefixLength === undefined) {
    return { error: `interface ${name} has no subnet containing ${ip}: write ${ip}/${usual}/${name} with the prefix length of its network` }
  }
  // A configured network that is wider than the interface's own needs its own route: as configured then.
  const covered = support !== undefined && (address.prefixLength === undefined || support.prefixLength <= address.prefixLength)
  const prefixLength = covered ? full : (address.prefixLength ?? full)
  return {
    place: {
      ip, family, prefixLength, interface: name,
      ...(address.label === undefined || family === 'ipv6' ? {} : { label: `${name}:${address.label}` }),
      ...(address.broadcast === undefined ? {} : { broadcast: address.broadcast }),
    },
  }
}

/** The most specific subnet that contains the address, on its own interface if it names one; a running interface goes before others. */
function supportingSubnet(
  address: FloatingAddress, interfaces: Interfaces, isFloating: (ip: string) => boolean,
): MachineAddress | undefined {
  let best: MachineAddress | undefined
  let bestUp = false
  const full = address.family === 'ipv4' ? 32 : 128
  for (const found of interfaces.values()) {
    if (address.interface === undefined ? found.name === 'lo' : found.name !== address.interface) continue
    for (const candidate of found.addresses.values()) {
      if (candidate.family !== address.family || candidate.prefixLength >= full || isFloating(candidate.ip)) continue
      if (!inSubnet(address.ip, candidate.ip, candidate.prefixLength)) continue
      const better = best === undefined || (found.up && !bestUp) || (found.up === bestUp && candidate.prefixLength > best.prefixLength)
      if (better) [best, bestUp] = [candidate, found.up]
    }
  }
  return best
}

/** A word that could end the `ip` child, or mean something else to it, never gets there. */
function badWord(address: FloatingAddress): string | undefined {
  const { ip, family, prefixLength, label, broadcast } = address
  const shown = JSON.stringify(ip)
  if (family === 'ipv4' && !isIPv4(ip)) return `${shown} is not an IPv4 address`
  if (family === 'ipv6' && (!isIPv6(ip) || ip.includes('%'))) return `${shown} is not an IPv6 address`
  const full = family === 'ipv4' ? 32 : 128
  if (prefixLength !== undefined && !(Number.isInteger(prefixLength) && prefixLength >= 1 && prefixLength <= full)) {
    return `${ip}: the prefix length ${String(prefixLength)} is not a whole number from 1 to ${full}`
  }
  const name = address.interface
  if (name !== undefined && !(nameForm.test(name) && name.length <= longestName)) {
    return `${ip}: ${JSON.stringify(name)} cannot be an interface name`
  }
  if (label !== undefined && !labelForm.test(label)) return `${ip}: ${JSON.stringify(label)} cannot be a label; use letters and digits`
  if (broadcast !== undefined && !(family === 'ipv4' && isIPv4(broadcast))) {
    return `${ip}: the broadcast address ${JSON.stringify(broadcast)} is not an IPv4 address`
  }
  return undefined
}

/**
 * `valid_lft` in seconds, or for ever. IPv6: without duplicate address detection, which costs one to two seconds (field notes 2.A); a /128
 * is deprecated from the start, so that it does not become the source of the host's own connections.
 */
export function addCommand(place: Place, verb: 'add' | 'change', lifetimeSeconds?: number): string {
  const { ip, family, prefixLength, label, broadcast } = place
  const words = ['addr', verb, `${ip}/${prefixLength}`]
  if (broadcast !== undefined) words.push('broadcast', broadcast)
  else if (family === 'ipv4' && prefixLength < 31) words.push('broadcast', '+')
  words.push('dev', place.interface)
  if (label !== undefined) words.push('label', label)
  const valid = lifetimeSeconds === undefined ? 'forever' : String(lifetimeSeconds)
  const deprecated = family === 'ipv6' && prefixLength === 128
  words.push('valid_lft', valid, 'preferred_lft', deprecated ? '0' : valid)
  if (family === 'ipv6') words.push('nodad')
  return words.join(' ')
}

/** In the shape that we gave it: another prefix length is another address, save that IPv6 keeps one of them on an interface. */
export function isAt(found: MachineAddress, place: Place): boolean {
  return found.interface === place.interface && (place.family === 'ipv6' || found.prefixLength === place.prefixLength)
    && ipKey(found.ip) === ipKey(place.ip)
}

/** Does one stand at this place that the kernel answers for? */
export function standingAt(found: Iterable<MachineAddress>): (place: Place) => boolean {
  const byKey = new Map<string, MachineAddress[]>()
  for (const address of found) {
    if (address.duplicate) continue
    const key = ipKey(address.ip)
    byKey.set(key, [...(byKey.get(key) ?? []), address])
  }
  return (place) => byKey.get(ipKey(place.ip))?.some((address) => isAt(address, place)) === true
}

/** The key under which the monitor keeps it: the kernel's own spelling. */
export function tableKeyOf({ ip, family, prefixLength }: Place): string {
  return `${family === 'ipv4' ? ip : new SocketAddress({ address: ip, family }).address}/${prefixLength}`
}

/** Only from what the kernel itself printed, or from a place. */
export function removeCommand(address: Pick<MachineAddress, 'ip' | 'prefixLength' | 'interface'>): string {
  return `addr del ${address.ip}/${address.prefixLength} dev ${address.interface}`
}

/** Copies of these addresses, with whatever prefix length and on whatever interface. */
export function copiesOf(ips: ReadonlySet<string>, found: Iterable<MachineAddress>): MachineAddress[] {
  return [...found].filter((address) => ips.has(ipKey(address.ip)) && ipBytes(address.ip) !== undefined && nameForm.test(address.interface))
}
