/**
 * `hactl rehearse`: what would follow, on the real rules and an administrator's own configuration. The simulated pair
 * starts and comes to rest; then the steps of the scenario are done, and everything is followed until nothing new happens.
 */
import type { ClusterConfig } from '../core/config.ts'
import type { StatusReport } from '../core/report.ts'
import { isProtected } from './exclusion.ts'
import { startMachine } from './hosts.ts'
import type { Excuse, Violation } from './ledger.ts'
import type { Machine } from './machine.ts'
import { linksOf, rehearsalOptions } from './rehearsal-options.ts'
import { watchService, type GroupService, type ServiceTimes, type ServiceWatch } from './rehearsal-service.ts'
import { isTold, storyOf, type RehearsalLine } from './rehearsal-story.ts'
import type { Step } from './rehearsal-words.ts'
import { createWorld, runUntil, type DecisionCore, type StoryLine, type World } from './world.ts'

export interface RehearsedGroup extends GroupService, ServiceTimes {}

export interface Rehearsal {
  /** Every group is served by exactly one node at the end, and no promise was broken. */
  readonly ok: boolean
  readonly timeline: readonly RehearsalLine[]
  readonly groups: readonly RehearsedGroup[]
  /** From the first step to the last thing that happened. */
  readonly endMs: number
  /** When it was broken off because it goes on and on. */
  readonly endless: boolean
  /** What `hactl status` says is wrong at the end, by node. */
  readonly problems: readonly { readonly node: string; readonly problems: readonly string[] }[]
  readonly violations: readonly Pick<Violation, 'rule' | 'message'>[]
  /** Why two holders were no broken promise, where there were two. */
  readonly excuses: readonly Excuse[]
  /** A witness or fencing stands against two holders. */
  readonly isProtected: boolean
}

export interface RehearsalOptions {
  readonly core: DecisionCore
  readonly config: ClusterConfig
  readonly steps: readonly Step[]
  /** Of each start and stop of a script. */
  readonly scriptMs: number
}

/** A pair that moves back and forth is not watched for ever. */
const longestMs = 600_000
/** A host that boots again says nothing for so long. */
const longestSilenceMs = 45_000
/** After this many broken promises the rest is only consequence. */
const mostViolations = 3

interface Stage {
  readonly world: World
  readonly lines: StoryLine[]
  readonly violations: Violation[]
  readonly seen: Set<string>
  /** How many of the lines were looked at. */
  looked: number
  service: ServiceWatch
  lastNewsMs: number
  beganMs: number
}

export function rehearse({ core, config, steps, scriptMs }: RehearsalOptions): Rehearsal {
  const lines: StoryLine[] = []
  const world = createWorld(core, rehearsalOptions(config, scriptMs), (line) => void lines.push(line))
  const stage: Stage = { world, lines, violations: [], seen: new Set(), looked: 0, service: watchService(world), lastNewsMs: 0, beganMs: 0 }
  for (const machine of world.machines) startMachine(world, machine)
  settle(stage, config)
  begin(stage)
  for (const { text, act, waitMs } of steps) {
    if (waitMs > 0) advance(stage, world.nowMs + waitMs)
    else {
      note(stage, 'step', text)
      act(world)
      look(stage)
    }
  }
  const endless = runToRest(stage, config, scriptMs)
  return resultOf(stage, endless)
}

/** From here on it is told: what came before was only to get there. */
function begin(stage: Stage): void {
  const { world } = stage
  stage.lines.length = stage.looked = 0
  stage.seen.clear()
  stage.violations.length = 0
  world.ledger.excused.clear()
  stage.service = watchService(world)
  stage.beganMs = stage.lastNewsMs = world.nowMs
}

/** Until every group is served and both nodes say that all is well; what does not come to that is rehearsed as it is. */
function settle(stage: Stage, config: ClusterConfig): void {
  const { world, service } = stage
  const { initdeadMs, deadtimeMs } = config.timing
  // The witness and the ping nodes have been asked by then, and nothing rests on the time before.
  advance(stage, 12_000 + 2 * deadtimeMs)
  const limitMs = world.nowMs + initdeadMs + 120_000
  const isWell = (): boolean => service.now().every(isServedOnce)
    && world.machines.every((machine) => reportOf(world, machine)?.health === 'healthy')
  while (!isWell() && world.nowMs < limitMs) advance(stage, world.nowMs + 1000)
}

