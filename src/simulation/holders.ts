/**
 * S1: two nodes with the same address, or the same service that may run only once. Excused only as P2 of design.md
 * section 2 says: for deadtime no packet passed in either direction, or the former holder stood still; and, counted
 * apart, what a dead daemon left behind. Then packets that pass must end it: both ways within a keepalive, one way
 * within 0.3 * deadtime.
 */
import { violate } from './violations.ts'
import { limitAfterPause } from './pause-bound.ts'
import { excuseFromPromise, isProtected, limitOverlap } from './exclusion.ts'
import type { Excuse, Overlap } from './ledger.ts'
import { guestStandsStill, isUp, stagesOfGroup, timingOf, truthOf, type Machine, type StageTruth } from './machine.ts'
import { peerOf, tell, type World } from './world.ts'

/** A node judges by its own clock, which may be 1 % fast, and the other's by theirs. */
const driftFactor = 0.97
const slackMs = 50

export function checkHolders(world: World, machine: Machine, truth: StageTruth): void {
  if (truth.warm) return
  const peer = peerOf(world, machine)
  const peerTruth = truthOf(peer, truth.group, truth.index)
  const key = `${truth.group}/${truth.index}`
  const overlap = world.ledger.overlaps.get(key)
  const isAddress = truth.what.kind === 'addresses'
  const judgedByPromise = isAddress && isProtected(world)
  // A guest that stands still answers for nothing.
  const standsStill = judgedByPromise && (guestStandsStill(machine) || guestStandsStill(peer))
  const both = peerTruth !== undefined && !standsStill && inBoth(truth, peerTruth)
  if (both === (overlap !== undefined)) return
  if (overlap !== undefined) {
    world.ledger.overlaps.delete(key)
    tell(world, 'world', `one holder again of ${key} after ${Math.round(world.nowMs - overlap.sinceMs)} ms`)
    return
  }
  const acquirer = laterAcquirer(world, machine, peer, truth.group)
  const excuse = judgedByPromise ? excuseFromPromise(world, machine, peer) : excuseOf(world, acquirer, peerOf(world, acquirer), truth)
  const what = `${truth.what.kind === 'addresses' ? 'addresses' : 'service'} ${truth.what.name} of ${truth.group}`
  if (excuse === undefined) {
    violate(world, judgedByPromise ? 'P1' : 'S1', `${what} on both nodes, and nothing excuses it: ${evidence(world, acquirer, truth)}`)
    return
  }
  world.ledger.excused.set(excuse, (world.ledger.excused.get(excuse) ?? 0) + 1)
  tell(world, 'world', `two holders of ${what} (${excuse})`)
  const begun: Overlap = {
    group: truth.group, stage: truth.index, isAddress, sinceMs: world.nowMs, excuse,
    judgedFromMs: world.nowMs, heardMs: [undefined, undefined], hearsSinceMs: [undefined, undefined],
  }
  world.ledger.overlaps.set(key, begun)
  limitOverlap(world, begun, machine, peer)
  if (excuse === 'holder-paused' && !isProtected(world)) limitAfterPause(world, begun, peerOf(world, acquirer), takingDownMs(world, begun) + slackMs)
}

function inBoth(one: StageTruth, other: StageTruth): boolean {
  if (one.what.kind === 'script') return one.running && other.running
  return [...one.configured].some((ip) => other.configured.has(ip))
}

function acquiredMs(world: World, machine: Machine, group: string): number {
  return world.ledger.nodes[machine.index].lastAcquisitions.get(group)?.beganMs ?? -Infinity
}

function laterAcquirer(world: World, changed: Machine, other: Machine, group: string): Machine {
  return acquiredMs(world, other, group) > acquiredMs(world, changed, group) ? other : changed
}

function excuseOf(world: World, acquirer: Machine, other: Machine, truth: StageTruth): Excuse | undefined {
  const [own, others] = [world.ledger.nodes[acquirer.index], world.ledger.nodes[other.index]]
  const acquisition = own.lastAcquisitions.get(truth.group)
  const beganMs = acquisition?.beganMs ?? world.nowMs
  const deadtimeMs = acquisition?.deadtimeMs ?? timingOf(acquirer).deadtimeMs
  const windowMs = beganMs - deadtimeMs * 1.05 - slackMs
  if (other.daemon === undefined || others.daemonStartMs >= windowMs) return 'daemon-dead'
  if (other.paused !== undefined || others.lastWakeMs >= windowMs) return 'holder-paused'
  if (acquisition !== undefined && acquisition.silentBothMs >= driftFactor * acquisition.leastDeadtimeMs && !mustHaveLetGo(world, other, truth)) return 'silence'
  if (own.lastFreezeEndMs >= windowMs) return 'clock-stood-still'
  const unclean = others.unclean.get(truth.group)
  if (unclean !== undefined && !unclean.peerKnows) return 'unclean-and-unheard'
  if (acquisition === undefined) return undefined
  const { keepaliveMs } = timingOf(other)
  const deaf = acquisition.silentMs >= driftFactor * deadtimeMs
  if (deaf && acquisition.silentBothMs >= 0.48 * deadtimeMs) return 'half-silence'
  if (deaf && acquisition.peerHearsMs <= 0.3 * Math.max(deadtimeMs, timingOf(other).deadtimeMs) * 1.03 + keepaliveMs + slackMs) {
    return acquisition.peerGapMs >= driftFactor * deadtimeMs ? 'healing' : 'sparsely-heard'
  }
  const isService = truth.what.kind === 'script'
  if (isService && deaf) return 'service-still-stopping'
  return undefined
}

