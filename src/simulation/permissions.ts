/**
 * S2, S4 and S6: by what proof did this node start, or adopt, a group? Judged from the packets that passed: a claim of
 * this generation that the peer confirmed while it showed nothing of the group (consent), its goodbye, or its silence
 * for deadtime, not counting time in which this node itself stood still.
 */
import type { AdvertisedGroup, Packet } from '../core/packet.ts'
import type { Acquisition } from './ledger.ts'
import { timingOf, type Machine } from './machine.ts'
import { describeProofs, longPaused, permissionOf } from './proofs.ts'
import { violate } from './violations.ts'
import { peerOf, type World } from './world.ts'

/** Follows the claims and holdings that `machine` tells its peer. */
export function followSent(world: World, machine: Machine, packet: Packet): void {
  const node = world.ledger.nodes[machine.index]
  node.saysPaused = packet.facts?.pause.paused === true
  if (packet.facts?.raisedForMs !== undefined) node.raisedUntilMs = world.nowMs + packet.facts.raisedForMs * 1.02
  node.longestDeadtimeMs = Math.max(node.longestDeadtimeMs, packet.deadtimeMs)
  node.shortestDeadtimeMs = Math.min(node.shortestDeadtimeMs, packet.deadtimeMs)
  node.sent.push({ sequence: packet.id.sequence, sentMs: world.nowMs })
  if (node.sent.length > 400) node.sent.splice(0, 200)
  for (const group of packet.facts?.groups ?? []) {
    const serves = group.state === 'starting' || group.state === 'held'
    if (serves && !node.acquisitions.has(group.name)) begin(world, machine, group.name, 'says that it serves')
    // While it says unclean nobody else may start it, so a holder whose stop failed is still the only one.
    if (!serves && group.state !== 'unclean') node.acquisitions.delete(group.name)
    node.sentStates.set(group.name, group.state)
    const claim = node.claims.get(group.name)
    if (!group.claiming) {
      node.claims.delete(group.name)
      node.consents.delete(group.name)
    } else if (claim?.number !== group.claimNumber) {
      node.claims.set(group.name, { number: group.claimNumber, firstSequence: packet.id.sequence })
      node.consents.delete(group.name)
    }
  }
}

/** `machine` has used a packet of its peer. */
export function followUsed(world: World, machine: Machine, packet: Packet, sentMs: number): void {
  const node = world.ledger.nodes[machine.index]
  if (packet.id.generation > node.lastUsedGeneration) node.wills.clear()
  if (packet.will !== undefined) return void node.wills.set('group' in packet.will ? `${packet.will.says}/${packet.will.group}` : packet.will.says, world.nowMs)
  // What was sent before it was switched off may be read late, by a node that stood still meanwhile.
  if (sentMs > node.fencedMs) node.fencedMs = -Infinity
  node.vouched.clear()
  confirm(world, machine, packet)
  for (const group of packet.facts?.groups ?? []) {
    node.shown.set(group.name, group)
    consider(world, machine, packet, group)
    learnUnclean(world, machine, packet, group, sentMs)
  }
  const gapMs = world.nowMs - node.lastUsedMs
  if (gapMs >= 0.49 * timingOf(machine).deadtimeMs) {
    node.hearsSinceMs = world.nowMs
    node.gapBeforeMs = gapMs
  }
  node.lastUsedMs = world.nowMs
  node.lastUsedGeneration = packet.id.generation
  node.heard = true
  node.peerLeft = packet.kind === 'goodbye'
}

function confirm(world: World, machine: Machine, packet: Packet): void {
  const node = world.ledger.nodes[machine.index]
  const confirms = packet.facts?.confirms
  if (confirms === undefined || confirms.generation !== machine.daemon?.generation) return
  const found = node.sent.findLast((one) => one.sequence <= confirms.sequence)
  if (found !== undefined) node.confirmedSentMs = Math.max(node.confirmedSentMs, found.sentMs)
}

function consider(world: World, machine: Machine, packet: Packet, group: AdvertisedGroup): void {
  const node = world.ledger.nodes[machine.index]
  const claim = node.claims.get(group.name)
  const confirms = packet.facts?.confirms
  if (claim === undefined) return
  const confirmed = confirms?.generation === machine.daemon?.generation && (confirms?.sequence ?? -1) >= claim.firstSequence
  const free = group.state === 'stopped' && !group.claiming
  if (!free) node.consents.delete(group.name)
  else if (confirmed) node.consents.set(group.name, { number: claim.number, atMs: world.nowMs })
}

function learnUnclean(world: World, machine: Machine, packet: Packet, group: AdvertisedGroup, sentMs: number): void {
  const peer = peerOf(world, machine)
  const unclean = world.ledger.nodes[peer.index].unclean.get(group.name)
  if (unclean === undefined) return
  if (unclean.rebooted && packet.id.generation > unclean.generation && group.state !== 'unclean') {
    world.ledger.nodes[peer.index].unclean.delete(group.name)
    return
  }
  // One packet after it is enough to be told (P6), whatever the packet says.
  if (sentMs > unclean.sinceMs || (sentMs === unclean.sinceMs && group.state === 'unclean')) unclean.peerKnows = true
}

/** The first start of an acquisition, or an adoption. Later starts of it rest on the same permission. */
export function begin(world: World, machine: Machine, group: string, how: string): void {
  const node = world.ledger.nodes[machine.index]
  const permission = permissionOf(world, machine, group)
  if (permission === undefined) {
    violate(world, longPaused(world, machine) ? 'S6' : 'S2', `${machine.name} ${how} ${group} without permission: ${describeProofs(world, machine, group)}`)
    return
  }
  const peer = peerOf(world, machine)
  const peerNode = world.ledger.nodes[peer.index]
  const unclean = peerNode.unclean.get(group)
  if (unclean?.peerKnows === true) {
    violate(world, 'S4', `${machine.name} ${how} ${group}, though its stop failed on ${machine.peerName} at ${(unclean.sinceMs / 1000).toFixed(3)} and ${machine.name} was told`)
  }
  const silentBothMs = world.nowMs - Math.max(node.lastUsedMs, peerNode.lastUsedMs)
  const acquisition: Acquisition = {
    permission, beganMs: world.nowMs, silentBothMs, silentMs: world.nowMs - node.lastUsedMs, peerHearsMs: world.nowMs - peerNode.hearsSinceMs, peerGapMs: peerNode.gapBeforeMs,
    deadtimeMs: node.shortestDeadtimeMs, leastDeadtimeMs: Math.min(node.shortestDeadtimeMs, timingOf(peer).deadtimeMs),
  }
  node.acquisitions.set(group, acquisition)
  node.lastAcquisitions.set(group, acquisition)
  world.ledger.starts += 1
}
