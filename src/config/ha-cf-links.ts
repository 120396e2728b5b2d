/** The links of ha.cf over IPv4: `bcast`, `mcast`, `ucast` (heartbeat-3.md sections 1.5 and 7.2). The others: ha-cf-other-links.ts. */
import { isHostName, isInterfaceName, isMulticast, isNoHost, parseIp, parseIpv4 } from './addresses.ts'
import type { LinkConfig } from '../core/config.ts'
import { sameLink } from './draft.ts'
import { quoted } from './findings.ts'
import type { Directive, HaCfReading } from './ha-cf.ts'
import { leadingByte, leadingPort } from './ha-cf-values.ts'
import type { Word } from './text-lines.ts'
import type { Place } from './types.ts'

export const linkDirectives: Readonly<Record<string, Directive>> = {
  bcast: { takes: 'words', read: readBroadcast, adds: true },
  udp: {
    takes: 'words',
    adds: true,
    read: (words, place, reading) => {
      reading.findings.warning(place, 'directive-without-effect', 'udp is the old name of bcast and read as that. Write bcast.')
      readBroadcast(words, place, reading)
    },
  },
  mcast: { takes: 'line', read: readMulticast },
  ucast: { takes: 'line', read: readUnicast },
}

export function addLink(link: LinkConfig, place: Place, { draft, findings }: HaCfReading): void {
  if (draft.links.length === 0) draft.linksPlace = place
  const same = draft.links.find(({ value }) => sameLink(value, link))
  if (same === undefined) draft.links.push({ value: link, place })
  else findings.warning(place, 'link-twice',
    `${link.kind} ${link.interface} stands in line ${same.place.line} already; it is used once. Remove one.`)
}

/** heartbeat-3.md section 7.2: udpport stands above the links; each kind keeps the port of its first line. */
export function portOf(kind: string, { draft, portOfKind }: HaCfReading): number {
  const port = portOfKind.get(kind) ?? draft.udpPort
  portOfKind.set(kind, port)
  return port
}

export function isInterface(text: string, directive: string, place: Place, { findings }: HaCfReading): boolean {
  if (isInterfaceName(text)) return true
  const alias = /^([^:]+):/.exec(text)?.[1]
  const hint = alias !== undefined ? ` An alias is an address, no interface: write ${alias}.`
    : text.includes(',') ? ' Words are separated by blanks here.'
      : text.startsWith('//') ? ' // starts no comment; write #.' : ''
  findings.error(place, 'interface-invalid',
    `${directive} ${quoted(text)} is no interface: a name has 1 to 15 characters, without slashes and colons.${hint}`)
  return false
}

function readBroadcast([word]: readonly Word[], place: Place, reading: HaCfReading): void {
  if (word === undefined || !isInterface(word.text, 'bcast', place, reading)) return
  addLink({ kind: 'bcast', interface: word.text, port: portOf('bcast', reading) }, place, reading)
}

function readMulticast(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const { findings } = reading
  const [device, group, port, ttl, loop, ...more] = words
  if (device === undefined || group === undefined || port === undefined || ttl === undefined || loop === undefined) {
    const missingPart = ['interface', 'group', 'port', 'ttl', 'loop'][words.length] ?? ''
    findings.error(place, 'link-invalid',
      `mcast has no ${missingPart}: it takes five words between blanks, as in mcast eth0 225.0.0.1 694 1 0`)
    return
  }
  if (!isInterface(device.text, 'mcast', { ...place, column: device.column }, reading)) return
  const wrong = multicastFault(group, port, ttl, loop)
  if (wrong !== undefined) {
    findings.error({ ...place, column: wrong.word.column }, 'link-invalid',
      `mcast ${device.text}: ${quoted(wrong.word.text)} ${wrong.rule}.`)
    return
  }
  const numbers = multicastNumbers('mcast', { port, ttl, loop }, place, reading)
  if (numbers.ttl === 0) {
    findings.warning({ ...place, column: ttl.column }, 'link-ttl',
      `mcast ${device.text} has ttl 0: packets stay on this host and never reach the peer. Write 1.`)
  }
  ignoreRest('mcast', more, place, reading)
  addLink({ kind: 'mcast', interface: device.text, address: group.text, ...numbers }, place, reading)
}

