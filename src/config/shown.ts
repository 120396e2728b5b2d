/** The `config` of `hactl check --json`: as it is understood, without anything secret. */
import type { ClusterConfig, Timing } from '../core/config.ts'
import type { Draft } from './draft.ts'
import type { ShownConfig } from './types.ts'

/** `timing` as written; that of `config` has a warntime that can be reached. */
export function shownOf(config: ClusterConfig, timing: Timing, draft: Draft): ShownConfig {
  return {
    nodes: config.nodes,
    keepaliveMs: timing.keepaliveMs,
    deadtimeMs: timing.deadtimeMs,
    warntimeMs: timing.warntimeMs,
    initdeadMs: timing.initdeadMs,
    udpPort: config.udpPort,
    autoFailback: config.autoFailback,
    links: config.links.map((link) => link.kind === 'serial'
      ? { kind: link.kind, interface: link.interface, address: null, port: null, baud: link.baud }
      : { kind: link.kind, interface: link.interface, address: link.address ?? null, port: link.port }),
    pingNodes: [...new Set((config.pings?.targets ?? []).flatMap(({ addresses }) => addresses))],
    ...shownProtection(config),
    resourceAgents: config.resourceAgents,
    groups: draft.groups.map(({ preferredNode, resources }) => ({
      preferredNode: preferredNode.value,
      resources: resources.map(({ script, args }) => ({ script, args })),
    })),
    auth: { active: draft.auth?.active ?? null, keys: config.auth.keys.map(({ index, method }) => ({ index, method })) },
  }
}

function shownProtection(
  { lease, witness, etcd, ping, pings, fenceDevices, watchdogDevice, flapGuard }: ClusterConfig,
): Pick<ShownConfig, 'lease' | 'witness' | 'ping' | 'fencing' | 'watchdog' | 'flapGuard'> {
  return {
    lease,
    witness: witness === undefined || etcd === undefined ? null : { endpoints: etcd.endpoints, prefix: etcd.prefix, ...witness },
    ping: ping === undefined || pings === undefined ? null : {
      balances: ping.balances, releases: ping.releases, settleMs: ping.settleMs, intervalMs: pings.intervalMs, deadpingMs: pings.deadpingMs,
    },
    fencing: fenceDevices === undefined ? null : Object.fromEntries(Object.entries(fenceDevices).map(([node, levels]) =>
      [node, levels.map((devices) => devices.map(({ agent }) => agent))])),
    watchdog: watchdogDevice === undefined ? null : { device: watchdogDevice.path, timeoutMs: watchdogDevice.timeoutMs },
    flapGuard: flapGuard ?? null,
  }
}
