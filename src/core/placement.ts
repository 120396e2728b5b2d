/**
 * Who should hold a group? Both nodes answer with the same table and nearly the same facts; where their facts differ for
 * a packet, permission (permission.ts) and consent (claims.ts) keep the group single all the same.
 *
 * Theory of operation. A view of one group is reduced to a few questions (who has it, who could have it, what did an
 * administrator say). The rows are tried from top to bottom; the first whose condition holds decides. Each row has a
 * stable code, which records, `hactl status` and `hactl why` show with its sentence. Rows only say where the group
 * should be: how it gets there (offer, claim, release, start) is the same for all of them.
 */
import type { OfferReason } from './packet.ts'

export interface PlacementView {
  readonly self: string
  readonly peer: string
  readonly phase: 'looking' | 'joining' | 'running' | 'leaving' | 'left'
  readonly paused: boolean
  readonly preferred: 'self' | 'peer'
  /** Who takes what nobody holds: the preferred node; while the nodes' files differ, one of them by its name. */
  readonly first: 'self' | 'peer'
  /** `serves`: starting or held; `unsure`: unknown, stopping or unclean. */
  readonly here: 'serves' | 'found' | 'unclean' | 'stopping' | 'nothing'
  readonly peerStatus: 'unknown' | 'heard' | 'dead' | 'left'
  /** By its last word, whether or not it is still heard. */
  readonly there: 'serves' | 'unknown' | 'unclean' | 'stopping' | 'nothing'
  readonly selfStandby: boolean
  readonly peerStandby: boolean
  readonly peerLeaving: boolean
  /** The group stands in the peer's configuration too, as far as is known. */
  readonly peerHasIt: boolean
  readonly selfFailed: boolean
  readonly peerFailed: boolean
  readonly adminTakes: boolean
  readonly adminGives: boolean
  /** The holder's word that we should take it. */
  readonly peerOffer: OfferReason | undefined
  readonly peerClaims: boolean
  /** This node has a claim that was not answered yet. */
  readonly claims: boolean
  readonly pinned: boolean
  readonly failback: 'due' | 'waits' | 'off'
  /** The flap guard keeps it where it is. */
  readonly flapHeld: boolean
  /** Which node sees more ping nodes, where that counts. */
  readonly seesMore: 'self' | 'peer' | 'neither'
}

export interface Placement {
  readonly node: 'self' | 'peer' | 'nobody'
  readonly reason: string
  readonly explanation: string
  /** Set when this node holds it and the peer is to be asked to take it. */
  readonly offer?: OfferReason
}

interface Row {
  readonly reason: string
  readonly when: (view: PlacementView) => boolean
  readonly node: Placement['node']
  readonly offer?: OfferReason
  readonly sentence: (view: PlacementView) => string
}

const selfCan = (view: PlacementView) => view.phase !== 'leaving' && !view.selfStandby && !view.selfFailed && view.here !== 'unclean'
const peerCan = (view: PlacementView) => view.peerStatus === 'heard' && !view.peerLeaving && !view.peerStandby && !view.peerFailed && view.peerHasIt && view.there !== 'unclean' && view.there !== 'unknown'
/** A failback to a node that does not take itself for the preferred one would be offered back at once. */
const isWelcome = (view: PlacementView) => view.peerOffer !== undefined && (view.peerOffer !== 'failback' || view.preferred === 'self')
const serves = (view: PlacementView) => view.here === 'serves'
const peerGone = (view: PlacementView) => view.peerStatus === 'dead' || view.peerStatus === 'left'

