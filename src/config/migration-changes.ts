/** `hactl migrate --check`: what is done otherwise from then on, and what a pair of one hactl and one Heartbeat does not promise. */
import type { ClusterConfig } from '../core/config.ts'
import { configuredLeaseSeconds } from '../core/lease-arithmetic.ts'
import type { Migration, MigrationFacts, MigrationFinding } from './migration.ts'
import { secondsText, told } from './migration-words.ts'
import type { ConfigResult } from './types.ts'

export function changesByMigration({ config, result, facts }: Migration): readonly MigrationFinding[] {
  return [...legacyMode(result), ...otherScripts(facts), ...addresses(config), times(config), told('changes', 'note', 'tools-differ',
    'hb_standby, hb_takeover, cl_status and the pipe /var/lib/heartbeat/fifo speak to Heartbeat and answer nothing on a host that runs hactl. In scripts and ' +
    'cron: hactl standby --once, hactl takeover, hactl status --json. hactl names install gives the commands their names back, once the package of ' +
    'Heartbeat is gone')]
}

/** The daemon's own reading of it is a warning of `hactl check`; here it counts what the Heartbeats do. */
function legacyMode({ warnings }: ConfigResult): readonly MigrationFinding[] {
  const said = warnings.find(({ code }) => code === 'failback-missing' || code === 'failback-legacy')
  if (said === undefined) return []
  const { file, line, column } = said
  const why = said.code === 'failback-missing' ? 'there is no auto_failback, which is legacy to Heartbeat' : 'this is legacy to Heartbeat'
  return [{ ...told('changes', 'warning', 'failback-legacy-mode',
    `${why}: it has no standby then, and a host that starts always gets the groups that prefer it. hactl does as that one does beside it, and as with auto_failback on when both are ours. Leave the line as it is ` +
    'until both hosts run hactl; then write on or off'), place: { file, line, column } }]
}

function otherScripts({ otherScripts: scripts }: MigrationFacts): readonly MigrationFinding[] {
  return [...scripts].map(([script, { heartbeat, hactl }]) => told('changes', 'warning', 'script-other',
    `${script}: Heartbeat runs ${heartbeat}, hactl its own ${hactl}. Compare what they do. To keep the old one: mkdir -p /etc/hactl/resource.d; ln -s ${heartbeat} /etc/hactl/resource.d/${script}`))
}

function addresses(config: ClusterConfig): readonly MigrationFinding[] {
  const own = config.groups.flatMap(({ resources }) => resources.flatMap(({ address }) => (address === undefined ? [] : [address.ip])))
  if (own.length === 0) return []
  const seconds = configuredLeaseSeconds(config.timing, config.lease)
  const lease = seconds === undefined ? [] : [told('changes', 'note', 'address-lease',
    `addresses have a lifetime in the kernel (valid_lft, at most ${seconds} s), which hactl renews: a daemon that hangs loses them`)]
  return [told('changes', 'note', 'address-own',
    `${own.length === 1 ? own[0] ?? '' : `${own.length} addresses`}: hactl serves addresses itself, without IPaddr and IPaddr2 (resource_agents: original in hactl.yaml leaves ` +
    'them to those). ip address shows them with /32 (IPv6: /128) where the interface has their network already'), ...lease]
}

function times({ timing, pings, watchdogDevice }: ClusterConfig): MigrationFinding {
  const { keepaliveMs, warntimeMs, deadtimeMs, initdeadMs } = timing
  const deadping = pings === undefined ? [] : [`a ping node is silent after ${secondsText(pings.deadpingMs)} (deadping; Heartbeat: deadtime where it is not written)`]
  const watchdog = watchdogDevice === undefined ? [] : [`the watchdog resets after ${secondsText(watchdogDevice.timeoutMs)} (Heartbeat: deadtime in whole seconds, rounded up)`]
  return told('changes', 'note', 'times', [
    `the times are those of Heartbeat: keepalive ${secondsText(keepaliveMs)}, late after ${secondsText(warntimeMs)}, dead after ${secondsText(deadtimeMs)} (and at once, where Heartbeat ` +
    `looks four times a second), at start after ${secondsText(initdeadMs)}`, ...deadping, ...watchdog].join('; '))
}

export function mixedPair({ config, peer }: Migration): readonly MigrationFinding[] {
  const { witness, fencing } = config
  const third = [...(witness === undefined ? [] : ['the witness is not asked']), ...(fencing === undefined ? [] : ['each program fences by its own rules'])]
  return [
    told('meanwhile', 'note', 'mixed-promises',
      `while ${peer} runs Heartbeat the pair is what two Heartbeats are (promise P2): a silent host is taken for dead after ${secondsText(config.timing.deadtimeMs)}, no last ` +
      `will is understood, and all groups of one preferred node move together${third.length === 0 ? '' : `; ${third.join('; ')}`}. hactl status says DEGRADED for that alone`),
    told('meanwhile', 'note', 'mixed-time',
      `that may last hours or days, for the first host to prove itself; do not change ha.cf, haresources or authkeys meanwhile`),
  ]
}
