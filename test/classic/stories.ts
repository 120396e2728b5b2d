/** What the conversations with the model of a Heartbeat have in common, with classes and in legacy mode. */
import type { Scope } from '../../src/core/packet.ts'
import type { CoupleOptions } from './couple.ts'

export const takeover = (target: Scope) => ({ type: 'takeover', target, force: false, timeoutMs: 60_000 }) as const
export const standby = (scope: Scope, once: boolean) => ({ type: 'standby', scope, once, timeoutMs: 60_000 }) as const
export const online = { type: 'online', timeoutMs: 60_000 } as const

/** Whose groups are where afterwards: `ours` are those whose preferred node is ours. */
export interface Ends { readonly ours: 'ours' | 'theirs'; readonly theirs: 'ours' | 'theirs' }
export const home: Ends = { ours: 'ours', theirs: 'theirs' }
export const allHere: Ends = { ours: 'ours', theirs: 'ours' }
export const allThere: Ends = { ours: 'theirs', theirs: 'theirs' }

/** The groups by their preferred node. */
export function sidesOf({ we }: Pick<CoupleOptions, 'we'>): { ours: string; theirs: string } {
  return we === 'a' ? { ours: 'web', theirs: 'db' } : { ours: 'db', theirs: 'web' }
}
