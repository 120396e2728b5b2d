/** What a scenario does to things outside the pair: the witness, ping nodes, the fencing device, a host's own guard and child. */
import { killGuard } from './guard.ts'
import type { Machine } from './machine.ts'
import { startWitness } from './outside-faults.ts'
import { setPing } from './pings.ts'
import { durationMs } from './scenario-words.ts'
import { tell, type World } from './world.ts'
import { setWitnessCut } from './witness.ts'

type Act = (world: World, machines: readonly Machine[], rest: readonly string[]) => void

const witnessActs: Readonly<Record<string, Act>> = {
  lost: (world, machines) => reachWitness(world, machines, false),
  back: (world, machines) => reachWitness(world, machines, true),
  slow: (world, machines, [duration = '']) => {
    tell(world, 'witness', `each way from and to ${namesOf(machines)} takes ${duration} more`)
    for (const machine of machines) world.witness.ways[machine.index].slowMs = durationMs(duration)
  },
  down: (world) => {
    tell(world, 'witness', 'down')
    world.witness.down = true
  },
  up: (world) => startWitness(world),
}

/** `witness lost alpha`, `witness back alpha beta`, `witness down`, `witness up`, `witness slow alpha 300ms` */
export function witness(world: World, how: string, machines: readonly Machine[], rest: readonly string[]): void {
  const act = witnessActs[how]
  if (act === undefined) throw new Error(`a witness can be ${Object.keys(witnessActs).join(', ')} in a scenario, not ${JSON.stringify(how)}`)
  act(world, machines, rest)
}

function reachWitness(world: World, machines: readonly Machine[], reaches: boolean): void {
  tell(world, 'witness', reaches ? `in reach of ${namesOf(machines)} again` : `out of reach of ${namesOf(machines)}`)
  for (const machine of machines) setWitnessCut(world, machine, !reaches)
}

function namesOf(machines: readonly Machine[]): string {
  return machines.map((machine) => machine.name).join(' and ')
}

/** `ping lost alpha` (all of them), `ping back alpha 192.0.2.254` */
export function ping(world: World, how: string | undefined, machine: Machine, names: readonly string[]): void {
  for (const name of names.length === 0 ? [...machine.pings.keys()] : names) setPing(world, machine, name, how === 'back')
}

/** `fencing fails`: the device answers nothing but errors; `fencing works` */
export function fencing(world: World, how: string | undefined): void {
  tell(world, 'fencing', how === 'fails' ? 'the device answers nothing but errors' : 'the device works again')
  world.fencingBroken = how === 'fails'
}

/** `guard dies alpha` */
export function guard(world: World, machine: Machine): void {
  killGuard(world, machine)
}

/** `block child alpha 2s`: a host so busy that what asks the kernel is not run. */
export function blockChild(world: World, machine: Machine, duration: string): void {
  tell(world, machine.name, `the address child is not run for ${duration}`)
  machine.childBlockedUntilMs = world.nowMs + durationMs(duration)
}
