/** The device that switches a machine off: it may act late, or act and never say so, or do nothing. It never says what is not true. */
import type { Effect } from '../core/effects.ts'
import { fenceConfirmed } from './proofs.ts'
import { answer } from './driver.ts'
import { crashMachine, startMachine } from './hosts.ts'
import type { Daemon, Machine } from './machine.ts'
import { after, someMs, tell, type World } from './world.ts'

type Course = 'works' | 'fails' | 'does-nothing' | 'acts-and-hangs'

export function runFence(world: World, machine: Machine, daemon: Daemon, effect: Effect & { type: 'run-fence' }): void {
  const { fenceId, node, level, timeoutMs } = effect
  const target = world.machines.find((one) => one.name === node)
  if (target === undefined) return
  const course = courseOf(world)
  const actsMs = Math.min(someMs(world, 200, 3000), timeoutMs * 0.9)
  const answersMs = actsMs + someMs(world, 10, 500)
  tell(world, machine.name, `fences ${node}, level ${level}`)
  const finish = (result: 'confirmed' | 'failed' | 'timed-out', message: string): void => {
    tell(world, machine.name, `fencing ${node}: ${result}`)
    if (result === 'confirmed') fenceConfirmed(world, machine, target)
    answer(world, machine, daemon.life, { type: 'fence-finished', fenceId, result, message })
  }
  if (course === 'works' || course === 'acts-and-hangs') after(world, actsMs, () => powerOff(world, target))
  const hangs = course === 'does-nothing' || course === 'acts-and-hangs' || answersMs > timeoutMs
  after(world, hangs ? timeoutMs : answersMs, () => {
    if (!machine.running) return
    if (hangs) finish('timed-out', 'the device did not answer')
    else if (course === 'works') finish('confirmed', 'off')
    else finish('failed', 'the device said no')
  })
}

function courseOf(world: World): Course {
  if (world.fencingBroken) return 'fails'
  if (!world.faultsOn || !world.random.chance(world.options.fencing.failProbability)) return 'works'
  return world.random.pick<Course>(['fails', 'does-nothing', 'acts-and-hangs'])
}

/** A reset: it boots again by itself, sooner or later, or somebody has to press the button, which is done when the faults end. */
function powerOff(world: World, target: Machine): void {
  if (!target.running) return
  crashMachine(world, target)
  if (world.options.exact || (world.random.chance(0.2) && world.faultsOn)) return
  after(world, world.random.between(5000, 60_000), () => startMachine(world, target))
}
