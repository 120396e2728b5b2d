/**
 * How a group comes to this node and leaves it while the peer is heard (design.md section 5 "Consent"). The wish comes
 * from placement; the rules here turn it into a claim, an offer, a withdrawal, a hold or a release.
 */
import { goesFirst, peerGroup, peerServes, runsHere, stageIsWarm } from './group-view.ts'
import { dropHold, takeHold } from './holds.ts'
import { inMutualContact, judgingDeadtimeMs, peerIsHeard } from './contact.ts'
import { numberIsSafe } from './persistence.ts'
import { consents, outranks, rulingFor } from './permission.ts'
import type { Placement } from './placement.ts'
import { placementAt } from './view.ts'
import type { GroupState } from './state.ts'
import { groupNamed, record, setGroup, type Turn } from './turn.ts'
import { isWarm } from './stage.ts'

export function settleClaims(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined || !group.looked) return
  const placement = placementAt(turn.state, group, turn.nowMs)
  notePlacement(turn, group, placement)
  if (group.hold !== undefined) settleHolder(turn, group, placement)
  else settleWish(turn, group, placement)
}

/** Rows that only follow from what was recorded the moment before: a second line about them would be noise. */
const consequences: readonly string[] = ['holds', 'claim-stands', 'peer-claims', 'peer-holds']

function notePlacement(turn: Turn, group: GroupState, placement: Placement): void {
  if (group.placement === placement.reason) return
  setGroup(turn, group.name, { placement: placement.reason })
  if (consequences.includes(placement.reason)) return
  const where = placement.node === 'nobody' ? 'nowhere' : `on ${placement.node === 'self' ? turn.state.self : turn.state.peer}`
  record(turn, 'info', 'placement-changed', `${group.name} belongs ${where}: ${placement.explanation}`, { group: group.name, reason: placement.reason })
}

function settleHolder(turn: Turn, group: GroupState, placement: Placement): void {
  const peer = peerGroup(turn.state, group.name)
  const claimed = peer !== undefined && peer.claiming && turn.state.contact.status !== 'dead' && group.hold !== undefined && peer.claimNumber > group.hold.number
  if (claimed) {
    const why = group.offer === undefined ? `${turn.state.peer} claims it (number ${peer.claimNumber})` : placement.explanation
    // Two administrators took it at once: the later word stands, and the earlier request is told so (replies.ts).
    setGroup(turn, group.name, { adminTakes: undefined })
    dropHold(turn, groupNamed(turn.state, group.name) ?? group, { kind: 'ordered', reason: group.offer === undefined ? 'peer-claims' : placement.reason, explanation: why })
    return
  }
  if (placement.node === 'nobody' && turn.state.phase === 'leaving') {
    dropHold(turn, group, { kind: 'ordered', reason: placement.reason, explanation: placement.explanation })
    return
  }
  // A window that the peer could not use, or that has been overtaken, is over.
  if (group.failbackDue && placement.reason !== 'failback') setGroup(turn, group.name, { failbackDue: false })
  if (placement.offer === group.offer?.reason) return
  setGroup(turn, group.name, { offer: placement.offer === undefined ? undefined : { reason: placement.offer, sinceMs: turn.nowMs } })
  if (placement.offer === undefined) return
  record(turn, 'info', 'group-offered', `${turn.state.self} offers ${group.name} to ${turn.state.peer}: ${placement.explanation}`, { group: group.name, reason: placement.reason })
}

function settleWish(turn: Turn, group: GroupState, placement: Placement): void {
  const { state, nowMs } = turn
  if (group.found && peerIsHeard(state) && peerServes(state, group.name)) {
    // The peer serves it: what our last daemon left goes at once, addresses first, whoever is to have it afterwards.
    dropHold(turn, group, { kind: 'lost', reason: 'peer-holds', explanation: `${state.peer} holds it` })
    return
  }
  if (group.found && !peerIsHeard(state) && group.keyHolder === state.peer) {
    // A key is asked for only after deadtime without contact: the peer may start it at any moment (F6).
    dropHold(turn, group, { kind: 'lost', reason: 'peer-holds', explanation: `the witness has given it to ${state.peer}` })
    return
  }
  const ruling = rulingFor(state, group, nowMs)
  const wanted = placement.node === 'self' || (group.found && 'permission' in ruling && state.phase !== 'leaving')
  if (!wanted) {
    if (group.claim !== undefined) withdraw(turn, group, placement.explanation)
    if (group.found && mustAnswer(turn, group, placement)) {
      dropHold(turn, groupNamed(turn.state, group.name) ?? group, { kind: leftoverEnding(turn, group), reason: placement.reason, explanation: placement.explanation })
    }
    return
  }
  if (!group.found && stillStopping(group)) {
    if (group.claim !== undefined) withdraw(turn, group, `${state.self} is still stopping it`)
    return
  }
  // The number of a claim that stands was safe when it was made.
  const byGrant = 'permission' in ruling ? numberOfGrant(group) : undefined
  if (byGrant === undefined && !numberIsSafe(state, group) && (group.claim === undefined || 'permission' in ruling)) return
  if ('permission' in ruling) takeHold(turn, group, byGrant ?? group.claimNumber + 1, ruling.permission, placement)
  else if ('needs' in ruling && ruling.needs === 'consent') settleClaim(turn, group, placement)
}

