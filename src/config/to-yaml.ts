/** Writes a configuration as the YAML that reads back to it. Keys and passwords stay in their files. */
import { stringify } from 'yaml'
import type { AutoFailback, ClusterConfig, GroupConfig, LinkConfig, ResourceConfig } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import { defaultBaud } from './draft.ts'
import { timeText } from './durations.ts'
import { collectFindings } from './findings.ts'
import { resourceOfWord } from './resource-words.ts'
import { defaultStatus, defaultTimeoutMs, noSettings, withoutStatus } from './settings.ts'
import { protectionYaml } from './to-yaml-protection.ts'
import type { ConfigResult } from './types.ts'

/** One block mapping that ends in a newline; undefined for a configuration with errors. `result.authFile` must be absolute. */
export function toYaml({ config, shown, authFile }: ConfigResult): string | undefined {
  if (config === undefined || shown === undefined) return undefined
  const groups = config.groups.map(groupOf)
  const value = {
    nodes: config.nodes,
    keepalive: timeText(config.timing.keepaliveMs),
    warntime: timeText(shown.warntimeMs),
    deadtime: timeText(config.timing.deadtimeMs),
    initdead: timeText(config.timing.initdeadMs),
    udpport: String(config.udpPort),
    auto_failback: failbackOf(config.autoFailback),
    links: config.links.map((link) => linkOf(link, config.udpPort)),
    // Groups without resources are in `shown` only.
    groups: shown.groups.map(({ preferredNode, resources }) => (resources.length === 0 ? { preferred_node: preferredNode, resources: [] }
      : groups.shift())),
    auth: { file: authFile ?? '' },
    ...(config.allowCrc ? { allow_crc: 'true' } : {}),
    ...(config.failureMemoryMs === noSettings.failureMemoryMs ? {} : { failure_memory: timeText(config.failureMemoryMs) }),
    ...(config.notify.length > 0 ? { notify: config.notify } : {}),
    ...(config.logFile === undefined ? {} : { logfile: config.logFile }),
    ...scriptLogOf(config),
    ...(config.resourceAgents === 'original' ? { resource_agents: 'original' } : {}),
    ...(config.debugLevel > 0 ? { debug: String(config.debugLevel) } : {}),
    ...(Object.keys(config.environment).length > 0 ? { env: config.environment } : {}),
    ...protectionYaml(config, authFile ?? ''),
  }
  return stringify(value, { schema: 'failsafe', lineWidth: 0, aliasDuplicateObjects: false })
}

function scriptLogOf({ scriptLog }: ClusterConfig): Readonly<Record<string, string>> {
  if (scriptLog === undefined) return {}
  const { debugFile, facility, logd } = scriptLog
  return {
    ...(debugFile === undefined ? {} : { debugfile: debugFile }),
    ...(facility === undefined ? {} : { logfacility: facility }),
    ...(logd || (debugFile === undefined && facility === undefined) ? { use_logd: String(logd) } : {}),
  }
}

function failbackOf(policy: AutoFailback): unknown {
  if (policy === 'on' || policy === 'off') return policy
  return 'at' in policy ? { at: policy.at } : { after: timeText(policy.afterMs) }
}

function linkOf(link: LinkConfig, udpPort: number): Readonly<Record<string, string>> {
  if (link.kind === 'serial') return { serial: link.interface, ...(link.baud === defaultBaud ? {} : { baud: String(link.baud) }) }
  const { kind, interface: device, address, port, ttl, loop } = link
  return {
    [kind]: device,
    ...(address === undefined ? {} : { address }),
    ...(port === udpPort ? {} : { port: String(port) }),
    ...(ttl === undefined ? {} : { ttl: String(ttl) }),
    ...(loop === undefined ? {} : { loop: String(loop) }),
  }
}

function groupOf({ name, preferredNode, resources, key, autoFailback }: GroupConfig): unknown {
  return {
    name,
    preferred_node: preferredNode,
    ...(autoFailback === undefined ? {} : { auto_failback: failbackOf(autoFailback) }),
    resources: resources.map((resource, index) => resourceOf(resource, index === 0 ? key : undefined)),
  }
}

/** One word where that says it all, else a mapping of what differs from the defaults. `written`: the word that it was. */
function resourceOf(resource: ResourceConfig, written: string | undefined): unknown {
  const { script, args, warm, startTimeoutMs, stopTimeoutMs, parameters } = resource
  const options = {
    ...(warm ? { warm: 'true' } : {}),
    ...(startTimeoutMs === defaultTimeoutMs ? {} : { start_timeout: timeText(startTimeoutMs) }),
    ...(stopTimeoutMs === defaultTimeoutMs ? {} : { stop_timeout: timeText(stopTimeoutMs) }),
    ...statusOf(resource),
    ...(parameters === undefined ? {} : { parameters }),
  }
  const word = written !== undefined && isOneWord(written, resource) ? written : resourceName(resource)
  if (!isOneWord(word, resource)) return { script, ...(args.length > 0 ? { args } : {}), ...options }
  return Object.keys(options).length === 0 ? word : { resource: word, ...options }
}

function isOneWord(word: string, { script, args }: ResourceConfig): boolean {
  if (/\s/.test(word)) return false
  const read = resourceOfWord(word, 'yaml', { file: '', line: 1, column: 1 }, collectFindings())
  return read.script === script && read.args.length === args.length && read.args.every((arg, index) => arg === args[index])
}

function statusOf({ script, address, status }: ResourceConfig): Readonly<Record<string, unknown>> {
  if (address !== undefined) return {}
  if (status === undefined) return withoutStatus.includes(script) ? {} : { status: 'off' }
  const { intervalMs, timeoutMs, fall, rise } = status
  const isDefault = intervalMs === defaultStatus.intervalMs && timeoutMs === defaultStatus.timeoutMs && fall === defaultStatus.fall
    && rise === defaultStatus.rise
  if (isDefault && !withoutStatus.includes(script)) return {}
  return { status: { interval: timeText(intervalMs), timeout: timeText(timeoutMs), fall: String(fall), rise: String(rise) } }
}
