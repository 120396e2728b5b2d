/** The links of ha.cf that fewer pairs have: serial lines, and IPv6 (heartbeat-3.md sections 1.5 and 7.2). */
import { isMulticast, isNoHost, parseIpv6 } from './addresses.ts'
import { baudRates } from './draft.ts'
import { quoted } from './findings.ts'
import type { Directive, HaCfReading } from './ha-cf.ts'
import { addLink, ignoreRest, isInterface, multicastNumbers, portOf } from './ha-cf-links.ts'
import { leadingByte, leadingPort } from './ha-cf-values.ts'
import type { Word } from './text-lines.ts'
import type { Place } from './types.ts'

export const otherLinkDirectives: Readonly<Record<string, Directive>> = {
  serial: { takes: 'path', read: readSerial, adds: true },
  baud: { takes: 'words', read: readBaud },
  mcast6: { takes: 'line', read: readMulticast6 },
  ucast6: { takes: 'line', read: readUnicast6 },
}

function readSerial([word]: readonly Word[], place: Place, reading: HaCfReading): void {
  if (word === undefined) return
  if (!word.text.startsWith('/')) {
    reading.findings.error(place, 'link-invalid', `serial ${quoted(word.text)}: it is the full path of a device, as in /dev/ttyS0.`)
    return
  }
  addLink({ kind: 'serial', interface: word.text, baud: reading.draft.baud }, place, reading)
}

/** Heartbeat takes it when it meets the first serial line, for all of them. */
function readBaud([word]: readonly Word[], place: Place, { draft, findings, seenOnce }: HaCfReading): void {
  const rate = baudRates.find((known) => String(known) === word?.text)
  const lines = draft.links.filter(({ value }) => value.kind === 'serial')
  if (seenOnce.has('baud')) findings.error(place, 'directive-twice', 'baud stands twice; it may stand once. Remove one.')
  else if (rate === undefined) {
    findings.error(place, 'value-invalid', `baud ${quoted(word?.text ?? '')}: it is one of ${baudRates.join(', ')}, the same on both nodes.`)
  } else if (lines.length > 0 && rate !== draft.baud) {
    findings.warning(place, 'port-order',
      `baud ${rate} stands below ${lines.map(({ value }) => value.interface).join(', ')}, which stays at ${draft.baud} baud, as in ` +
      `Heartbeat. Move it above the serial line, on both nodes.`)
  } else draft.baud = rate
  seenOnce.add('baud')
}

function readMulticast6(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const [device, group, port, hops, loop, ...more] = words
  const { findings } = reading
  if (device === undefined || group === undefined || port === undefined || hops === undefined || loop === undefined) {
    findings.error(place, 'link-invalid', 'mcast6 needs five words, interface, group, port, hops, loop: mcast6 eth0 ff12::694 694 1 0')
    return
  }
  if (!isInterface(device.text, 'mcast6', { ...place, column: device.column }, reading)) return
  const wrong = multicastFault(group, port, hops, loop)
  if (wrong !== undefined) {
    findings.error({ ...place, column: wrong.word.column }, wrong.word === group ? 'link-address' : wrong.word === port ? 'port-invalid' : 'link-invalid',
      `mcast6 ${device.text}: ${quoted(wrong.word.text)} ${wrong.rule}.`)
    return
  }
  const numbers = multicastNumbers('mcast6', { port, ttl: hops, loop }, place, reading)
  if (numbers.ttl === 0) findings.warning({ ...place, column: hops.column }, 'link-ttl',
    `mcast6 ${device.text} has 0 hops: packets stay on this host and never reach the peer. Write 1.`)
  ignoreRest('mcast6', more, place, reading)
  addLink({ kind: 'mcast', interface: device.text, address: group.text, ...numbers }, place, reading)
}

function multicastFault(group: Word, port: Word, hops: Word, loop: Word): { readonly word: Word; readonly rule: string } | undefined {
  const address = parseIpv6(group.text)
  if (address === undefined || !isMulticast(address)) return { word: group, rule: 'is no IPv6 multicast group: it starts with ff' }
  if (leadingPort(port.text) === 0) return { word: port, rule: 'is no port: it is 1 to 65535' }
  if (leadingByte(hops.text) > 4) return { word: hops, rule: 'is no number of hops: it is 0 to 4' }
  return leadingByte(loop.text) <= 1 ? undefined : { word: loop, rule: 'is no loop: it is 0 or 1' }
}

function readUnicast6(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const [device, host, ...more] = words
  if (device === undefined || host === undefined) {
    reading.findings.error(place, 'link-invalid', 'ucast6 needs an interface and the IPv6 address of a node: ucast6 eth0 2001:db8::2')
    return
  }
  if (!isInterface(device.text, 'ucast6', { ...place, column: device.column }, reading)) return
  const address = unscoped(host.text, device.text)
  if (address === undefined) {
    reading.findings.error({ ...place, column: host.column }, 'link-address', `ucast6 ${quoted(host.text)} is no IPv6 address of a node.`)
    return
  }
  ignoreRest('ucast6', more, place, reading)
  addLink({ kind: 'ucast', interface: device.text, address, port: portOf('ucast6', reading) }, place, reading)
}

/** A scope may name the interface once more. */
function unscoped(text: string, device: string): string | undefined {
  const [bare = '', scope, ...more] = text.split('%')
  const address = parseIpv6(bare)
  if (address === undefined || more.length > 0 || (scope !== undefined && scope !== device)) return undefined
  return isMulticast(address) || isNoHost(address) || address.text === '::1' ? undefined : bare
}
