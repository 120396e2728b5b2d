/** What this node has, in Heartbeat's terms, from the facts that the core spoke last. Classes are those of this node. */
import type { GroupName } from '../core/config.ts'
import type { AdvertisedGroup, AdvertisedState } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { covers, groupClasses, groupsIn, holdingOf, otherClass, type GroupClass } from './classes.ts'
import { factsOf, isActive, type DialogueState } from './dialogue-state.ts'
import type { Holding } from './words.ts'

export function ourGroups(state: DialogueState, holding: Holding): readonly AdvertisedGroup[] {
  const names = groupsIn(state.setting, state.setting.self, holding)
  return factsOf(state)?.groups.filter(({ name }) => names.has(name)) ?? []
}

export function peerHolds({ peer }: DialogueState, ours: GroupClass): boolean {
  return peer?.holds !== undefined && covers(peer.holds, otherClass(ours))
}

/**
 * Whatever is not surely stopped counts as held: running and not adopted yet, on its way up or down, or unclean. A Heartbeat that hears
 * it held starts none of it; one that hears it is free takes its own at once. Nobody's groups (a node that is no group's preferred one)
 * Heartbeat counts too, and complains of a class that nobody holds: they go to who is not said to have them by the other.
 */
export function ourHolding(state: DialogueState): Holding {
  return holdingOf((one) => {
    const groups = ourGroups(state, one)
    if (groups.length > 0) return groups.some((group) => group.state !== 'stopped')
    return state.peer?.holds !== undefined && !peerHolds(state, one) && (one === 'local' || state.peer.stable)
  })
}

const moving: readonly AdvertisedState[] = ['starting', 'stopping']

export function isMoving(state: DialogueState, holding: Holding): boolean {
  return ourGroups(state, holding).some((group) => moving.includes(group.state))
}

/** The core has this long to claim what nobody holds before that counts as wished. */
export const claimWithinMs: Millis = 500

/**
 * What a Heartbeat does upon `isstable=1`: one that joins takes what is local to it and not held here; one that has joined may begin an
 * exchange, shut down, or give back what it took over, and it complains of what then nobody holds. So while it joins only its own class
 * matters: it need not wait for our scripts. Before it has told whether it joins, we are not stable.
 */
export function areWeStable(state: DialogueState, nowMs: Millis): boolean {
  const { peer, exchange, idleSinceMs } = state
  if (!isActive(state) || exchange !== undefined || peer?.holds === undefined) return false
  if (!peer.stable) return !isMoving(state, 'foreign')
  const claimed = classesWith(state, (group, one) => group.claiming && group.state === 'stopped' && !peerHolds(state, one)).length > 0
  return !isMoving(state, 'all') && !claimed && (idleSinceMs === undefined || nowMs >= idleSinceMs + claimWithinMs)
}

/** A Heartbeat takes a class whole, so none of it while a stop has failed here for a part. */
export function isBlocked(state: DialogueState, ours: GroupClass): boolean {
  return ourGroups(state, ours).some((group) => group.state === 'unclean')
}

/** `hactl standby` keeps the group off this node. A claim all the same is an administrator's word. */
export function isUnwelcome(state: DialogueState, group: AdvertisedGroup, ours: GroupClass): boolean {
  const scope = factsOf(state)?.standby
  return (scope !== undefined && covers(scope, ours) && !group.claiming) || group.failed
}

/** Claim numbers above ours: with them the Heartbeat has the better right. */
export function numbersAbove(groups: readonly AdvertisedGroup[]): Readonly<Record<GroupName, number>> {
  return Object.fromEntries(groups.map(({ name, claimNumber }) => [name, claimNumber + 1]))
}

/** Classes that hold at least one such group. */
export function classesWith(state: DialogueState, isSuch: (group: AdvertisedGroup, ours: GroupClass) => boolean): readonly GroupClass[] {
  return groupClasses.filter((one) => ourGroups(state, one).some((group) => isSuch(group, one)))
}