/** True when it was broken off. Somebody who stands still, or a failback that waits its time, is waited for. */
function runToRest(stage: Stage, config: ClusterConfig, scriptMs: number): boolean {
  const { world, beganMs } = stage
  const { deadtimeMs, initdeadMs } = config.timing
  const quietMs = Math.max(longestSilenceMs, 4 * deadtimeMs, initdeadMs + deadtimeMs) + 2 * scriptMs
  const limitMs = world.nowMs + longestMs
  for (;;) {
    const standsStill = world.machines.some(({ paused }) => paused !== undefined)
    const restMs = Math.max(stage.lastNewsMs, beganMs) + quietMs + waitsForFailbackMs(world)
    if (!standsStill && world.nowMs >= restMs) return false
    if (world.nowMs >= limitMs) return true
    advance(stage, Math.min(limitMs, Math.max(world.nowMs + 500, standsStill ? 0 : restMs)))
  }
}

function waitsForFailbackMs(world: World): number {
  const waiting = world.machines.flatMap((machine) => reportOf(world, machine)?.groups ?? []).filter(({ reason }) => reason === 'failback-waits')
  const waits = waiting.map(({ autoFailback }) => (typeof autoFailback === 'object' && 'afterMs' in autoFailback ? autoFailback.afterMs : 0))
  return Math.max(0, ...waits)
}

function reportOf({ core }: World, { daemon }: Machine): StatusReport | undefined {
  return daemon === undefined ? undefined : core.statusReport(daemon.state, daemon.lastMs)
}

/** Item by item, so that no change of service goes unseen. */
function advance(stage: Stage, untilMs: number): void {
  const { world } = stage
  for (;;) {
    const nextMs = world.queue.nextMs()
    if (nextMs === undefined || nextMs > untilMs) break
    runUntil(world, Math.max(nextMs, world.nowMs))
    look(stage)
  }
  world.nowMs = Math.max(world.nowMs, untilMs)
}

function look(stage: Stage): void {
  const { world, violations, seen, lines } = stage
  const broken = world.ledger.violations.splice(0)
  if (violations.length < mostViolations) violations.push(...broken)
  for (const service of stage.service.look()) note(stage, 'service', serviceText(service))
  // Attempts that are repeated for ever, with other figures each time, are no news.
  for (const line of lines.slice(stage.looked).filter(isTold)) {
    const text = `${line.who} ${line.text.replace(/\d+/g, '')}`
    if (line.code === 'service' || !seen.has(text)) stage.lastNewsMs = Math.max(stage.lastNewsMs, line.trueMs)
    seen.add(text)
  }
  stage.looked = lines.length
}

function note({ world, lines }: Stage, code: string, text: string): void {
  lines.push({ trueMs: world.nowMs, who: '', text, code })
}

export function isServedOnce({ served, twice }: GroupService): boolean {
  return served === 'by-one' && twice.length === 0
}

function serviceText({ group, served, nodes, twice }: GroupService): string {
  const also = twice.length === 0 ? '' : `; ${twice.join(', ')} of it runs on BOTH nodes`
  switch (served) {
    case 'by-one': return `${nodes[0] ?? ''} serves ${group}${also}`
    case 'in-part': return `${nodes[0] ?? ''} serves ${group} in part${also}`
    case 'by-nobody': return `nobody serves ${group}${also}`
    case 'by-both': return `BOTH nodes serve ${group}${also}`
  }
}

function resultOf(stage: Stage, endless: boolean): Rehearsal {
  const { world, violations, service, beganMs } = stage
  const groups = service.now().map((one) => ({ ...one, ...service.times(one.group) }))
  const problems = world.machines.map((machine) => ({ node: machine.name, problems: reportOf(world, machine)?.problems ?? [] }))
    .filter(({ problems: found }) => found.length > 0)
  return {
    ok: violations.length === 0 && !endless && groups.every(isServedOnce),
    timeline: storyOf(stage.lines.filter(({ trueMs }) => trueMs <= stage.lastNewsMs), beganMs),
    groups, endless, problems, violations,
    endMs: stage.lastNewsMs - beganMs,
    excuses: [...world.ledger.excused.keys()],
    isProtected: isProtected(world),
  }
}

/** Scenarios that make sense of this configuration, for somebody who does not know what to ask. */
export function exampleScenarios(config: ClusterConfig): readonly string[] {
  const { nodes, links, witness, fencing, groups } = config
  const [first = '', second = ''] = nodes
  const [link] = linksOf(links)
  const script = groups.flatMap(({ resources }) => resources).find(({ address }) => address === undefined)?.script
  return [
    `kill ${first}`,
    `kill ${first}, wait 1m, start ${first}`,
    `kill daemon ${first}`,
    ...(link === undefined ? [] : [`lose link ${link.interface}`]),
    'partition, wait 30s, heal',
    `cut ${first} to ${second}`,
    `pause ${first} 15s`,
    ...(witness === undefined ? [] : [`partition, witness reachable from ${second} only`, `witness down, kill ${first}`]),
    ...(fencing === undefined ? [] : [`fencing fails, kill ${first}`]),
    ...(script === undefined ? [] : [`kill service ${script}`, `stop of ${script} fails, standby ${first}`]),
    `standby ${first}, wait 1m, online ${first}`,
  ]
}