/**
 * The witness has written down the number of its grant: nobody has used it (F12). It counts whatever else permits the hold,
 * for the next grant of the witness is one higher, and no two holds may have the same number.
 */
function numberOfGrant({ grant, claimNumber }: GroupState): number | undefined {
  return grant !== undefined && grant.ending === undefined && grant.number >= claimNumber ? grant.number : undefined
}

/** Both nodes may have found something of their last daemons: then two addresses are up at this moment, and ours go first. */
function leftoverEnding(turn: Turn, group: GroupState): 'ordered' | 'lost' {
  return peerGroup(turn.state, group.name)?.state === 'unknown' ? 'lost' : 'ordered'
}

/** What was found running and belongs to the peer is stopped once the peer has it, wants it, or this node is to be free of it. */
function mustAnswer(turn: Turn, group: GroupState, placement: Placement): boolean {
  return peerServes(turn.state, group.name) || peerGroup(turn.state, group.name)?.claiming === true || placement.node === 'peer' || turn.state.phase === 'leaving'
}

/** A claim on top of our own unfinished release would start what is still being stopped. */
function stillStopping(group: GroupState): boolean {
  const { operation } = group
  return runsHere(group) || (operation !== undefined && operation.action !== 'status' && !stageIsWarm(group, operation.stage))
}

function settleClaim(turn: Turn, group: GroupState, placement: Placement): void {
  const peer = peerGroup(turn.state, group.name)
  if (turn.state.contact.facts === undefined) {
    if (group.claim !== undefined) withdraw(turn, group, `${turn.state.peer} runs Heartbeat, which answers no claim`)
    return
  }
  if (group.claim === undefined) {
    if (peer?.claiming === true) {
      if (group.found) dropHold(turn, group, { kind: leftoverEnding(turn, group), reason: 'peer-claims', explanation: `${turn.state.peer} claims it` })
      return
    }
    // Whoever does not hear us answers no claim.
    if (!inMutualContact(turn.state, turn.nowMs)) return
    if (!warmReady(group)) return
    makeClaim(turn, group, placement)
    return
  }
  const { claim } = group
  if (peer?.claiming === true && !outranks(claim.number, peer.claimNumber, goesFirst(turn.state, group.name))) {
    withdraw(turn, group, `${turn.state.peer} claims it with number ${peer.claimNumber}`)
    return
  }
  if (peer !== undefined && !peer.claiming && peer.claimNumber >= claim.number && peerServes(turn.state, group.name)) {
    makeClaim(turn, { ...group, claimNumber: Math.max(group.claimNumber, peer.claimNumber) }, placement)
    return
  }
  if (consents(turn.state, group, claim)) {
    record(turn, 'info', 'claim-granted', `${turn.state.peer} consents to claim ${claim.number} for ${group.name}`, { group: group.name })
    takeHold(turn, group, claim.number, 'consent', claim)
    return
  }
  if (turn.nowMs < claim.nextAskMs) return
  turn.answerOwed = true
  turn.answerWanted = true
  setGroup(turn, group.name, { claim: { ...claim, nextAskMs: turn.nowMs + judgingDeadtimeMs(turn.state) / 20 } })
}

/** Warm resources run before the claim, so that only the rest of the group is missing for a moment (design.md section 7). */
function warmReady(group: GroupState): boolean {
  return group.found || group.stages.every((stage) => !isWarm(stage.what) || stage.status === 'running')
}

function makeClaim(turn: Turn, group: GroupState, placement: Placement): void {
  const number = group.claimNumber + 1
  setGroup(turn, group.name, {
    claimNumber: number,
    move: `${group.name}#${number}`,
    claim: {
      number,
      // A claim renewed with a higher number keeps its first reason.
      reason: group.claim?.reason ?? placement.reason,
      explanation: group.claim?.explanation ?? placement.explanation,
      sinceMs: turn.nowMs,
      firstSequence: turn.state.nextSequence,
      nextAskMs: turn.nowMs + judgingDeadtimeMs(turn.state) / 20,
      pins: group.adminTakes !== undefined || (group.claim?.pins ?? false) || (placement.reason === 'offered' && peerGroup(turn.state, group.name)?.offer === 'admin'),
    },
  })
  record(turn, 'info', 'claim-sent', `${turn.state.self} claims ${group.name} (number ${number}): ${placement.explanation}`, { group: group.name, reason: placement.reason })
}

export function withdraw(turn: Turn, group: GroupState, why: string): void {
  record(turn, 'info', 'claim-withdrawn', `${turn.state.self} withdraws its claim ${group.claim?.number ?? 0} for ${group.name}: ${why}`, { group: group.name })
  setGroup(turn, group.name, { claim: undefined })
}

/** Learns the peer's claim numbers, so that the next one here is higher than any seen. */
export function learnNumbers(turn: Turn): void {
  for (const peer of turn.state.contact.facts?.groups ?? []) {
    const group = groupNamed(turn.state, peer.name)
    if (group !== undefined && peer.claimNumber > group.claimNumber) setGroup(turn, peer.name, { claimNumber: peer.claimNumber })
  }
}
