/** Ping nodes of both forms: what is written, what it means, and what cannot be meant. They only forbid (design.md section 5). */
import type { GroupConfig, PingConfig, PingPolicy, PingTarget, Timing } from '../core/config.ts'
import { floatingAddressOf } from '../core/stage.ts'
import type { Millis } from '../core/time.ts'
import { isHostName, isMulticast, isNoHost, parseIp } from './addresses.ts'
import type { Draft, DraftPings, Placed } from './draft.ts'
import { timeText } from './durations.ts'
import { type Findings, quoted } from './findings.ts'
import type { Form } from './resource-words.ts'
import type { Place } from './types.ts'

/** What ha.cf says by directives of their own. */
export type PingFamily = 'ipv4' | 'ipv6' | 'either'

/** A host that can be pinged; says what is wrong otherwise. */
export function isPingHost(text: string, what: string, family: PingFamily, place: Place, findings: Findings): boolean {
  if (canBePinged(text, family)) return true
  const ip = parseIp(text)
  const kind = { ipv4: 'an IPv4 address', ipv6: 'an IPv6 address', either: 'an address' }[family]
  const hint = ip?.family === 'ipv6' && family === 'ipv4' ? ' Write ping6 for IPv6.' : ''
  const name = family === 'ipv6' ? '' : ', or a host name'
  findings.error(place, 'ping-address', `${what} ${quoted(text)}: it is ${kind} of a host${name}.${hint}`)
  return false
}

/** Heartbeat's ping6 takes no names. */
export function canBePinged(text: string, family: PingFamily): boolean {
  const ip = parseIp(text)
  if (ip === undefined) return family !== 'ipv6' && isHostName(text)
  return !isMulticast(ip) && !isNoHost(ip) && (family === 'either' || family === ip.family)
}

export function addPingTarget(target: PingTarget, place: Place, { protection: { pings } }: Draft, findings: Findings): void {
  const same = pings.targets.find(({ value }) => value.name === target.name)
  if (same === undefined) pings.targets.push({ value: target, place })
  else findings.warning(place, 'ping-twice',
    `ping node ${quoted(target.name)} stands in line ${same.place.line} already; it counts once. Remove one.`)
}

/** A name that a mapping of YAML can carry. */
export function isPingGroupName(name: string): boolean {
  return /^[^\s\p{Cc}]{1,99}$/u.test(name) && name !== '__proto__'
}

/** One host, not a group that has one. */
export function isSingle({ name, addresses }: PingTarget): boolean {
  return addresses.length === 1 && addresses[0] === name
}

/** Heartbeat's default is deadtime; half of it, so that a node that is cut off knows it before it takes the peer for dead. */
export function defaultDeadpingMs({ deadtimeMs }: Timing): Millis {
  return Math.max(50, Math.floor(deadtimeMs / 2))
}

/** Several echoes may be lost, and nobody is asked more often than once a second without need. */
export function defaultPingIntervalMs(deadpingMs: Millis): Millis {
  return Math.max(20, Math.min(1_000, Math.floor(deadpingMs / 5)))
}

/** Heartbeat's two keepalives, and what the two nodes may see at different moments. */
export function defaultSettleMs({ keepaliveMs }: Timing, intervalMs: Millis): Millis {
  return 2 * keepaliveMs + 2 * intervalMs
}

export interface Pings { readonly ping: PingPolicy; readonly pings: PingConfig }

