/**
 * Both nodes serve one group and hear each other (a healed partition, a pause, a killed daemon that came back): the
 * higher claim number keeps it, then the preferred node; the other lets go at once, addresses first. And the holder that
 * is not heard lets go before the peer counts it dead (F8). design.md section 5 "Order of claims".
 */
import { authorityOf, restsOnWitness } from './authority.ts'
import { peerIsHeard } from './contact.ts'
import { goesFirst, isUnclean, peerGroup, peerServes } from './group-view.ts'
import { addressStages, dropAddresses, dropHold, noteKept, type Ending } from './holds.ts'
import { outranks, unheardReleaseMs } from './permission.ts'
import { raisedUntilMs } from './raised.ts'
import { finalMs, selfFencingMs } from './self-fencing.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { groupNamed, inMs, record, setGroup, type Turn } from './turn.ts'

/** The keeper tells the neighbours anew when the other has let go, and after this long if that is never heard. */
const announceAgainstMs: Millis = 1_000

export function settleMeeting(turn: Turn, name: string): void {
  releaseWithoutAuthority(turn, name)
  const group = groupNamed(turn.state, name)
  if (group?.hold === undefined) {
    endMeeting(turn, name)
    hurryRelease(turn, name)
    return
  }
  if (!peerIsHeard(turn.state) || !peerServes(turn.state, name)) {
    endMeeting(turn, name)
    releaseUnheard(turn, name)
    return
  }
  const peer = peerGroup(turn.state, name)
  const theirs = peer?.claimNumber ?? 0
  // What is unclean here may serve nobody, and the peer cannot see that it is held.
  const granted = hasGrant(turn, group)
  const iKeep = !isUnclean(group) && (granted === (peer?.granted === true) ? outranks(group.hold.number, theirs, goesFirst(turn.state, name)) : granted)
  if (group.conflictSinceMs === undefined) {
    const overlapMs = Math.round(Math.min(turn.nowMs - group.hold.sinceMs, peer?.heldMs ?? 0))
    const rule = isUnclean(group) ? 'ours is unclean' : granted !== (peer?.granted === true) ? 'the grant of the witness' : group.hold.number === theirs ? 'same claim number, so the node that goes first' : 'the higher claim number'
    record(turn, 'error', 'two-holders', `${turn.state.peer} holds ${name} as well, for ${inMs(overlapMs)} by now: ${iKeep ? turn.state.self : turn.state.peer} keeps it (${rule})`, {
      group: name,
      figures: { mine: group.hold.number, theirs, overlapMs },
    })
    setGroup(turn, name, { conflictSinceMs: turn.nowMs - overlapMs, conflictHeldSinceMs: group.hold.sinceMs, ...(iKeep ? { announce: { round: 0, nextMs: turn.nowMs + announceAgainstMs } } : {}) })
  }
  if (iKeep) {
    // It hears nothing of our claim and will never let go: then the lower right lets the other keep it (F8c).
    releaseUnheard(turn, name)
    return
  }
  const right = isUnclean(group) ? 'a stop of it failed here' : granted !== (peer?.granted === true) ? 'the witness granted it there' : theirs === group.hold.number ? `it has the same claim (${theirs}) and goes first` : `its claim ${theirs} is higher than ours (${group.hold.number})`
  dropHold(turn, groupNamed(turn.state, name) ?? group, { kind: 'lost', reason: 'outranked', explanation: `${turn.state.peer} keeps it: ${right}` })
}

/** One with a valid grant keeps, whatever the numbers say (F12). */
function hasGrant(turn: Turn, { grant }: GroupState): boolean {
  return grant !== undefined && grant.ending === undefined && turn.nowMs < grant.sentMs + grant.lifeMs
}

/** The other has let go, or is silent again: measure, and tell the neighbours, and whoever listens to our events, again who has the group. */
function endMeeting(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group?.conflictSinceMs === undefined) return
  if (group.hold === undefined && group.releasingSinceMs !== undefined) return
  const overlapMs = turn.nowMs - earlierOverlap(turn, group, group.conflictSinceMs)
  const keeper = group.hold === undefined ? turn.state.peer : turn.state.self
  record(turn, 'warning', 'two-holders-over', `${keeper} alone holds ${name} again; two held it for at most ${inMs(overlapMs)}`, { group: name, figures: { overlapMs: Math.round(overlapMs) } })
  setGroup(turn, name, { conflictSinceMs: undefined, conflictHeldSinceMs: undefined, ...(group.hold === undefined ? {} : { announce: { round: 0, nextMs: turn.nowMs } }) })
  noteKept(turn, group)
}

