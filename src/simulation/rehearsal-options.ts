/** An administrator's configuration as a simulated pair: their names, links, groups, times and settings, and nothing left to chance. */
import type { ClusterConfig, LinkConfig } from '../core/config.ts'
import { faultNames, type FaultName, type SimulationOptions } from './options.ts'
import { allRules } from './protection.ts'

const typicalAddressMs = 5
const typicalPacketMs = 1
const typicalWatchdogMs = 10_000

/** Links that one cable cuts: an interface by any of its links, or one link by its own name. */
export interface RehearsedLink { readonly name: string; readonly interface: string }

/** The two hosts' own unicast lines of one interface are one link. */
export function linksOf(links: readonly LinkConfig[]): readonly RehearsedLink[] {
  const named = links.map((link) => ({
    name: [link.kind, link.interface, ...(link.kind === 'mcast' && link.address !== undefined ? [link.address] : [])].join(' '),
    interface: link.interface,
  }))
  return named.filter(({ name }, index) => named.findIndex((other) => other.name === name) === index)
}

export function rehearsalOptions(config: ClusterConfig, scriptMs: number): SimulationOptions {
  return {
    seed: 0,
    minutes: 0,
    config,
    links: linksOf(config.links).map(({ name }) => name),
    clockRates: [1, 1],
    timerLateMs: 0,
    network: { delayMinMs: typicalPacketMs, delayMeanMs: 0, lossProbability: 0, duplicateProbability: 0 },
    operations: {
      addressMs: typicalAddressMs, scriptMs, slowProbability: 0, failProbability: 0, stopFailProbability: 0, hangProbability: 0,
    },
    witness: { clockRate: 1, lossProbability: 0, lateProbability: 0, doubleProbability: 0 },
    fencing: { failProbability: 0 },
    watchdogMs: config.watchdogDevice?.timeoutMs ?? typicalWatchdogMs,
    adapter: allRules,
    faults: Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>,
    settles: false,
    scrutiny: 0,
    keepsJournal: false,
    exact: true,
    usesWire: false,
  }
}
