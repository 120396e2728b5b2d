/**
 * Ping nodes: which of them answer. It tells changes and decides nothing; what they mean stands in the core. A node is reachable while
 * one of its addresses has answered within deadping.
 */
import type { PingConfig, PingTarget } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'
import type { Notice } from './operations.ts'
import { openPingChild } from './ping-child.ts'

export interface PingEvents {
  /** The first word comes with the first answer, or deadping after the start without one; after that only changes are told. */
  onChange(name: string, reachable: boolean): void
  /** `ping-failed`. */
  onNotice(notice: Notice): void
}

export interface Pings { close(): void }

/** Of one address: the newest answer, and how many packets after it, in order, have none. */
interface Hearing { answeredMs?: Millis; missing: number }

interface Watched { readonly target: PingTarget; readonly hearings: Hearing[]; reachable?: boolean }

/** An address that does not answer gets a fresh child so often, at most. */
const shortestRenewMs: Millis = 2_000
const longestTurnMs: Millis = 1_000
const shortestTurnMs: Millis = 20
const longestPatienceMs: Millis = 10_000

export function openPings(config: PingConfig, events: PingEvents): Pings {
  const { deadpingMs, intervalMs } = config
  const turnMs = Math.min(Math.max(deadpingMs / 8, shortestTurnMs), longestTurnMs)
  let countingSinceMs = nowMs()
  let turnedMs = countingSinceMs

  const watched = config.targets.map((target): Watched => ({ target, hearings: target.addresses.map(() => ({ missing: 0 })) }))
  const children = watched.flatMap((one) => one.hearings.map((hearing, index) => {
    let renewedMs = countingSinceMs
    const child = openPingChild({
      address: one.target.addresses[index] ?? '', intervalMs,
      patienceMs: Math.min(Math.max(deadpingMs / 3, intervalMs), longestPatienceMs),
      onTrouble: (message) => events.onNotice({ code: 'ping-failed', message }),
      onLines(answers) {
        const last = answers.lastIndexOf(true)
        hearing.missing = last === -1 ? hearing.missing + answers.length : answers.length - 1 - last
        // Lines that waited while this process stood still tell of the past: what came after the answer counts, too.
        if (last !== -1) hearing.answeredMs = nowMs() - hearing.missing * intervalMs
        judge(one, false)
      },
    })
    return {
      close: () => child.close(),
      renewIfSilent() {
        const heardMs = Math.max(hearing.answeredMs ?? 0, renewedMs)
        if (nowMs() - heardMs < Math.max(deadpingMs, shortestRenewMs)) return
        renewedMs = nowMs()
        child.renew()
      },
    }
  }))

  function judge(one: Watched, drained: boolean): void {
    const answered = one.hearings.some(({ answeredMs }) => answeredMs !== undefined && nowMs() - answeredMs < deadpingMs)
    if (answered) return tell(one, true)
    if (drained && nowMs() - countingSinceMs >= deadpingMs) tell(one, false)
  }

  function tell(one: Watched, reachable: boolean): void {
    if (one.reachable === reachable) return
    one.reachable = reachable
    events.onChange(one.target.name, reachable)
  }

  /** A turn that comes much too late means that this host stood still: its own pause is nobody's silence. */
  function turn(): void {
    if (nowMs() - turnedMs > turnMs + deadpingMs / 2) countingSinceMs = nowMs()
    turnedMs = nowMs()
    // Pipes are read between a timer and setImmediate: nobody is judged before what he has said is heard.
    setImmediate(() => {
      // Stopped in between: the next turn sees it.
      if (closed || nowMs() - turnedMs > deadpingMs / 2) return
      for (const one of watched) judge(one, true)
      for (const child of children) child.renewIfSilent()
    })
  }

  let closed = false
  const timer = setInterval(turn, turnMs)
  return {
    close() {
      closed = true
      clearInterval(timer)
      for (const child of children) child.close()
    },
  }
}
