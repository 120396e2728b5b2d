/** Ping nodes: each answers a machine or does not, and the machine learns of a change a little later. */
import { answer } from './driver.ts'
import type { Daemon, Machine } from './machine.ts'
import { someMs, tell, whileUp, type World } from './world.ts'

/** A daemon that starts knows nothing: the first answer, or deadping without one, is news. */
export function beginPings(world: World, machine: Machine, daemon: Daemon): void {
  for (const name of machine.pings.keys()) report(world, machine, daemon, name, machine.pings.get(name) === true ? someMs(world, 1, 99) : someMs(world, 2000, 4000))
}

export function setPing(world: World, machine: Machine, name: string, reachable: boolean): void {
  if (machine.pings.get(name) === reachable) return
  machine.pings.set(name, reachable)
  tell(world, machine.name, `${reachable ? 'sees' : 'no longer sees'} ping node ${name}`)
  if (machine.daemon !== undefined) report(world, machine, machine.daemon, name, reachable ? someMs(world, 10, 1000) : someMs(world, 2000, 4000))
}

function report(world: World, machine: Machine, daemon: Daemon, name: string, afterMs: number): void {
  whileUp(world, machine, afterMs, () => answer(world, machine, daemon.life, { type: 'ping-changed', name, reachable: machine.pings.get(name) === true }))
}
