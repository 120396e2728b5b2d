/** What the parts of `hactl migrate --check` have in common: findings without a place, and which groups are meant. */
import type { ClusterConfig, GroupConfig } from '../core/config.ts'
import { floatingAddressOf } from '../core/stage.ts'
import type { MigrationCode } from './migration-codes.ts'
import type { MigrationFacts, MigrationFinding, MigrationPart } from './migration.ts'

export function told(part: MigrationPart, level: MigrationFinding['level'], code: MigrationCode, message: string): MigrationFinding {
  return { part, level, code, message }
}

/**
 * By the addresses that this host has: what Heartbeat says of itself is `none` in legacy mode, whatever it holds. A group without addresses is
 * judged by that all the same; undefined: it has not said it.
 */
export function heldHere({ groups }: ClusterConfig, node: string, { addresses, says }: MigrationFacts): readonly GroupConfig[] | undefined {
  const isHeld = (group: GroupConfig): boolean | undefined => {
    const own = group.resources.flatMap((resource) => floatingAddressOf(resource)?.ip ?? [])
    return own.length > 0 ? own.some((ip) => addresses.includes(ip)) : covers(says?.holding, group.preferredNode === node ? 'local' : 'foreign')
  }
  return groups.some((group) => isHeld(group) === undefined) ? undefined : groups.filter((group) => isHeld(group) === true)
}

function covers(holding: string | undefined, one: 'local' | 'foreign'): boolean | undefined {
  // In legacy mode it says none, whatever it holds.
  return holding === 'all' || holding === one ? true : holding === 'local' || holding === 'foreign' ? false : undefined
}

export function namesOf(groups: readonly GroupConfig[]): string {
  return groups.map(({ name }) => name).join(', ')
}

/** What has to stop and start; addresses cost nothing beside it. */
export function scriptsOf(groups: readonly GroupConfig[]): readonly string[] {
  return [...new Set(groups.flatMap(({ resources }) => resources.filter((resource) => floatingAddressOf(resource) === undefined && !resource.warm).map(({ script }) => script)))]
}

export function secondsText(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`
}
