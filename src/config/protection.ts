/** What stands behind a dead, hung or cut-off node, put together from both forms: defaults, and the parts of `ClusterConfig`. */
import type { ClusterConfig, EtcdConfig, NodeName, Timing, WitnessTiming } from '../core/config.ts'
import { defaultWitnessTiming, finalShare } from '../core/lease-arithmetic.ts'
import type { Millis } from '../core/time.ts'
import type { Draft, DraftWitness } from './draft.ts'
import { fencingOf } from './fencing.ts'
import type { Findings } from './findings.ts'
import { pingsOf } from './ping-nodes.ts'
import type { Form } from './resource-words.ts'

export type Protection = Pick<ClusterConfig, 'lease' | 'pauseLimitMs' | 'witness' | 'ping' | 'fencing' | 'watchdog' | 'flapGuard'
  | 'etcd' | 'pings' | 'fenceDevices' | 'watchdogDevice'>

export const defaultPauseLimitMs: Millis = 600_000
export const defaultFlapGuard = { moves: 5, withinMs: 600_000 } as const

export function protectionOf(draft: Draft, nodes: readonly NodeName[], timing: Timing, form: Form): Protection {
  const { lease, pauseLimitMs, witness, watchdog, watchdogTimeoutMs, flapGuard } = draft.protection
  return {
    lease: lease?.value ?? 'auto',
    pauseLimitMs: pauseLimitMs ?? defaultPauseLimitMs,
    ...(witness === undefined ? {} : { witness: witnessTiming(witness.value, timing), etcd: etcdOf(witness.value, nodes) }),
    ...pingsOf(draft, timing, form),
    ...fencingOf(draft),
    watchdog: watchdog !== undefined,
    ...(watchdog === undefined ? {}
      : { watchdogDevice: { path: watchdog.value, timeoutMs: watchdogTimeoutMs?.value ?? defaultWatchdogMs(timing) } }),
    ...(flapGuard === 'off' ? {} : { flapGuard: flapGuard ?? defaultFlapGuard }),
  }
}

export function witnessTiming({ timeoutMs, grantMs, renewMs }: Omit<DraftWitness, 'etcd'>, timing: Timing): WitnessTiming {
  const defaults = defaultWitnessTiming(timing, grantMs?.value)
  return {
    timeoutMs: timeoutMs?.value ?? defaults.timeoutMs, grantMs: defaults.grantMs, renewMs: renewMs?.value ?? defaults.renewMs,
  }
}

function etcdOf({ etcd }: DraftWitness, nodes: readonly NodeName[]): EtcdConfig {
  return { ...etcd, prefix: etcd.prefix ?? defaultPrefix(nodes) }
}

/** The same on both nodes, whatever the order in their files, and another for every pair that shares the etcd cluster. */
export function defaultPrefix(nodes: readonly NodeName[]): string {
  return `/hactl/${[...nodes].sort().map((node) => node.replaceAll('/', '_')).join('+')}`
}

/** systemd starts a daemon that died again after a second: a shorter time would reset the host for it. */
export const shortestWatchdogMs: Millis = 3_000

/**
 * Devices count whole seconds. Heartbeat's own default is deadtime rounded up; the second below it resets a hung host before
 * its peer starts the groups.
 */
export function defaultWatchdogMs({ deadtimeMs }: Timing): Millis {
  return Math.max(shortestWatchdogMs, Math.floor(finalShare * deadtimeMs / 1_000) * 1_000)
}

export function checkWatchdog({ protection: { watchdog, watchdogTimeoutMs } }: Draft, findings: Findings): void {
  if (watchdogTimeoutMs === undefined) return
  const { value, place } = watchdogTimeoutMs
  if (value < 1_000 || value % 1_000 !== 0) {
    findings.error(place, 'value-invalid', 'watchdog.timeout: devices count whole seconds. Write 1s or more.')
  } else if (watchdog === undefined) {
    findings.warning(place, 'option-without-effect', 'watchdog.timeout has no effect: no device is named. Write watchdog /dev/watchdog.')
  }
}
