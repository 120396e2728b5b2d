/** What a run is made of, drawn from its seed (each seed gets its own mix of faults) and printed in full when it fails. */
import type { AutoFailback, CoreConfig, GroupConfig, ResourceConfig, Timing } from '../core/config.ts'
import { drawKind, drawOutside, drawProtection, drawRate } from './protection.ts'
import { createRandom, type Random } from './random.ts'

/** Each comes at random with this mean distance; 0: never in this run. */
export const faultNames = [
  'link-cut', 'link-one-way', 'partition', 'partition-one-way', 'clog', 'lossy', 'link-failed', 'replay',
  'machine-crash', 'daemon-kill', 'stop-signal', 'guest-pause', 'guest-freeze', 'stall',
  'strip', 'service-death', 'broken-start', 'broken-stop', 'disk-full', 'admin', 'reload',
  'kill-with-guard', 'guard-death', 'slow-child', 'isolation',
  'witness-cut', 'witness-lost', 'witness-down', 'witness-slow', 'witness-election', 'ping-lost', 'fencing-broken',
] as const
export type FaultName = (typeof faultNames)[number]

export interface NetworkOptions {
  readonly delayMinMs: number
  readonly delayMeanMs: number
  readonly lossProbability: number
  readonly duplicateProbability: number
}

export interface OperationOptions {
  /** Typical durations; each run of a script takes between half and twice of it. */
  readonly addressMs: number
  readonly scriptMs: number
  readonly slowProbability: number
  readonly failProbability: number
  readonly stopFailProbability: number
  readonly hangProbability: number
}

/** How requests to the witness fare; its clock is 1 % off at most, as the nodes' clocks. */
export interface WitnessOptions {
  readonly clockRate: number
  readonly lossProbability: number
  readonly lateProbability: number
  readonly doubleProbability: number
}

/** What the adapters and the host do; each is switched off only to show that it is needed. */
export interface AdapterRules {
  /** Adds and renewals are compared with their not-after time (F11). */
  readonly checksNotAfter: boolean
  /** The life of a grant counts from sending the request for its lease, not from the answer (F4). */
  readonly countsFromSending: boolean
  /** The guard first ends what still runs for the dead daemon (F11). */
  readonly guardEndsOperations: boolean
  /** The daemon runs under systemd, which releases after it. */
  readonly systemdReleases: boolean
}

export interface SimulationOptions {
  readonly seed: number
  /** Of the safety phase: faults on. */
  readonly minutes: number
  readonly config: CoreConfig
  readonly links: readonly string[]
  /** How fast each node's monotonic clock runs against true time; 1 % off at most. */
  readonly clockRates: readonly [number, number]
  readonly timerLateMs: number
  readonly network: NetworkOptions
  readonly operations: OperationOptions
  readonly witness: WitnessOptions
  readonly fencing: { readonly failProbability: number }
  /** A watchdog that is fed no more resets the host within this time. */
  readonly watchdogMs: number
  readonly adapter: AdapterRules
  readonly faults: Readonly<Record<FaultName, number>>
  /** The administrator sets everything back (online, resume, cleanup) before liveness is judged. */
  readonly settles: boolean
  /** This share of the steps has its input compared afterwards and is made twice (S8), and its deadline tried early (S9). */
  readonly scrutiny: number
  /** Whole runs are kept as journals and replayed at the end (S8, P9). */
  readonly keepsJournal: boolean
  /** Durations are not drawn but typical: for scenarios, whose text must not hang on chance. */
  readonly exact: boolean
  /** Packets go through the real wire format; slower, so only in some runs. */
  readonly usesWire: boolean
}

export const nodeNames = ['alpha', 'beta'] as const