/** Heartbeat reads numbers by their leading digits and keeps 16 or 8 bits of them. */
export function multicastNumbers(
  directive: 'mcast' | 'mcast6', words: Readonly<Record<'port' | 'ttl' | 'loop', Word>>, place: Place, { findings }: HaCfReading,
): { readonly port: number; readonly ttl: number; readonly loop: boolean } {
  const port = leadingPort(words.port.text)
  const ttl = leadingByte(words.ttl.text)
  const loop = leadingByte(words.loop.text)
  const ttlName = directive === 'mcast' ? 'ttl' : 'number of hops'
  for (const [name, value, { text, column }] of [['port', port, words.port], [ttlName, ttl, words.ttl], ['loop', loop, words.loop]] as const) {
    if (String(value) !== text) findings.warning({ ...place, column }, 'value-ignored',
      `${directive}: the ${name} ${quoted(text)} is read as ${value}, as in Heartbeat. Write ${value}, or what is meant.`)
  }
  return { port, ttl, loop: loop === 1 }
}

function multicastFault(group: Word, port: Word, ttl: Word, loop: Word): { readonly word: Word; readonly rule: string } | undefined {
  const address = parseIpv4(group.text)
  if (address === undefined || !isMulticast(address)) {
    return { word: group, rule: 'is no IPv4 multicast group: it is 224.0.0.0 to 239.255.255.255' }
  }
  if (leadingPort(port.text) === 0) return { word: port, rule: 'is no port: it is 1 to 65535' }
  if (leadingByte(ttl.text) > 4) return { word: ttl, rule: 'is no ttl: it is 0 to 4' }
  return leadingByte(loop.text) <= 1 ? undefined : { word: loop, rule: 'is no loop: it is 0 or 1' }
}

function readUnicast(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const [device, host, ...more] = words
  if (device === undefined || host === undefined) {
    reading.findings.error(place, 'link-invalid', 'ucast needs an interface and the address of a node: ucast eth0 192.0.2.2')
    return
  }
  if (!isInterface(device.text, 'ucast', { ...place, column: device.column }, reading)) return
  if (!isPeerAddress(host.text, { ...place, column: host.column }, reading)) return
  ignoreRest('ucast', more, place, reading)
  addLink({ kind: 'ucast', interface: device.text, address: host.text, port: portOf('ucast', reading) }, place, reading)
}

function isPeerAddress(text: string, place: Place, { findings }: HaCfReading): boolean {
  const ip = parseIp(text)
  if (ip?.family === 'ipv6') {
    findings.error(place, 'link-address', `ucast ${quoted(text)} is an IPv6 address; ucast takes an IPv4 address.`)
    return false
  }
  if (ip !== undefined) {
    if (!isMulticast(ip) && !isNoHost(ip)) return true
    findings.error(place, 'link-address', `ucast ${quoted(text)} is no address of a host.`)
    return false
  }
  if (!isHostName(text)) {
    findings.error(place, 'link-address', `ucast ${quoted(text)} is neither an IPv4 address nor a host name.`)
    return false
  }
  findings.warning(place, 'link-host-name',
    `ucast ${quoted(text)} is a host name: it must be resolved when the daemon starts, perhaps before name service is there. Write the ` +
    `address.`)
  return true
}

export function ignoreRest(directive: string, more: readonly Word[], place: Place, { findings }: HaCfReading): void {
  const [first] = more
  if (first === undefined) return
  findings.warning({ ...place, column: first.column }, 'words-ignored',
    `${quoted(first.text)} and what follows has no effect, as in Heartbeat: ` +
    `${directive.startsWith('ucast') ? `a ${directive} line names one address; write a line for each.` : `${directive} takes five words.`}`)
}
