/** What stands against two holders in a run, drawn from its seed: leases, a witness, fencing, ping nodes, a watchdog. */
import type { CoreConfig, FencingPolicy, LeasePolicy, PingPolicy, Timing, WitnessTiming } from '../core/config.ts'
import { defaultWitnessTiming } from '../core/lease-arithmetic.ts'
import { nodeNames, type AdapterRules, type SimulationOptions } from './options.ts'
import type { Random } from './random.ts'

export type Protection = 'none' | 'witness' | 'fencing' | 'both'

export function drawKind(random: Random): Protection {
  return random.pick<Protection>(['none', 'none', 'witness', 'witness', 'fencing', 'both'])
}

type ProtectionConfig = Pick<CoreConfig, 'lease' | 'witness' | 'ping' | 'fencing' | 'watchdog' | 'flapGuard'>

export function drawProtection(random: Random, kind: Protection, timing: Timing): ProtectionConfig {
  return {
    lease: drawLease(random, kind),
    ...(kind === 'witness' || kind === 'both' ? { witness: drawWitness(random, timing) } : {}),
    ...(kind === 'fencing' || kind === 'both' ? { fencing: drawFencing(random, timing) } : {}),
    ...(random.chance(0.25) ? { ping: drawPing(random) } : {}),
    watchdog: kind !== 'none' && random.chance(0.3),
    ...(random.chance(0.15) ? { flapGuard: { moves: random.whole(3, 6), withinMs: 60_000 } } : {}),
  }
}

function drawLease(random: Random, kind: Protection): LeasePolicy {
  const written = { seconds: random.whole(1, 8) }
  return random.pick<LeasePolicy>(kind === 'none' ? ['auto', 'auto', 'off', written] : ['auto', 'auto', 'auto', written])
}

/** Usually the defaults; some grants outlive deadtime by far (F5). Vg + W <= 0.3 T stands. */
function drawWitness(random: Random, timing: Timing): WitnessTiming {
  const usual = defaultWitnessTiming(timing)
  if (random.chance(0.7)) return usual
  const grantMs = usual.grantMs * random.whole(1, 3)
  return { timeoutMs: usual.timeoutMs, grantMs, renewMs: Math.floor(grantMs * random.between(0.1, 0.19)) }
}

function drawFencing(random: Random, timing: Timing): FencingPolicy {
  const levels = random.chance(0.3) ? ['ipmi', 'pdu'] : ['ipmi']
  const level = (name: string): FencingPolicy['levels'][string][number] => ({ name, timeoutMs: random.whole(5000, 20_000), retries: random.whole(0, 2) })
  return {
    levels: Object.fromEntries(nodeNames.map((node) => [node, levels.map(level)])),
    delaysMs: Object.fromEntries(nodeNames.map((node) => [node, random.pick([0, 0, timing.deadtimeMs])])),
  }
}

function drawPing(random: Random): PingPolicy {
  return {
    names: ['192.0.2.254', '192.0.2.253'].slice(0, random.whole(1, 2)),
    balances: random.chance(0.5),
    releases: random.chance(0.3),
    settleMs: random.whole(1000, 6000),
  }
}

export function drawOutside(random: Random): Pick<SimulationOptions, 'witness' | 'fencing' | 'watchdogMs' | 'adapter'> {
  return {
    witness: {
      clockRate: drawRate(random),
      lossProbability: random.pick([0, 0, 0.02, 0.1]),
      lateProbability: random.pick([0, 0, 0.02, 0.1]),
      doubleProbability: random.pick([0, 0, 0.05]),
    },
    fencing: { failProbability: random.pick([0, 0.2, 0.5]) },
    watchdogMs: random.whole(2000, 15_000),
    adapter: { ...allRules, systemdReleases: random.chance(0.7) },
  }
}

export const allRules: AdapterRules = { checksNotAfter: true, countsFromSending: true, guardEndsOperations: true, systemdReleases: true }

/** Of a clock; 1 % off at most. */
export function drawRate(random: Random): number {
  return random.chance(0.5) ? 1 : random.between(0.99, 1.01)
}
