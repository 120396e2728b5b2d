/** The guard of this daemon, and what is left of the guard of the one before. */
import { join } from 'node:path'
import type { PersistentState } from '../core/effects.ts'
import type { Addresses } from '../runtime/addresses.ts'
import { nowMs, wallMs } from '../runtime/clock.ts'
import { errorText } from '../runtime/errors.ts'
import { openGuard, type Guard } from '../runtime/guard.ts'
import { actsOf, awaitGuard, guardDirectories, openGuardDirectory, type GuardDirectory } from '../runtime/guard-directory.ts'
import type { Links } from '../runtime/links.ts'
import { defaultOutputDirectory, type Operations } from '../runtime/operations.ts'
import type { StateFiles } from '../runtime/state-files.ts'
import type { Chronicle } from './chronicle.ts'
import type { Wire } from './wire.ts'

export interface Succeeded {
  /** What an earlier guard could not stop is unclean in it. */
  readonly persistent: PersistentState | undefined
  readonly place: GuardDirectory | undefined
}

/**
 * Before this daemon looks at anything: an earlier guard has ended, what it did stands in the history, and its place is free for the guard
 * of this daemon.
 */
export async function succeedEarlierGuard(files: StateFiles, chronicle: Chronicle): Promise<Succeeded> {
  for (const directory of guardDirectories(files.directory)) {
    const trouble = await awaitGuard(directory)
    for (const { ageMs, message } of actsOf(directory)) {
      const then = { wallMs: wallMs() - ageMs, nowMs: nowMs() - ageMs }
      chronicle.record({ ...then, level: 'warning', code: 'guard-acted', message: `the guard of the last daemon: ${message}` })
    }
    if (trouble !== undefined) chronicle.say('error', 'guard-failed', trouble)
  }
  return { persistent: await files.mergeUnclean(), place: openPlace(files, chronicle) }
}

/** Undefined, and told, where there is no place for it: this daemon then runs without a guard. */
function openPlace(files: StateFiles, chronicle: Chronicle): GuardDirectory | undefined {
  try {
    return openGuardDirectory(files.directory, join(defaultOutputDirectory, 'running'))
  } catch (error) {
    chronicle.say('error', 'guard-failed', `this daemon runs without a guard, and would leave its addresses behind: ${errorText(error)}`)
    return undefined
  }
}

export interface GuardParts {
  readonly place: GuardDirectory | undefined
  readonly wire: Wire
  readonly links: Links
  readonly addresses: Addresses
  readonly operations: Operations
  readonly chronicle: Chronicle
}

export async function openDaemonGuard({ place, wire, links, addresses, operations, chronicle }: GuardParts): Promise<Guard | undefined> {
  if (place === undefined) return undefined
  return openGuard({
    directory: place,
    outlets: () => links.outlets(),
    sign: (will, bytes) => wire.signWill(will, bytes),
    removals: (floating) => addresses.removals(floating),
    stopCall: (group, resource) => operations.stopCall(group, resource),
    onNotice: (code, message) => chronicle.say(code === 'guard-restarted' ? 'warning' : 'error', code, message),
  })
}
