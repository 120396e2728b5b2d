/** What `hactl check` says of the promises (design.md sections 2 and 5): warnings where one does not hold, notes on what each rests on. */
import type { ClusterConfig, GroupConfig, WitnessTiming } from '../core/config.ts'
import { configuredLeaseSeconds, finalShare, isFixedLease, renewIntervalMs, watchdogLeastMs } from '../core/lease-arithmetic.ts'
import type { Millis } from '../core/time.ts'
import type { Draft } from './draft.ts'
import type { Findings } from './findings.ts'
import { shortestWatchdogMs, witnessTiming } from './protection.ts'
import type { Settings } from './settings.ts'
import { type Figures, hardShare, pausedOverlapMs, seconds, smallestDeadtimeMs, type Violation, witnessViolations } from './protection-conditions.ts'
import type { Place } from './types.ts'

/** With these both nodes can hold an address for a moment; the others cost availability. */
const overlapping: ReadonlySet<string> = new Set(['lease-fixed', 'removal-late'])

/** Called for configurations without errors. */
export function checkProtection(written: ClusterConfig, draft: Draft, settings: Settings, findings: Findings): void {
  // Heartbeat's scripts give no lifetimes, whatever `lease` says.
  const config: ClusterConfig = written.resourceAgents === 'original' ? { ...written, lease: 'off' } : written
  checkAgents(config, settings, findings)
  const violations = config.witness === undefined ? [] : checkWitness(config, config.witness, draft, findings)
  checkLease(config, draft, findings)
  checkWatchdogTime(config, draft, findings)
  const place = deadtimePlace(draft)
  findings.note(place, 'note-holders', holdersText(config, violations.some(({ code }) => overlapping.has(code))))
  const hung = hungText(config)
  if (hung !== undefined) findings.note(place, 'note-hung', hung)
  noteScripts(config, place, findings)
  notePings(config, draft, findings)
  if (config.etcd?.endpoints.some((endpoint) => endpoint.startsWith('http:')) === true) {
    findings.note(draft.protection.witness?.place ?? place, 'note-witness-plain',
      'The witness is asked over http: whoever can change packets on the way to it can grant and refuse in its name. Use https with ca, ' +
      'cert and key where that network is not yours alone.')
  }
}

function deadtimePlace({ timing, timingPlace }: Draft): Place {
  return timing.deadtimeMs?.place ?? timingPlace
}

function addressCountOf({ groups }: ClusterConfig): number {
  return groups.reduce((count, { resources }) => count + resources.filter(({ address }) => address !== undefined).length, 0)
}

function checkWitness(config: ClusterConfig, witness: WitnessTiming, draft: Draft, findings: Findings): readonly Violation[] {
  const { timing, lease } = config
  const figures: Figures = { timing, lease, witness, addressCount: addressCountOf(config) }
  const violations = witnessViolations(figures)
  if (violations.length === 0) return violations
  const smallestMs = smallestDeadtimeMs((deadtimeMs) => {
    const longer = { ...timing, deadtimeMs }
    return { ...figures, timing: longer, witness: witnessTiming(draft.protection.witness?.value ?? {}, longer) }
  })
  const longerDeadtime = smallestMs === undefined ? 'Leave out timeout, grant and renew of the witness, so that they follow deadtime.'
    : `Set deadtime to at least ${seconds(smallestMs)} on both nodes, the shortest with which this pair is never held twice.`
  const places: Readonly<Record<Violation['of'], Place>> = {
    deadtime: deadtimePlace(draft),
    keepalive: draft.timing.keepaliveMs?.place ?? deadtimePlace(draft),
    witness: draft.protection.witness?.place ?? deadtimePlace(draft),
  }
  for (const { code, of, what, remedy } of violations) findings.warning(places[of], code, `${what}. ${remedy ?? longerDeadtime}`)
  return violations
}

function checkLease(config: ClusterConfig, { protection: { lease } }: Draft, findings: Findings): void {
  const { timing, witness, fencing } = config
  if (lease === undefined || lease.value === 'auto' || config.resourceAgents === 'original') return
  if (lease.value === 'off') {
    findings.warning(lease.place, 'lease-off',
      'lease is off: a daemon that hangs (SIGSTOP, a paused guest, a blocked disk) keeps its addresses while its peer takes them over (promise ' +
      'P4), and nothing removes them where guard and daemon die together (P3). ' +
      (witness === undefined ? '' : 'The witness cannot help: it grants to the peer, and takes nothing away. ') + 'Write lease: auto.')
    return
  }
  if (witness !== undefined || fencing !== undefined) return
  const overlapMs = pausedOverlapMs(timing, lease.value.seconds)
  if (overlapMs === 0) return
  const most = configuredLeaseSeconds(timing, 'auto') ?? 1
  const enoughMs = Math.ceil((lease.value.seconds * 1_000 + 1_050 + timing.keepaliveMs) / finalShare / 100) * 100
  findings.warning(lease.place, 'lease-outlives',
    `lease ${lease.value.seconds} s outlives deadtime ${seconds(timing.deadtimeMs)}: after a pause of the holder both nodes can hold an address ` +
    `for up to ${seconds(overlapMs)} (lease, 1 s of the kernel's timer, 0.05 s and keepalive, less 0.98 x deadtime). ` +
    (pausedOverlapMs(timing, most) < overlapMs ? `Write lease: auto, which is ${most} s here, or ` : 'Write ') +
    `a deadtime of at least ${seconds(enoughMs)}.`)
}

