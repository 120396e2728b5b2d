/**
 * The loop that joins the core to the outside: one event at a time into `step`, its effects out in list order, then one
 * timer at `nextDeadlineMs`. Before a timer's tick the sockets are drained, so that packets which waited through a stall
 * are heard before anybody is judged (design.md section 5 "Pause").
 */
import { nextDeadlineMs } from '../core/deadlines.ts'
import type { Effect } from '../core/effects.ts'
import type { Event } from '../core/events.ts'
import type { NodeState } from '../core/state.ts'
import { step } from '../core/step.ts'
import type { Millis } from '../core/time.ts'
import { bootMs, nowMs, wallMs } from '../runtime/clock.ts'

/** An event before the loop stamps it with the clocks. */
export type Happening = Event extends infer E ? (E extends Event ? Omit<E, 'nowMs' | 'wallMs'> : never) : never

export interface Loop {
  feed(happening: Happening): void
  state(): NodeState
  /** How late the core is for what it wanted to do next; 0 while it is not, and once it is stopped. */
  overdueMs(): Millis
  stop(): void
}

/** Rounds of reading sockets before a tick; libuv reads up to 32 datagrams of each socket a round. */
const drainRounds = 50
/** Timers of Node take 31 bits. */
const longestWaitMs = 2_000_000_000

export interface LoopOptions {
  readonly initial: NodeState
  perform(effect: Effect): void
  /** How many packets have been read so far; drained means that a round reads none. */
  packetsRead(): number
  /** What is due beside the core. It may feed events. */
  readonly beside?: { dueMs(): Millis | undefined; tick(): void }
  /** A mistake of our own: some effects of a turn were not performed. No event is taken any more. */
  broken(error: unknown): void
}

export function startLoop(options: LoopOptions): Loop {
  let state = options.initial
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let draining = false
  const waiting: Happening[] = []
  let running = false

  function run(happening: Happening): void {
    const { state: next, effects } = step(state, { ...happening, nowMs: nowMs(), wallMs: wallMs() } as Event)
    state = next
    for (const effect of effects) options.perform(effect)
  }

  function feed(happening: Happening): void {
    if (stopped) return
    waiting.push(happening)
    if (running) return
    running = true
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) run(next)
    } catch (error) {
      // Not thrown on: whoever fed the event might catch it, and a daemon that has lost half a turn would live on.
      stop()
      return options.broken(error)
    } finally {
      running = false
    }
    arm()
  }

  function arm(): void {
    if (timer !== undefined) clearTimeout(timer)
    timer = undefined
    if (stopped || draining) return
    const dueMs = Math.min(nextDeadlineMs(state) ?? Infinity, options.beside?.dueMs() ?? Infinity)
    if (dueMs === Infinity) return
    timer = setTimeout(() => drain(drainRounds, options.packetsRead()), Math.min(Math.max(dueMs - nowMs(), 0), longestWaitMs))
  }

  function drain(rounds: number, readBefore: number): void {
    draining = true
    setImmediate(() => {
      const read = options.packetsRead()
      if (read !== readBefore && rounds > 0) return drain(rounds - 1, read)
      draining = false
      if (!stopped) tick()
    })
  }

  /** Node's timers may fire a fraction of a millisecond early; a tick before its time would be for nothing. */
  function tick(): void {
    if ((options.beside?.dueMs() ?? Infinity) <= nowMs()) options.beside?.tick()
    const dueMs = nextDeadlineMs(state)
    if (dueMs !== undefined && dueMs <= nowMs()) feed({ type: 'tick', bootMs: bootMs() })
    else arm()
  }

  function stop(): void {
    stopped = true
    if (timer !== undefined) clearTimeout(timer)
  }

  function overdueMs(): Millis {
    return stopped ? 0 : Math.max(0, nowMs() - (nextDeadlineMs(state) ?? Infinity))
  }

  return { feed, state: () => state, overdueMs, stop }
}
