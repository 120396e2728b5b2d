/** Writes what stands behind a dead node as YAML. What could be a password is not written: its device then names a file for it. */
import type { ClusterConfig, FenceDevice, FenceLevel, NodeName } from '../core/config.ts'
import { timeText } from './durations.ts'
import { defaultFence, hasSecret, isSecretParameter } from './fencing.ts'
import { defaultDeadpingMs, defaultPingIntervalMs, defaultSettleMs, isSingle } from './ping-nodes.ts'
import { defaultFlapGuard, defaultPauseLimitMs, defaultPrefix, defaultWatchdogMs, witnessTiming } from './protection.ts'

/** What a person must put where, since it is not printed. */
export interface SecretFile {
  readonly path: string
  /** Of which node, by which agent. */
  readonly target: NodeName
  readonly agent: string
  /** `words`: one line of values in the plugin's order (stonith -F). Else lines of name=value, with these names. */
  readonly form: 'words' | readonly string[]
}

type Yaml = Readonly<Record<string, unknown>>

/** `authFile` is absolute: files for passwords are named beside it. */
export function protectionYaml(config: ClusterConfig, authFile: string): Yaml {
  const { lease, pauseLimitMs, flapGuard } = config
  return {
    ...(lease === 'auto' ? {} : { lease: lease === 'off' ? 'off' : `${lease.seconds}s` }),
    ...(pauseLimitMs === defaultPauseLimitMs ? {} : { pause_limit: timeText(pauseLimitMs) }),
    ...witnessYaml(config), ...pingYaml(config), ...fenceYaml(config, authFile), ...watchdogYaml(config),
    ...(flapGuard === undefined ? { flap_guard: 'off' }
      : flapGuard.moves === defaultFlapGuard.moves && flapGuard.withinMs === defaultFlapGuard.withinMs ? {}
        : { flap_guard: { moves: String(flapGuard.moves), within: timeText(flapGuard.withinMs) } }),
  }
}

function unless<T>(isDefault: boolean, key: string, value: T): Yaml {
  return isDefault ? {} : { [key]: value }
}

function witnessYaml({ witness, etcd, timing, nodes }: ClusterConfig): Yaml {
  if (witness === undefined || etcd === undefined) return {}
  const defaults = witnessTiming({}, timing)
  const renewDefault = witnessTiming({ grantMs: { value: witness.grantMs, place: { file: '', line: 1, column: 1 } } }, timing).renewMs
  return {
    witness: {
      etcd: {
        endpoints: etcd.endpoints,
        ...unless(etcd.prefix === defaultPrefix(nodes), 'prefix', etcd.prefix),
        ...unless(etcd.caFile === undefined, 'ca', etcd.caFile),
        ...unless(etcd.certificateFile === undefined, 'cert', etcd.certificateFile),
        ...unless(etcd.keyFile === undefined, 'key', etcd.keyFile),
        ...(etcd.user === undefined ? {} : { user: etcd.user.name, password_file: etcd.user.passwordFile }),
      },
      ...unless(witness.timeoutMs === defaults.timeoutMs, 'timeout', timeText(witness.timeoutMs)),
      ...unless(witness.grantMs === defaults.grantMs, 'grant', timeText(witness.grantMs)),
      ...unless(witness.renewMs === renewDefault, 'renew', timeText(witness.renewMs)),
    },
  }
}

