/**
 * L1 to L3, after the faults have ended: within a stated bound each group is whole on exactly one node, clients see it
 * there and both daemons say so, or there is a reason (pause, standby, unclean, failed); then nothing moves any more.
 */
import type { GroupConfig } from '../core/config.ts'
import type { StatusReport } from '../core/report.ts'
import { reload, request, shutdownLimitMs, shutDown } from './administrator.ts'
import { endFaults } from './faults.ts'
import { holdersOf } from './holders.ts'
import type { Rule } from './ledger.ts'
import { isWhole, stagesOfGroup, type Machine, type StageTruth } from './machine.ts'
import { violate } from './violations.ts'
import { after, peerOf, runUntil, tell, type World } from './world.ts'

const timeoutMs = 60_000
const quietMs = 40_000

interface Problem { readonly rule: Rule; readonly message: string }

/** Runs the liveness phase to its end. */
export function converge(world: World): void {
  endFaults(world)
  for (const machine of world.machines) {
    machine.config = world.options.config
    reload(world, machine)
  }
  if (world.options.settles) settle(world)
  waitForRest(world)
  const { starts } = world.ledger
  runUntil(world, world.nowMs + quietMs)
  if (world.ledger.violations.length > 0) return
  if (world.ledger.starts !== starts) violate(world, 'L2', `a group moved ${world.ledger.starts - starts} times after everything had converged`)
  report(world, problemsOf(world))
  if (world.options.settles && world.options.seed % 2 === 0) leaveOne(world)
}

/** Where all is set back, rest may come early; where it is not, what is remembered must first be forgotten. */
function waitForRest(world: World): void {
  const limitMs = world.nowMs + convergenceLimitMs(world)
  if (world.options.settles) {
    runUntil(world, world.nowMs + secondSettleMs(world) + 1000)
    while (world.nowMs < limitMs && world.ledger.violations.length === 0 && problemsOf(world).length > 0) runUntil(world, world.nowMs + 5000)
  } else runUntil(world, limitMs)
  report(world, problemsOf(world))
}

function report(world: World, problems: readonly Problem[]): void {
  if (world.ledger.violations.length > 0) return
  for (const { rule, message } of problems) violate(world, rule, message)
}

/** An administrator sets everything back, twice, because the first time a daemon may still be starting or busy. */
function settle(world: World): void {
  const set = (): void => {
    for (const machine of world.machines) {
      request(world, machine, { type: 'resume' })
      // Only where somebody moved or stopped something: failback must come by itself.
      if (needsOnline(world, machine)) request(world, machine, { type: 'online', timeoutMs })
      for (const group of world.options.config.groups) {
        if (world.ledger.nodes[machine.index].unclean.has(group.name)) request(world, machine, { type: 'cleanup', group: group.name, timeoutMs })
      }
    }
  }
  after(world, 5000, set)
  after(world, secondSettleMs(world), set)
}

function needsOnline(world: World, machine: Machine): boolean {
  const own = reportOf(world, machine)
  return own === undefined || own.nodes.some((node) => node.self && node.standby !== undefined) || own.groups.some((group) => group.pinned)
}

function secondSettleMs(world: World): number {
  const { timing } = world.options.config
  return timing.initdeadMs + 2 * timing.deadtimeMs + 30_000
}

/**
 * An operation under way may hang until its timeout and be cleaned up (2 x 20 s); a restarted daemon listens; failures are
 * forgotten; then the second `online`, failback with its delay, and the operations of the moves themselves.
 */
function convergenceLimitMs(world: World): number {
  const { config, operations } = world.options
  const { timing } = config
  const scripts = config.groups.flatMap((group) => group.resources).length * operations.scriptMs * 8
  return timing.initdeadMs + 8 * timing.deadtimeMs + 60_000 + config.failureMemoryMs * 2 + 30_000 + scripts
}

function reportOf(world: World, machine: Machine): StatusReport | undefined {
  const { daemon } = machine
  return daemon === undefined ? undefined : world.core.statusReport(daemon.state, daemon.lastMs)
}

function problemsOf(world: World): readonly Problem[] {
  const [first, second] = world.machines.map((machine) => reportOf(world, machine))
  if (first === undefined || second === undefined) {
    return world.machines.filter((machine) => machine.daemon === undefined).map(({ name }) => ({ rule: 'L1', message: `${name} has no daemon` }))
  }
  const problems = world.options.config.groups.flatMap((group) => problemsOfGroup(world, group, [first, second]))
  if (!world.options.settles) return problems
  const degraded = [first, second].filter((one) => one.health !== 'healthy')
  return [...problems, ...degraded.map((one): Problem => ({ rule: 'L1', message: `all is well, but ${one.node} reports degraded: ${one.problems.join('; ')}` }))]
}