/** Rows for a node that serves the group. */
const holderRows: readonly Row[] = [
  { reason: 'leaving', when: (v) => serves(v) && v.phase === 'leaving' && peerCan(v), node: 'peer', offer: 'leaving', sentence: (v) => `${v.self} is shutting down, ${v.peer} can take it` },
  { reason: 'leaving-alone', when: (v) => v.phase === 'leaving', node: 'nobody', sentence: (v) => (serves(v) ? `${v.self} is shutting down and ${v.peer} cannot take it` : `${v.self} is shutting down`) },
  { reason: 'admin-gives', when: (v) => serves(v) && v.adminGives && peerCan(v), node: 'peer', offer: 'admin', sentence: (v) => `an administrator asked ${v.self} to give it away` },
  { reason: 'standby', when: (v) => serves(v) && v.selfStandby && !v.pinned && peerCan(v), node: 'peer', offer: 'standby', sentence: (v) => `${v.self} is in standby` },
  { reason: 'flap-guard', when: (v) => serves(v) && v.flapHeld, node: 'self', sentence: (v) => `it has moved too often and stays on ${v.self} until hactl clear, or until that is a while ago` },
  { reason: 'failed-here', when: (v) => serves(v) && v.selfFailed && peerCan(v) && !v.paused, node: 'peer', offer: 'failed', sentence: (v) => `it failed on ${v.self}, ${v.peer} can run it` },
  { reason: 'paused-holder', when: (v) => serves(v) && v.paused, node: 'self', sentence: (v) => `the pair is paused: it stays on ${v.self}` },
  { reason: 'sees-less', when: (v) => serves(v) && v.seesMore === 'peer' && peerCan(v) && v.there === 'nothing', node: 'peer', offer: 'connectivity', sentence: (v) => `${v.peer} sees more ping nodes than ${v.self}` },
  { reason: 'stays-connected', when: (v) => serves(v) && v.seesMore === 'self' && v.preferred === 'peer', node: 'self', sentence: (v) => `${v.self} sees more ping nodes than ${v.peer}` },
  { reason: 'failback', when: (v) => serves(v) && v.preferred === 'peer' && v.failback === 'due' && !v.pinned && peerCan(v) && v.there === 'nothing', node: 'peer', offer: 'failback', sentence: (v) => `${v.peer} is its preferred node and is back (auto_failback)` },
  { reason: 'failback-waits', when: (v) => serves(v) && v.preferred === 'peer' && v.failback === 'waits' && !v.pinned && peerCan(v), node: 'self', sentence: (v) => `it returns to ${v.peer} when its auto_failback condition is met` },
  { reason: 'pinned', when: (v) => serves(v) && v.pinned && v.preferred === 'peer', node: 'self', sentence: (v) => `an administrator moved it to ${v.self}: it stays until ${v.peer} joins anew or somebody types online` },
  { reason: 'holds', when: serves, node: 'self', sentence: (v) => `${v.self} holds it` },
]

/** Rows for a group that the peer has, or may have. */
const peerRows: readonly Row[] = [
  { reason: 'unclean-here', when: (v) => v.here === 'unclean', node: 'nobody', sentence: (v) => `a stop failed on ${v.self}: nobody starts it before the stop succeeds or hactl cleanup is typed` },
  { reason: 'unclean-there', when: (v) => v.there === 'unclean', node: 'nobody', sentence: (v) => `a stop failed on ${v.peer}: nobody starts it before the stop succeeds or hactl cleanup is typed` },
  { reason: 'admin-takes', when: (v) => v.adminTakes && v.peerStatus !== 'unknown', node: 'self', sentence: (v) => `an administrator asked ${v.self} to take it` },
  { reason: 'offered', when: (v) => v.peerStatus === 'heard' && v.there === 'serves' && isWelcome(v) && selfCan(v), node: 'self', sentence: (v) => `${v.peer} offers it (${v.peerOffer ?? ''})` },
  { reason: 'peer-holds', when: (v) => v.peerStatus === 'heard' && v.there === 'serves', node: 'peer', sentence: (v) => `${v.peer} holds it` },
  { reason: 'claim-stands', when: (v) => v.claims && v.peerStatus === 'heard' && selfCan(v), node: 'self', sentence: (v) => `${v.self} has claimed it and waits for ${v.peer} to let go and consent` },
  { reason: 'peer-claims', when: (v) => v.peerClaims && v.peerStatus === 'heard', node: 'peer', sentence: (v) => `${v.peer} has claimed it` },
  { reason: 'peer-unknown', when: (v) => v.peerStatus === 'heard' && v.there === 'unknown' && v.here === 'nothing', node: 'nobody', sentence: (v) => `${v.peer} was just started and has not said yet what it runs` },
]