/** What it costs that Heartbeat's own scripts serve the addresses. */
function checkAgents({ groups, witness, timing: { deadtimeMs } }: ClusterConfig, { originalAgents }: Settings, findings: Findings): void {
  if (originalAgents === undefined) return
  const count = groups.reduce((sum, { resources }) => sum + resources.filter(({ scriptAddress }) => scriptAddress !== undefined).length, 0)
  if (count === 0) {
    return findings.warning(originalAgents, 'option-without-effect',
      'resource_agents: original has no effect: no group has IPaddr, IPaddr2, IPv6addr or a bare address. Remove it.')
  }
  findings.warning(originalAgents, 'agents-original',
    `resource_agents is original: Heartbeat's own scripts serve ${count === 1 ? 'the floating address' : `the ${count} floating addresses`}. They give no ` +
    'lifetime: a daemon that hangs keeps its addresses while its peer takes them over (promise P4). Of a daemon that dies, the guard runs the stop of ' +
    'each script in its turn, and where the guard dies too nothing does (P3). ' + (witness === undefined ? ''
      : `Where permission is lost, an address goes in its turn too: a stop that fails, or all of them taking longer than 0.18 x deadtime ` +
        `(${seconds(hardShare * deadtimeMs)}), leaves it on both nodes (P1). `) +
    'A switchover waits for two calls of a script for each address (P5). Nobody watches for an address that somebody removed or that another host ' +
    'claims, but for status; neighbours are told once. Leave resource_agents out unless a script of yours must serve the address.')
}

function checkWatchdogTime(config: ClusterConfig, draft: Draft, findings: Findings): void {
  const { watchdogDevice, timing: { deadtimeMs } } = config
  if (watchdogDevice === undefined) return
  const { watchdogTimeoutMs, watchdog } = draft.protection
  const place = watchdogTimeoutMs?.place ?? watchdog?.place ?? deadtimePlace(draft)
  const { timeoutMs } = watchdogDevice
  const mostMs = finalShare * deadtimeMs
  if (timeoutMs > mostMs) {
    findings.warning(place, 'watchdog-late',
      `the watchdog resets a hung host after ${seconds(timeoutMs)}, later than 0.98 x deadtime (${seconds(mostMs)}): ` +
      `its scripts can run for ${seconds(timeoutMs - mostMs)} beside those of the peer. ` +
      (mostMs >= shortestWatchdogMs ? `Write timeout: ${Math.floor(mostMs / 1_000)}s, or leave it out.`
        : `Set deadtime to at least ${seconds(leastDeadtimeMs(shortestWatchdogMs, finalShare))} on both nodes, and leave timeout out.`))
  }
  if (timeoutMs < shortestWatchdogMs) {
    findings.warning(place, 'watchdog-short',
      `a watchdog of ${seconds(timeoutMs)} resets this host when its daemon has died and systemd starts it again, which takes a second and the ` +
      `start itself. Write timeout: ${shortestWatchdogMs / 1_000}s or more.`)
  }
  checkReset(config, draft, findings)
}

/** A host that cannot stop something resets itself; where a partition leaves it less than the device's least time, it does so late. */
function checkReset({ groups, witness, fencing, timing: { deadtimeMs } }: ClusterConfig, draft: Draft, findings: Findings): void {
  const lateMs = watchdogLeastMs - hardShare * deadtimeMs
  const scripts = groups.flatMap(scriptsOf)
  if (lateMs <= 0 || scripts.length === 0 || (witness === undefined && fencing !== undefined)) return
  findings.warning(deadtimePlace(draft), 'watchdog-late',
    `where a partition takes a group away and a stop fails or takes too long, the watchdog resets this host up to ${seconds(lateMs)} after the ` +
    `peer may start the same (${[...new Set(scripts)].join(', ')}): a device takes ${seconds(watchdogLeastMs)} at least, and 0.18 x deadtime ` +
    `(${seconds(hardShare * deadtimeMs)}) is left for it. Set deadtime to at least ${seconds(leastDeadtimeMs(watchdogLeastMs, hardShare))} on both nodes.`)
}

/** In steps of 0.1 s. */
function leastDeadtimeMs(neededMs: Millis, share: number): Millis {
  return Math.ceil(neededMs / share / 100) * 100
}

