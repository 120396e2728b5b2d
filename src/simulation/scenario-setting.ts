/**
 * The words of a scenario that describe the pair before anything runs. What is not said is as an installed pair has it:
 * leases, a guard, systemd; no witness, no fencing, no ping nodes, no watchdog.
 */
import type { AutoFailback, CoreConfig, FencingPolicy, GroupConfig, LeasePolicy, PingPolicy, ResourceConfig, Timing } from '../core/config.ts'
import { defaultWitnessTiming } from '../core/lease-arithmetic.ts'
import { addressResource, faultNames, nodeNames, scriptResource, type FaultName, type SimulationOptions } from './options.ts'
import { allRules } from './protection.ts'
import { durationMs, failbackOf, optionNamed, timingFrom, wholeNumber } from './scenario-words.ts'

type Protection = Pick<CoreConfig, 'ping' | 'fencing' | 'flapGuard'>

export interface Setting {
  timing: Timing
  autoFailback: AutoFailback
  links: string[]
  groups: GroupConfig[]
  failureMemoryMs: number
  pauseLimitMs: number
  lease: LeasePolicy
  witness: { readonly grantMs?: number } | undefined
  protection: Protection
  watchdogMs: number | undefined
  systemd: boolean
}

export function newSetting(): Setting {
  return {
    timing: { keepaliveMs: 1000, warntimeMs: 2500, deadtimeMs: 5000, initdeadMs: 10_000 },
    autoFailback: 'on',
    links: ['eth0'],
    groups: [],
    failureMemoryMs: 60_000,
    pauseLimitMs: 600_000,
    lease: 'auto',
    witness: undefined,
    protection: {},
    watchdogMs: undefined,
    systemd: true,
  }
}

type Describe = (setting: Setting, words: readonly string[]) => void

const descriptions: Readonly<Record<string, Describe>> = {
  links: (setting, names) => void (setting.links = [...names]),
  auto_failback: (setting, [policy = '']) => void (setting.autoFailback = failbackOf(policy)),
  timing: (setting, words) => void (setting.timing = timingFrom(setting.timing, words)),
  failure_memory: (setting, [duration = '']) => void (setting.failureMemoryMs = durationMs(duration)),
  pause_limit: (setting, [duration = '']) => void (setting.pauseLimitMs = durationMs(duration)),
  lease: (setting, [policy = '']) => void (setting.lease = leaseOf(policy)),
  // `witness`, `witness grant=15s`
  witness: (setting, words) => void (setting.witness = grantOf(optionNamed(words, 'grant'))),
  // `fencing ipmi pdu retries=1 timeout=20s delay=alpha:5s`: levels in order, the delay before alpha is fenced
  fencing: (setting, words) => void (setting.protection = { ...setting.protection, fencing: fencingOf(words) }),
  // `ping 192.0.2.254 192.0.2.253 balances releases settle=2s`
  ping: (setting, words) => void (setting.protection = { ...setting.protection, ping: pingOf(words) }),
  // `flap_guard 3 within=60s`
  flap_guard: (setting, words) => void (setting.protection = { ...setting.protection, flapGuard: { moves: wholeNumber(words[0] ?? ''), withinMs: durationMs(optionNamed(words, 'within') ?? '60s') } }),
  systemd: (setting, [state]) => void (setting.systemd = state !== 'off'),
  watchdog: (setting, [duration = '10s']) => void (setting.watchdogMs = durationMs(duration)),
  group: (setting, words) => void setting.groups.push(groupFrom(words)),
}

/** False: the command is one for a running world. */
export function describe(setting: Setting, command: string): boolean {
  const [word = '', ...rest] = command.split(/\s+/)
  const act = Object.hasOwn(descriptions, word) ? descriptions[word] : undefined
  act?.(setting, rest)
  return act !== undefined
}

function leaseOf(word: string): LeasePolicy {
  return word === 'auto' || word === 'off' ? word : { seconds: durationMs(word) / 1000 }
}

function grantOf(word: string | undefined): { readonly grantMs?: number } {
  return word === undefined ? {} : { grantMs: durationMs(word) }
}

function plainWords(words: readonly string[]): readonly string[] {
  return words.filter((word) => !word.includes('='))
}

function fencingOf(words: readonly string[]): FencingPolicy {
  const timeoutMs = durationMs(optionNamed(words, 'timeout') ?? '20s')
  const retries = wholeNumber(optionNamed(words, 'retries') ?? '0')
  const levels = plainWords(words).map((name) => ({ name, timeoutMs, retries }))
  const [node = '', delay = '0s'] = (optionNamed(words, 'delay') ?? '').split(':')
  return {
    levels: Object.fromEntries(nodeNames.map((name) => [name, levels])),
    delaysMs: Object.fromEntries(nodeNames.map((name) => [name, name === node ? durationMs(delay) : 0])),
  }
}

function pingOf(words: readonly string[]): PingPolicy {
  const kinds = ['balances', 'releases']
  return {
    names: plainWords(words).filter((word) => !kinds.includes(word)),
    balances: words.includes('balances'),
    releases: words.includes('releases'),
    settleMs: durationMs(optionNamed(words, 'settle') ?? '2s'),
  }
}

/** `group web alpha [auto_failback=off] 192.0.2.100 apache2 mysql(warm)` */
function groupFrom(words: readonly string[]): GroupConfig {
  const [name = '', preferredNode = '', ...rest] = words
  const policy = optionNamed(rest, 'auto_failback')
  return { name, preferredNode, resources: plainWords(rest).map(resourceFrom), ...(policy === undefined ? {} : { autoFailback: failbackOf(policy) }) }
}

function resourceFrom(word: string): ResourceConfig {
  if (/^[\d.]+$/.test(word)) return addressResource(word)
  const warm = word.endsWith('(warm)')
  return scriptResource(warm ? word.slice(0, -6) : word, warm, 20_000)
}

function configOf(setting: Setting): CoreConfig {
  const { timing, witness, watchdogMs } = setting
  return {
    nodes: [...nodeNames],
    timing,
    autoFailback: setting.autoFailback,
    groups: setting.groups,
    digests: { groups: 'same', timing: 'same', failback: 'same' },
    failureMemoryMs: setting.failureMemoryMs,
    lease: setting.lease,
    pauseLimitMs: setting.pauseLimitMs,
    ...(witness === undefined ? {} : { witness: defaultWitnessTiming(timing, witness.grantMs) }),
    ...setting.protection,
    watchdog: watchdogMs !== undefined,
  }
}

/** Nothing is left to chance: packets take 1 ms, address operations 5 ms, scripts 500 ms. */
export function optionsOf(setting: Setting): SimulationOptions {
  return {
    seed: 0,
    minutes: 0,
    config: configOf(setting),
    links: setting.links,
    clockRates: [1, 1],
    timerLateMs: 0,
    network: { delayMinMs: 1, delayMeanMs: 0, lossProbability: 0, duplicateProbability: 0 },
    operations: { addressMs: 5, scriptMs: 500, slowProbability: 0, failProbability: 0, stopFailProbability: 0, hangProbability: 0 },
    witness: { clockRate: 1, lossProbability: 0, lateProbability: 0, doubleProbability: 0 },
    fencing: { failProbability: 0 },
    watchdogMs: setting.watchdogMs ?? 0,
    adapter: { ...allRules, systemdReleases: setting.systemd },
    faults: Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>,
    settles: false,
    scrutiny: 0.2,
    keepsJournal: true,
    exact: true,
    usesWire: false,
  }
}