function pingYaml({ ping, pings, timing }: ClusterConfig): Yaml {
  if (ping === undefined || pings === undefined) return {}
  const nodes = pings.targets.filter(isSingle).map(({ name }) => name)
  const groups = pings.targets.filter((target) => !isSingle(target)).map(({ name, addresses }) => [name, addresses] as const)
  const more = {
    ...unless(groups.length === 0, 'groups', Object.fromEntries(groups)),
    ...unless(pings.intervalMs === defaultPingIntervalMs(pings.deadpingMs), 'interval', timeText(pings.intervalMs)),
    ...unless(pings.deadpingMs === defaultDeadpingMs(timing), 'deadping', timeText(pings.deadpingMs)),
    ...unless(ping.balances, 'balance', 'off'),
    ...unless(!ping.releases, 'release', 'on'),
    ...unless(ping.settleMs === defaultSettleMs(timing, pings.intervalMs), 'settle', timeText(ping.settleMs)),
  }
  return { ping: Object.keys(more).length === 0 ? nodes : { ...unless(nodes.length === 0, 'nodes', nodes), ...more } }
}

function watchdogYaml({ watchdogDevice, timing }: ClusterConfig): Yaml {
  if (watchdogDevice === undefined) return {}
  const { path, timeoutMs } = watchdogDevice
  return { watchdog: timeoutMs === defaultWatchdogMs(timing) ? path : { device: path, timeout: timeText(timeoutMs) } }
}

function fenceYaml({ fencing, fenceDevices, nodes }: ClusterConfig, authFile: string): Yaml {
  if (fencing === undefined || fenceDevices === undefined) return {}
  const ofTarget = (target: NodeName, levels: readonly (readonly FenceDevice[])[]): unknown => levels.map((devices, index) => {
    const written = devices.map((device, position) => deviceYaml(device, secretPath(authFile, target, index, position), nodes, {
      level: fencing.levels[target]?.[index], delayMs: index === 0 && position === 0 ? fencing.delaysMs[target] ?? 0 : 0,
    }))
    return written.length === 1 ? written[0] : written
  })
  return { fence: Object.fromEntries(Object.entries(fenceDevices).map(([target, levels]) => [target, ofTarget(target, levels)])) }
}

function deviceYaml(
  device: FenceDevice, path: string, nodes: readonly NodeName[],
  { level, delayMs }: { readonly level: FenceLevel | undefined; readonly delayMs: number },
): Yaml {
  const { kind, agent, parameters, words, parameterFile } = device
  const secret = hasSecret(device, nodes)
  // stonith takes either words or named parameters or a file; a fence agent takes the rest by name.
  const shown = Object.fromEntries(Object.entries(parameters).filter(([name]) => !secret || (kind === 'fence-agent' && !isSecretParameter(name))))
  const file = parameterFile ?? (secret ? path : undefined)
  const { timeoutMs, retries } = level ?? defaultFence
  return {
    [kind === 'stonith' ? 'stonith' : 'agent']: agent,
    ...unless(Object.keys(shown).length === 0, 'parameters', shown),
    ...unless(words === undefined || secret, 'words', words),
    ...unless(file === undefined, 'parameters_file', file),
    ...unless(timeoutMs === defaultFence.timeoutMs, 'timeout', timeText(timeoutMs)),
    ...unless(retries === defaultFence.retries, 'retries', String(retries)),
    ...unless(delayMs === 0, 'delay', timeText(delayMs)),
  }
}

function secretPath(authFile: string, target: NodeName, level: number, position: number): string {
  const directory = authFile.slice(0, authFile.lastIndexOf('/') + 1)
  return `${directory}fence-${target.replaceAll('/', '_')}-${level + 1}${position === 0 ? '' : `-${position + 1}`}`
}

/** The files that `protectionYaml` names in place of what it does not print. */
export function secretFilesOf({ fenceDevices, nodes }: ClusterConfig, authFile: string): readonly SecretFile[] {
  return Object.entries(fenceDevices ?? {}).flatMap(([target, levels]) => levels.flatMap((devices, index) =>
    devices.flatMap((device, position): readonly SecretFile[] => {
      if (!hasSecret(device, nodes)) return []
      const names = Object.keys(device.parameters).filter(isSecretParameter)
      return [{
        path: device.parameterFile ?? secretPath(authFile, target, index, position), target, agent: device.agent,
        form: device.kind === 'stonith' ? 'words' : names,
      }]
    })))
}
