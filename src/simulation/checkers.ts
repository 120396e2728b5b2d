/**
 * The checkers' ears: the world calls these as things happen. S1 to S9 of models.md 2.2 are judged here and in the files
 * named after what they watch; L1 to L3 in convergence.ts. They look at kernels, services and packets, not at the core.
 */
import type { AdminReply } from '../core/admin.ts'
import type { Event, Observation, Outcome } from '../core/events.ts'
import type { Packet } from '../core/packet.ts'
import type { EventRecord } from '../core/records.ts'
import type { NodeInit } from '../core/state.ts'
import { checkLettingGo } from './yielding.ts'
import { checkHolders, hearDuringOverlaps, judgeOverlapsAfresh } from './holders.ts'
import { configChanged, watchLeases } from './death.ts'
import { noFormerLease, type Journal } from './ledger.ts'
import { isUp, timingOf, truthOf, type Daemon, type Machine, type Operation, type PauseKind, type StageTruth } from './machine.ts'
import { checkOperation, followOutcome } from './operation-order.ts'
import { followSent, followUsed } from './permissions.ts'
import { setTruth } from './operations.ts'
import { checkStep, chooseStep, type MadeTurn } from './purity.ts'
import { violate } from './violations.ts'
import type { World } from './world.ts'

const journalOf = new WeakMap<Daemon, Journal>()

export function daemonStarted(world: World, machine: Machine, init: NodeInit): void {
  const node = world.ledger.nodes[machine.index]
  node.daemonStartMs = world.nowMs
  checkUncleanKept(world, machine, init)
  node.sameBoot = init.sameBoot
  node.longestDeadtimeMs = 0
  node.shortestDeadtimeMs = Infinity
  node.formerInitdeadMs = Infinity
  node.sent = []
  node.confirmedSentMs = -Infinity
  node.heard = false
  node.peerLeft = false
  node.shown.clear()
  node.wills.clear()
  node.fencedMs = -Infinity
  node.vouched.clear()
  node.lastLongWakeMs = -Infinity
  if (world.options.keepsJournal && machine.daemon !== undefined) {
    const journal: Journal = { init, events: [], end: undefined }
    journalOf.set(machine.daemon, journal)
    world.ledger.journals.push(journal)
  }
  judgeOverlapsAfresh(world)
}

/** A daemon that leaves in order owes nobody an answer, and has taken down what it held, but for stops that failed. */
export function daemonExits(world: World, machine: Machine, daemon: Daemon): void {
  const owed = [...daemon.pendingRequests.keys()].filter((requestId) => daemon.seenRequests.has(requestId))
  if (owed.length > 0) violate(world, 'S7', `${machine.name} exits without a reply to request ${owed.join(', ')}`)
  const { unclean, saysPaused } = world.ledger.nodes[machine.index]
  // During `hactl pause` it leaves everything as it is, for the next daemon to adopt (design.md section 6, systemd).
  if (saysPaused) return
  const left = machine.stages.find((truth) => !truth.warm && isUp(truth) && !unclean.has(truth.group))
  if (left !== undefined) violate(world, 'L3', `${machine.name} exits and leaves ${left.group}/${left.what.name} running`)
}

/** The write that was under way when the stop failed, and the one that says so; each takes less than 10 ms here. */
const twoWritesMs = 25

/** What a full disk did not take is forgotten by the next daemon; anything else must be known to it ("persisted before use"). */
function checkUncleanKept(world: World, machine: Machine, init: NodeInit): void {
  const { unclean, lastWakeMs, daemonEndMs } = world.ledger.nodes[machine.index]
  for (const [group, { sinceMs, rebooted }] of [...unclean]) {
    if (rebooted || init.persistent?.groups.find((one) => one.name === group)?.unclean === true) continue
    // A write under way when the daemon ended is lost; one that failed is tried again every 10 s.
    const lastRefusedMs = Math.max(machine.disk.lastFullMs, lastWakeMs)
    const excused = lastRefusedMs >= sinceMs - 11_000 || daemonEndMs - sinceMs < twoWritesMs
    if (!excused) violate(world, 'S4', `${machine.name} starts again and its state directory does not say that ${group} is unclean there`)
    unclean.delete(group)
  }
}

export function daemonEnded(world: World, machine: Machine): void {
  const node = world.ledger.nodes[machine.index]
  const { daemon } = machine
  node.daemonEndMs = world.nowMs
  if (daemon !== undefined) {
    const journal = journalOf.get(daemon)
    if (journal !== undefined) journal.end = daemon.state
  }
  node.claims.clear()
  node.consents.clear()
  node.acquisitions.clear()
  node.sentStates.clear()
  // A stop that failed while the daemon stood still was never known to it.
  const { paused } = machine
  for (const [group, { sinceMs }] of [...node.unclean]) if (paused !== undefined && sinceMs >= paused.sinceMs) node.unclean.delete(group)
  // What the ended daemon was told dies with it.
  for (const unclean of world.ledger.nodes[machine.index === 0 ? 1 : 0].unclean.values()) unclean.peerKnows = false
  judgeOverlapsAfresh(world)
  if (machine.running) watchLeases(world, machine)
}