/** Single hosts first, in their order, then groups by name: so both forms say the same. */
export function pingsOf({ protection: { pings } }: Draft, timing: Timing, form: Form): Pings | undefined {
  if (pings.targets.length === 0) return undefined
  const all = pings.targets.map(({ value }) => value)
  const groups = all.filter((target) => !isSingle(target)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const targets = [...all.filter(isSingle), ...groups]
  const deadpingMs = pings.deadpingMs?.value ?? defaultDeadpingMs(timing)
  const intervalMs = pings.intervalMs?.value ?? defaultPingIntervalMs(deadpingMs)
  return {
    ping: {
      names: targets.map(({ name }) => name),
      balances: pings.balances?.value ?? form === 'yaml',
      releases: pings.releases?.value ?? false,
      settleMs: pings.settleMs?.value ?? defaultSettleMs(timing, intervalMs),
    },
    pings: { targets, intervalMs, deadpingMs },
  }
}

export function checkPings(draft: Draft, timing: Timing, groups: readonly GroupConfig[], form: Form, findings: Findings): void {
  const { pings, witness, fences } = draft.protection
  // Only a pair that rests on deadtime alone asks ping nodes before it takes over.
  checkTimes(pings, timing, witness === undefined && fences.length === 0, form, findings)
  if (pings.targets.length === 0) return checkNeedless(pings, findings)
  const floating = groups.flatMap(({ resources }) => resources.flatMap((resource) => floatingAddressOf(resource)?.ip ?? []))
  const own = new Set([...draft.nodes.map(({ value }) => value), ...floating,
    ...draft.links.flatMap(({ value }) => (value.kind === 'ucast' && value.address !== undefined ? [value.address] : []))])
  for (const { value, place } of pings.targets) {
    const inside = value.addresses.filter((address) => own.has(parseIp(address)?.text ?? address.toLowerCase()))
    if (inside.length > 0) findings.warning(place, 'ping-of-pair',
      `ping node ${inside.map(quoted).join(', ')} belongs to the pair itself: whether it answers says nothing about the network around. ` +
      `Name a router or switch that both nodes reach.`)
  }
}

function checkTimes(
  { targets, deadpingMs, intervalMs }: DraftPings, timing: Timing, forbidding: boolean, form: Form, findings: Findings,
): void {
  const deadping = deadpingMs?.value ?? defaultDeadpingMs(timing)
  const interval = intervalMs?.value ?? defaultPingIntervalMs(deadping)
  if (deadpingMs !== undefined && deadping <= 2 * timing.keepaliveMs) {
    findings.error(deadpingMs.place, 'deadtime-small',
      `deadping is ${timeText(deadping)}; it must be more than twice keepalive (${timeText(timing.keepaliveMs)}). Write at least ` +
      `${2 * timing.keepaliveMs + 1}ms.`)
  } else if (intervalMs !== undefined && deadping <= 2 * interval) {
    findings.error(intervalMs.place, 'deadtime-small',
      `the interval of pings is ${timeText(interval)} and deadping ${timeText(deadping)}: one lost echo looks like a dead ping node. ` +
      `Write an interval of at most ${timeText(Math.max(20, Math.floor(deadping / 5)))}.`)
  } else if (forbidding && targets.length > 0 && deadpingMs !== undefined && deadping + interval >= timing.deadtimeMs) {
    const enoughMs = Math.max(2 * timing.keepaliveMs + 1, defaultDeadpingMs(timing))
    findings.warning(deadpingMs.place, 'deadping-long',
      `deadping ${timeText(deadping)} and an interval of ${timeText(interval)} are not less than deadtime ` +
      `(${timeText(timing.deadtimeMs)}): a node that is cut off from everything takes the peer for dead before it notices that its ping ` +
      `nodes are silent too. Write deadping${form === 'classic' ? ` ${enoughMs}ms` : `: ${timeText(enoughMs)}`}, or leave it out.`)
  }
}

function checkNeedless({ balances, intervalMs, settleMs, releases, deadpingMs }: DraftPings, findings: Findings): void {
  const options: readonly (readonly [string, Placed<unknown> | undefined])[] = [
    ['ipfail', balances], ['interval', intervalMs], ['settle', settleMs], ['release', releases], ['deadping', deadpingMs],
  ]
  for (const [name, option] of options) {
    if (option !== undefined) findings.warning(option.place, 'option-without-effect',
      `${name} has no effect: there is no ping node. Name one, as in ping 192.0.2.254, or remove it.`)
  }
}
