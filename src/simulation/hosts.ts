/** What can befall a whole host: power on and off, standing still, going on. */
import { machineCrashed, pauseEnded } from './checkers.ts'
import { bootClock, stoodStill } from './clock.ts'
import { killDaemon, startDaemon, wakeUp } from './driver.ts'
import { clearTruth, type Machine, type PauseKind } from './machine.ts'
import { after, someMs, tell, type World } from './world.ts'

export function startMachine(world: World, machine: Machine): void {
  if (machine.running) return
  machine.running = true
  machine.boot += 1
  machine.clock = bootClock(world.nowMs, world.options.clockRates[machine.index])
  machine.stayDown = false
  tell(world, machine.name, 'machine boots')
  startDaemon(world, machine)
}

export function crashMachine(world: World, machine: Machine): void {
  if (!machine.running) return
  killDaemon(world, machine)
  machine.running = false
  machine.paused = undefined
  clearTruth(machine)
  tell(world, machine.name, 'machine loses power')
  machineCrashed(world, machine)
}

export function pauseMachine(world: World, machine: Machine, kind: PauseKind, durationMs: number): void {
  if (!machine.running || machine.paused !== undefined) return
  machine.paused = { sinceMs: world.nowMs, kind }
  tell(world, machine.name, `stands still (${kind}) for ${Math.round(durationMs)} ms`)
  const { paused } = machine
  after(world, durationMs, () => {
    if (machine.paused === paused) endPause(world, machine)
  })
}

export function endPause(world: World, machine: Machine): void {
  const { paused } = machine
  if (paused === undefined) return
  machine.paused = undefined
  if (paused.kind !== 'stop-signal') machine.clock = stoodStill(machine.clock, paused.sinceMs, world.nowMs, paused.kind === 'guest-pause')
  tell(world, machine.name, 'goes on')
  pauseEnded(world, machine, world.nowMs - paused.sinceMs, paused.kind !== 'guest-freeze')
  wakeUp(world, machine)
}

/** systemd starts a failed daemon again after a moment, unless somebody ended it on purpose. */
export function killAndRestart(world: World, machine: Machine, downMs: number): void {
  if (machine.daemon === undefined || (machine.paused !== undefined && machine.paused.kind !== 'stop-signal')) return
  killDaemon(world, machine)
  const { boot } = machine
  after(world, downMs, () => {
    if (machine.boot === boot && machine.running) startDaemon(world, machine)
  })
}

export function crashAndReboot(world: World, machine: Machine, downMs: number): void {
  if (!machine.running) return
  crashMachine(world, machine)
  after(world, downMs, () => startMachine(world, machine))
}

export function startPair(world: World): void {
  for (const machine of world.machines) after(world, someMs(world, 0, 3000), () => startMachine(world, machine))
}