export function machineCrashed(world: World, machine: Machine): void {
  const node = world.ledger.nodes[machine.index]
  for (const unclean of node.unclean.values()) unclean.rebooted = true
  // It goes by the clock of the boot that has just ended.
  node.formerLease = noFormerLease
  for (const truth of machine.stages) checkHolders(world, machine, truth)
}

export function pauseBegun(world: World, machine: Machine): void {
  watchLeases(world, machine)
  // A guest that stands still answers for nothing: what is excused is judged anew when it goes on.
  for (const truth of machine.stages) checkHolders(world, machine, truth)
}

export function pauseEnded(world: World, machine: Machine, pausedMs: number, kind: PauseKind): void {
  const node = world.ledger.nodes[machine.index]
  node.lastWakeMs = world.nowMs
  if (kind === 'guest-pause') node.lastGuestWakeMs = world.nowMs
  if (kind === 'guest-freeze') node.lastFreezeEndMs = world.nowMs
  else if (pausedMs >= Math.max(node.longestDeadtimeMs, timingOf(machine).deadtimeMs)) node.lastLongWakeMs = world.nowMs
  judgeOverlapsAfresh(world)
  for (const truth of machine.stages) checkHolders(world, machine, truth)
}

export function packetSent(world: World, machine: Machine, packet: Packet): void {
  followSent(world, machine, packet)
}

export function packetProcessed(world: World, machine: Machine, packet: Packet, sentMs: number): void {
  if (packet.will === undefined) hearDuringOverlaps(world, machine, sentMs)
  followUsed(world, machine, packet, sentMs)
}

export function truthChanged(world: World, machine: Machine, truth: StageTruth): void {
  checkHolders(world, machine, truth)
}

export function operationBegins(world: World, machine: Machine, daemon: Daemon, operation: Operation): void {
  checkOperation(world, machine, daemon, operation)
}

export function operationEnded(world: World, machine: Machine, operation: Operation, outcome: Outcome): void {
  followOutcome(world, machine, operation, outcome)
}

/** A look that finds a stage stopped proves as much as a stop that succeeds. */
export function resourcesObserved(world: World, machine: Machine, observations: readonly Observation[]): void {
  const { unclean } = world.ledger.nodes[machine.index]
  for (const seen of observations) {
    const truth = truthOf(machine, seen.group, seen.stage)
    if (truth !== undefined && seen.found === 'unclear') truth.doubtful = true
    const known = unclean.get(seen.group)
    if (known === undefined || seen.found !== 'stopped') continue
    known.stages.delete(seen.stage)
    if (known.stages.size === 0) unclean.delete(seen.group)
  }
}

export function stepStarts(world: World, machine: Machine, daemon: Daemon, event: Event): void {
  journalOf.get(daemon)?.events.push(event)
  if ((event.type === 'admin-requested' || event.type === 'config-reloaded') && event.requestId !== undefined) daemon.seenRequests.add(event.requestId)
  chooseStep(world, daemon, event)
  void machine
}

export function stepMade(world: World, machine: Machine, daemon: Daemon, turn: MadeTurn): void {
  if (turn.event.type === 'resources-observed') judgeOverlapsAfresh(world)
  if (turn.before.config !== daemon.state.config) configChanged(world, machine, turn.before.config)
  checkStep(world, machine, daemon, turn)
}

export function recordWritten(world: World, machine: Machine, record: EventRecord): void {
  if (record.code === 'group-held') world.ledger.moves += 1
  checkLettingGo(world, machine, record)
  if (record.code === 'group-clean' && record.group !== undefined) {
    world.ledger.nodes[machine.index].vouched.add(record.group)
    for (const one of world.machines) haveChecked(world, one, record.group)
  }
  const group = record.group === undefined ? '' : ` [${record.group}]`
  const reason = record.reason === undefined ? '' : ` (${record.reason})`
  const text = `${record.code}${group}${reason}: ${record.message}`
  world.tell?.({ trueMs: world.nowMs, who: machine.name, text, code: record.code, record })
}

/** `cleanup --i-have-checked` has taken effect here: the administrator had ended by hand what was left. A stop that succeeded left nothing. */
function haveChecked(world: World, machine: Machine, group: string): void {
  const unclean = world.ledger.nodes[machine.index].unclean.get(group)
  if (unclean === undefined || world.nowMs - (world.ledger.cleanups.get(group) ?? -Infinity) > 120_000) return
  for (const stage of unclean.stages) {
    const truth = truthOf(machine, group, stage)
    if (truth !== undefined) setTruth(world, machine, truth, false)
  }
  world.ledger.nodes[machine.index].unclean.delete(group)
}

/** S7: exactly one reply for each request; no reply that nobody asked for. */
export function replied(world: World, machine: Machine, daemon: Daemon, requestId: number, reply: AdminReply): void {
  world.tell?.({ trueMs: world.nowMs, who: machine.name, text: `reply to request ${requestId}: ${reply.result}: ${reply.message}`, code: 'reply' })
  if (!daemon.pendingRequests.delete(requestId)) violate(world, 'S7', `${machine.name} replies to request ${requestId}, which has its reply already or was never made`)
}
