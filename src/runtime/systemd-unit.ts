/** How a systemd unit serves as a resource: `systemctl start` and `stop` wait for the job, `show` tells the state. */
import { join } from 'node:path'
import type { Action } from '../core/events.ts'
import { shippedDirectory } from './locate-script.ts'

/**
 * Stops by a shipped program: a plain `systemctl stop` waits for ever while systemd stops the daemon itself, if the daemon is
 * ordered after the unit.
 */
export function unitWords(unit: string, action: Action): readonly [program: string, ...args: string[]] {
  switch (action) {
    case 'status': return ['systemctl', 'show', '--property=ActiveState,SubState', '--', unit]
    case 'start': return ['systemctl', '--no-ask-password', 'start', '--', unit]
    case 'stop': return [join(shippedDirectory(), 'lib/stop-unit'), unit]
  }
}

type UnitState = { readonly result: 'ok' | 'not-running' } | { readonly result: 'failed'; readonly message: string }

/** What `systemctl show` printed, judged. Anything between running and stopped is no answer: it is asked again. */
export function judgeUnit(unit: string, text: string): UnitState {
  const value = (property: string): string => new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1] ?? ''
  const active = value('ActiveState')
  if (active === 'active' || active === 'reloading' || active === 'refreshing') return { result: 'ok' }
  // Also where LoadState is not-found or masked: what systemd does not know it does not run.
  if (active === 'inactive' || active === 'failed') return { result: 'not-running' }
  const state = active === '' ? 'not told by systemctl' : `${active} (${value('SubState')})`
  return { result: 'failed', message: `the state of the systemd unit ${unit} is ${state}; type: systemctl status ${unit}` }
}

/** `systemctl stop` of a unit that is not there says 5; it does not run, which is what was asked for. */
export function isStopped(exitCode: number): boolean {
  return exitCode === 0 || exitCode === 5
}
