/**
 * The same question to several hosts until one answers. The next one is asked too when one has failed, or has not answered
 * within its share of the time: a host that hangs must not use up what another one could answer in. So a question may be
 * asked twice, and must be such that this does no harm.
 */
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'

export interface Asking<Answer> {
  /** In this order. */
  readonly hosts: readonly string[]
  readonly endMs: Millis
  /** Ends it before its time. */
  readonly stop: AbortSignal
  /** Whoever is still asking when there is an answer, or no time left, is told by the signal. */
  ask(host: string, signal: AbortSignal): Promise<Answer>
  /** Of a rejection, for a person. */
  faultOf(error: unknown): string
}

export type FirstAnswer<Answer> =
  | { readonly result: 'answered'; readonly host: string; readonly answer: Answer }
  /** What each host did, for a person. */
  | { readonly result: 'none'; readonly message: string }

/** Settles at `endMs` at the latest; never rejects. */
export function firstAnswer<Answer>({ hosts, endMs, stop, ask, faultOf }: Asking<Answer>): Promise<FirstAnswer<Answer>> {
  const others = new AbortController()
  const begunMs = nowMs()
  const shareMs = Math.max(1, (endMs - begunMs) / Math.max(1, hosts.length))
  const waiting = [...hosts]
  const faults = new Map<string, string>()
  return new Promise((resolve) => {
    let shareTimer: NodeJS.Timeout | undefined
    let settled = false

    function settle(outcome: FirstAnswer<Answer>): void {
      if (settled) return
      settled = true
      clearTimeout(shareTimer)
      clearTimeout(endTimer)
      stop.removeEventListener('abort', stopped)
      resolve(outcome)
      others.abort()
    }

    function giveUp(silent: string): void {
      const each = hosts.map((host) => `${host}: ${faults.get(host) ?? (waiting.includes(host) ? 'not asked any more' : silent)}`)
      settle({ result: 'none', message: each.join('; ') })
    }

    function fail(host: string, error: unknown): void {
      if (settled) return
      faults.set(host, faultOf(error))
      if (faults.size === hosts.length) giveUp('')
      else askNext()
    }

    function askNext(): void {
      clearTimeout(shareTimer)
      const host = waiting.shift()
      if (host === undefined || settled) return
      if (waiting.length > 0) shareTimer = setTimeout(askNext, shareMs)
      ask(host, others.signal).then((answer) => settle({ result: 'answered', host, answer }), (error: unknown) => fail(host, error))
    }

    const stopped = (): void => giveUp('given up: the daemon ends')
    const endTimer = setTimeout(() => giveUp(`no answer within ${Math.round(nowMs() - begunMs)} ms`), Math.max(0, endMs - begunMs))
    stop.addEventListener('abort', stopped)
    askNext()
  })
}