/** Rows for a group that nobody serves, as far as this node knows. */
const freeRows: readonly Row[] = [
  { reason: 'paused', when: (v) => v.paused && v.here !== 'found', node: 'nobody', sentence: () => 'the pair is paused: nobody takes it' },
  { reason: 'peer-dead', when: (v) => v.peerStatus === 'dead' && selfCan(v), node: 'self', sentence: (v) => `${v.peer} is dead` },
  { reason: 'peer-left', when: (v) => v.peerStatus === 'left' && selfCan(v), node: 'self', sentence: (v) => `${v.peer} has left` },
  { reason: 'adopt', when: (v) => v.here === 'found' && selfCan(v), node: 'self', sentence: (v) => `it was found running on ${v.self}` },
  { reason: 'peer-unheard', when: (v) => v.peerStatus === 'unknown', node: 'nobody', sentence: (v) => `${v.peer} was not heard yet: waiting for it until initdead` },
  { reason: 'alone-standby', when: (v) => peerGone(v) && v.selfStandby, node: 'nobody', sentence: (v) => `${v.self} is in standby: type online or takeover --force there` },
  { reason: 'alone-failed', when: (v) => peerGone(v), node: 'nobody', sentence: (v) => `it failed on ${v.self} and ${v.peer} is not there` },
  { reason: 'sees-more', when: (v) => v.seesMore === 'self' && selfCan(v), node: 'self', sentence: (v) => `nobody holds it and ${v.self} sees more ping nodes` },
  { reason: 'peer-sees-more', when: (v) => v.seesMore === 'peer' && peerCan(v), node: 'peer', sentence: (v) => `nobody holds it and ${v.peer} sees more ping nodes` },
  { reason: 'preferred-node', when: (v) => v.first === 'self' && selfCan(v), node: 'self', sentence: (v) => `nobody holds it and ${v.self} ${whyFirst(v)}` },
  { reason: 'peer-preferred', when: (v) => v.first === 'peer' && peerCan(v), node: 'peer', sentence: (v) => `nobody holds it and ${v.peer} ${whyFirst(v)}` },
  { reason: 'peer-cannot', when: selfCan, node: 'self', sentence: (v) => `nobody holds it and ${v.peer} cannot (${whyNotPeer(v)})` },
  { reason: 'self-cannot', when: peerCan, node: 'peer', sentence: (v) => `nobody holds it and ${v.self} cannot (${v.selfStandby ? 'standby' : 'it failed here'})` },
  { reason: 'nobody-can', when: () => true, node: 'nobody', sentence: (v) => `neither node can run it: ${v.self} ${v.selfStandby ? 'is in standby' : 'had it fail'}, ${v.peer} ${whyNotPeer(v)}` },
]

export const placementRows: readonly Row[] = [...holderRows, ...peerRows, ...freeRows]

function whyFirst(view: PlacementView): string {
  return view.first === view.preferred ? 'is its preferred node' : 'goes first by its name, because the configurations of the two nodes differ'
}

function whyNotPeer(view: PlacementView): string {
  if (view.peerStandby) return 'is in standby'
  if (view.peerLeaving) return 'is shutting down'
  if (view.peerFailed) return 'had it fail'
  if (view.peerStatus === 'heard' && !view.peerHasIt) return 'does not have it in its configuration'
  return `is ${view.peerStatus === 'heard' ? 'not ready' : view.peerStatus}`
}

export function placementOf(view: PlacementView): Placement {
  const row = placementRows.find((one) => one.when(view))
  if (row === undefined) return { node: 'nobody', reason: 'nobody-can', explanation: '' }
  const { node, reason, offer } = row
  const explanation = row.sentence(view)
  return offer === undefined ? { node, reason, explanation } : { node, reason, explanation, offer }
}
