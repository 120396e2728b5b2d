/** The real Heartbeat 3.0.6 on a host of the lab, at the other end of a link. */
import { existsSync } from 'node:fs'
import type { Host } from './hosts.ts'

export const heartbeatProgram = ['/usr/libexec/heartbeat/heartbeat', '/usr/lib/heartbeat/heartbeat'].find((path) => existsSync(path))

/** What it needs and this machine lacks. It changes its user, so that an ordinary user cannot run it. */
export function lacksHeartbeat(): readonly string[] {
  return [...(heartbeatProgram === undefined ? ['heartbeat'] : []), ...(process.getuid?.() === 0 ? [] : ['root'])]
}

/** With the haresources and authkeys that are there; its log is /var/log/ha-log. */
export async function startHeartbeat(host: Host, peer: string, links: readonly string[]): Promise<void> {
  host.write('/etc/ha.d/ha.cf', `${['logfile /var/log/ha-log', 'logfacility none', 'keepalive 500ms', 'deadtime 5', 'warntime 3', 'initdead 10', ...links,
    'auto_failback on', `node ${host.name}`, `node ${peer}`].join('\n')}\n`)
  await prepareHeartbeat(host)
  await host.start('heartbeat', [heartbeatProgram ?? ''])
}

/** What its package does at boot; and nothing that it may want to do to a host shall reach this machine. */
export async function prepareHeartbeat(host: Host): Promise<void> {
  await host.must(`mkdir -p /run/heartbeat/ccm /run/heartbeat/crm /run/heartbeat/dopd /run/resource-agents
    chown -R hacluster:haclient /run/heartbeat; chmod 750 /run/heartbeat /run/heartbeat/*; mount --bind /dev/null /proc/sysrq-trigger 2>/dev/null || true`)
}