export function drawOptions(seed: number, minutes: number): SimulationOptions {
  const random = createRandom(seed)
  const links = ['bcast eth0', 'ucast eth1', 'mcast eth2'].slice(0, random.whole(1, 3))
  const config = drawConfig(random)
  const { deadtimeMs } = config.timing
  return {
    seed,
    minutes,
    config,
    links,
    clockRates: [drawRate(random), drawRate(random)],
    timerLateMs: random.pick([0, 2, 20]),
    network: {
      delayMinMs: random.between(0.05, 2),
      delayMeanMs: Math.min(random.pick([0.2, 2, 20, 100]), deadtimeMs / 50),
      lossProbability: random.pick([0, 0, 0.01, 0.05, 0.2]),
      duplicateProbability: random.pick([0, 0, 0.05]),
    },
    operations: {
      addressMs: random.pick([2, 20]),
      scriptMs: random.pick([20, 300, 2000]),
      slowProbability: random.pick([0, 0, 0.05]),
      failProbability: random.pick([0, 0, 0.02, 0.1]),
      stopFailProbability: random.pick([0, 0, 0, 0.05]),
      hangProbability: random.pick([0, 0, 0, 0.02]),
    },
    ...drawOutside(random),
    faults: drawFaults(random),
    settles: random.chance(0.6),
    scrutiny: random.pick([0.001, 0.003, 0.02]),
    keepsJournal: random.chance(0.05),
    exact: false,
    usesWire: random.chance(0.06),
  }
}

/** Swarm: most runs have a few kinds of fault, some many, a few none. */
function drawFaults(random: Random): Record<FaultName, number> {
  const share = random.pick([0.1, 0.3, 0.3, 0.6, 0.9])
  const meanMs = random.pick([10_000, 30_000, 60_000])
  const draw = (): number => (random.chance(share) ? meanMs * random.between(0.5, 3) : 0)
  return Object.fromEntries(faultNames.map((name) => [name, draw()])) as Record<FaultName, number>
}

function drawConfig(random: Random): CoreConfig {
  const groups = Array.from({ length: random.whole(1, 4) }, (_, index) => drawGroup(random, index))
  const kind = drawKind(random)
  const timing = drawTiming(random, kind !== 'none')
  return {
    nodes: [...nodeNames],
    timing,
    autoFailback: drawFailback(random),
    groups,
    digests: { groups: 'same', timing: 'same', failback: 'same' },
    failureMemoryMs: random.pick([30_000, 120_000]),
    pauseLimitMs: 600_000,
    ...drawProtection(random, kind, timing),
  }
}

/** Nine of ten seeds have the tutorial's timing, the others anything that the configuration allows. */
function drawTiming(random: Random, isProtected: boolean): Timing {
  if (random.chance(0.9)) return { keepaliveMs: 1000, warntimeMs: 2500, deadtimeMs: 5000, initdeadMs: 10_000 }
  const keepaliveMs = random.whole(100, 2000)
  // A protected pair promises more, and needs the deadtime for it (design.md section 5, "What `hactl check` computes").
  const deadtimeMs = isProtected ? Math.ceil(Math.max(4300, keepaliveMs * random.between(5, 20))) : Math.ceil(keepaliveMs * random.between(2.1, 20))
  return {
    keepaliveMs,
    warntimeMs: Math.floor(deadtimeMs * random.between(0.3, 0.99)),
    deadtimeMs,
    initdeadMs: Math.floor(deadtimeMs * random.between(1, 4)),
  }
}

function drawFailback(random: Random): AutoFailback {
  return random.pick<AutoFailback>(['on', 'on', 'off', { afterMs: 20_000 }])
}

function drawGroup(random: Random, index: number): GroupConfig {
  const count = random.whole(1, 4)
  const addressAt = random.whole(0, count - 1)
  const resources = Array.from({ length: count }, (_, at) =>
    at === addressAt || random.chance(0.4) ? addressResource(`192.0.2.${100 + index * 10 + at}`) : drawScript(random, `service${index}${at}`),
  )
  return {
    name: `group${index}`,
    preferredNode: random.pick([...nodeNames]),
    resources,
    ...(random.chance(0.2) ? { autoFailback: drawFailback(random) } : {}),
  }
}

export function addressResource(ip: string): ResourceConfig {
  return { script: 'IPaddr', args: [ip], address: { ip, family: 'ipv4' }, warm: false, startTimeoutMs: 20_000, stopTimeoutMs: 20_000 }
}

export function scriptResource(script: string, warm: boolean, timeoutMs: number): ResourceConfig {
  return {
    script,
    args: [],
    warm,
    startTimeoutMs: timeoutMs,
    stopTimeoutMs: timeoutMs,
    status: { intervalMs: 2000, timeoutMs: 10_000, fall: 2, rise: 1 },
  }
}

function drawScript(random: Random, name: string): ResourceConfig {
  const resource = scriptResource(name, random.chance(0.3), random.pick([10_000, 20_000]))
  if (!random.chance(0.2)) return resource
  const { status: _unasked, ...withoutStatus } = resource
  return withoutStatus
}