/** With a witness or fencing a holder lets go before the other may start: a service of it stays only while its stop takes its time. */
function mustHaveLetGo(world: World, other: Machine, truth: StageTruth): boolean {
  if (!isProtected(world) || world.ledger.nodes[other.index].unclean.has(truth.group)) return false
  return ![...other.operations].some((operation) => operation.truth.group === truth.group)
}

function evidence(world: World, acquirer: Machine, truth: StageTruth): string {
  const acquisition = world.ledger.nodes[acquirer.index].lastAcquisitions.get(truth.group)
  if (acquisition === undefined) return `${acquirer.name} never acquired it`
  const silent = Math.round(acquisition.silentBothMs)
  return `${acquirer.name} began at ${(acquisition.beganMs / 1000).toFixed(3)} by ${acquisition.permission}, silence both ways ${silent} ms`
}

/** Called when `machine` has used a packet that was sent at `sentMs`. */
export function hearDuringOverlaps(world: World, machine: Machine, sentMs: number): void {
  for (const overlap of world.ledger.overlaps.values()) {
    if (sentMs < overlap.judgedFromMs || isStuck(world, overlap) || !areAwake(world)) continue
    const deadtimeMs = timingOf(machine).deadtimeMs
    const lastMs = world.ledger.nodes[machine.index].lastUsedMs
    const continuous = overlap.hearsSinceMs[machine.index] !== undefined && world.nowMs - lastMs < 0.45 * deadtimeMs
    if (!continuous) overlap.hearsSinceMs[machine.index] = world.nowMs
    overlap.heardMs[machine.index] ??= world.nowMs
    // With a witness or fencing nobody lets go for this: authority ends, or the other is off.
    if (!isProtected(world)) checkOneWay(world, machine, overlap)
    const [one, other] = overlap.heardMs
    if (one !== undefined && other !== undefined && Math.max(one, other) === world.nowMs) limitBothWays(world, overlap, one, other)
  }
}

function checkOneWay(world: World, machine: Machine, overlap: Overlap): void {
  const timing = timingOf(machine)
  const limitMs = 0.3 * timing.deadtimeMs * 1.03 + timing.keepaliveMs * 1.02 + slackMs + takingDownMs(world, overlap)
  const hearsMs = world.nowMs - (overlap.hearsSinceMs[machine.index] ?? world.nowMs)
  // Confirmed lately, it may count on being heard: the peer cannot have judged it yet.
  const confirmedMs = world.nowMs - world.ledger.nodes[machine.index].confirmedSentMs
  if (hearsMs > limitMs && confirmedMs > 0.8 * timing.deadtimeMs * 1.03 + slackMs + world.options.timerLateMs) {
    violate(world, 'S1', `${machine.name} hears the other for ${Math.round(hearsMs)} ms and both still have ${overlap.group}/${overlap.stage} (limit ${Math.round(limitMs)} ms)`)
  }
}

function limitBothWays(world: World, overlap: Overlap, one: number, other: number): void {
  const keepaliveMs = Math.max(...world.machines.map((machine) => timingOf(machine).keepaliveMs))
  const limitMs = Math.max(one, other) + keepaliveMs * 1.02 + slackMs + takingDownMs(world, overlap)
  const judgedFromMs = overlap.judgedFromMs
  world.queue.add(limitMs, () => {
    const key = `${overlap.group}/${overlap.stage}`
    if (world.ledger.overlaps.get(key) !== overlap || overlap.judgedFromMs !== judgedFromMs || isStuck(world, overlap) || !areAwake(world)) return
    violate(world, 'S1', `packets pass both ways since ${Math.round(world.nowMs - Math.max(one, other))} ms and both nodes still have ${key}`)
  })
}

/** Addresses go at once; a service may need its stop timeout, after those above it in the list. */
function takingDownMs(world: World, overlap: Overlap): number {
  if (overlap.isAddress) return 10 + world.options.timerLateMs + 10 * world.options.network.delayMeanMs
  return stagesOfGroup(world.machines[0], overlap.group).reduce((sum, truth) => sum + (truth.what.kind === 'script' ? truth.what.resource.stopTimeoutMs : 20_000), 2000)
}

/** Nothing can be asked of a node that stands still, or has not looked yet at what its last daemon left. */
function areAwake(world: World): boolean {
  return world.machines.every((machine) => machine.paused === undefined && machine.daemon?.lookedMs !== undefined)
}

/** Its stop failed there, so nobody can end it but an administrator. */
function isStuck(world: World, overlap: Overlap): boolean {
  return world.ledger.nodes.some((node) => node.unclean.has(overlap.group))
}

/** After a pause, a restart or the look at start-up, what was heard before counts for nothing. */
export function judgeOverlapsAfresh(world: World): void {
  for (const overlap of world.ledger.overlaps.values()) {
    overlap.judgedFromMs = world.nowMs
    overlap.heardMs[0] = overlap.heardMs[1] = undefined
    overlap.hearsSinceMs[0] = overlap.hearsSinceMs[1] = undefined
  }
}

/** Machines that hold every stage of the group, by the world's truth. */
export function holdersOf(world: World, group: string): readonly Machine[] {
  return world.machines.filter((machine) => machine.running && stagesOfGroup(machine, group).some((truth) => !truth.warm && isUp(truth)))
}