/** P1 or P2, in words. */
function holdersText({ witness, etcd, fencing, ping, timing, links, lease, resourceAgents }: ClusterConfig, overlaps: boolean): string {
  const deadtime = seconds(timing.deadtimeMs)
  if (witness !== undefined) {
    return `P1: the witness (etcd: ${etcd?.endpoints.join(', ') ?? ''}) grants each group to one node. No address is on two running nodes, ` +
      `whatever is cut${overlaps ? ', but for the overlap named above' : ''}. ` + (lease !== 'off' ? '' : resourceAgents === 'original'
        ? 'But resource_agents is original: this holds for addresses only as far as every daemon runs and their scripts stop in time. '
        : 'But lease is off: a node that is paused, or whose daemon hangs or dies together with its guard, keeps its addresses beside its peer ' +
          'until a daemon runs there again. ') + 'Where the peer is silent and the witness is too, nobody holds.' +
      (fencing === undefined ? '' : ' Groups with scripts wait until the silent peer is fenced as well.')
  }
  if (fencing !== undefined) {
    return `P1: a node that is silent for ${deadtime} is fenced, and its groups start only when that was confirmed. Where fencing fails, nobody ` +
      `takes them over.`
  }
  const leaseSeconds = configuredLeaseSeconds(timing, lease)
  const overlapMs = leaseSeconds === undefined ? undefined : pausedOverlapMs(timing, leaseSeconds)
  return `P2, without witness and fencing: when no packet passes on any link for ${deadtime} while both hosts run, both hold every group until ` +
    `packets pass again: neither can know that the other lives. ` +
    (links.length < 2 ? 'There is one link: a second one over another network makes that rare.'
      : `There are ${links.length} links: that happens only when all of them fail at once.`) +
    (ping === undefined ? '' : ' A node that reaches no ping node does not take over; two that each reach one do.') +
    (overlapMs === undefined ? ' After a pause of the holder both hold them until it runs again.'
      : overlapMs > 0 ? ` After a pause of the holder both can hold an address for up to ${seconds(overlapMs)}.` : '')
}

/** P3 and P4. Nothing where leases are off: the warning says it. */
function hungText(config: ClusterConfig): string | undefined {
  const { timing, lease, witness } = config
  const leaseSeconds = configuredLeaseSeconds(timing, lease)
  if (leaseSeconds === undefined) return undefined
  const every = seconds(renewIntervalMs(timing, witness !== undefined, leaseSeconds, addressCountOf(config)))
  const backstop = witness === undefined || isFixedLease(timing)
  return 'P3, P4: when the daemon dies, its guard removes the addresses at once; when it hangs, the kernel does, ' + (backstop
    ? `at most ${leaseSeconds + 1} s after the last renewal (lease ${leaseSeconds} s, renewed every ${every}).`
    : `at the latest ${seconds(finalShare * timing.deadtimeMs)} after the peer last confirmed it, before that one may take over (lease at most ` +
      `${leaseSeconds} s, renewed every ${every}).`)
}

/** P6, for groups with scripts that must not run on both nodes. */
function noteScripts({ groups, witness, fencing, watchdog, timing }: ClusterConfig, place: Place, findings: Findings): void {
  if (witness === undefined) return
  const left = seconds(hardShare * timing.deadtimeMs)
  for (const group of groups) {
    const scripts = scriptsOf(group)
    if (scripts.length === 0) continue
    if (watchdog) {
      findings.note(place, 'note-scripts',
        `P6: group ${group.name}: where a partition takes the group away, this host is reset by its watchdog unless ${scripts.join(', ')} ` +
        `stopped within 0.18 x deadtime (${left}).`)
    } else if (fencing === undefined) {
      findings.note(place, 'note-scripts',
        `P6: group ${group.name}: where a partition takes the group away, ${group.resources.some(({ address }) => address !== undefined) ? 'its addresses go in time, but ' : ''}nothing ends ${scripts.join(', ')} if ` +
        `stopping fails or takes longer than 0.18 x deadtime (${left}): then both nodes run ${scripts.length === 1 ? 'it' : 'them'}. A watchdog, ` +
        `or fencing, ends that; scripts that may run twice are made warm.`)
    }
  }
}

function scriptsOf({ resources }: GroupConfig): readonly string[] {
  return resources.filter(({ address, warm }) => address === undefined && !warm).map(({ script }) => script)
}

function notePings({ ping, pings, witness, fencing }: ClusterConfig, draft: Draft, findings: Findings): void {
  const [first] = draft.protection.pings.targets
  if (ping === undefined || pings === undefined || first === undefined) return
  const names = `Ping nodes (${ping.names.join(', ')}; silent after ${seconds(pings.deadpingMs)})`
  const moves = ping.balances ? 'groups move to the node that reaches more of them' : 'nothing moves for them'
  const cutOff = 'A node that reaches none of them while its peer is silent'
  const beside = witness === undefined ? 'fencing' : fencing === undefined ? 'the witness' : 'the witness and fencing'
  findings.note(first.place, 'note-ping', witness !== undefined || fencing !== undefined
    ? `${names}: while both nodes hear each other, ${moves}. ` + (ping.releases
      ? `${cutOff} lets go and takes nothing over, whatever ${beside} would allow (release).`
      : `Who takes over from a silent peer is decided without them, by ${beside}.`)
    : `${names}: a node that reaches none of them does not take over. While both nodes hear each other, ${moves}.` +
      (ping.releases ? ` ${cutOff} lets go of what it holds (release).` : '') +
      (ping.names.length === 1 ? ' There is one: where it fails together with the holder, nobody takes over. Name two, or a group.' : ''))
}
