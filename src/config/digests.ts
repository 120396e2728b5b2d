/** Short digests of the parts of a configuration that should be the same on both nodes (design.md section 8). */
import type { ClusterConfig, CoreConfig } from '../core/config.ts'

/** For telling that two configurations differ, not for security: a peer is authenticated by its packets. */
export function digestsOf(
  config: Omit<CoreConfig, 'digests' | 'failureMemoryMs'> & Pick<ClusterConfig, 'etcd' | 'resourceAgents'>,
): Readonly<Record<string, string>> {
  const { groups, timing, autoFailback } = config
  const shapes = groups.map((group) => [
    group.name, group.preferredNode,
    group.resources.map(({ script, args, warm, parameters }) => [script, args, warm, Object.entries(parameters ?? {}).sort(byName)]),
  ])
  return {
    groups: digest(shapes),
    timing: digest([timing.keepaliveMs, timing.warntimeMs, timing.deadtimeMs, timing.initdeadMs]),
    failback: digest([autoFailback, groups.flatMap((group) => (group.autoFailback === undefined ? [] : [[group.name, group.autoFailback]]))]),
    protection: digest(protectionShape(config)),
  }
}

/** Two nodes that differ here rest on different promises. Devices, endpoints and key files may be each node's own. */
function protectionShape(
  { lease, pauseLimitMs, witness, etcd, ping, fencing, flapGuard, resourceAgents }: Pick<CoreConfig, 'lease' | 'pauseLimitMs' | 'witness' | 'ping' | 'fencing'
    | 'flapGuard'> & Pick<ClusterConfig, 'etcd' | 'resourceAgents'>,
): unknown {
  return [
    lease, pauseLimitMs,
    witness === undefined ? null : [etcd?.prefix, witness.timeoutMs, witness.grantMs, witness.renewMs],
    ping === undefined ? null : [[...ping.names].sort(), ping.balances, ping.releases, ping.settleMs],
    fencing === undefined ? null : Object.keys(fencing.levels).sort(),
    flapGuard === undefined ? null : [flapGuard.moves, flapGuard.withinMs],
    ...(resourceAgents === 'original' ? [resourceAgents] : []),
  ]
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Two 32-bit FNV-1a sums over the UTF-16 units, the second with another start: 16 hexadecimal digits. */
function digest(value: unknown): string {
  const text = JSON.stringify(value)
  return fnv(text, 0x811c9dc5) + fnv(text, 0x9747b28c)
}

function fnv(text: string, start: number): string {
  let sum = start
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    sum = Math.imul(sum ^ (unit & 255), 0x01000193)
    sum = Math.imul(sum ^ (unit >> 8), 0x01000193)
  }
  return (sum >>> 0).toString(16).padStart(8, '0')
}
