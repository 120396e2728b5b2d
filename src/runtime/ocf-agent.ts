/** How an OCF resource agent is called, and what its exit codes mean. */
import type { ResourceConfig } from '../core/config.ts'
import type { Action } from '../core/events.ts'
import type { Millis } from '../core/time.ts'

export const ocfActions: Readonly<Record<Action, string>> = { start: 'start', stop: 'stop', status: 'monitor' }

/** Parameters of the configuration and `name=value` words, as the agent reads them. */
export function agentEnvironment(
  resource: ResourceConfig,
  agent: { readonly provider: string; readonly agent: string },
  group: string,
  timeoutMs: Millis,
): Record<string, string> {
  const parameters: Record<string, string> = { ...resource.parameters }
  for (const word of resource.args) {
    const [name = '', ...value] = word.split('=')
    parameters[name] = value.join('=')
  }
  const environment: Record<string, string> = {
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RA_VERSION_MINOR: '0',
    OCF_RESOURCE_TYPE: agent.agent,
    OCF_RESOURCE_PROVIDER: agent.provider,
    // Agents name state files after it: it must be the same at every call and differ between two uses of one agent.
    OCF_RESOURCE_INSTANCE: [agent.agent, group, ...resource.args].join('_').replace(/[^A-Za-z0-9_.-]/g, '_'),
    OCF_RESKEY_CRM_meta_timeout: String(Math.round(timeoutMs)),
  }
  for (const [name, value] of Object.entries(parameters)) environment[`OCF_RESKEY_${name}`] = value
  return environment
}

const meanings: Readonly<Record<number, string>> = {
  1: 'generic error', 2: 'wrong arguments', 3: 'action not implemented', 4: 'no permission', 5: 'a program it needs is not installed',
  6: 'wrong configuration on this node', 7: 'not running', 8: 'running as promoted', 9: 'promoted and failed',
}

export function meaningOfOcf(exitCode: number): string | undefined {
  return meanings[exitCode]
}

/** 7 is an answer of `monitor`; 8 is running, in a role that a resource of ours never asked for. */
export function judgeOcf(action: Action, exitCode: number): 'ok' | 'not-running' | 'failed' {
  if (exitCode === 0) return 'ok'
  if (action === 'status' && exitCode === 7) return 'not-running'
  return action === 'status' && exitCode === 8 ? 'ok' : 'failed'
}
