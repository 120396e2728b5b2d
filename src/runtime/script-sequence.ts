/**
 * How Heartbeat calls a script (ResourceManager; heartbeat-3.md section 6.4): it asks for the status before a start, which it leaves out
 * when that says running, and after a stop that failed. Scripts that were written for it, and init scripts that it called, count on both.
 */
import type { ResourceConfig } from '../core/config.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import type { Called } from './call-script.ts'
import { nowMs } from './clock.ts'
import type { Located } from './locate-script.ts'
import { isOfSystemctl, saysDown, type Said } from './status-text.ts'

export function isAskedFirst(located: Located): boolean {
  return located.kind === 'heartbeat' || located.kind === 'init'
}

export interface HeartbeatsWay {
  /** Runs the script once. */
  call(action: Action, timeoutMs: Millis): Promise<Called>
  /** Of a stop that failed and counts as done. */
  onNote(message: string): void
}

/** All of it together takes no longer than `timeoutMs`. */
export async function callAsHeartbeat(
  resource: ResourceConfig, action: Action, timeoutMs: Millis, { call, onNote }: HeartbeatsWay,
): Promise<Outcome> {
  const untilMs = nowMs() + timeoutMs
  const { status } = resource
  const restMs = (): Millis => untilMs - nowMs()
  if (status === undefined || action === 'status') return (await call(action, timeoutMs)).outcome
  if (action === 'start') {
    // A status that hangs must leave time for the start; one that cannot be ended leaves none.
    const { outcome } = await call('status', Math.min(status.timeoutMs, timeoutMs / 2))
    if (outcome.result === 'ok' || outcome.result === 'cancelled') return outcome
    return outcome.result === 'timed-out' && restMs() <= 0 ? outcome : (await call('start', restMs())).outcome
  }
  const { outcome } = await call('stop', timeoutMs)
  if (outcome.result !== 'failed' || restMs() <= 0) return outcome
  const { outcome: found, said } = await call('status', Math.min(status.timeoutMs, restMs()))
  if (found.result !== 'not-running' || said === undefined || !saysStopped(said)) return outcome
  onNote(`${outcome.message}; but its status says that nothing of it runs, so it counts as stopped, as with Heartbeat`)
  return { result: 'not-running' }
}

/**
 * In so many words, and nothing beside them that says running: silence, which Heartbeat took for stopped, is not enough to let the peer
 * start it (promise P6). Of what systemctl printed only the line of the unit's state counts: the rest is the end of its log.
 */
function saysStopped(said: Said): boolean {
  if (!said.captured) return false
  if (isOfSystemctl(said)) return /^\s+Active: (inactive|failed)\b/m.test(said.standardOutput)
  const rest = said.standardOutput.replaceAll(/\bnot running\b/gi, '')
  return (rest !== said.standardOutput || saysDown(said)) && !/running|\b(up|OK|started|active)\b/i.test(rest)
}
