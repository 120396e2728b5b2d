/** Facts of the machine against the configuration: warnings of `hactl check`; some keep the daemon from starting (design.md section 9). */
import type { ClusterConfig, LinkConfig, ResourceConfig } from '../core/config.ts'
import { floatingAddressOf, resourceName } from '../core/stage.ts'
import { parseIp } from './addresses.ts'
import { messageAt } from './findings.ts'
import { protectionFaults, protectionFiles, protectionPrograms } from './machine-protection.ts'
import { didYouMean } from './suggestions.ts'
import type { ConfigResult, Message, Place } from './types.ts'

/** Gathered by runtime/machine-facts.ts. What is absent was not looked for. */
export interface MachineFacts {
  /** What this host calls itself, in small letters: the first line of nodeinfo, else `uname -n`. */
  readonly nodeName: string
  readonly interfaces: readonly string[]
  /** By the script's key, why it cannot be run: what was looked for and where, what to type. A script that is ready is absent. */
  readonly scriptFaults: ReadonlyMap<string, string>
  readonly programs: ReadonlyMap<string, boolean>
  /** By path, why a file or device cannot be opened; one that can be is absent. */
  readonly fileFaults: ReadonlyMap<string, string>
  /** Addresses of each host name; an empty list where it cannot be resolved. */
  readonly hosts: ReadonlyMap<string, readonly string[]>
  /** Why koffi does not load; undefined when it does. */
  readonly nativeCallsFault?: string
}

/** What must be looked for. */
export interface MachineQuestions {
  /** One resource for each script, by the script's key. */
  readonly scripts: ReadonlyMap<string, ResourceConfig>
  /** Names, or absolute paths. */
  readonly programs: readonly string[]
  readonly files: readonly string[]
  readonly hosts: readonly string[]
}

export function machineQuestions(config: ClusterConfig): MachineQuestions {
  const { groups, links, pings } = config
  const resources = groups.flatMap((group) => group.resources.filter(({ address }) => address === undefined))
  const scripts = new Map(resources.map((resource) => [scriptKey(resource), resource]))
  const hosts = [...links.flatMap((link) => (link.kind === 'ucast' && link.address !== undefined ? [link.address] : [])),
    ...(pings?.targets ?? []).flatMap(({ addresses }) => addresses)]
  return {
    scripts,
    programs: ['ip', 'arping', ...(links.some(({ kind }) => kind === 'serial') ? ['stty'] : []), ...([...scripts.keys()].some((script) => script.startsWith('systemd:')) ? ['systemctl'] : []),
      ...protectionPrograms(config)],
    files: [...protectionFiles(config), ...links.flatMap((link) => (link.kind === 'serial' ? [link.interface] : []))],
    hosts: [...new Set(hosts.filter((host) => parseIp(host) === undefined))],
  }
}

/** A script is looked for once, however many resources it has; but that of Heartbeat for OCF agents hangs on its arguments. */
function scriptKey(resource: ResourceConfig): string {
  return resource.script === 'OCF' ? resourceName(resource) : resource.script
}

export interface Judged { readonly message: Message; /** The daemon does not start with it. */ readonly stops: boolean }

/** For `hactl check`: each difference is a warning there. Nothing is said of a configuration with errors. */
export function judgeMachine(result: ConfigResult, facts: MachineFacts): readonly Message[] {
  return result.config === undefined ? [] : judged(result.config, result, facts).map(({ message }) => message)
}

/**
 * What keeps the daemon from starting although the files are right: this host is no node of the pair, no link can be
 * opened, a script or `ip` is missing, what the pair rests on cannot work (machine-protection.ts), or crc is not allowed.
 * One missing interface of several does not: a host that boots with a broken network card still has its other links.
 */
export function startErrors(result: ConfigResult, facts: MachineFacts): readonly Message[] {
  const { config, places } = result
  if (config === undefined) return result.errors
  const stopping = judged(config, result, facts).filter(({ stops }) => stops).map(({ message }) => message)
  const active = config.auth.keys.find(({ index }) => index === config.auth.active)
  if (active?.method !== 'crc' || config.allowCrc) return stopping
  return [...stopping, messageAt(places.auth, 'crc-refused',
    'the active key has the method crc, which anybody can forge. Type hactl keys new and use its file on both nodes, or say allow_crc: ' +
    'true in hactl.yaml.')]
}

function judged(config: ClusterConfig, { places }: ConfigResult, facts: MachineFacts): readonly Judged[] {
  return [
    ...ownName(config, places.nodes, facts),
    ...linkFaults(config.links, places.links, facts),
    ...resourceFaults(config, places.resources, facts),
    ...programFaults(config, places.nodes, facts),
    ...protectionFaults(config, places, facts),
  ]
}

