/** Cron expressions of `auto_failback: {at: ...}`: their ticks enter the loop as `schedule-due`, in local time. */
import { schedule, setLogger, validateDetailed, type ScheduledTask } from 'node-cron'
import type { GroupName } from '../core/config.ts'

export interface Schedule { readonly group: GroupName; readonly expression: string }

export interface Schedules {
  /** Replaces all; an expression that stays the same is not disturbed. Throws on one that `scheduleProblem` refuses. */
  set(schedules: readonly Schedule[]): void
  close(): void
}

/** Its own warnings (a late tick after a stall) go to standard output otherwise; the loop notices stalls by itself. */
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined }

/** What is wrong with an expression, for the person who wrote it; nothing when it is sound. */
export function scheduleProblem(expression: string): string | undefined {
  setLogger(quiet)
  const { valid, errors } = validateDetailed(expression)
  if (valid) return undefined
  const reasons = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return `"${expression}" is no schedule (${reasons}): write minute hour day month weekday, as in "0 3 * * *"`
}

export function createSchedules(onDue: (group: GroupName) => void): Schedules {
  setLogger(quiet)
  const tasks = new Map<string, ScheduledTask>()

  function drop(key: string): void {
    const task = tasks.get(key)
    tasks.delete(key)
    void task?.destroy()
  }

  return {
    set(schedules) {
      const wanted = new Map(schedules.map((entry) => [JSON.stringify([entry.group, entry.expression]), entry]))
      for (const key of [...tasks.keys()]) if (!wanted.has(key)) drop(key)
      for (const [key, { group, expression }] of wanted) {
        const problem = scheduleProblem(expression)
        if (problem !== undefined) throw new Error(`the schedule of group ${group}: ${problem}`)
        if (tasks.has(key)) continue
        tasks.set(key, schedule(expression, () => onDue(group), { suppressMissedWarning: true, unref: true, logger: quiet }))
      }
    },
    close() {
      for (const key of [...tasks.keys()]) drop(key)
    },
  }
}
