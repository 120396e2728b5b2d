/**
 * Copies of what changes in many turns, with every field written down. Each is what `{ ...value }` would give, but ten times
 * as fast: Node.js 20 copies a spread object field by field and gives it a layout of its own, and whatever reads objects of
 * many layouts is slow. Here all nodes, groups and stages have the same fields in the same order; an absent one is `undefined`.
 */
import type { Contact, Grant, GroupState, Hold, LinkState, NodeState, RunningOperation, StageLease, StageState, WitnessState } from './state.ts'

/** Fields to set; one given as `undefined` counts as absent. */
export type Change<T> = { [K in keyof T]?: T[K] | undefined }

/** The same object if nothing differs. */
export function changed<T extends object>(value: T, change: Change<T>, copy: (value: T) => Change<T>): T {
  let next: Change<T> | undefined
  for (const key in change) {
    if (change[key] === value[key]) continue
    next ??= copy(value)
    next[key] = change[key]
  }
  return next === undefined ? value : (next as T)
}

/** A new one, with every field. */
export function whole<T extends object>(value: T, copy: (value: T) => Change<T>): T {
  return copy(value) as T
}

/** Complains about a field that is forgotten below. */
type Whole<T> = { -readonly [K in keyof T]-?: object extends Pick<T, K> ? T[K] | undefined : T[K] }

export function copyNode(one: NodeState): Whole<NodeState> {
  return {
    self: one.self, peer: one.peer, config: one.config, generation: one.generation, sameBoot: one.sameBoot,
    nextSequence: one.nextSequence, phase: one.phase, startedMs: one.startedMs, begun: one.begun,
    wallOffsetMs: one.wallOffsetMs, bootOffsetMs: one.bootOffsetMs, nextKeepaliveMs: one.nextKeepaliveMs,
    contact: one.contact, links: one.links, groups: one.groups, standby: one.standby, pause: one.pause,
    requests: one.requests, peerRequests: one.peerRequests, stalled: one.stalled, nextOperationId: one.nextOperationId,
    nextPersistId: one.nextPersistId, persisted: one.persisted, persistError: one.persistError,
    leaveByMs: one.leaveByMs, retryPersistMs: one.retryPersistMs, writing: one.writing,
    configDifferences: one.configDifferences, lastMove: one.lastMove, witness: one.witness,
    nextWitnessId: one.nextWitnessId, fencing: one.fencing, nextFenceId: one.nextFenceId, pings: one.pings,
    pingBalance: one.pingBalance, nextRenewalSerial: one.nextRenewalSerial, raising: one.raising,
    guardOutline: one.guardOutline, resetting: one.resetting, keyNames: one.keyNames, advertised: one.advertised,
  }
}

export function copyContact(one: Contact): Whole<Contact> {
  return {
    status: one.status, sinceMs: one.sinceMs, listenFromMs: one.listenFromMs, lastHeardMs: one.lastHeardMs,
    heardSinceMs: one.heardSinceMs, newest: one.newest, facts: one.facts, peerDeadtimeMs: one.peerDeadtimeMs,
    sent: one.sent, confirmed: one.confirmed, deaf: one.deaf, wokeMs: one.wokeMs, wills: one.wills,
    peerRaisedUntilMs: one.peerRaisedUntilMs, nextAskMs: one.nextAskMs, formerDeadtime: one.formerDeadtime,
  }
}

export function copyGroup(one: GroupState): Whole<GroupState> {
  return {
    name: one.name, stages: one.stages, looked: one.looked, found: one.found, claimNumber: one.claimNumber,
    claimLimit: one.claimLimit, hold: one.hold, claim: one.claim, offer: one.offer, operation: one.operation,
    failed: one.failed, pinned: one.pinned, adminGives: one.adminGives, adminTakes: one.adminTakes,
    failbackDue: one.failbackDue, releasingSinceMs: one.releasingSinceMs, addressesDropped: one.addressesDropped,
    move: one.move, gaveSinceMs: one.gaveSinceMs, peerStoppedMs: one.peerStoppedMs, announce: one.announce,
    strippedCount: one.strippedCount, conflictSinceMs: one.conflictSinceMs,
    conflictHeldSinceMs: one.conflictHeldSinceMs, peerCleared: one.peerCleared, grant: one.grant,
    witnessRequest: one.witnessRequest, nextWitnessMs: one.nextWitnessMs, keyHolder: one.keyHolder,
    mustStopByMs: one.mustStopByMs, servedBy: one.servedBy, movedMs: one.movedMs, flapUntilMs: one.flapUntilMs,
    contested: one.contested, placement: one.placement,
  }
}

export function copyStage(one: StageState): Whole<StageState> {
  return {
    what: one.what, status: one.status, message: one.message, addAgain: one.addAgain, lease: one.lease,
    restored: one.restored, nextStatusMs: one.nextStatusMs, statusKind: one.statusKind, statusFailures: one.statusFailures,
    statusSuccesses: one.statusSuccesses, failures: one.failures, lastFailureMs: one.lastFailureMs,
    retryStopMs: one.retryStopMs, retryStartMs: one.retryStartMs,
  }
}

export function copyLink(one: LinkState): Whole<LinkState> {
  return { name: one.name, status: one.status, lastHeardMs: one.lastHeardMs, reason: one.reason }
}

export function copyLease(one: StageLease): Whole<StageLease> {
  return {
    untilMs: one.untilMs, latestMs: one.latestMs, nextRenewMs: one.nextRenewMs, renewing: one.renewing,
  }
}

export function copyHold(one: Hold): Whole<Hold> {
  return {
    number: one.number, permission: one.permission, reason: one.reason, explanation: one.explanation,
    sinceMs: one.sinceMs, heldSinceMs: one.heldSinceMs,
  }
}

export function copyGrant(one: Grant): Whole<Grant> {
  return {
    leaseId: one.leaseId, sentMs: one.sentMs, lifeMs: one.lifeMs, number: one.number, ending: one.ending,
  }
}

export function copyOperation(one: RunningOperation): Whole<RunningOperation> {
  return {
    id: one.id, stage: one.stage, action: one.action, startedMs: one.startedMs, deadlineMs: one.deadlineMs,
    slowReported: one.slowReported, cancelled: one.cancelled, leaseUntilMs: one.leaseUntilMs,
    notAfterMs: one.notAfterMs,
  }
}

export function copyWitness(one: WitnessState): Whole<WitnessState> {
  return {
    status: one.status, lastSeenMs: one.lastSeenMs, message: one.message, look: one.look, nextLookMs: one.nextLookMs,
  }
}
