/** What can befall a whole host: power on and off, standing still, going on. */
import { watchdogLeastMs } from '../core/lease-arithmetic.ts'
import { machineCrashed, pauseBegun, pauseEnded } from './checkers.ts'
import { bootClock, stoodStill } from './clock.ts'
import { killDaemon, loseDaemon, startDaemon, wakeUp } from './driver.ts'
import type { Death } from './guard.ts'
import { clearTruth, guestStandsStill, type Machine, type PauseKind } from './machine.ts'
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
  if (machine.daemon !== undefined) tell(world, machine.name, 'daemon killed')
  loseDaemon(world, machine)
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
  pauseBegun(world, machine)
  after(world, durationMs, () => {
    if (machine.paused === paused) endPause(world, machine)
  })
}

export function endPause(world: World, machine: Machine): void {
  const { paused } = machine
  if (paused === undefined) return
  machine.paused = undefined
  if (guestStood(paused.kind)) machine.clock = stoodStill(machine.clock, paused.sinceMs, world.nowMs, paused.kind === 'guest-pause')
  tell(world, machine.name, 'goes on')
  pauseEnded(world, machine, world.nowMs - paused.sinceMs, paused.kind)
  for (const act of machine.waitingGuest.splice(0)) act()
  wakeUp(world, machine)
}

function guestStood(kind: PauseKind): boolean {
  return kind !== 'stop-signal'
}

/** systemd starts a failed daemon again after a moment, unless somebody ended it on purpose. */
export function killAndRestart(world: World, machine: Machine, downMs: number, death: Death): void {
  if (machine.daemon === undefined || guestStandsStill(machine)) return
  killDaemon(world, machine, death)
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

/** The watchdog is fed no more: within its time this host goes down, whatever becomes of the daemon, unless that daemon feeds it again. */
export function stopFeedingWatchdog(world: World, machine: Machine): void {
  const { boot } = machine
  const { watchdogMs } = world.options
  const starving = {}
  machine.starving = starving
  tell(world, machine.name, 'the watchdog is fed no more')
  after(world, someMs(world, Math.max(watchdogLeastMs, 0.3 * watchdogMs), Math.max(watchdogLeastMs, watchdogMs)), () => {
    if (machine.boot === boot && machine.starving === starving) crashAndReboot(world, machine, someMs(world, 5000, 40_000))
  })
}

export function feedWatchdog(world: World, machine: Machine): void {
  machine.starving = undefined
  tell(world, machine.name, 'the watchdog is fed again')
}

export function startPair(world: World): void {
  for (const machine of world.machines) after(world, someMs(world, 0, 3000), () => startMachine(world, machine))
}
