/** Counts what is dropped, by cause, and says so once a minute and cause: a flood of bad packets must not become a flood of lines. */
import type { Millis } from '../core/time.ts'
import { refusalSentences, type RefusalCause } from './refusals.ts'

const quietMs = 60_000

export interface DropCount {
  readonly total: number
  /** Since the last line of this cause. */
  readonly suppressed: number
  readonly loggedAtMs?: Millis
}

export type DropCounters = Readonly<Partial<Record<RefusalCause, DropCount>>>

export const noDrops: DropCounters = {}

/** Part of an ordinary day: counted, never logged. */
const ordinary: ReadonlySet<RefusalCause> = new Set(['own-packet', 'unsequenced'])

/** `origin`: where it came from, as `192.0.2.9 on bcast eth0`. */
export function countDrop(
  counters: DropCounters,
  cause: RefusalCause,
  nowMs: Millis,
  origin?: string,
): { readonly counters: DropCounters; readonly logLine?: string } {
  const { total, suppressed, loggedAtMs } = counters[cause] ?? { total: 0, suppressed: 0 }
  if (ordinary.has(cause)) return { counters: { ...counters, [cause]: { total: total + 1, suppressed: 0 } } }
  if (loggedAtMs !== undefined && nowMs - loggedAtMs < quietMs) {
    return { counters: { ...counters, [cause]: { total: total + 1, suppressed: suppressed + 1, loggedAtMs } } }
  }
  const from = origin === undefined ? '' : ` from ${origin}`
  const more = suppressed === 0 ? '' : `; ${suppressed} more since the last line about this`
  return {
    counters: { ...counters, [cause]: { total: total + 1, suppressed: 0, loggedAtMs: nowMs } },
    logLine: `dropped a packet${from} (${cause}): ${refusalSentences[cause]}${more}`,
  }
}
