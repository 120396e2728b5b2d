/**
 * Is the peer alive, and does each hear the other? Judged only from packets and from when they came
 * (design.md section 5, "Mutual contact and authority", "Asking before judging", "Pause").
 */
import { orderlyShare } from './lease-arithmetic.ts'
import type { Facts, Packet } from './packet.ts'
import type { Contact, NodeState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { inMs, record, setContact, setGroup, type Turn } from './turn.ts'

/** A node judges with the larger of its own deadtime and the one it last stated (F7). */
export function judgingDeadtimeMs(state: NodeState): Millis {
  return Math.max(state.config.timing.deadtimeMs, state.contact.formerDeadtime?.deadtimeMs ?? 0)
}

/** A holder computes with the smallest deadtime that either node may judge by (F7). */
export function holdingDeadtimeMs(state: NodeState): Millis {
  const { contact, config } = state
  return Math.min(config.timing.deadtimeMs, contact.formerDeadtime?.deadtimeMs ?? Infinity, contact.peerDeadtimeMs ?? Infinity)
}

export function silentSinceMs(contact: Contact): Millis {
  return Math.max(contact.lastHeardMs ?? -Infinity, contact.listenFromMs)
}

/** Initdead applies only before first contact (design.md section 5). */
function neverHeard(contact: Contact): boolean {
  return contact.status === 'unknown' && contact.lastHeardMs === undefined
}

/** When silence becomes death if nothing is heard. */
function deathMs(state: NodeState): Millis {
  const { contact, config } = state
  const limitMs = neverHeard(contact) ? config.timing.initdeadMs : judgingDeadtimeMs(state)
  return silentSinceMs(contact) + limitMs
}

export function peerIsHeard(state: NodeState): boolean {
  return state.contact.status === 'alive' || state.contact.status === 'late'
}

/**
 * The peer runs a real Heartbeat: it confirms nothing by itself, asks no witness, and knows no pause. What it says comes as
 * facts (src/classic); a packet without any is its bare heartbeat.
 */
export function peerIsClassic({ contact }: NodeState): boolean {
  return contact.facts === undefined ? contact.newest !== undefined : contact.facts.classic === true
}

/** The peer is heard and has confirmed a packet of ours not longer than 0.8 deadtime ago. A classic peer confirms nothing: contact is enough. */
export function inMutualContact(state: NodeState, nowMs: Millis): boolean {
  const { contact } = state
  if (!peerIsHeard(state)) return false
  if (peerIsClassic(state)) return true
  return contact.confirmed !== undefined && nowMs < contact.confirmed.sentMs + orderlyShare * holdingDeadtimeMs(state)
}

export function hearPacket(turn: Turn, packet: Packet): void {
  const before = turn.state.contact
  noteContradiction(turn, packet)
  const restarted = before.newest !== undefined && packet.id.generation > before.newest.generation
  const gapMs = turn.nowMs - (before.lastHeardMs ?? -Infinity)
  const continuous = !restarted && gapMs < 0.5 * judgingDeadtimeMs(turn.state)
  const deaf = before.deaf === true && packet.kind !== 'goodbye' && !confirmsFreshly(turn, packet)
  const status = packet.kind === 'goodbye' ? 'left' : deaf ? 'dead' : 'alive'
  if (restarted) record(turn, 'info', 'peer-restarted', `${packet.from} was started again (generation ${packet.id.generation})`)
  if (status !== before.status && before.status !== 'late') describeChange(turn, packet, status, gapMs)
  setContact(turn, {
    status,
    deaf: deaf ? true : undefined,
    ...(restarted ? { wills: undefined } : {}),
    ...(packet.facts === undefined ? { wokeMs: undefined } : {}),
    sinceMs: status === before.status || (status === 'alive' && before.status === 'late') ? before.sinceMs : turn.nowMs,
    lastHeardMs: turn.nowMs,
    heardSinceMs: continuous ? (before.heardSinceMs ?? turn.nowMs) : turn.nowMs,
    nextAskMs: undefined,
    newest: packet.id,
    ...(packet.kind === 'status' ? { peerDeadtimeMs: packet.deadtimeMs } : {}),
    ...(packet.kind === 'other' ? {} : { facts: rememberUnclean(before.facts, packet.facts) }),
  })
  confirm(turn, packet)
  if (packet.facts?.stalledMs !== undefined && before.facts?.stalledMs === undefined) {
    record(turn, 'warning', 'peer-stalled', `${packet.from} says that it was not run for ${inMs(packet.facts.stalledMs)}: its silence was a stall of that host`)
  }
  for (const group of turn.state.groups) {
    // An administrator vouched for a peer that was silent; now it speaks for itself.
    if (group.peerCleared) setGroup(turn, group.name, { peerCleared: false })
    if (restarted && group.pinned && returnsPin(turn, group.name)) setGroup(turn, group.name, { pinned: false })
  }
}

/** The packet answers one of ours that is younger than deadtime: the peer hears us again. */
function confirmsFreshly({ state, nowMs }: Turn, packet: Packet): boolean {
  const confirms = packet.facts?.confirms
  if (confirms?.generation !== state.generation) return false
  const found = state.contact.sent.findLast((one) => one.sequence <= confirms.sequence)
  return found !== undefined && nowMs - found.sentMs < judgingDeadtimeMs(state)
}

/** The program said that the peer was off, and its daemon of before still speaks: whoever trusts it risks two holders. */
function noteContradiction(turn: Turn, packet: Packet): void {
  const { fencing } = turn.state
  if (fencing?.status !== 'confirmed' || fencing.generation !== packet.id.generation) return
  record(turn, 'error', 'fence-contradicted', `${packet.from} was confirmed to be off and still speaks: the fencing program does not do what it says, or ends another host. Test it: hactl fence --test`)
}

/** A daemon that was just started does not know yet what is unclean there; what its last one said of that stands until it has looked. */
function rememberUnclean(before: Facts | undefined, now: Facts | undefined): Facts | undefined {
  if (before === undefined || now === undefined) return now
  const wasUnclean = (name: string) => before.groups.some((group) => group.name === name && group.state === 'unclean')
  if (!now.groups.some((group) => group.state === 'unknown' && wasUnclean(group.name))) return now
  return { ...now, groups: now.groups.map((group) => (group.state === 'unknown' && wasUnclean(group.name) ? { ...group, state: 'unclean' } : group)) }
}

/** A group moved by an administrator stays until its preferred node joins anew (design.md section 7). */
function returnsPin(turn: Turn, name: string): boolean {
  return turn.state.config.groups.find((group) => group.name === name)?.preferredNode === turn.state.peer
}

function describeChange(turn: Turn, packet: Packet, status: 'alive' | 'left' | 'dead', gapMs: Millis): void {
  const { peer } = turn.state
  if (status === 'left') {
    const unclean = packet.facts?.groups.filter((group) => group.state === 'unclean').map((group) => group.name) ?? []
    if (unclean.length === 0) record(turn, 'info', 'peer-left', `${peer} has said goodbye: it stopped everything it held`)
    else record(turn, 'warning', 'peer-left', `${peer} has said goodbye, but could not stop ${unclean.join(', ')}`)
    return
  }
  const silence = Number.isFinite(gapMs) ? ` after ${inMs(gapMs)} of silence` : ''
  record(turn, 'info', 'peer-alive', `${peer} is alive${silence}`, { figures: { generation: packet.id.generation } })
  if (packet.facts === undefined || packet.facts.classic === true) {
    record(turn, 'warning', 'peer-classic', `${peer} runs Heartbeat, not hactl: they understand each other, but it promises only P2, whatever is configured here, and moves all groups of one preferred node together`)
  }
}

/** Takes in which of our packets the peer has heard; only a packet of this generation counts (F2). */
function confirm(turn: Turn, packet: Packet): void {
  const confirms = packet.facts?.confirms
  if (confirms === undefined || confirms.generation !== turn.state.generation) return
  const { sent, formerDeadtime } = turn.state.contact
  const found = sent.findLast((one) => one.sequence <= confirms.sequence)
  if (found === undefined) return
  const { wokeMs } = turn.state.contact
  setContact(turn, {
    confirmed: { sequence: found.sequence, sentMs: found.sentMs, by: packet.id.generation },
    sent: sent.filter((one) => one.sequence > confirms.sequence),
    ...(wokeMs !== undefined && found.sentMs >= wokeMs ? { wokeMs: undefined } : {}),
  })
  if (formerDeadtime !== undefined && confirms.sequence >= formerDeadtime.untilSequence) {
    setContact(turn, { formerDeadtime: { ...formerDeadtime, untilMs: formerDeadtime.untilMs ?? turn.nowMs + formerDeadtime.deadtimeMs } })
  }
}

/** A promise about the peer's addresses has run out; after deadtime a will says no more than the silence does. */
function forgetPromises(turn: Turn): void {
  const { contact } = turn.state
  if (contact.peerRaisedUntilMs !== undefined && turn.nowMs >= contact.peerRaisedUntilMs) setContact(turn, { peerRaisedUntilMs: undefined })
  if (contact.formerDeadtime?.untilMs !== undefined && turn.nowMs >= contact.formerDeadtime.untilMs) setContact(turn, { formerDeadtime: undefined })
  if (contact.wills !== undefined && turn.nowMs >= silentSinceMs(contact) + judgingDeadtimeMs(turn.state)) setContact(turn, { wills: undefined })
}

/** Late at warntime (a warning, nothing moves), asked from half of deadtime on, dead at deadtime. */
export function judgePeer(turn: Turn): void {
  forgetPromises(turn)
  const { contact, config, peer } = turn.state
  if (contact.status === 'dead' || contact.status === 'left') return
  const silentMs = turn.nowMs - silentSinceMs(contact)
  if (turn.nowMs >= deathMs(turn.state)) {
    const never = neverHeard(contact)
    record(turn, 'warning', 'peer-dead', never ? `${peer} was not heard within initdead (${inMs(config.timing.initdeadMs)})` : `${peer} is dead: silent for ${inMs(silentMs)}`, {
      figures: { silentMs: Math.round(silentMs), links: turn.state.links.length, ...(never ? { initdeadMs: config.timing.initdeadMs } : {}) },
    })
    setContact(turn, { status: 'dead', sinceMs: turn.nowMs, nextAskMs: undefined, heardSinceMs: undefined, wokeMs: undefined })
    return
  }
  if (turn.nowMs >= deafMs(turn.state)) {
    record(turn, 'warning', 'peer-deaf', `${peer} is heard but has confirmed nothing of ours for ${inMs(turn.nowMs - (contact.confirmed?.sentMs ?? turn.state.startedMs))}: it counts as dead, and the witness decides`)
    setContact(turn, { status: 'dead', sinceMs: turn.nowMs, deaf: true, nextAskMs: undefined, wokeMs: undefined })
    return
  }
  if (contact.status === 'alive' && turn.nowMs >= silentSinceMs(contact) + config.timing.warntimeMs) {
    record(turn, 'warning', 'peer-late', `${peer} is late: nothing heard for ${inMs(silentMs)} (warntime ${inMs(config.timing.warntimeMs)})`)
    setContact(turn, { status: 'late' })
  }
  askPeer(turn)
}

/**
 * When a peer that is heard counts as dead all the same, where a witness decides. Whatever it heard last of us was sent
 * more than a deadtime ago, and its own authority rests on nothing younger: so it may hold by a grant only, which the
 * witness gives to one of both. Half of deadtime of hearing it comes first, for a daemon that has only just started.
 */
function deafMs(state: NodeState): Millis {
  const { contact, config } = state
  if (config.witness === undefined || !peerIsHeard(state) || peerIsClassic(state) || contact.heardSinceMs === undefined) return Infinity
  const deadtimeMs = judgingDeadtimeMs(state)
  const limitMs = Math.max((contact.confirmed?.sentMs ?? -Infinity) + deadtimeMs, contact.heardSinceMs + 0.5 * deadtimeMs)
  // Silent as well, it dies of its silence.
  return limitMs <= (contact.lastHeardMs ?? -Infinity) + 0.5 * deadtimeMs ? limitMs : Infinity
}

/**
 * A late peer is asked for an answer every deadtime/20, so that lost packets do not look like death; and so is a peer
 * that is heard but has not confirmed us for half of deadtime, so that a one-way link shows quickly.
 */
function askPeer(turn: Turn): void {
  const fromMs = askingFromMs(turn.state)
  if (fromMs === undefined || turn.nowMs < Math.max(fromMs, turn.state.contact.nextAskMs ?? 0)) return
  turn.answerOwed = true
  turn.answerWanted = true
  setContact(turn, { nextAskMs: turn.nowMs + judgingDeadtimeMs(turn.state) / 20 })
}

function askingFromMs(state: NodeState): Millis | undefined {
  const { contact } = state
  if (!peerIsHeard(state)) return undefined
  const half = 0.5 * judgingDeadtimeMs(state)
  const silent = silentSinceMs(contact) + half
  if (peerIsClassic(state)) return silent
  // A lease that rests on contact needs it fresh: confirmed every deadtime/10 (design.md section 5 "Asking before judging").
  const holds = state.config.witness !== undefined && state.groups.some((group) => group.hold !== undefined)
  const unconfirmed = holds ? 0.1 * holdingDeadtimeMs(state) : half
  return Math.min(silent, (contact.confirmed?.sentMs ?? -Infinity) + unconfirmed)
}

export function addContactDeadlines(state: NodeState, dues: Dues): void {
  const { contact, config } = state
  dues.push(contact.peerRaisedUntilMs, contact.formerDeadtime?.untilMs)
  if (contact.wills !== undefined) dues.push(silentSinceMs(contact) + judgingDeadtimeMs(state))
  if (contact.status === 'dead' || contact.status === 'left') return
  dues.push(deathMs(state))
  if (contact.status === 'alive') dues.push(silentSinceMs(contact) + config.timing.warntimeMs)
  const deaf = deafMs(state)
  if (deaf !== Infinity) dues.push(deaf)
  const askMs = askingFromMs(state)
  if (askMs !== undefined) dues.push(Math.max(askMs, contact.nextAskMs ?? 0))
}

/** This node stood still: whoever was silent meanwhile gets a whole deadtime to be heard (S6). */
export function listenAfresh(turn: Turn): void {
  const { status } = turn.state.contact
  // Dead or gone before the pause: it may have come back and acquired meanwhile.
  const mayBeBack = status === 'dead' || status === 'left'
  setContact(turn, { listenFromMs: turn.nowMs, wokeMs: turn.nowMs, heardSinceMs: undefined, ...(mayBeBack ? { status: 'unknown', sinceMs: turn.nowMs, wills: undefined } : {}) })
  turn.answerOwed = true
  turn.answerWanted = true
}

/**
 * After standing still nothing is started or renewed on what was known before: the peer may have taken over meanwhile, and
 * what waits in the sockets may be older than that. It ends with a confirmation of a packet sent since, or with a judgement.
 */
export function isSuspended({ contact }: NodeState): boolean {
  return contact.wokeMs !== undefined
}
