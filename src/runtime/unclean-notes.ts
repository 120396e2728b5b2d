/** What a guard, or `hactl release`, could not stop: the next daemon must not let the peer start it (promise P6). */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { GroupName } from '../core/config.ts'
import type { PersistentState } from '../core/effects.ts'
import { errorCode } from './errors.ts'
import { groupOfWord } from './guard-plan-files.ts'

const fileName = 'unclean-by-guard'

/** Throws the system's error, but not where there is no such file. */
export function readUncleanNotes(stateDirectory: string): readonly GroupName[] {
  try {
    const words = readFileSync(join(stateDirectory, fileName), 'utf8').split('\n').filter((word) => word !== '')
    return [...new Set(words.flatMap((word) => groupOfWord(word) ?? []))]
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Once they stand in the state itself. */
export function removeUncleanNotes(stateDirectory: string): void {
  rmSync(join(stateDirectory, fileName), { force: true })
}

export function withUnclean(state: PersistentState | undefined, names: readonly GroupName[]): PersistentState {
  const before = state ?? { pause: { paused: false, number: 0, sinceWallMs: 0 }, groups: [] }
  const known = before.groups.map((group) => (names.includes(group.name) ? { ...group, unclean: true } : group))
  const added = names.filter((name) => !known.some((group) => group.name === name))
    .map((name) => ({ name, claimLimit: 0, unclean: true, pinned: false }))
  return { ...before, groups: [...known, ...added] }
}
