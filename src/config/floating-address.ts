/**
 * The argument of IPaddr, IPaddr2 and IPv6addr, and the bare address of haresources (heartbeat-3.md section 6.2):
 * `ip[/mask[/interface[:label]][/broadcast]]`, the mask as a prefix length or as a dotted netmask.
 */
import type { FloatingAddress } from '../core/config.ts'
import { type IpAddress, isInterfaceName, isMulticast, isNoHost, parseIp, prefixOfNetmask } from './addresses.ts'
import { quoted } from './findings.ts'

export type ParsedAddress =
  /** `notes`: what was understood though Heartbeat would not. */
  | { readonly ok: true; readonly address: FloatingAddress; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string }

/** An interface label holds 15 characters, its interface and the colon with it. */
const longestLabel = 15

export function parseFloatingAddress(text: string): ParsedAddress {
  const [ipText = '', ...rest] = text.split('/')
  const ip = parseIp(ipText)
  if (ip === undefined) return { ok: false, reason: notAnAddress(ipText) }
  if (isMulticast(ip)) return { ok: false, reason: `${ip.text} is a multicast group; a host cannot hold it as its address.` }
  if (isNoHost(ip)) return { ok: false, reason: `${ip.text} is no address that a host can hold.` }
  while (rest.at(-1) === '') rest.pop()
  return withParts({ ip: ip.text, family: ip.family }, rest, [], text)
}

function notAnAddress(text: string): string {
  const trimmed = /^(\d{1,3}(?:\.\d{1,3}){3})\D/.exec(text)?.[1]
  if (trimmed !== undefined && parseIp(trimmed) !== undefined) {
    return `${quoted(text)} is no IP address; write ${trimmed} and remove ${quoted(text.slice(trimmed.length))}, or set a blank ` +
      `between them.`
  }
  return `${quoted(text)} is no IP address: IPv4 is four numbers from 0 to 255 without leading zeros, IPv6 hexadecimal words between ` +
    `colons.`
}

function withParts(address: FloatingAddress, parts: readonly string[], notes: readonly string[], whole: string): ParsedAddress {
  const [first, ...others] = parts
  if (first === undefined) return { ok: true, address, notes }
  if (address.prefixLength === undefined && address.interface === undefined) {
    const prefix = prefixLength(first, address.family)
    if (prefix.ok) return withParts({ ...address, prefixLength: prefix.value }, others, notes, whole)
    if (first === '') return withParts(address, others, notes, whole)
    if (isLabelled(first) && /^[A-Za-z]/.test(first)) {
      const note = `Heartbeat reads ${quoted(first)} as a mask; it is taken as the interface. Write ${address.ip}/MASK/${first}.`
      return withInterface(address, first, others, [...notes, note], whole)
    }
    return prefix
  }
  if (first === '' && address.interface === undefined) return withParts(address, others, notes, whole)
  if (/^\d/.test(first) && address.broadcast === undefined) return withBroadcast(address, first, others, notes, whole)
  if (address.interface === undefined && address.broadcast !== undefined) {
    const note = `Heartbeat ignores ${quoted(first)}, which stands behind the broadcast address; it is taken as the interface. Write ` +
      `${address.ip}/MASK/${first}/${address.broadcast}.`
    return withInterface(address, first, others, [...notes, note], whole)
  }
  if (address.interface === undefined) return withInterface(address, first, others, notes, whole)
  return { ok: false, reason: `${quoted(first)} is one part too many: an address is written IP/MASK/INTERFACE/BROADCAST.` }
}

function prefixLength(text: string, family: FloatingAddress['family']): { ok: true; value: number } | { ok: false; reason: string } {
  const most = family === 'ipv4' ? 32 : 128
  if (/^\d{1,3}$/.test(text)) {
    const value = Number(text)
    if (value >= 1 && value <= most) return { ok: true, value }
    return { ok: false, reason: `the mask ${quoted(text)} is out of range: an ${familyName(family)} prefix is 1 to ${most} bits.` }
  }
  const netmask = family === 'ipv4' ? prefixOfNetmask(text) : undefined
  if (netmask !== undefined && netmask > 0) return { ok: true, value: netmask }
  return {
    ok: false,
    reason: `the mask ${quoted(text)} is neither a number of bits (24) nor ` +
      `${family === 'ipv4' ? 'a contiguous netmask (255.255.255.0)' : 'anything IPv6 knows'}.`,
  }
}

function isLabelled(text: string): boolean {
  return isInterfaceName(text.split(':')[0] ?? '')
}

function withInterface(
  address: FloatingAddress, text: string, others: readonly string[], notes: readonly string[], whole: string,
): ParsedAddress {
  const [name = '', label, ...more] = text.split(':')
  if (!isInterfaceName(name) || more.length > 0) {
    return {
      ok: false,
      reason: `${quoted(text)} is no interface: a name has 1 to 15 characters, and one colon may set a label apart (eth0:1).`,
    }
  }
  if (label === undefined || label === '') return withParts({ ...address, interface: name }, others, notes, whole)
  if (text.length > longestLabel) {
    return { ok: false, reason: `the label ${quoted(text)} has ${text.length} characters; the kernel takes at most ${longestLabel}.` }
  }
  if (address.family === 'ipv6') {
    const note = `the label ${quoted(label)} is left out: the kernel has labels for IPv4 addresses only.`
    return withParts({ ...address, interface: name }, others, [...notes, note], whole)
  }
  return withParts({ ...address, interface: name, label }, others, notes, whole)
}

function withBroadcast(
  address: FloatingAddress, text: string, others: readonly string[], notes: readonly string[], whole: string,
): ParsedAddress {
  const broadcast: IpAddress | undefined = parseIp(text)
  if (address.family === 'ipv6') {
    return { ok: false, reason: `${quoted(text)} stands where an interface may stand: IPv6 has no broadcast address.` }
  }
  if (broadcast?.family !== 'ipv4') return { ok: false, reason: `${quoted(text)} is neither an interface nor a broadcast address.` }
  return withParts({ ...address, broadcast: broadcast.text }, others, notes, whole)
}

function familyName(family: FloatingAddress['family']): string {
  return family === 'ipv4' ? 'IPv4' : 'IPv6'
}
