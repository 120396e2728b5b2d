/**
 * S2: by which proof may this node start, or adopt, a group at this moment? Judged from the packets and wills that passed,
 * from the witness's own keys and from whether the peer was really off.
 */
import type { GroupName } from '../core/config.ts'
import { keyHolder } from './etcd.ts'
import type { Acquisition } from './ledger.ts'
import { stagesOfGroup, timingOf, type Machine } from './machine.ts'
import type { World } from './world.ts'

const driftFactor = 0.97

export function permissionOf(world: World, machine: Machine, group: GroupName): Acquisition['permission'] | undefined {
  const node = world.ledger.nodes[machine.index]
  const timing = timingOf(machine)
  const consent = node.consents.get(group)
  if (consent !== undefined && world.nowMs - consent.atMs <= timing.deadtimeMs * 1.02) return 'consent'
  const proof = proofWithoutPeer(world, machine, group)
  if (proof !== undefined) return proof
  return node.lastFreezeEndMs >= world.nowMs - timing.deadtimeMs * 1.05 ? 'clock-stood-still' : undefined
}

function proofWithoutPeer(world: World, machine: Machine, group: GroupName): Acquisition['permission'] | undefined {
  const node = world.ledger.nodes[machine.index]
  const { witness, fencing } = world.options.config
  const silent = isSilent(world, machine, group)
  if (hasWill(world, machine, group)) return 'will'
  if (node.vouched.has(group) && witness === undefined && (silent || node.peerLeft || node.wills.size > 0)) return 'vouched'
  if (witness !== undefined) {
    if (node.peerLeft && isFresh(world, machine)) return 'left'
    const mayAsk = silent || (isDeaf(world, machine) && (node.vouched.has(group) || saysStopped(world, machine, group))) || node.peerLeft || node.fencedMs > -Infinity
    return mayAsk && hasGrant(world, machine, group) ? 'witness' : undefined
  }
  if (node.peerLeft) return 'left'
  if (fencing !== undefined) return node.fencedMs > -Infinity ? 'fenced' : undefined
  return silent ? 'deadtime-alone' : undefined
}

/** The peer was not heard for as long as it takes to be dead. */
function isSilent(world: World, machine: Machine, group: GroupName): boolean {
  const node = world.ledger.nodes[machine.index]
  const timing = timingOf(machine)
  const adopts = node.sameBoot && node.sentStates.get(group) === 'unknown'
  const limitMs = node.heard || adopts ? Math.min(timing.deadtimeMs, node.shortestDeadtimeMs) : Math.min(timing.initdeadMs, node.formerInitdeadMs)
  return world.nowMs - listensSinceMs(world, machine) >= driftFactor * limitMs
}

/** It has heard nothing of this node for deadtime, so it may hold by a grant only. */
function isDeaf(world: World, machine: Machine): boolean {
  const node = world.ledger.nodes[machine.index]
  const deadtimeMs = Math.min(timingOf(machine).deadtimeMs, node.shortestDeadtimeMs)
  return world.nowMs - node.confirmedSentMs >= driftFactor * deadtimeMs
}

/** Its own newest word is that it has stopped and wants nothing. */
function saysStopped(world: World, machine: Machine, group: GroupName): boolean {
  const shown = world.ledger.nodes[machine.index].shown.get(group)
  return shown?.state === 'stopped' && !shown.claiming
}

/** Mutual contact with the peer's last generation is so fresh that its next daemon cannot have acquired anything yet (F3). */
function isFresh(world: World, machine: Machine): boolean {
  return world.nowMs - world.ledger.nodes[machine.index].confirmedSentMs <= 0.98 * timingOf(machine).deadtimeMs
}

function hasWill(world: World, machine: Machine, group: GroupName): boolean {
  const { wills } = world.ledger.nodes[machine.index]
  const onlyAddresses = stagesOfGroup(machine, group).every((truth) => truth.warm || truth.what.kind === 'addresses')
  return isFresh(world, machine) && (wills.has(`stopped/${group}`) || (onlyAddresses && wills.has(`addresses-gone/${group}`)))
}

function hasGrant(world: World, machine: Machine, group: GroupName): boolean {
  const holder = keyHolder(world.witness.etcd, group, world.nowMs)
  return holder?.node === machine.name && holder.generation === machine.daemon?.generation
}

/** The device has confirmed that `target` was off after this node had asked for it. */
export function fenceConfirmed(world: World, machine: Machine, target: Machine): void {
  world.ledger.nodes[machine.index].fencedMs = world.nowMs
  world.ledger.nodes[target.index].unclean.clear()
}

/** Only silence that this node was awake to hear counts. */
function listensSinceMs(world: World, machine: Machine): number {
  const node = world.ledger.nodes[machine.index]
  return Math.max(node.heard ? node.lastUsedMs : -Infinity, node.lastLongWakeMs, node.daemonStartMs)
}

export function longPaused(world: World, machine: Machine): boolean {
  const node = world.ledger.nodes[machine.index]
  return node.lastLongWakeMs > Math.max(node.lastUsedMs, node.daemonStartMs)
}

export function describeProofs(world: World, machine: Machine, group: GroupName): string {
  const node = world.ledger.nodes[machine.index]
  const consent = node.consents.get(group)
  const claim = node.claims.get(group)
  const listened = Math.round(world.nowMs - listensSinceMs(world, machine))
  const claimed = claim === undefined ? 'no claim on the wire' : `claim ${claim.number} on the wire`
  const answered = consent === undefined ? 'not consented to' : `consent ${Math.round(world.nowMs - consent.atMs)} ms ago`
  const others = [node.wills.size > 0 ? `wills ${[...node.wills.keys()].join(', ')}` : undefined, hasGrant(world, machine, group) ? 'the key is its own' : undefined].filter((one) => one !== undefined)
  const heard = `has ${node.heard ? '' : 'never heard its peer and '}listened in silence for ${listened} ms (deadtime ${timingOf(machine).deadtimeMs} ms)`
  return [claimed, answered, heard, ...others].join(', ')
}