function problemsOfGroup(world: World, group: GroupConfig, reports: readonly [StatusReport, StatusReport]): readonly Problem[] {
  const holders = holdersOf(world, group.name)
  const [holder] = holders
  if (holders.length > 1) return [{ rule: 'L1', message: `${group.name} is on both nodes after everything has been well for long` }]
  if (holder === undefined || !stagesOfGroup(holder, group.name).every(isServed)) {
    const reason = world.options.settles ? undefined : reasonUnheld(world, group, reports)
    return reason === undefined ? [{ rule: 'L1', message: `${group.name} is not held in full by any node; status says: ${explain(group, reports)}` }] : []
  }
  const said = reports.map((one) => one.groups.find(({ name }) => name === group.name)?.holder)
  // What a restarted daemon found during a pause stays as it is, and nobody's.
  if (!world.options.settles && said.every((name) => name === undefined) && reasonUnheld(world, group, reports) !== undefined) return []
  if (said.some((name) => name !== holder.name)) return [{ rule: 'L1', message: `${group.name} is on ${holder.name}, status says ${said.join(' and ')}` }]
  const stale = stagesOfGroup(holder, group.name).flatMap((truth) => [...truth.configured]).find((ip) => world.clientSees.get(ip) !== holder.name)
  if (stale !== undefined) return [{ rule: 'L1', message: `clients still look for ${stale} on ${world.clientSees.get(stale) ?? 'no node'}, it is on ${holder.name}` }]
  return world.options.settles ? problemsOfSettled(world, group, holder) : []
}

function problemsOfSettled(world: World, group: GroupConfig, holder: Machine): readonly Problem[] {
  const policy = group.autoFailback ?? world.options.config.autoFailback
  const peer = peerOf(world, holder)
  if (peer.stayDown) return []
  if (policy !== 'off' && holder.name !== group.preferredNode) {
    return [{ rule: 'L2', message: `${group.name} is on ${holder.name}, its preferred node ${group.preferredNode} is well and auto_failback is ${JSON.stringify(policy)}` }]
  }
  const cold = stagesOfGroup(peer, group.name).find((truth) => truth.warm && !isServed(truth))
  return cold === undefined ? [] : [{ rule: 'L1', message: `warm ${group.name}/${cold.what.name} does not run on ${peer.name}` }]
}

/** A service that died and is never asked for its status may be missed without anybody's fault. */
function isServed(truth: StageTruth): boolean {
  const unwatched = truth.what.kind === 'script' && truth.what.resource.status === undefined
  return isWhole(truth) || (unwatched && truth.hurt)
}

/** Left as an administrator or a failure has put it: that is a reason, if the status names it. */
function reasonUnheld(world: World, group: GroupConfig, reports: readonly [StatusReport, StatusReport]): string | undefined {
  if (reports.some((report) => report.pause.paused)) return 'paused'
  if (world.ledger.nodes.some((node) => node.unclean.has(group.name))) return 'unclean'
  const cannot = reports.every((report) => {
    const own = report.groups.find((one) => one.name === group.name)
    const standby = report.nodes.find((node) => node.self)?.standby
    const isLocal = group.preferredNode === report.node
    const covered = standby === 'all' || (standby === 'local' && isLocal) || (standby === 'foreign' && !isLocal)
    return own?.state === 'unclean' || own?.failedHere === true || covered
  })
  return cannot ? 'cannot' : undefined
}

function explain(group: GroupConfig, reports: readonly StatusReport[]): string {
  return reports.map((report) => {
    const own = report.groups.find((one) => one.name === group.name)
    return `${report.node}: ${own?.state ?? 'no such group'}, ${own?.reason ?? ''} (${own?.explanation ?? ''})`
  }).join('; ')
}

/** One node leaves in order: L3, and the other has everything. */
function leaveOne(world: World): void {
  if (world.ledger.violations.length > 0) return
  const [leaver] = world.machines
  tell(world, 'world', `${leaver.name} is asked to leave`)
  shutDown(world, leaver, Infinity)
  const limitMs = world.nowMs + shutdownLimitMs(world.options.config) + 10_000
  while (world.nowMs < limitMs && world.ledger.violations.length === 0 && problemsOfLeft(world, leaver).length > 0) runUntil(world, Math.min(limitMs, world.nowMs + 2000))
  report(world, problemsOfLeft(world, leaver))
}

function problemsOfLeft(world: World, leaver: Machine): readonly Problem[] {
  if (leaver.daemon !== undefined) return [{ rule: 'L3', message: `${leaver.name} has not ended` }]
  return world.options.config.groups.flatMap((group): readonly Problem[] => {
    const holders = holdersOf(world, group.name)
    const whole = holders[0] !== undefined && stagesOfGroup(holders[0], group.name).every(isServed)
    if (holders.length === 1 && holders[0] !== leaver && whole) return []
    return [{ rule: 'L3', message: `${leaver.name} has left in order and ${group.name} is held by ${holders.map((one) => one.name).join(', ') || 'nobody'}` }]
  })
}