function ownName({ nodes }: ClusterConfig, place: Place, { nodeName }: MachineFacts): readonly Judged[] {
  if (nodes.includes(nodeName)) return []
  const sameHost = nodes.find((node) => node.split('.')[0] === nodeName.split('.')[0])
  const hint = sameHost !== undefined
    ? ` Names are compared whole: write ${nodeName} for ${sameHost} everywhere, on both nodes.`
    : didYouMean(nodeName, nodes) || ` Write ${nodeName} in place of one of them, or set the host name (hostnamectl hostname ` +
      `${nodes[0] ?? 'NAME'}).`
  return [{
    stops: true,
    message: messageAt(place, 'own-name',
      `this host is called ${nodeName} (uname -n, or the first line of /etc/ha.d/nodeinfo) and is neither ${nodes.join(' nor ')}.${hint}`),
  }]
}

function linkFaults(links: readonly LinkConfig[], places: readonly Place[], facts: MachineFacts): readonly Judged[] {
  const { interfaces, hosts } = facts
  const faults = links.flatMap((link, index): readonly Message[] => {
    const place = places[index]
    if (place === undefined) return []
    if (link.kind === 'serial') return serialFaults(link.interface, place, facts)
    const { kind, interface: device, address } = link
    if (!interfaces.includes(device)) {
      return [messageAt(place, 'interface-missing',
        `${kind} ${device}: this host has no interface ` +
        `${device}.${didYouMean(device, interfaces) || ` It has: ${interfaces.join(', ')}.`} The link stays down until there is one.`)]
    }
    const unresolved = address !== undefined && hosts.get(address)?.length === 0
    return unresolved ? [messageAt(place, 'host-unresolved',
      `${kind} ${device} ${address}: this host cannot resolve ${address}. Write the address, or add it to /etc/hosts.`)] : []
  })
  const stops = faults.length >= links.length
  return faults.map((message) => ({ message, stops }))
}

function serialFaults(device: string, place: Place, { fileFaults, programs }: MachineFacts): readonly Message[] {
  const fault = programs.get('stty') === false ? 'the program stty, which sets it up, is not on this host (apt-get install coreutils)' : fileFaults.get(device)
  return fault === undefined ? [] : [messageAt(place, 'serial-missing',
    `serial ${device}: ${fault}. The link stays down until it can be opened. To see the lines of this host: ls /dev/ttyS* /dev/ttyUSB*`)]
}

function resourceFaults({ groups }: ClusterConfig, places: readonly (readonly Place[])[], facts: MachineFacts): readonly Judged[] {
  return groups.flatMap((group, groupIndex) => group.resources.flatMap((resource, index): readonly Judged[] => {
    const place = places[groupIndex]?.[index]
    if (place === undefined) return []
    const floating = resource.address ?? resource.scriptAddress
    if (floating?.interface !== undefined && !facts.interfaces.includes(floating.interface)) {
      return [{ stops: false, message: messageAt(place, 'interface-missing',
        `${floating.ip}: this host has no interface ${floating.interface}, so that group ${group.name} cannot start ` +
        `here.${didYouMean(floating.interface, facts.interfaces)}`) }]
    }
    const fault = resource.address === undefined ? facts.scriptFaults.get(scriptKey(resource)) : undefined
    return fault === undefined ? [] : [{ stops: true, message: messageAt(place, 'script-missing',
      `group ${group.name} cannot start here: ${fault}`) }]
  }))
}

function programFaults({ groups }: ClusterConfig, place: Place, { programs, nativeCallsFault }: MachineFacts): readonly Judged[] {
  const missing = (program: string): boolean => programs.get(program) === false
  const faults: Judged[] = []
  const addresses = groups.some((group) => group.resources.some((resource) => floatingAddressOf(resource) !== undefined))
  if (missing('ip') && addresses) {
    faults.push({ stops: true, message: messageAt(place, 'program-missing',
      'the program ip is not on this host: floating addresses cannot be added. Type: apt-get install iproute2') })
  }
  if (missing('systemctl')) {
    faults.push({ stops: false, message: messageAt(place, 'program-missing',
      'the program systemctl is not on this host: systemd: resources cannot start here.') })
  }
  if (nativeCallsFault === undefined) return faults
  faults.push({ stops: false, message: messageAt(place, 'native-calls-missing',
    `${nativeCallsFault}. Without it arping announces addresses, and links are kept apart by their subnets.` +
    (missing('arping') ? ' arping is not there either, so that IPv4 clients learn of a move only when their caches expire. Type: ' +
      'apt-get install iputils-arping' : '')) })
  return faults
}
