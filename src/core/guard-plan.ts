/**
 * What the guard does when this daemon has died (design.md section 6 "Guard", "Last will"): a tiny shell process cannot
 * decide anything, so it is told beforehand, whenever the answer changes.
 */
import type { FloatingAddress, GroupName, ResourceConfig } from './config.ts'

export interface GuardedGroup {
  readonly name: GroupName
  /** Removed at once; each may be there. */
  readonly addresses: readonly FloatingAddress[]
  /** Stopped afterwards, in this order (reverse list order, never warm ones); empty where the peer could not take the group. */
  readonly stops: readonly ResourceConfig[]
  /** Which wills are true once that is done. `stopped` only after every stop has succeeded; none for a group that is unclean. */
  readonly wills: readonly ('addresses-gone' | 'stopped')[]
}

/** `asleep`: during `hactl pause` and after a shutdown in order nothing is done. */
export interface GuardPlan { readonly asleep: boolean; readonly groups: readonly GuardedGroup[] }
