/** Links that lose, delay, double, hold back and replay packets, one way or both; and the receiver's refusal of old ones. */
import type { Packet } from '../core/packet.ts'
import { packetSent } from './checkers.ts'
import { hear } from './driver.ts'
import type { Machine } from './machine.ts'
import { after, peerOf, type Link, type World } from './world.ts'

/** Kept for replays, per sender. */
const recordedPackets = 64

export function transmit(world: World, from: Machine, packet: Packet): void {
  packetSent(world, from, packet)
  const to = peerOf(world, from)
  const carried = world.carry(packet)
  record(world, from, packet)
  for (const link of world.links) {
    if (from.failedLinks.has(link.name)) continue
    transmitOn(world, link, from, to, carried)
    if (world.random.chance(world.faultsOn ? world.options.network.duplicateProbability : 0)) transmitOn(world, link, from, to, carried)
  }
}

function transmitOn(world: World, link: Link, from: Machine, to: Machine, packet: Packet): void {
  if (link.cut[from.index] || world.random.chance(link.lossProbability)) return
  const { delayMinMs, delayMeanMs } = world.options.network
  const delayMs = delayMeanMs === 0 ? delayMinMs : delayMinMs + Math.min(world.random.wait(delayMeanMs), delayMeanMs * 10)
  const clogMs = Math.max(0, link.cloggedUntilMs[from.index] - world.nowMs)
  const sentMs = world.nowMs
  const boot = to.boot
  after(world, clogMs + delayMs, () => arrive(world, link, to, boot, { link: link.name, packet, sentMs }))
}

function arrive(world: World, link: Link, to: Machine, boot: number, arrival: { link: string; packet: Packet; sentMs: number }): void {
  if (!to.running || to.boot !== boot || to.failedLinks.has(link.name)) return
  hear(world, to, arrival)
}

/** The guard writes it to the sockets that it has inherited. Wills are what an attacker would keep: each is recorded. */
export function transmitWill(world: World, from: Machine, packet: Packet): void {
  const to = peerOf(world, from)
  world.recorded[from.index].push(packet)
  if (world.recorded[from.index].length > recordedPackets) world.recorded[from.index].shift()
  for (const link of world.links) if (!from.failedLinks.has(link.name)) transmitOn(world, link, from, to, packet)
}

/** Every so many packets one is kept, so that replays come from all ages, former generations among them. */
function record(world: World, from: Machine, packet: Packet): void {
  const kept = world.recorded[from.index]
  if (packet.id.sequence % 7 !== 0) return
  if (kept.length < recordedPackets) kept.push(packet)
  else kept[world.random.whole(0, recordedPackets - 1)] = packet
}

/** Somebody on the network sends an old packet again, byte for byte. */
export function replay(world: World, from: Machine): void {
  const kept = world.recorded[from.index]
  const packet = kept[world.random.whole(0, Math.max(0, kept.length - 1))]
  const link = world.links[world.random.whole(0, world.links.length - 1)]
  const to = peerOf(world, from)
  if (packet === undefined || link === undefined || !to.running || to.failedLinks.has(link.name)) return
  hear(world, to, { link: link.name, packet: packet.kind === 'will' ? packet : world.carry(packet), sentMs: -Infinity })
}

export function setCut(link: Link, from: 0 | 1 | 'both', cut: boolean): void {
  if (from !== 1) link.cut[0] = cut
  if (from !== 0) link.cut[1] = cut
}
