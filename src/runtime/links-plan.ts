/** Which local addresses a link listens on and where its packets go, from its configuration and the interface's addresses. */
import { isIPv6 } from 'node:net'
import type { LinkConfig, LinkName, NetworkLinkConfig, SerialLinkConfig } from '../core/config.ts'
import { broadcastAddress, inSubnet, ipKey } from './addresses-bytes.ts'
import type { MachineAddress } from './addresses-lines.ts'
import type { Interfaces } from './links-monitor.ts'

export type LinkPlan =
  | { readonly status: 'ready'; readonly family: 'ipv4' | 'ipv6'; readonly paths: readonly Path[]; readonly memberOf?: string }
  | { readonly status: 'unready'; readonly reason: string }

/**
 * One socket. It is bound to the address that its packets are *sent to* (own, broadcast or multicast), so that a packet shows which link
 * brought it even when several links share an interface and a port: a socket bound to any address would hear the others' as well.
 */
export interface Path { readonly bind: string; readonly targets: readonly string[] }

/** One way of packets to the peer, for another socket than the link's own (guard-sockets.ts). */
export type Outlet = NetworkOutlet | SerialOutlet

export interface SerialOutlet { readonly config: SerialLinkConfig; readonly target: string }

export interface NetworkOutlet {
  readonly config: NetworkLinkConfig
  readonly family: 'ipv4' | 'ipv6'
  readonly target: string
  /** ucast: the own address that the peer knows. */
  readonly source?: string
  /** mcast: the own address by which the interface is named. */
  readonly memberOf?: string
}

/** More than these on one interface are floating addresses or a mistake, and each costs a socket and a copy of every packet. */
const mostPaths = 4

/** `bcast eth0`, `mcast eth0 239.0.0.42`, `ucast eth1 192.0.2.2`, `serial /dev/ttyS0`. */
export function linkName(config: LinkConfig): LinkName {
  const address = config.kind === 'serial' ? undefined : config.address
  return [config.kind, config.interface, ...(address === undefined ? [] : [address])].join(' ')
}

/** `selfAddresses`: addresses of this host that other ucast lines of the same interface name; the peer sends to those. */
export function planLink(config: NetworkLinkConfig, interfaces: Interfaces, selfAddresses: readonly string[]): LinkPlan {
  const family = config.address !== undefined && isIPv6(config.address) ? 'ipv6' : 'ipv4'
  const found = interfaces.get(config.interface)
  if (found === undefined) return { status: 'unready', reason: `interface ${config.interface} does not exist` }
  const addresses = [...found.addresses.values()].filter((address) => address.family === family)
  if (addresses.length === 0) {
    return { status: 'unready', reason: `interface ${config.interface} has no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address` }
  }
  // Floating addresses have host prefixes: they come and go, and a link must not follow them.
  const wide = addresses.filter((address) => address.prefixLength < (family === 'ipv4' ? 32 : 128))
  const own = wide.length > 0 ? wide : addresses
  if (config.kind === 'bcast') return planBroadcast(config, wide)
  const address = config.address ?? ''
  if (config.kind === 'mcast') {
    const memberOf = family === 'ipv4' ? own[0]?.ip : `::%${config.interface}`
    const group = needsInterface(address) ? `${address}%${config.interface}` : address
    return { status: 'ready', family, paths: [{ bind: group, targets: [group] }], ...(memberOf === undefined ? {} : { memberOf }) }
  }
  return { status: 'ready', family, paths: planUnicast(config.interface, address, own, addresses, selfAddresses) }
}

export function outletsOf(config: NetworkLinkConfig, plan: LinkPlan): readonly NetworkOutlet[] {
  if (plan.status !== 'ready') return []
  const { family, memberOf, paths } = plan
  return paths.flatMap((path) => path.targets.map((target) => ({
    config, family, target,
    ...(config.kind === 'ucast' ? { source: path.bind } : {}),
    ...(memberOf === undefined ? {} : { memberOf }),
  })))
}

function planBroadcast(config: NetworkLinkConfig, wide: readonly MachineAddress[]): LinkPlan {
  const found = wide.filter(({ prefixLength }) => prefixLength < 31).map((address) => broadcastAddress(address.ip, address.prefixLength))
  const paths = [...new Set(found)].slice(0, mostPaths).map((address) => ({ bind: address, targets: [address] }))
  if (paths.length > 0) return { status: 'ready', family: 'ipv4', paths }
  return { status: 'unready', reason: `interface ${config.interface} has no IPv4 subnet with a broadcast address (prefix length up to 30)` }
}

function planUnicast(
  name: string, peer: string, own: readonly MachineAddress[], all: readonly MachineAddress[], selfAddresses: readonly string[],
): readonly Path[] {
  const named = all.filter((address) => selfAddresses.some((self) => ipKey(self) === ipKey(address.ip)))
  // An IPv6 interface has a link-local address beside the others; the peer sends to the kind that it was told.
  const alike = own.filter((address) => linkLocal(address.ip) === linkLocal(peer))
  const chosen = (named.length > 0 ? named : alike.length > 0 ? alike : own).slice(0, mostPaths)
  const sender = chosen.find((address) => inSubnet(peer, address.ip, address.prefixLength)) ?? chosen[0]
  const scoped = (address: string): string => (linkLocal(address) && !address.includes('%') ? `${address}%${name}` : address)
  return chosen.map((address) => ({ bind: scoped(address.ip), targets: address === sender ? [scoped(peer)] : [] }))
}

function linkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}

/** A multicast group of the link: each interface has its own of that name. */
function needsInterface(group: string): boolean {
  return /^ff[0-9a-f][12]:/i.test(group)
}

/** Without SO_BINDTODEVICE: did the packet come from a neighbour on this interface? Another interface's packets are not this link's. */
export function fromInterface(source: string, config: NetworkLinkConfig, interfaces: Interfaces): boolean {
  if (config.address !== undefined && ipKey(source) === ipKey(config.address)) return true
  if (source.includes('%')) return source.endsWith(`%${config.interface}`)
  const addresses = interfaces.get(config.interface)?.addresses.values() ?? []
  return [...addresses].some((local) => inSubnet(source, local.ip, local.prefixLength))
}
