/** The cron expressions of `auto_failback: {at: ...}`, one for each group that has one. */
import type { ClusterConfig } from '../core/config.ts'
import { scheduleProblem } from '../runtime/schedules.ts'

export interface FailbackSchedule { readonly group: string; readonly expression: string }

export function schedulesOf(config: ClusterConfig): readonly FailbackSchedule[] {
  return config.groups.flatMap((group) => {
    const policy = group.autoFailback ?? config.autoFailback
    return typeof policy === 'object' && 'at' in policy ? [{ group: group.name, expression: policy.at }] : []
  })
}

/** What keeps a schedule from running, in sentences; empty when all are sound. */
export function scheduleFaults(config: ClusterConfig): readonly string[] {
  return schedulesOf(config).flatMap(({ group, expression }) => {
    const problem = scheduleProblem(expression)
    return problem === undefined ? [] : [`auto_failback of ${group}: ${problem}`]
  })
}
