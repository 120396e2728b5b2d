/**
 * When the witness is asked, and what its answers mean (design.md section 5 "Witness"; F4, F5, F12, F13). It is consulted
 * only while contact is lost: a holder asks at half of deadtime, so that it has a grant before it would have to release;
 * a node that wants a dead peer's group asks until it gets one. A grant permits nothing by itself (permission.ts). Once
 * contact is back it is given back: lifetimes first, then the lease of the witness. An answer counts only if no other
 * request was made since.
 */
import { contactLostMs, isStated, restsOnWitness } from './authority.ts'
import { inMutualContact, judgingDeadtimeMs } from './contact.ts'
import type { WitnessAsk } from './effects.ts'
import type { WitnessAnswer } from './events.ts'
import { isUnclean, runsHere } from './group-view.ts'
import { areLeasesShort } from './lease-shortening.ts'
import { adoptionMs, rulingFor } from './permission.ts'
import { changed, copyGrant, copyHold } from './shape.ts'
import type { GroupState, NodeState } from './state.ts'
import { witnessGraceMs, type Dues, type Millis } from './time.ts'
import { groupNamed, record, setGroup, setState, type Turn } from './turn.ts'
import { placementAt } from './view.ts'
import { seeWitness } from './witness-look.ts'

function pollMs(state: NodeState): Millis {
  return Math.max(100, judgingDeadtimeMs(state) / 20)
}

/** Does this node need the key now: to go on holding, to finish stopping what nobody else may start, or to take over? */
function wantsGrant(state: NodeState, group: GroupState, nowMs: Millis): boolean {
  if (!group.looked || nowMs < contactLostMs(state, group)) return false
  if (group.hold !== undefined) return true
  // While a stop goes on, or has failed, the key keeps the peer from starting beside it, as long as it can be renewed.
  if (group.grant !== undefined && (isUnclean(group) || (!group.found && runsHere(group)))) return true
  const ruling = rulingFor(state, group, nowMs)
  const lacksOnlyThat = ('needs' in ruling && (ruling.needs === 'grant' || (ruling.needs === 'fencing' && group.grant !== undefined))) || ('permission' in ruling && (ruling.permission === 'witness' || group.grant !== undefined))
  return lacksOnlyThat && placementAt(state, group, nowMs).node === 'self'
}

export function settleWitness(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined || turn.state.config.witness === undefined) return
  if (!restsOnWitness(turn.state)) {
    if (group.grant !== undefined) setGroup(turn, name, { grant: undefined })
    return
  }
  expireRequest(turn, group)
  expireGrant(turn, name)
  const now = groupNamed(turn.state, name)
  if (now === undefined) return
  if (wantsGrant(turn.state, now, turn.nowMs)) askOn(turn, now)
  else giveBack(turn, now)
}

function expireRequest(turn: Turn, { name, witnessRequest }: GroupState): void {
  if (witnessRequest === undefined || turn.nowMs < witnessRequest.deadlineMs) return
  takeAnswer(turn, name, { result: 'unreachable', message: 'no answer' })
}

function expireGrant(turn: Turn, name: string): void {
  const grant = groupNamed(turn.state, name)?.grant
  if (grant === undefined || turn.nowMs < grant.sentMs + grant.lifeMs) return
  setGroup(turn, name, { grant: undefined })
  record(turn, 'warning', 'grant-lost', `the witness's grant for ${name} has run out`, { group: name })
}

/** Fresh contact while a request is under way makes it void: what it grants is given back when it comes. */
function askOn(turn: Turn, group: GroupState): void {
  const { grant, witnessRequest, name } = group
  const { witness } = turn.state.config
  if (witness === undefined || (witnessRequest !== undefined && witnessRequest.type !== 'give-back')) return
  if (grant !== undefined && grant.ending === true) {
    // Its lease may be gone already: a new one is asked for, and until then authority does without.
    setGroup(turn, name, { grant: undefined })
    return ask(turn, name, { type: 'acquire', number: group.claimNumber, ...fencedKey(turn.state) })
  }
  if (turn.nowMs < nextAskMs(turn.state, group)) return
  if (grant !== undefined) return ask(turn, name, { type: 'renew', leaseId: grant.leaseId })
  ask(turn, name, { type: 'acquire', number: group.claimNumber, ...fencedKey(turn.state) })
}

/** Always an instant, never minus infinity: what is due since then counts as late by that much (stall.ts). */
function nextAskMs(state: NodeState, { grant, nextWitnessMs }: GroupState): Millis {
  if (grant?.ending === true) return grant.sentMs
  const renewMs = state.config.witness?.renewMs ?? 0
  return Math.max(grant === undefined ? state.startedMs : grant.sentMs + renewMs, nextWitnessMs ?? state.startedMs)
}

/** Confirmed fencing makes the fenced daemon's key no obstacle. */
function fencedKey({ fencing }: NodeState): { readonly overwrite?: { readonly generation: number } } {
  return fencing?.status === 'confirmed' ? { overwrite: { generation: fencing.generation } } : {}
}

