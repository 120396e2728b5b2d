/** The look at start-up: which addresses stand on the interfaces, which scripts say that they run. */
import type { Observation, Outcome } from '../core/events.ts'
import type { GroupState, StageState } from '../core/state.ts'
import type { Addresses } from '../runtime/addresses.ts'
import type { Operations } from '../runtime/operations.ts'

/** Numbers of operations that the core did not order; its own count up from 1. */
let lookId = -1

export async function observeGroups(groups: readonly GroupState[], addresses: Addresses, operations: Operations): Promise<readonly Observation[]> {
  const looks = groups.filter((group) => !group.looked).flatMap((group) => group.stages.map((stage, index) => look(group.name, stage, index, addresses, operations)))
  return Promise.all(looks)
}

async function look(group: string, stage: StageState, index: number, addresses: Addresses, operations: Operations): Promise<Observation> {
  const { what } = stage
  if (what.kind === 'addresses') {
    const found = await addresses.observe(what.addresses)
    // Some of a stage's addresses are a start or stop that was cut short: taken as running, adding them again completes it.
    return { group, stage: index, found: found.some((one) => one) ? 'running' : 'stopped' }
  }
  const { status } = what.resource
  if (status === undefined) return { group, stage: index, found: 'stopped' }
  const outcome = await operations.run({ operationId: lookId--, group, resource: what.resource, action: 'status', timeoutMs: status.timeoutMs })
  return { group, stage: index, ...judge(outcome) }
}

function judge(outcome: Outcome): Pick<Observation, 'found' | 'message'> {
  switch (outcome.result) {
    case 'ok':
      return { found: 'running' }
    case 'not-running':
      return { found: 'stopped' }
    // Heartbeat's rule (heartbeat-3.md section 6.4): what does not say that it runs does not run.
    case 'unknown':
    case 'not-runnable':
      return { found: 'stopped', message: outcome.message }
    case 'failed':
    case 'timed-out':
      return { found: 'unclear', message: outcome.message }
    case 'cancelled':
      return { found: 'unclear' }
  }
}
