/**
 * The whole of the daemon's judgement: one event in, the next state and what to do out.
 *
 * Theory of operation. A turn has four parts, always in this order:
 *   1. Was this node itself stopped since the last turn? Then it listens afresh before it judges anybody (stall.ts).
 *   2. The event is taken in: it changes what is known (contact, links, stages, wishes), and decides nothing yet.
 *   3. The rules settle: is the peer alive (contact.ts), do two hold (meeting.ts), who should hold and by what proof
 *      (placement.ts, permission.ts, claims.ts), which operation is next (operations.ts), which request is answered
 *      (replies.ts). Rules look at the state only, so that they can be run again until nothing changes.
 *   4. If facts changed, or an answer is owed, or a keepalive is due, one packet leaves with all of it (advertise.ts).
 * A tick is a turn without part 2. The input is never changed; the same input gives the same output (P9, S8).
 */
import { announceAgain, announceDue } from './announcements.ts'
import { sendIfDue } from './advertise.ts'
import { learnNumbers, settleClaims, withdraw } from './claims.ts'
import { hearPacket, judgePeer, peerIsHeard } from './contact.ts'
import { hearContested } from './contested.ts'
import type { Effect } from './effects.ts'
import type { Event } from './events.ts'
import { finishFence, settleFencing } from './fencing.ts'
import { countMoves } from './flaps.ts'
import { planGuard } from './guard-plan.ts'
import { finishRenewal, renewLeases } from './lease.ts'
import { settleRaising } from './lease-shortening.ts'
import { noteReleased } from './holds.ts'
import { beginLeaving, settleLeaving } from './leaving.ts'
import { changeLink, hearOnLink, judgeLinks } from './links.ts'
import { settleMeeting } from './meeting.ts'
import { beginLook, takeObservations, watchFound } from './observe.ts'
import { progress } from './operations.ts'
import { expireOperations, finishOperation, forgetFailures } from './outcomes.ts'
import type { Packet } from './packet.ts'
import { hearFacts } from './pair.ts'
import { hearPing, releaseUnconnected, settleBalance } from './pings.ts'
import { hearRaised } from './raised.ts'
import { expireWrite, finishPersist, persistChanges } from './persistence.ts'
import { reloadConfig } from './reload.ts'
import { noteGaps, notePeerMoves, settleRequests } from './replies.ts'
import { takeRequest } from './requests.ts'
import { settleSelfFencing } from './self-fencing.ts'
import { forgetStall, noticeStall } from './stall.ts'
import type { NodeState } from './state.ts'
import { lookForLost, restoreStripped } from './stripped.ts'
import { hearWill } from './wills.ts'
import { hearWitness, settleWitness } from './witness.ts'
import { lookAtWitness } from './witness-look.ts'
import { groupNamed, setGroup, setState, type Turn } from './turn.ts'

export interface Step { readonly state: NodeState; readonly effects: readonly Effect[] }

export function step(state: NodeState, event: Event): Step {
  if (state.phase === 'left') return { state, effects: [] }
  const turn: Turn = { nowMs: event.nowMs, wallMs: event.wallMs, ...(event.bootMs === undefined ? {} : { bootMs: event.bootMs }), before: state, state, effects: [], answerOwed: false, answerWanted: false }
  const stalled = noticeStall(turn)
  if (stalled) withdrawAll(turn)
  beginLook(turn)
  takeIn(turn, event)
  settle(turn)
  const left = turn.state.phase === 'left'
  // Left during a pause, it says nothing: a goodbye would invite the peer to start what still runs here.
  if (!left || !turn.state.pause.paused) sendIfDue(turn)
  planGuard(turn)
  if (left && !turn.effects.some((effect) => effect.type === 'exit')) turn.effects.push({ type: 'exit', exitCode: 0 })
  return { state: turn.state, effects: turn.effects }
}

/** An answer to a claim made before a stall may be older than the stall: it is no consent any more (F2). */
function withdrawAll(turn: Turn): void {
  for (const group of turn.state.groups) if (group.claim !== undefined) withdraw(turn, group, 'this node stood still meanwhile')
}