/** First fresh contact, then the lifetimes, then the lease of the witness, and that one only (F5). */
function giveBack(turn: Turn, group: GroupState): void {
  const { grant, name } = group
  if (group.keyHolder !== undefined) setGroup(turn, name, { keyHolder: undefined })
  if (group.witnessRequest?.type === 'acquire' || group.witnessRequest?.type === 'renew') setGroup(turn, name, { witnessRequest: undefined })
  if (grant === undefined) return
  // Until one of two holders has let go, the grant says which of them keeps (F12).
  if (group.conflictSinceMs !== undefined && grant.ending === undefined) return
  if (grant.ending === undefined) {
    const serves = group.hold !== undefined || runsHere(group)
    if (serves && !(inMutualContact(turn.state, turn.nowMs) && isStated(turn.state, group))) return
    setGroup(turn, name, { grant: changed(grant, { ending: true }, copyGrant) })
  }
  const now = groupNamed(turn.state, name)
  if (now === undefined || !areLeasesShort(turn, now)) return
  setGroup(turn, name, { grant: undefined })
  ask(turn, name, { type: 'give-back', leaseId: grant.leaseId })
  record(turn, 'info', 'grant-returned', `${turn.state.self} gives the grant for ${name} back to the witness`, { group: name })
}

function ask(turn: Turn, name: string, wanted: WitnessAsk): void {
  const { witness } = turn.state.config
  const id = turn.state.nextWitnessId
  setState(turn, { nextWitnessId: id + 1 })
  setGroup(turn, name, { witnessRequest: { id, type: wanted.type, deadlineMs: turn.nowMs + (witness?.timeoutMs ?? 0) + witnessGraceMs }, nextWitnessMs: turn.nowMs + pollMs(turn.state) })
  turn.effects.push({ type: 'ask-witness', requestId: id, group: name, ask: wanted })
}

export function hearWitness(turn: Turn, requestId: number, answer: WitnessAnswer): void {
  seeWitness(turn, requestId, answer)
  const group = turn.state.groups.find((one) => one.witnessRequest?.id === requestId)
  if (group === undefined) return returnUnwanted(turn, answer)
  takeAnswer(turn, group.name, answer)
}

/** The answer came after contact had come back, or after another request: its lease would only keep the peer waiting. */
function returnUnwanted(turn: Turn, answer: WitnessAnswer): void {
  if (answer.result !== 'granted') return
  const id = turn.state.nextWitnessId
  setState(turn, { nextWitnessId: id + 1 })
  turn.effects.push({ type: 'ask-witness', requestId: id, ask: { type: 'give-back', leaseId: answer.leaseId } })
}

function takeAnswer(turn: Turn, name: string, answer: WitnessAnswer): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined) return
  setGroup(turn, name, { witnessRequest: undefined })
  switch (answer.result) {
    case 'granted':
      return takeGrant(turn, group, answer)
    case 'renewed':
      if (group.grant !== undefined) setGroup(turn, name, { grant: changed(group.grant, { sentMs: answer.sentMs, lifeMs: answer.lifeMs }, copyGrant) })
      return
    case 'refused':
      if (answer.holder !== group.keyHolder) record(turn, 'info', 'grant-refused', `the witness does not grant ${name} to ${turn.state.self}: ${answer.holder} has it (claim ${answer.number})`, { group: name })
      return setGroup(turn, name, { keyHolder: answer.holder, claimNumber: Math.max(group.claimNumber, answer.number) })
    case 'lost':
      record(turn, 'warning', 'grant-lost', `the witness no longer knows the grant for ${name}`, { group: name })
      return setGroup(turn, name, { grant: undefined, nextWitnessMs: undefined })
    case 'unreachable':
      return setGroup(turn, name, { nextWitnessMs: turn.nowMs + pollMs(turn.state) })
    case 'given-back':
    case 'seen':
      return
  }
}

function takeGrant(turn: Turn, group: GroupState, { leaseId, sentMs, lifeMs, number }: Extract<WitnessAnswer, { result: 'granted' }>): void {
  const { hold } = group
  setGroup(turn, group.name, {
    grant: { leaseId, sentMs, lifeMs, number },
    claimNumber: Math.max(group.claimNumber, number),
    keyHolder: undefined,
    nextWitnessMs: undefined,
    // The holder's claim is the one that the witness knows from now on (F12).
    ...(hold === undefined ? {} : { hold: changed(hold, { number: Math.max(hold.number, number) }, copyHold) }),
  })
  record(turn, 'info', 'grant-given', `the witness grants ${group.name} to ${turn.state.self} (claim ${number})`, { group: group.name, figures: { claimNumber: number, lifeMs } })
}

export function addWitnessDeadlines(state: NodeState, group: GroupState, dues: Dues): void {
  if (!restsOnWitness(state)) return
  const { grant, witnessRequest } = group
  if (grant !== undefined) dues.push(grant.sentMs + grant.lifeMs)
  if (witnessRequest !== undefined) dues.push(witnessRequest.deadlineMs)
  // A grant that is being given back keeps nobody from asking for a new one.
  if (witnessRequest !== undefined && witnessRequest.type !== 'give-back') return
  const adoptMs = adoptionMs(state, group)
  const askMs = Math.max(contactLostMs(state, group), nextAskMs(state, group), adoptMs === Infinity ? -Infinity : adoptMs)
  if (wantsGrant(state, group, askMs)) dues.push(askMs)
}