/** After a stall the first packet read is an old one: the newest word of the peer says since when it really held. */
function earlierOverlap(turn: Turn, group: GroupState, sinceMs: Millis): Millis {
  const theirsMs = turn.nowMs - (peerGroup(turn.state, group.name)?.heldMs ?? 0)
  return Math.min(sinceMs, Math.max(group.conflictHeldSinceMs ?? sinceMs, theirsMs))
}

function releaseUnheard(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  const limitMs = unheardReleaseMs(turn.state)
  if (group?.hold === undefined || limitMs === undefined || turn.nowMs < limitMs) return
  const { peer, contact } = turn.state
  const silentMs = turn.nowMs - (contact.confirmed?.sentMs ?? turn.state.startedMs)
  record(turn, 'warning', 'peer-one-way', `${peer} is heard but does not hear ${turn.state.self}: nothing of ours confirmed for ${inMs(silentMs)}`, { group: name })
  loseUnheard(turn, group, { kind: 'lost', reason: 'not-heard', explanation: `${peer} does not hear ${turn.state.self} and will take it over at deadtime` })
}

/** What is still here when the peer may start must be gone, or this host resets itself. */
function loseUnheard(turn: Turn, group: GroupState, ending: Ending): void {
  const mustStopByMs = finalMs(turn.state, group)
  dropHold(turn, group, ending)
  // Where the peer may have started long ago, nothing is left to be in time for.
  if (Number.isFinite(mustStopByMs) && mustStopByMs > turn.nowMs) setGroup(turn, group.name, { mustStopByMs })
}

/** Authority ends in order before it ends for good: nobody may start the group here, or keep it, any more. */
function releaseWithoutAuthority(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group?.hold === undefined || !restsOnWitness(turn.state) || raisedUntilMs(turn.state) > turn.nowMs) return
  if (turn.nowMs < authorityOf(turn.state, group).orderlyMs) return
  const { peer, contact, witness } = turn.state
  const silent = contact.confirmed === undefined ? `${peer} has not answered` : `${peer} has not answered for ${inMs(turn.nowMs - contact.confirmed.sentMs)}`
  const why = group.keyHolder === undefined ? `the witness gave no grant${witness.message === undefined ? '' : ` (${witness.message})`}` : `the witness has given the key to ${group.keyHolder}`
  loseUnheard(turn, group, { kind: 'lost', reason: 'authority-ended', explanation: `${silent} and ${why}: ${turn.state.self} may no longer hold it` })
}

/**
 * Without a hold there may still be something here: a release whose scripts take their time, or what the last daemon
 * left. Its addresses go at once when the peer serves them, may still have them from its last daemon, or soon will because
 * it does not hear us (P2).
 */
function hurryRelease(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined || !isBeingLetGo(group)) return
  const unheard = turn.nowMs >= lettingGoMs(turn.state, group)
  const { peer } = turn.state
  if (group.found) {
    if (unheard) dropHold(turn, group, { kind: 'lost', reason: 'not-heard', explanation: `${peer} does not hear ${turn.state.self} and will take it over at deadtime` })
  } else if (unheard || (peerIsHeard(turn.state) && (peerServes(turn.state, name) || peerGroup(turn.state, name)?.state === 'unknown'))) dropAddresses(turn, group)
}

function isBeingLetGo(group: GroupState): boolean {
  return group.looked && (group.found || (group.addressesDropped === undefined && addressStages(group).length > 0))
}

/** When what is being let go may not keep its addresses any longer: the peer counts on their absence soon. */
function lettingGoMs(state: NodeState, group: GroupState): Millis {
  const unheardMs = peerIsHeard(state) ? (unheardReleaseMs(state) ?? Infinity) : Infinity
  // What the last daemon left is not renewed: the kernel ends it with the authority of that daemon.
  return group.found || !restsOnWitness(state) ? unheardMs : Math.min(unheardMs, authorityOf(state, group).orderlyMs)
}

export function addMeetingDeadlines(state: NodeState, group: GroupState, dues: Dues): void {
  dues.push(selfFencingMs(state, group))
  if (group.hold !== undefined) {
    dues.push(unheardReleaseMs(state))
    if (restsOnWitness(state)) dues.push(Math.max(authorityOf(state, group).orderlyMs, raisedUntilMs(state)))
  } else if (isBeingLetGo(group)) {
    const dueMs = lettingGoMs(state, group)
    if (dueMs !== Infinity) dues.push(dueMs)
  }
}
