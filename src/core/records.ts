/** Event records: every decision and every happening, with the reason and the numbers it rests on (promise P7). */
import type { GroupName } from './config.ts'
import type { Code } from './codes.ts'
import type { Millis, WallMillis } from './time.ts'

export type Level = 'info' | 'warning' | 'error'

export interface EventRecord {
  readonly wallMs: WallMillis
  readonly nowMs: Millis
  readonly level: Level
  /** Stable; README section 8 lists every code. */
  readonly code: Code
  /** A sentence for the person who is paged. */
  readonly message: string
  readonly group?: GroupName
  /** Records of one move of one group share this: `GROUP#CLAIM`. `hactl why` shows them together. */
  readonly move?: string
  /** The reason code of the decision (core/placement.ts, core/permission.ts). */
  readonly reason?: string
  /** The evidence, units in the names: `{ silentMs: 1004, links: 2 }`. */
  readonly figures?: Readonly<Record<string, number | string | boolean>>
}
