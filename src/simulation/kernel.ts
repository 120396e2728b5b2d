/**
 * Floating addresses in a machine's kernel. Each has a life of its own, counted by the kernel's clock, which goes on while
 * a daemon is stopped or dead and stands still with a paused guest. The kernel's timer is late by up to 0.76 s (measured).
 */
import { truthChanged } from './checkers.ts'
import { monotonicMs, trueMsOf } from './clock.ts'
import { answer } from './driver.ts'
import { guestStandsStill, type Machine, type StageTruth } from './machine.ts'
import { someMs, tell, whileUp, type World } from './world.ts'

const timerLateMs = 760
/** A timer's instant is converted between two clocks and back. */
const roundingMs = 0.001

/** New ones, or new lives of those that are there. Without `validSeconds` they stay for ever. */
export function configure(world: World, machine: Machine, truth: StageTruth, ips: Iterable<string>, validSeconds: number | undefined): void {
  const nowMs = monotonicMs(machine.clock, world.nowMs)
  const untilMs = validSeconds === undefined ? undefined : nowMs + validSeconds * 1000 + someMs(world, 0, timerLateMs)
  for (const ip of ips) {
    truth.configured.add(ip)
    if (untilMs === undefined) truth.expiries.delete(ip)
    else truth.expiries.set(ip, untilMs)
  }
  truth.askedMs = nowMs
  armExpiry(world, machine, truth)
}

export function deconfigure(truth: StageTruth, ips: Iterable<string>): void {
  for (const ip of [...ips]) {
    truth.configured.delete(ip)
    truth.expiries.delete(ip)
  }
}

/** One look ahead for each stage: a renewal only moves the instant, and the look that finds nothing due looks again later. */
function armExpiry(world: World, machine: Machine, truth: StageTruth): void {
  if (truth.expiries.size === 0) return
  const nextMs = Math.min(...truth.expiries.values())
  if (truth.expiryLookMs !== undefined && truth.expiryLookMs <= nextMs) return
  truth.expiryLookMs = nextMs
  const { boot } = machine
  const look = (): void => {
    if (!machine.running || machine.boot !== boot || truth.expiryLookMs !== nextMs) return
    if (guestStandsStill(machine)) machine.waitingGuest.push(look)
    else if (monotonicMs(machine.clock, world.nowMs) < nextMs - roundingMs) world.queue.add(trueMsOf(machine.clock, nextMs), look)
    else expire(world, machine, truth)
  }
  world.queue.add(Math.max(world.nowMs, trueMsOf(machine.clock, nextMs)), look)
}

function expire(world: World, machine: Machine, truth: StageTruth): void {
  truth.expiryLookMs = undefined
  const nowMs = monotonicMs(machine.clock, world.nowMs)
  const expired = [...truth.expiries].filter(([, untilMs]) => untilMs <= nowMs + roundingMs).map(([ip]) => ip)
  if (expired.length > 0) {
    deconfigure(truth, expired)
    truth.hurt = true
    tell(world, machine.name, `the lease of ${expired.join(' ')} ends: the kernel removes ${expired.length === 1 ? 'it' : 'them'}`)
    truthChanged(world, machine, truth)
    noticeStripped(world, machine, truth, expired)
  }
  armExpiry(world, machine, truth)
}

/** The daemon watches its addresses, and finds missing ones a little later, unless it has changed them itself meanwhile. */
export function noticeStripped(world: World, machine: Machine, truth: StageTruth, ips: readonly string[]): void {
  const { version } = truth
  whileUp(world, machine, someMs(world, 10, 1000), () => {
    const missing = ips.filter((ip) => !truth.configured.has(ip))
    if (truth.version !== version || machine.daemon === undefined || missing.length === 0) return
    answer(world, machine, machine.daemon.life, { type: 'addresses-stripped', group: truth.group, stage: truth.index, ips: missing })
  })
}
