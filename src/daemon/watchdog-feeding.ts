/** The hardware watchdog is fed by the loop's own event loop, and only while the core keeps its deadlines: a daemon that lives and does nothing is none. */
import type { Millis } from '../core/time.ts'
import type { Watchdog } from '../runtime/watchdog.ts'

export interface FeedingOptions {
  readonly watchdog: Watchdog
  readonly timeoutMs: Millis
  /** How late the core is for what it wanted to do next. */
  overdueMs(): Millis
}

/** Answers how to stop it. */
export function startFeeding({ watchdog, timeoutMs, overdueMs }: FeedingOptions): () => void {
  const timer = setInterval(() => {
    if (overdueMs() < timeoutMs / 2) watchdog.feed()
  }, timeoutMs / 4)
  return () => clearInterval(timer)
}
