/** `hactl migrate --check`: what each step does to those who use the addresses. */
import type { ClusterConfig, GroupConfig } from '../core/config.ts'
import type { Migration, MigrationFinding } from './migration.ts'
import { namesOf, scriptsOf, secondsText, told } from './migration-words.ts'

export function migrationSteps({ config, node, peer, held, facts }: Migration): readonly MigrationFinding[] {
  const local = config.groups.filter(({ preferredNode }) => preferredNode === node)
  const foreign = config.groups.filter(({ preferredNode }) => preferredNode !== node)
  const stop = facts.heartbeat?.pid === undefined ? [] : [told('steps', 'note', 'step-stop', stopText(peer, held))]
  return [...stop,
    told('steps', 'note', 'step-start', startText(config, peer, local)),
    told('steps', 'note', 'step-other', otherText(config, node, peer, foreign)),
    told('steps', 'note', 'step-back', 'to go back, on either host, at any time: systemctl disable --now hactl, then systemctl enable --now heartbeat. hactl keeps ' +
      'hb_generation up to date, so that the other host accepts the return')]
}

function stopText(peer: string, held: readonly GroupConfig[] | undefined): string {
  const start = 'systemctl stop heartbeat: '
  if (held === undefined) return `${start}${peer} takes over what this host holds. Clients wait for Heartbeat's own scripts, most of a second, and for yours`
  if (held.length === 0) return `${start}this host holds nothing, nothing moves`
  const scripts = scriptsOf(held)
  return `${start}${peer} takes over ${namesOf(held)}. Clients wait for Heartbeat's own scripts, most of a second` +
    (scripts.length === 0 ? '' : `, and while ${scripts.join(', ')} ${scripts.length === 1 ? 'stops here and starts' : 'stop here and start'} there`)
}

function startText(config: ClusterConfig, peer: string, local: readonly GroupConfig[]): string {
  const { timing: { keepaliveMs, initdeadMs }, autoFailback } = config
  const start = `systemctl enable --now hactl: ${peer} sees this node restart, and accepts it within some keepalives (${secondsText(keepaliveMs)}); unheard, hactl would take over ` +
    `after initdead (${secondsText(initdeadMs)}). `
  if (local.length === 0) return `${start}No group prefers this host, nothing moves`
  if (autoFailback !== 'on') return `${start}Nothing moves: auto_failback is ${autoFailback === 'off' ? 'off' : 'not on'}. hactl takeover local brings ${namesOf(local)} back, whenever it suits`
  const scripts = scriptsOf(local)
  return `${start}${namesOf(local)} ${local.length === 1 ? 'returns' : 'return'} at once, as auto_failback says (the ha.cf of ${peer} decides). Clients wait once more: ` +
    (scripts.length === 0 ? 'for some tens of milliseconds' : `while ${scripts.join(', ')} ${scripts.length === 1 ? 'stops there and starts' : 'stop there and start'} here`)
}

function otherText(config: ClusterConfig, self: string, peer: string, foreign: readonly GroupConfig[]): string {
  const moved = foreign.length > 0 && config.autoFailback === 'on' ? `${namesOf(foreign)} moves here, and back when hactl runs there`
    : 'what is there then moves here'
  return `then the same on ${peer}: ${moved}. When ${self} and ${peer} both run hactl they change to their own dialogue, which moves nothing and costs no client anything`
}
