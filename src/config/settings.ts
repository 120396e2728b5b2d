/** What YAML alone can say: for all resources, for one by its name, for one group. */
import type { AutoFailback, GroupConfig, ResourceConfig, StatusPolicy } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import type { DraftGroup, DraftResource, Placed, ResourceSettings } from './draft.ts'
import { type Findings, quoted } from './findings.ts'
import { didYouMean } from './suggestions.ts'
import type { Place } from './types.ts'

export interface GroupSettings extends ResourceSettings { readonly autoFailback?: AutoFailback | undefined }

export interface Settings {
  readonly allowCrc: boolean
  /** `resource_agents: original`, and where it says so. */
  readonly originalAgents?: Place
  readonly failureMemoryMs: number
  readonly notify: readonly (readonly string[])[]
  readonly defaults: ResourceSettings
  /** By script (`apache2`) or whole (`drbddisk::r0`). */
  readonly resources: ReadonlyMap<string, Placed<ResourceSettings>>
  /** By group name; only beside classic files. */
  readonly groups: ReadonlyMap<string, Placed<GroupSettings>>
  readonly autoFailback?: Placed<AutoFailback>
}

export const noSettings: Settings = {
  allowCrc: false, failureMemoryMs: 600_000, notify: [], defaults: {}, resources: new Map(), groups: new Map(),
}

/** design.md section 7. */
export const defaultTimeoutMs = 60_000
export const defaultStatus: StatusPolicy = { intervalMs: 2_000, timeoutMs: 10_000, fall: 2, rise: 1 }

/** Scripts of Heartbeat that do something once and have no status worth asking: they are never asked unless YAML says so. */
export const withoutStatus: readonly string[] = ['AudibleAlarm', 'Delay', 'MailTo', 'SendArp', 'WinPopup', 'portblock']

export function resolveResource(
  resource: DraftResource, group: DraftGroup, groupName: string, settings: Settings, findings: Findings,
): ResourceConfig {
  const whole = resourceName(resource)
  // The first that says it counts: the resource, its entry by whole name, by script, its group, the file.
  const layers = [
    resource.settings, settings.resources.get(whole)?.value, settings.resources.get(resource.script)?.value,
    group.settings, settings.groups.get(groupName)?.value, settings.defaults,
  ]
  const said = <K extends keyof ResourceSettings>(key: K): ResourceSettings[K] => layers.find((layer) => layer?.[key] !== undefined)?.[key]
  const warm = said('warm') ?? false
  if (warm && resource.address !== undefined) {
    findings.error(resource.place, 'warm-address',
      `${whole} cannot be warm: a floating address on both nodes is the very thing that must not be. Remove warm.`)
  }
  const original = settings.originalAgents !== undefined
  if (original) checkOriginal(resource, whole, findings)
  const status = resource.address === undefined || original ? statusOf(resource.script, layers) : undefined
  const parameters = said('parameters')
  return {
    script: resource.script,
    args: resource.args,
    ...(resource.address === undefined ? {} : { [original ? 'scriptAddress' : 'address']: resource.address }),
    warm: warm && resource.address === undefined,
    startTimeoutMs: said('startTimeoutMs') ?? defaultTimeoutMs,
    stopTimeoutMs: said('stopTimeoutMs') ?? defaultTimeoutMs,
    ...(status === undefined ? {} : { status }),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

/** With `resource_agents: original` the words reach Heartbeat's script as they are, and must mean to it what they mean here. */
function checkOriginal({ script, address, readOtherwise, place }: DraftResource, whole: string, findings: Findings): void {
  if (address === undefined) return
  if (script === 'IPaddr' && address.family === 'ipv6') {
    findings.error(place, 'address-family',
      `${whole}: with resource_agents: original, Heartbeat's IPaddr has to serve the IPv6 address ${address.ip}, which it cannot. Write ` +
      `IPv6addr::${whole.replace(/^IPaddr::/, '')}`)
  } else if (readOtherwise === true) {
    findings.error(place, 'address-read-otherwise',
      `${whole}: with resource_agents: original, Heartbeat's ${script} reads this by itself, and otherwise than it is meant. Write it as the ` +
      `warning says.`)
  }
}

/** Layer by layer, so that a resource may set its interval and take the rest from its group. */
function statusOf(script: string, layers: readonly (ResourceSettings | undefined)[]): StatusPolicy | undefined {
  const said = layers.map((layer) => layer?.status).filter((status) => status !== undefined)
  if (said[0] === false || (said.length === 0 && withoutStatus.includes(script))) return undefined
  const end = said.indexOf(false)
  return (end < 0 ? said : said.slice(0, end)).reduceRight<StatusPolicy>((below, layer) => ({ ...below, ...layer }), defaultStatus)
}

export function checkNames(groups: readonly GroupConfig[], { resources, groups: options }: Settings, findings: Findings): void {
  const scripts = groups.flatMap((group) => group.resources.flatMap((resource) => [resource.script, resourceName(resource)]))
  const names = groups.map(({ name }) => name)
  checkKnown(resources, scripts, 'resource-unknown', 'no group has a resource', findings)
  checkKnown(options, names, 'group-unknown', 'there is no group', findings)
}

function checkKnown(
  named: ReadonlyMap<string, { readonly place: Place }>, known: readonly string[], code: 'resource-unknown' | 'group-unknown',
    what: string, findings: Findings,
): void {
  const all = new Set(known)
  for (const [name, { place }] of named) {
    if (all.has(name)) continue
    const hint = didYouMean(name, [...all]) || ` Known are: ${[...all].slice(0, 8).join(', ') || 'none'}.`
    findings.error(place, code, `${what} called ${quoted(name)}.${hint}`)
  }
}
