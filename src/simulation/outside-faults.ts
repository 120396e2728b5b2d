/** Faults of what is outside the pair: the witness, the ping nodes, the fencing device, the switch port of one node. */
import { setWitnessCut } from './witness.ts'
import { elect } from './etcd.ts'
import type { Machine } from './machine.ts'
import { setCut } from './network.ts'
import { setPing } from './pings.ts'
import { after, tell, type World } from './world.ts'

/** Short ones that only delay, and those that outlast every grant. */
function drawDurationMs(world: World): number {
  const { deadtimeMs } = world.options.config.timing
  return deadtimeMs * world.random.pick([world.random.between(0.1, 1), world.random.between(0.5, 6)])
}

export function cutWitness(world: World, machines: readonly Machine[]): void {
  if (world.options.config.witness === undefined) return
  const durationMs = drawDurationMs(world)
  tell(world, 'witness', `out of reach of ${machines.map((machine) => machine.name).join(' and ')} for ${Math.round(durationMs)} ms`)
  for (const machine of machines) setWitnessCut(world, machine, true)
  after(world, durationMs, () => {
    for (const machine of machines) setWitnessCut(world, machine, false)
    tell(world, 'witness', `in reach of ${machines.map((machine) => machine.name).join(' and ')} again`)
  })
}

export function stopWitness(world: World): void {
  if (world.options.config.witness === undefined || world.witness.down) return
  const durationMs = drawDurationMs(world)
  world.witness.down = true
  tell(world, 'witness', `down for ${Math.round(durationMs)} ms`)
  after(world, durationMs, () => startWitness(world))
}

export function startWitness(world: World): void {
  if (!world.witness.down) return
  world.witness.down = false
  elect(world.witness.etcd, world.nowMs, world.random, true)
  tell(world, 'witness', 'up again')
}

/** Slower than its clients wait, or nearly so. */
export function slowWitness(world: World, machine: Machine): void {
  if (world.options.config.witness === undefined) return
  const way = world.witness.ways[machine.index]
  way.slowMs = world.options.config.witness.timeoutMs * world.random.between(0.1, 1.5)
  tell(world, 'witness', `each way from and to ${machine.name} takes ${Math.round(way.slowMs)} ms more`)
  after(world, drawDurationMs(world), () => {
    way.slowMs = 0
  })
}

export function changeLeader(world: World): void {
  if (world.options.config.witness === undefined || world.witness.down) return
  const knowsNotMs = world.random.pick([0, world.random.between(0, 10_000)])
  tell(world, 'witness', `has a new leader; the former one knows nothing of it for ${Math.round(knowsNotMs)} ms`)
  elect(world.witness.etcd, world.nowMs, world.random, false)
  world.witness.etcd.deposedUntilMs = world.nowMs + knowsNotMs
}

export function losePing(world: World, machine: Machine): void {
  const names = [...machine.pings.keys()]
  const lost = world.random.chance(0.5) ? names : names.slice(0, 1)
  for (const name of lost) setPing(world, machine, name, false)
  after(world, drawDurationMs(world), () => {
    for (const name of lost) setPing(world, machine, name, true)
  })
}

export function breakFencing(world: World): void {
  if (world.options.config.fencing === undefined) return
  world.fencingBroken = true
  tell(world, 'fencing', 'the device answers nothing but errors')
  after(world, drawDurationMs(world), () => {
    world.fencingBroken = false
  })
}

/** Its only switch dies: no link, no witness, no ping node. */
export function isolate(world: World, machine: Machine): void {
  const durationMs = drawDurationMs(world)
  tell(world, 'network', `${machine.name} is cut off from everything for ${Math.round(durationMs)} ms`)
  const set = (cut: boolean): void => {
    for (const link of world.links) setCut(link, 'both', cut)
    setWitnessCut(world, machine, cut)
    for (const name of machine.pings.keys()) setPing(world, machine, name, !cut)
  }
  set(true)
  after(world, durationMs, () => {
    set(false)
    tell(world, 'network', `${machine.name} is back in the network`)
  })
}

export function mendOutside(world: World): void {
  for (const machine of world.machines) {
    setWitnessCut(world, machine, false)
    world.witness.ways[machine.index].slowMs = 0
    for (const name of machine.pings.keys()) setPing(world, machine, name, true)
  }
  startWitness(world)
  world.fencingBroken = false
}
