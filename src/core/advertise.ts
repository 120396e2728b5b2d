/** What this node tells the peer, and when: every keepalive, at once when its facts change, at once when asked. */
import type { AdvertisedGroup, AdvertisedState, Facts, Packet } from './packet.ts'
import { stateOf } from './group-view.ts'
import { wasUnclean } from './observe.ts'
import { pingsSeen } from './pings.ts'
import { promiseOf } from './raised.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { setContact, setState, type Turn } from './turn.ts'

/** Our own dialogue; a peer that shows a lower one would be spoken to in that. */
const dialogue = 1

/** Confirmations older than this many packets are of no use: mutual contact is younger or gone. */
const rememberedPackets = 256

/** What the last daemon left unclean is told as that from the first packet on: the peer may hear no second one. */
function advertisedState(node: NodeState, group: GroupState): AdvertisedState {
  return group.looked || !wasUnclean(node, group.name) ? stateOf(group) : 'unclean'
}

function advertisedGroup(node: NodeState, group: GroupState, nowMs: Millis): AdvertisedGroup {
  const state = advertisedState(node, group)
  return {
    name: group.name,
    state,
    claimNumber: group.claim?.number ?? group.hold?.number ?? group.claimNumber,
    claiming: group.claim !== undefined,
    ...(group.offer === undefined ? {} : { offer: group.offer.reason }),
    failed: group.failed !== undefined,
    pinned: group.pinned,
    ...(group.grant === undefined || group.grant.ending === true ? {} : { granted: true as const }),
    ...(group.hold?.heldSinceMs === undefined ? {} : { heldMs: Math.round(nowMs - group.hold.heldSinceMs) }),
  }
}

function factsOf(state: NodeState, nowMs: Millis, answerWanted: boolean): Facts {
  const { newest } = state.contact
  return {
    dialogue,
    ...(newest === undefined ? {} : { confirms: newest }),
    answerWanted,
    ...(state.standby === undefined ? {} : { standby: state.standby }),
    ...(state.phase === 'leaving' ? { leaving: true } : {}),
    pause: state.pause,
    groups: state.groups.map((group) => advertisedGroup(state, group, nowMs)),
    digests: state.config.digests,
    requests: state.peerRequests.map(({ kind, group }) => ({ kind, group })),
    ...(state.raising === undefined ? {} : { raisedForMs: state.config.pauseLimitMs }),
    ...promiseOf(state, nowMs),
    ...(state.pings.length === 0 ? {} : { pingsSeen: pingsSeen(state) }),
    ...(state.keyNames.length === 0 ? {} : { keyNames: state.keyNames }),
    ...(state.stalled === undefined ? {} : { stalledMs: Math.round(state.stalled.forMs) }),
  }
}

/** What the peer should learn at once: all but how long something has lasted by now. Compared in nearly every turn, so it is short. */
function urgentOf(node: NodeState, group: GroupState): string {
  const { name, state, claimNumber, claiming, offer, failed, pinned, granted } = advertisedGroup(node, group, -Infinity)
  return `${name} ${state} ${claimNumber} ${claiming} ${offer ?? ''} ${failed} ${pinned} ${granted === true}`
}

/** While a turn leaves the fields alone from which a part is made there is no news in it, and nothing to write down and compare. */
function newsOf({ state, before }: Turn): NodeState['advertised'] {
  const { groups, others } = state.advertised
  const began = state.begun !== before.begun
  const sameGroups = !began && state.groups === before.groups
  const sameOthers =
    !began && state.standby === before.standby && state.phase === before.phase && state.pause === before.pause && state.config === before.config && state.pings === before.pings &&
    state.persisted === before.persisted && state.peerRequests === before.peerRequests && state.stalled === before.stalled && state.raising === before.raising && state.keyNames === before.keyNames
  return {
    groups: sameGroups ? groups : state.groups.map((group) => urgentOf(state, group)).join(),
    others: sameOthers ? others : JSON.stringify({ ...factsOf(state, -Infinity, false), confirms: undefined, groups: undefined }),
  }
}

const nodeStatuses = { looking: 'init', joining: 'up', running: 'active', leaving: 'active', left: 'dead' } as const

/** The last thing in each turn: one packet if one is due, carrying all that the turn changed. */
export function sendIfDue(turn: Turn): void {
  const { state, nowMs } = turn
  if (!state.begun) return
  const keepaliveDue = nowMs >= state.nextKeepaliveMs
  const advertised = newsOf(turn)
  const news = advertised.groups !== state.advertised.groups || advertised.others !== state.advertised.others
  const isGoodbye = state.phase === 'left'
  if (!keepaliveDue && !news && !turn.answerOwed && !isGoodbye) return
  const claiming = state.groups.some((group) => group.claim !== undefined)
  const facts = factsOf(state, nowMs, !isGoodbye && (turn.answerWanted || (news && claiming)))
  const packet: Packet = {
    id: { generation: state.generation, sequence: state.nextSequence },
    from: state.self,
    kind: isGoodbye ? 'goodbye' : 'status',
    nodeStatus: nodeStatuses[state.phase],
    deadtimeMs: state.config.timing.deadtimeMs,
    facts,
  }
  turn.effects.push({ type: 'send-packet', packet })
  // Nobody answers a goodbye, so it goes out three times.
  if (isGoodbye) for (const extra of [1, 2]) turn.effects.push({ type: 'send-packet', packet: { ...packet, id: { ...packet.id, sequence: packet.id.sequence + extra } } })
  const sent = [...state.contact.sent, { sequence: packet.id.sequence, sentMs: nowMs }].slice(-rememberedPackets)
  setContact(turn, { sent })
  setState(turn, { nextSequence: state.nextSequence + 1, advertised })
  if (keepaliveDue) scheduleKeepalive(turn)
}

/** Keepalives keep their rhythm; after a stall the rhythm starts anew instead of sending what was missed. */
function scheduleKeepalive(turn: Turn): void {
  const { state, nowMs } = turn
  const { keepaliveMs } = state.config.timing
  const nextMs = state.nextKeepaliveMs + keepaliveMs
  setState(turn, {
    nextKeepaliveMs: nextMs > nowMs ? nextMs : nowMs + keepaliveMs,
    wallOffsetMs: turn.wallMs - nowMs,
  })
}
