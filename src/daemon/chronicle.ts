/** Where event records go: the log, the history on disk, those who follow, and the commands of `notify:`. */
import type { Code } from '../core/codes.ts'
import type { EventRecord, Level } from '../core/records.ts'
import { nowMs, wallMs } from '../runtime/clock.ts'
import type { History } from '../runtime/history.ts'
import type { Log } from '../runtime/log.ts'

export interface Chronicle {
  record(record: EventRecord): void
  /** A happening of the runtime, outside the core. */
  say(level: Level, code: Code, message: string): void
  /** For fatal paths. */
  flush(): void
}

export function createChronicle(log: Log, history: History, notify: (record: EventRecord) => void): Chronicle {
  const record = (one: EventRecord): void => {
    log.record(one)
    history.append(one)
    notify(one)
  }
  return {
    record,
    say: (level, code, message) => record({ wallMs: wallMs(), nowMs: nowMs(), level, code, message }),
    flush() {
      history.flush()
      log.flush()
    },
  }
}
