/** The Heartbeat as the core sees it: its words as the facts that one of our own daemons would send. Classes are those of the Heartbeat. */
import type { AdvertisedGroup, OfferReason, Packet, PacketId, Scope } from '../core/packet.ts'
import { classOf, covers, mirrored, otherClass, type GroupClass } from './classes.ts'
import { factsOf, peerListens, type DialogueState } from './dialogue-state.ts'
import type { SettingGroup } from './dialogue-types.ts'
import { givenAway, takeUnderWay } from './exchange-take.ts'
import { isHere, ownGroup, talkOf } from './key-talk.ts'
import { isBlocked } from './ours.ts'

type Told = Pick<AdvertisedGroup, 'state' | 'claiming'> & { readonly offer?: OfferReason }

const stopped: Told = { state: 'stopped', claiming: false }
const unknown: Told = { state: 'unknown', claiming: false }

/**
 * What a Heartbeat that is at rest does not hold is free: it takes it in an exchange only, or when it counts this node dead. Before that
 * its own groups are unknown, for it takes them at any moment, unasked; and so are those of this node: a Heartbeat that shuts down says
 * that it holds none while it still stops them, and a daemon that has just come does not know that it shuts down.
 */
function toldOf(state: DialogueState, one: GroupClass): Told {
  const { peer } = state
  if (peer === undefined) return unknown
  if (peer.gone) return stopped
  // What it stops it does not say, and what it has said last of it may not have been heard.
  if (peer.leaving) return { state: 'stopping', claiming: false }
  if (peer.holds === undefined) return unknown
  const changing = toldInExchange(state, one)
  if (changing !== undefined) return changing
  if (covers(peer.holds, one)) return { state: 'held', claiming: false }
  return peer.stable || isGivingOrTaking(state) ? stopped : unknown
}

/** An exchange is why it is not at rest: what it does not touch stays as it was. */
function isGivingOrTaking({ exchange }: DialogueState): boolean {
  return exchange !== undefined && exchange.step !== 'wanted' && exchange.step !== 'asked'
}

/** By single groups. What it may have and this node has too is unknown until it has answered. */
function toldOfKey(state: DialogueState, group: SettingGroup): Told {
  const own = ownGroup(state, group.name)
  const here = own !== undefined && isHere(own)
  const { at, both } = talkOf(state, group.name)
  switch (at) {
    case 'unasked':
      if (here) return unknown
      // It takes its own unasked; what belongs here it gives.
      return { state: 'held', claiming: false, ...(group.preferredNode === state.setting.self ? { offer: 'failback' } : {}) }
    case 'asked':
      return here ? unknown : { state: 'stopping', claiming: false }
    case 'free':
      return stopped
    case 'letting-go':
      return both === true && here ? { state: 'held', claiming: false } : { state: 'stopped', claiming: true }
    case 'theirs':
      return { state: 'held', claiming: false }
  }
}

function toldInExchange(state: DialogueState, one: GroupClass): Told | undefined {
  const { exchange } = state
  if (exchange === undefined) return undefined
  // The words of an exchange are those of the node that gives.
  if (!covers(exchange.role === 'takes' ? exchange.moves : mirrored(exchange.moves), one)) return undefined
  switch (exchange.step) {
    case 'wanted':
    case 'asked':
      return undefined
    case 'agreed':
      return { state: 'held', claiming: false, offer: offerOf(state) }
    case 'stopping':
      // Where we give, it wants them: so the core lets go.
      return exchange.role === 'takes' ? { state: 'stopping', claiming: false } : { state: 'stopped', claiming: true }
    case 'taking':
      return stopped
    case 'given':
      return { state: 'starting', claiming: false }
  }
}

/** Why it gives, as far as one can see: its failback brings home what belongs here; its ipfail gives because this node sees more. */
function offerOf(state: DialogueState): OfferReason {
  const ours = factsOf(state)?.pingsSeen
  if (state.peerPings !== undefined && ours !== undefined && state.peerPings < ours) return 'connectivity'
  return takeUnderWay(state)?.holding === 'foreign' ? 'failback' : 'admin'
}

/** This node shuts down: whatever is here, the Heartbeat takes upon our goodbye, so it claims it now. */
function wantsAsWeLeave(state: DialogueState, told: Told): boolean {
  return factsOf(state)?.leaving === true && told.state === 'stopped'
}

function advertised(state: DialogueState): readonly AdvertisedGroup[] {
  const { setting, numbers } = state
  const stoppedHere = new Set(factsOf(state)?.groups.filter((group) => group.state === 'stopped').map(({ name }) => name))
  const ofClass = (one: GroupClass) => ({ told: toldOf(state, one), blocked: isBlocked(state, otherClass(one)) })
  const classes = { local: ofClass('local'), foreign: ofClass('foreign') }
  const byKeys = state.peer?.mode === 'legacy' && peerListens(state)
  return setting.groups.map((group) => {
    const { told, blocked } = byKeys ? { told: toldOfKey(state, group), blocked: false } : classes[classOf(setting.peer, group)]
    return {
      name: group.name,
      ...told,
      claiming: told.claiming || (wantsAsWeLeave(state, told) && !stoppedHere.has(group.name)),
      claimNumber: numbers[group.name] ?? 0,
      // It takes a class whole: while a part of it is unclean here, it can have none of it.
      failed: told.state === 'stopped' && blocked,
      // It gives back nothing by itself but once, at our start.
      pinned: told.state === 'held' && group.preferredNode === setting.self,
    }
  })
}

export function packetOf(state: DialogueState, id: PacketId): Packet | undefined {
  const { peer, spoken } = state
  if (peer?.deadtimeMs === undefined) return undefined
  const given = givenAway(state)
  return {
    id,
    from: state.setting.peer,
    kind: peer.gone ? 'goodbye' : 'status',
    nodeStatus: peer.gone ? 'dead' : peer.nodeStatus,
    deadtimeMs: peer.deadtimeMs,
    facts: {
      dialogue: 1,
      classic: true,
      // Whoever is heard hears us, as far as one can know (design.md section 5 "Classic peers").
      ...(spoken === undefined ? {} : { confirms: spoken.id }),
      answerWanted: false,
      ...(given === 'none' ? {} : { standby: given satisfies Scope }),
      ...(peer.leaving ? { leaving: true } : {}),
      pause: { paused: false, number: 0, sinceWallMs: 0 },
      groups: advertised(state),
      digests: {},
      requests: [],
      ...(state.peerPings === undefined ? {} : { pingsSeen: state.peerPings }),
    },
  }
}
