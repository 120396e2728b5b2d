/** The links of hactl.yaml: each names its kind and its interface or device, and what that kind needs. */
import type { LinkConfig } from '../core/config.ts'
import { type IpAddress, isHostName, isInterfaceName, isMulticast, isNoHost, parseIp } from './addresses.ts'
import { baudRates, defaultBaud, type Draft, sameLink } from './draft.ts'
import { type Findings, quoted } from './findings.ts'
import type { Place } from './types.ts'
import type { YamlFile } from './yaml-document.ts'
import { reportIssues } from './yaml-issues.ts'
import { linkSchema, type LinkYaml } from './yaml-schema.ts'

interface Reading { readonly file: YamlFile; readonly draft: Draft; readonly findings: Findings }

export function readLink(given: unknown, index: number, { file, draft, findings }: Reading): void {
  const place = file.placeOf(['links', index])
  const parsed = linkSchema.safeParse(given)
  if (!parsed.success) {
    reportIssues(file, ['links', index], parsed.error.issues, findings)
    draft.unread.add('links')
    return
  }
  const value = linkOf(parsed.data, draft.udpPort, place, findings)
  if (value === undefined) {
    draft.unread.add('links')
    return
  }
  const same = draft.links.find(({ value: link }) => sameLink(link, value))
  if (same === undefined) draft.links.push({ value, place })
  else findings.warning(place, 'link-twice',
    `${value.kind} ${value.interface} stands in line ${same.place.line} already; it is used once. Remove one.`)
}

const networkKinds = ['bcast', 'mcast', 'ucast'] as const
type NetworkKind = typeof networkKinds[number]

function linkOf(yaml: LinkYaml, udpPort: number, place: Place, findings: Findings): LinkConfig | undefined {
  const kinds = ([...networkKinds, 'serial'] as const).filter((kind) => yaml[kind] !== undefined)
  const [kind] = kinds
  const device = kind === undefined ? undefined : yaml[kind]
  if (kind === undefined || device === undefined || kinds.length > 1) {
    findings.error(place, 'link-invalid',
      `a link has exactly one of bcast, mcast and ucast, which names its interface, or serial, which names its device: {bcast: eth0}, ` +
      `{ucast: eth0, address: 192.0.2.2}, {mcast: eth0, address: 225.0.0.1}, {serial: /dev/ttyS0}`)
    return undefined
  }
  if (kind === 'serial') return serialOf(device, yaml, place, findings)
  if (!isInterfaceName(device)) {
    findings.error(place, 'interface-invalid',
      `${kind} ${quoted(device)} is no interface: a name has 1 to 15 characters, without blanks, slashes and colons.`)
    return undefined
  }
  const fault = linkFault(kind, yaml)
  if (fault !== undefined) {
    findings.error(place, 'link-address', fault)
    return undefined
  }
  if (kind === 'ucast' && parseIp(yaml.address ?? '') === undefined) {
    findings.warning(place, 'link-host-name',
      `ucast ${quoted(yaml.address ?? '')} is a host name: it must be resolved when the daemon starts, perhaps before name service is ` +
      `there. Write the address.`)
  }
  if (kind === 'mcast' && yaml.ttl === 0) findings.warning(place, 'link-ttl',
    `mcast ${device} has ttl 0: packets stay on this host and never reach the peer. Write 1.`)
  return {
    kind, interface: device,
    ...(yaml.address === undefined ? {} : { address: yaml.address }),
    port: yaml.port ?? udpPort,
    ...(kind === 'mcast' ? { ttl: yaml.ttl ?? 1, loop: yaml.loop ?? false } : {}),
  }
}

function serialOf(device: string, { baud, address, port, ttl, loop }: LinkYaml, place: Place, findings: Findings): LinkConfig | undefined {
  const others = Object.entries({ address, port, ttl, loop }).filter(([, value]) => value !== undefined).map(([key]) => key)
  const fault = !device.startsWith('/') ? `serial ${quoted(device)}: it is the full path of a device, as in /dev/ttyS0.`
    : others.length > 0 ? `serial ${quoted(device)} has ${others.join(', ')}; a serial line has nothing but baud. Remove it.`
      : baud !== undefined && !baudRates.includes(baud) ? `baud ${baud}: it is one of ${baudRates.join(', ')}, the same on both nodes.` : undefined
  if (fault === undefined) return { kind: 'serial', interface: device, baud: baud ?? defaultBaud }
  findings.error(place, 'link-invalid', fault)
  return undefined
}

function linkFault(kind: NetworkKind, { address, ttl, loop, baud }: LinkYaml): string | undefined {
  if (kind !== 'mcast' && (ttl !== undefined || loop !== undefined)) return `${kind} has ttl or loop, which only mcast takes.`
  if (baud !== undefined) return `${kind} has baud, which only serial takes.`
  if (kind === 'bcast') return address === undefined ? undefined : 'bcast has an address; it takes that of its interface. Remove it.'
  if (address === undefined) return `${kind} has no address: ` +
    `${kind === 'mcast' ? 'the multicast group, as in address: 225.0.0.1' : 'that of the peer, as in address: 192.0.2.2'}`
  const ip = parseIp(address)
  if (kind === 'mcast') return ip !== undefined && isMulticast(ip) ? undefined : `mcast ${quoted(address)} is no multicast group: ` +
    `it is 224.0.0.0 to 239.255.255.255, or starts with ff.`
  if (ip === undefined) return isHostName(address) ? undefined : `ucast ${quoted(address)} is neither an address nor a host name.`
  return isMulticast(ip) || isNoHost(ip) || isOwnLoop(ip) ? `ucast ${quoted(address)} is no address of a host.` : undefined
}

function isOwnLoop({ text }: IpAddress): boolean {
  return text === '::1'
}