function takeIn(turn: Turn, event: Event): void {
  switch (event.type) {
    case 'tick':
      return
    case 'packet-received':
      hearOnLink(turn, event.link)
      if (event.packet.kind === 'will') return hearWill(turn, event.packet)
      hearBack(turn, event.packet)
      hearFacts(turn, event.packet)
      hearRaised(turn, event.packet)
      return learnNumbers(turn)
    case 'duplicate-received':
      return hearOnLink(turn, event.link)
    case 'link-changed':
      return changeLink(turn, event.link, event.status, event.reason)
    case 'operation-finished':
      return finishOperation(turn, event.operationId, event.outcome)
    case 'addresses-stripped':
      return restoreStripped(turn, event)
    case 'interface-up':
      return announceAgain(turn, () => true)
    case 'addresses-renewed':
      return finishRenewal(turn, event)
    case 'witness-answered':
      return hearWitness(turn, event.requestId, event.answer)
    case 'ping-changed':
      return hearPing(turn, event.name, event.reachable)
    case 'fence-finished':
      return finishFence(turn, event)
    case 'address-contested':
      return hearContested(turn, event)
    case 'resources-observed':
      return takeObservations(turn, event.observations)
    case 'persist-finished':
      return finishPersist(turn, event.persistId, event.error)
    case 'admin-requested':
      return takeRequest(turn, event.requestId, event.command)
    case 'config-reloaded':
      return reloadConfig(turn, event.requestId, event.config, event.keyNames)
    case 'schedule-due':
      return openWindow(turn, event.group)
    case 'shutdown-requested':
      return beginLeaving(turn)
  }
}

/** A peer that was counted dead may have held the addresses too, and told the neighbours so: they are told anew who has them. */
function hearBack(turn: Turn, packet: Packet): void {
  const wasDead = turn.state.contact.status === 'dead'
  hearPacket(turn, packet)
  if (wasDead && peerIsHeard(turn.state)) announceAgain(turn, () => true)
}

/** A window in which the group could not return is over at once: the next one is tried. */
function openWindow(turn: Turn, name: string): void {
  if (groupNamed(turn.state, name)?.placement === 'failback-waits') setGroup(turn, name, { failbackDue: true })
}

/** One rule's change may be another's cause; each pass only goes forward, so a few passes reach rest. */
const maxPasses = 12

function settle(turn: Turn): void {
  if (turn.state.phase === 'left') return
  forgetStall(turn)
  judgePeer(turn)
  judgeLinks(turn)
  expireOperations(turn)
  forgetFailures(turn)
  expireWrite(turn)
  lookAtWitness(turn)
  settleBalance(turn)
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const before = turn.state
    noteJoined(turn)
    for (const { name } of before.groups) settleGroup(turn, name)
    settleFencing(turn)
    settleRaising(turn)
    noteGaps(turn)
    notePeerMoves(turn)
    settleRequests(turn)
    settleLeaving(turn)
    if (turn.state === before || phaseOf(turn) === 'left') break
  }
  watchFound(turn)
  announceDue(turn)
  if (mayNeedWriting(turn)) persistChanges(turn)
}

/** Something is now another than before the turn of which the kept state is made, or a write. Nothing is changed in place, so references tell. */
function mayNeedWriting({ state, before }: Turn): boolean {
  return (
    state.retryPersistMs !== undefined || state.begun !== before.begun || state.groups !== before.groups || state.standby !== before.standby || state.pause !== before.pause ||
    state.persisted !== before.persisted || state.writing !== before.writing || state.requests !== before.requests ||
    // What is kept of the contact: a new generation of the peer, and what it said of its addresses.
    state.contact.newest?.generation !== before.contact.newest?.generation || state.contact.peerRaisedUntilMs !== before.contact.peerRaisedUntilMs
  )
}

/** Read anew: the rules above have changed it. */
function phaseOf(turn: Turn): NodeState['phase'] {
  return turn.state.phase
}

function settleGroup(turn: Turn, name: string): void {
  releaseUnconnected(turn, name)
  noteReleased(turn, name)
  settleMeeting(turn, name)
  settleSelfFencing(turn, name)
  settleWitness(turn, name)
  settleClaims(turn, name)
  progress(turn, name)
  renewLeases(turn, name)
  lookForLost(turn, name)
  countMoves(turn, name)
}

function noteJoined(turn: Turn): void {
  const { phase, contact } = turn.state
  if (phase === 'joining' && contact.status !== 'unknown') setState(turn, { phase: 'running' })
}
