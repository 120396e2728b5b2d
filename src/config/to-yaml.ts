/** Writes a configuration as the YAML that reads back to it. Keys stay in their file. */
import { stringify } from 'yaml'
import type { AutoFailback, GroupConfig, LinkConfig, ResourceConfig, StatusPolicy } from '../core/config.ts'
import { timeText } from './durations.ts'
import type { ConfigResult } from './types.ts'

/** One block mapping that ends in a newline; undefined for a configuration with errors. `result.authFile` must be absolute. */
export function toYaml({ config, shown, unused, authFile }: ConfigResult): string | undefined {
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
    ...(config.pingNodes.length > 0 ? { ping: config.pingNodes } : {}),
    // Groups without resources are in `shown` only.
    groups: shown.groups.map(({ preferredNode, resources }) => (resources.length === 0 ? { preferred_node: preferredNode, resources: [] } : groups.shift())),
    auth: { file: authFile ?? '' },
    ...(config.allowCrc ? { allow_crc: 'true' } : {}),
    failure_memory: timeText(config.failureMemoryMs),
    ...(config.notify.length > 0 ? { notify: config.notify } : {}),
    ...(config.logFile === undefined ? {} : { logfile: config.logFile }),
    ...(config.debugLevel > 0 ? { debug: String(config.debugLevel) } : {}),
    ...(Object.keys(config.environment).length > 0 ? { env: config.environment } : {}),
    ...unused,
  }
  return stringify(value, { schema: 'failsafe', lineWidth: 0, aliasDuplicateObjects: false })
}

function failbackOf(policy: AutoFailback): unknown {
  if (policy === 'on' || policy === 'off') return policy
  return 'at' in policy ? { at: policy.at } : { after: timeText(policy.afterMs) }
}

function linkOf({ kind, interface: device, address, port, ttl, loop }: LinkConfig, udpPort: number): Readonly<Record<string, string>> {
  return {
    [kind]: device,
    ...(address === undefined ? {} : { address }),
    ...(port === udpPort ? {} : { port: String(port) }),
    ...(ttl === undefined ? {} : { ttl: String(ttl) }),
    ...(loop === undefined ? {} : { loop: String(loop) }),
  }
}

function groupOf({ name, preferredNode, resources, autoFailback }: GroupConfig): unknown {
  return {
    name,
    preferred_node: preferredNode,
    ...(autoFailback === undefined ? {} : { auto_failback: failbackOf(autoFailback) }),
    resources: resources.map(resourceOf),
  }
}

/** Every time is written out: the file then says what happens, whatever the defaults are. */
function resourceOf({ script, args, address, warm, startTimeoutMs, stopTimeoutMs, status, parameters }: ResourceConfig): unknown {
  return {
    script,
    ...(args.length > 0 ? { args } : {}),
    ...(warm ? { warm: 'true' } : {}),
    ...(address === undefined || startTimeoutMs !== 60_000 ? { start_timeout: timeText(startTimeoutMs) } : {}),
    ...(address === undefined || stopTimeoutMs !== 60_000 ? { stop_timeout: timeText(stopTimeoutMs) } : {}),
    ...(address === undefined ? { status: statusOf(status) } : {}),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

function statusOf(status: StatusPolicy | undefined): unknown {
  if (status === undefined) return 'off'
  return { interval: timeText(status.intervalMs), timeout: timeText(status.timeoutMs), fall: String(status.fall), rise: String(status.rise) }
}
