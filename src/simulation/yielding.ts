/** A1: whoever lets go of a group has a reason that the world bears out. Judged from what its record names as the reason. */
import type { GroupName } from '../core/config.ts'
import type { EventRecord } from '../core/records.ts'
import { keyHolder } from './etcd.ts'
import { timingOf, type Machine } from './machine.ts'
import { violate } from './violations.ts'
import { peerOf, type World } from './world.ts'

export function checkLettingGo(world: World, machine: Machine, { code, reason, group }: EventRecord): void {
  if (code !== 'permission-lost' || group === undefined) return
  if (reason === 'not-heard') checkNotHeard(world, machine, group)
  if (reason === 'outranked') checkOutranked(world, machine, group)
}

/** A holder lets go for not being heard only while it hears the peer itself: the death of the peer interrupts nothing. */
function checkNotHeard(world: World, machine: Machine, group: GroupName): void {
  const node = world.ledger.nodes[machine.index]
  const silentMs = world.nowMs - node.lastUsedMs
  const { deadtimeMs } = timingOf(machine)
  const wokeLately = node.lastWakeMs > world.nowMs - deadtimeMs
  const reloaded = node.shortestDeadtimeMs !== deadtimeMs || node.longestDeadtimeMs !== deadtimeMs
  if (!wokeLately && !reloaded && silentMs > 0.55 * deadtimeMs) violate(world, 'A1', `${machine.name} lets go of ${group} because its peer is silent for ${Math.round(silentMs)} ms`)
}

/** Where two hold, the one that the witness has given the key keeps the group, and has told so (F12). What is unclean may serve nobody, with the key or without. */
function checkOutranked(world: World, machine: Machine, group: GroupName): void {
  if (world.ledger.nodes[machine.index].unclean.has(group)) return
  const told = world.ledger.nodes[peerOf(world, machine).index].shown.get(group)?.granted === true
  const holder = keyHolder(world.witness.etcd, group, world.nowMs)
  if (!told || holder?.node !== machine.name || holder.generation !== machine.daemon?.generation) return
  violate(world, 'A1', `${machine.name} lets go of ${group} for ${machine.peerName}, though the witness has given it the key (claim ${holder.number})`)
}
