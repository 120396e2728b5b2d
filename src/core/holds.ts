/** Taking a group and letting it go: the only two places where `hold` changes. What follows is done by operations.ts. */
import { runsHere } from './group-view.ts'
import { changed, copyHold, copyOperation, copyStage } from './shape.ts'
import type { Stage } from './stage.ts'
import type { GroupState, Permission } from './state.ts'
import { configOf, groupNamed, inMs, record, setGroup, setState, type Turn } from './turn.ts'

const permissionSentences: Readonly<Record<Permission, string>> = {
  consent: 'the peer consents',
  'deadtime-alone': 'no witness and no fencing is configured: deadtime alone permits it',
  'peer-left': 'the peer stopped everything before it left',
  will: 'its guard says that it is gone there',
  fenced: 'the peer was fenced and is surely off',
  vouched: 'an administrator has checked that nothing of it runs on the peer',
  witness: 'the witness granted it to this node',
}

/** `why`: the placement, or the claim, that wanted it. */
export function takeHold(turn: Turn, group: GroupState, number: number, permission: Permission, why: { readonly reason: string; readonly explanation: string }): void {
  const { state, nowMs } = turn
  const { reason } = why
  const silentMs = Math.round(nowMs - (state.contact.lastHeardMs ?? state.startedMs))
  setGroup(turn, group.name, {
    hold: { number, permission, reason, explanation: why.explanation, sinceMs: nowMs },
    claim: undefined,
    offer: undefined,
    found: false,
    // The runtime watches only what it added: adopted addresses are added again, which changes nothing in the kernel.
    stages: group.found ? group.stages.map((stage) => (stage.what.kind === 'addresses' && stage.status === 'running' ? changed(stage, { addAgain: true }, copyStage) : stage)) : group.stages,
    failed: group.adminTakes === undefined ? group.failed : undefined,
    claimNumber: number,
    pinned: group.adminTakes !== undefined || (group.claim?.pins ?? false) || (group.found && group.pinned),
    failbackDue: false,
    move: `${group.name}#${number}`,
    releasingSinceMs: undefined,
    addressesDropped: undefined,
    peerCleared: false,
    mustStopByMs: undefined,
  })
  const adopting = group.found
  const explanation = `${why.explanation}; ${permissionSentences[permission]}`
  record(turn, 'info', adopting ? 'group-adopted' : 'group-acquiring', `${state.self} ${adopting ? 'adopts' : 'acquires'} ${group.name}: ${explanation}`, {
    group: group.name,
    reason,
    figures: { claimNumber: number, permission, silentMs, links: state.links.length, linksUp: state.links.filter((link) => link.status === 'up').length },
  })
  setState(turn, {
    lastMove: { group: group.name, move: `${group.name}#${number}`, holder: state.self, reason, explanation, wallMs: turn.wallMs },
  })
}

/** Every stage runs: the group is held, clients are served. */
export function noteHeld(turn: Turn, group: GroupState): void {
  const { hold } = group
  if (hold === undefined || hold.heldSinceMs !== undefined) return
  const durationMs = turn.nowMs - hold.sinceMs
  setGroup(turn, group.name, { hold: changed(hold, { heldSinceMs: turn.nowMs }, copyHold) })
  record(turn, 'info', 'group-held', `${turn.state.self} holds ${group.name}, ${inMs(durationMs)} after the decision`, {
    group: group.name,
    reason: hold.reason,
    figures: { durationMs: Math.round(durationMs * 10) / 10, claimNumber: hold.number, ...unheld(turn, group) },
  })
  const { lastMove } = turn.state
  if (lastMove?.move === group.move && lastMove !== undefined) setState(turn, { lastMove: { ...lastMove, durationMs } })
}

/** Two held it and this node keeps it: the other one's `notify:` commands may have undone what ours did, so they are told once more. */
export function noteKept(turn: Turn, { name, hold }: GroupState): void {
  if (hold?.heldSinceMs === undefined) return
  record(turn, 'info', 'group-held', `${turn.state.self} keeps ${name} after two held it: what is done when a group is held is to be done again`, {
    group: name,
    reason: 'kept',
    figures: { claimNumber: hold.number },
  })
}

/** What clients noticed of a planned move: from the peer's word that it was stopping. */
function unheld(turn: Turn, group: GroupState): { readonly unheldMs?: number } {
  return group.peerStoppedMs === undefined ? {} : { unheldMs: Math.round((turn.nowMs - group.peerStoppedMs) * 10) / 10 }
}

/** Why a group is let go: `ordered` stops scripts before addresses as the list says; `lost` drops the addresses at once (F10). */
export interface Ending { readonly kind: 'ordered' | 'lost'; readonly reason: string; readonly explanation: string }

export function dropHold(turn: Turn, group: GroupState, ending: Ending): void {
  const { hold, operation } = group
  if (hold === undefined && !group.found) return
  setGroup(turn, group.name, { hold: undefined, claim: undefined, found: false, offer: undefined, releasingSinceMs: turn.nowMs, announce: undefined, pinned: false, peerStoppedMs: undefined })
  const lost = ending.kind === 'lost'
  record(turn, lost ? 'warning' : 'info', lost ? 'permission-lost' : 'group-releasing', `${turn.state.self} releases ${group.name}: ${ending.explanation}`, {
    group: group.name,
    reason: ending.reason,
    figures: { claimNumber: hold?.number ?? group.claimNumber },
  })
  if (lost) dropAddresses(turn, group)
  if (operation !== undefined && operation.action !== 'stop' && !operation.cancelled) {
    turn.effects.push({ type: 'cancel-operation', operationId: operation.id })
    setGroup(turn, group.name, { operation: changed(operation, { cancelled: true }, copyOperation) })
  }
}

/** Addresses that are, or are being, configured here, with the index of their stage. */
export function addressStages(group: GroupState): readonly { readonly index: number; readonly what: Stage }[] {
  return group.stages.flatMap(({ what, status }, index) => {
    const starting = group.operation?.stage === index && group.operation.action === 'start'
    const there = status === 'running' || status === 'suspect' || status === 'unclean' || starting
    return what.kind === 'addresses' && there ? [{ index, what }] : []
  })
}

/** At once, beside any operation; the stops of the stages follow in their order. */
export function dropAddresses(turn: Turn, group: GroupState): void {
  for (const { index, what } of addressStages(group)) turn.effects.push({ type: 'drop-addresses', group: group.name, stage: index, what })
  setGroup(turn, group.name, { addressesDropped: true })
}

/** The last stage has stopped: say so, with how long it took. */
export function noteReleased(turn: Turn, name: string): void {
  const group = groupNamed(turn.state, name)
  if (group === undefined || group.releasingSinceMs === undefined || group.hold !== undefined) return
  if (runsHere(group) || group.operation !== undefined) return
  const durationMs = turn.nowMs - group.releasingSinceMs
  const preferred = configOf(turn.state, name)?.preferredNode
  record(turn, 'info', 'group-released', `${turn.state.self} has released ${name}, in ${inMs(durationMs)}`, {
    group: name,
    figures: { durationMs: Math.round(durationMs * 10) / 10, ...(preferred === undefined ? {} : { preferredNode: preferred }) },
  })
  setGroup(turn, name, { releasingSinceMs: undefined, addressesDropped: undefined })
}
