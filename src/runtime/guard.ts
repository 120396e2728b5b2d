/**
 * The guard (design.md section 6): a shell process that outlives this daemon by what its plan says. Here it is given its plan;
 * guard-process.ts keeps it alive.
 */
import type { Code } from '../core/codes.ts'
import type { GroupName, ResourceConfig } from '../core/config.ts'
import type { GuardPlan } from '../core/guard-plan.ts'
import type { Will } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { errorText } from './errors.ts'
import type { GuardDirectory } from './guard-directory.ts'
import { keyOf, planFiles, type PlanFiles, type PlanSources } from './guard-plan-files.ts'
import { createGuardProcess } from './guard-process.ts'
import type { Outlet } from './links-plan.ts'
import type { NotFound } from './locate-script.ts'
import type { StopCall } from './operations.ts'

export interface Guard {
  /** In force when this returns; where it cannot be written, no plan is in force, and that is told. Never throws. */
  plan(plan: GuardPlan): void
  /** Keys, signing method or the peer's kind changed: the wills of the plan in force are signed anew. */
  resign(): void
  /** The ways to the peer changed. */
  relink(): void
  /** Tells it to go, and waits for that: nothing is done then. */
  close(): Promise<void>
}

export interface GuardOptions extends Omit<PlanSources, 'keepStops'> {
  readonly directory: GuardDirectory
  outlets(): readonly Outlet[]
  onNotice(code: Extract<Code, 'guard-restarted' | 'guard-failed'>, message: string): void
}

const planAgainMs: Millis = 5_000
/** A script is looked for on the disk no more often than this, whatever number of groups begins to run or stops. */
const lookAgainMs: Millis = 60_000

/** Resolves with a guard that runs, or is tried again and again; no plan is in force yet. */
export async function openGuard(options: GuardOptions): Promise<Guard> {
  const process = createGuardProcess(options)
  await process.relink()
  const planner = createPlanner(options)
  return {
    plan: planner.plan,
    resign: planner.resign,
    relink: () => void process.relink(),
    async close() {
      planner.close()
      await process.close()
      options.directory.remove()
    },
  }
}

function createPlanner(options: GuardOptions): Pick<Guard, 'plan' | 'resign'> & { close(): void } {
  const { directory } = options
  const signed = new Map<string, Uint8Array | undefined>()
  const calls = new WeakMap<ResourceConfig, { readonly call: StopCall | NotFound; readonly madeMs: Millis }>()
  let current: GuardPlan | undefined
  let written: PlanFiles | undefined
  let retry: NodeJS.Timeout | undefined
  let problem = ''

  /** A will says the same for as long as this daemon lives; whether it is true is for the plan to say. */
  function sign(will: Will, bytes: number): Uint8Array | undefined {
    const key = `${bytes} ${keyOf(will)}`
    if (!signed.has(key)) signed.set(key, options.sign(will, bytes))
    return signed.get(key)
  }

  function stopCall(group: GroupName, resource: ResourceConfig): StopCall | NotFound {
    const known = calls.get(resource)
    if (known !== undefined && performance.now() < known.madeMs + lookAgainMs) return known.call
    const call = options.stopCall(group, resource)
    calls.set(resource, { call, madeMs: performance.now() })
    return call
  }

  function put(plan: GuardPlan): void {
    clearTimeout(retry)
    retry = undefined
    try {
      const files = planFiles(plan, { ...options, sign, stopCall, keepStops: directory.keepStops })
      if (written === undefined || !areSame(files, written)) directory.write(files)
      written = files
      problem = ''
    } catch (error) {
      written = undefined
      // A plan that has become untrue would send an untrue will: rather none.
      directory.withdraw()
      retry = setTimeout(() => put(plan), planAgainMs).unref()
      if (problem === errorText(error)) return
      problem = errorText(error)
      options.onNotice('guard-failed',
        `what is to be done after this daemon's death cannot be written to ${directory.path}: ${problem}. Until it can, nothing would be`)
    }
  }

  return {
    plan(plan) {
      current = plan
      put(plan)
    },
    resign() {
      signed.clear()
      if (current !== undefined) put(current)
    },
    close: () => clearTimeout(retry),
  }
}

function areSame(one: PlanFiles, other: PlanFiles): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => {
    const [left, right] = [one[name], other[name]]
    if (typeof left !== 'object' || typeof right !== 'object') return left === right
    return Buffer.compare(left, right) === 0
  })
}
