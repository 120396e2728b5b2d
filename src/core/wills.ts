/**
 * The last will of the peer's daemon, sent by its guard (design.md section 6; F3, F10). It proves something about one
 * generation, not about the node: it is good only if that generation is the newest known here and mutual contact with it
 * is fresh, for then the node's next daemon cannot have acquired anything yet. Any other will says no more than that a
 * daemon died, which shortens the wait only where fencing decides.
 */
import { restsOnWitness } from './authority.ts'
import { holdingDeadtimeMs } from './contact.ts'
import { orderlyShare } from './lease-arithmetic.ts'
import type { Packet } from './packet.ts'
import { isWarm } from './stage.ts'
import type { GroupState, NodeState, WillsHeard } from './state.ts'
import type { Millis } from './time.ts'
import { inMs, record, setContact, type Turn } from './turn.ts'

/** A will is good until then; the proof is looked up again when the group is started. */
function willsGoodUntilMs(state: NodeState): Millis {
  const { wills, confirmed } = state.contact
  if (wills === undefined || confirmed === undefined || confirmed.by !== wills.generation) return -Infinity
  return confirmed.sentMs + orderlyShare * holdingDeadtimeMs(state)
}

export function hearWill(turn: Turn, packet: Packet): void {
  const { will, id, from } = packet
  const { contact, config } = turn.state
  if (will === undefined || contact.newest === undefined) return
  const isNewest = id.generation === contact.newest.generation
  const fresh = contact.confirmed?.by === id.generation && turn.nowMs < contact.confirmed.sentMs + orderlyShare * holdingDeadtimeMs(turn.state)
  const decidedElsewhere = config.fencing !== undefined && !restsOnWitness(turn.state)
  if (!isNewest || contact.status === 'left' || (!fresh && !decidedElsewhere)) return
  if (contact.wills?.generation !== id.generation) {
    const age = contact.lastHeardMs === undefined ? '' : `, ${inMs(turn.nowMs - contact.lastHeardMs)} after its last word`
    record(turn, 'warning', 'peer-died', `the daemon of ${from} has died: its guard says so${age}`, { figures: { generation: id.generation, fresh } })
  }
  setContact(turn, {
    wills: willsWith(contact.wills?.generation === id.generation ? contact.wills : { generation: id.generation, addressesGone: [], stopped: [] }, will),
    ...(contact.status === 'dead' ? {} : { status: 'dead', sinceMs: turn.nowMs, nextAskMs: undefined, heardSinceMs: undefined, wokeMs: undefined }),
  })
  if (will.says !== 'daemon-dead') {
    const what = will.says === 'stopped' ? 'all of it has stopped there' : 'its addresses are gone there'
    record(turn, 'info', 'will-heard', `last will of ${from} for ${will.group}: ${what}`, { group: will.group })
  }
}

function willsWith(wills: WillsHeard, will: NonNullable<Packet['will']>): WillsHeard {
  switch (will.says) {
    case 'daemon-dead':
      return wills
    case 'addresses-gone':
      return wills.addressesGone.includes(will.group) ? wills : { ...wills, addressesGone: [...wills.addressesGone, will.group] }
    case 'stopped':
      return wills.stopped.includes(will.group) ? wills : { ...wills, stopped: [...wills.stopped, will.group] }
  }
}

/** Does a good will say that nothing of the group is left there? Scripts that are not warm need the second one. */
export function willCovers(state: NodeState, group: GroupState, nowMs: Millis): boolean {
  const { wills } = state.contact
  if (wills === undefined || nowMs >= willsGoodUntilMs(state)) return false
  if (wills.stopped.includes(group.name)) return true
  const addressesOnly = group.stages.every(({ what }) => what.kind === 'addresses' || isWarm(what))
  return addressesOnly && !state.configDifferences.includes('groups') && wills.addressesGone.includes(group.name)
}

/** The peer counts as dead because of a will alone: without witness and fencing its silence must still last for deadtime (contact.ts forgets the wills then). */
export function isDeadByWill({ contact }: NodeState): boolean {
  return contact.status === 'dead' && contact.wills !== undefined
}

