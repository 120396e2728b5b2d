/**
 * What the running daemon acts upon, kept beside its state for `hactl release`: when the daemon has died, the files may have
 * been edited since, or be broken, and what it held must be given up all the same.
 */
import { readFile } from 'node:fs/promises'
import type { ClusterConfig, GroupConfig } from '../core/config.ts'
import { writeAtomically } from '../runtime/atomic-file.ts'
import { errorCode, errorText } from '../runtime/errors.ts'

export type InForce = Pick<ClusterConfig, 'nodes' | 'groups' | 'environment'>

const fileName = 'in-force.json'
const version = 1

/** Parameters of scripts may be secret: for root alone. Rejects where it cannot be written. */
export async function keepInForce(stateDir: string, { nodes, groups, environment }: InForce): Promise<void> {
  await writeAtomically(`${stateDir}/${fileName}`, `${JSON.stringify({ version, nodes, groups, environment })}\n`, 0o600)
}

/** One write after the other; one that fails is told, and the daemon goes on. */
export function inForceKeeper(stateDir: string, trouble: (message: string) => void): (inForce: InForce) => Promise<void> {
  let kept = Promise.resolve()
  return (inForce) => (kept = kept.then(() => keepInForce(stateDir, inForce)).catch((error: unknown) =>
    trouble(`after a crash, hactl release would have to go by the files alone: ${errorText(error)}`)))
}

/** `problem` is a sentence; both absent where no daemon has run yet. */
export async function readInForce(stateDir: string): Promise<{ readonly inForce?: InForce; readonly problem?: string }> {
  const path = `${stateDir}/${fileName}`
  try {
    const kept: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isInForce(kept) ? { inForce: kept } : { problem: `${path} is of another version` }
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? {} : { problem: `${path} cannot be used: ${errorText(error)}` }
  }
}

/** It is our own file: a look at its outline will do. */
function isInForce(kept: unknown): kept is InForce & { readonly version: number } {
  if (typeof kept !== 'object' || kept === null) return false
  const { version: written, nodes, groups, environment } = kept as Record<string, unknown>
  return written === version && Array.isArray(nodes) && Array.isArray(groups) && typeof environment === 'object' && environment !== null
}

/**
 * The groups to release: as the daemon had them, and those that only the files have. Addresses of both, for a group that was
 * edited since.
 */
export function groupsToRelease(inForce: InForce | undefined, files: InForce | undefined): readonly GroupConfig[] {
  const kept = inForce?.groups ?? []
  const added = (files?.groups ?? []).filter(({ name }) => !kept.some((group) => group.name === name))
  const edited = (files?.groups ?? []).filter(({ name }) => kept.some((group) => group.name === name))
    .map((group) => ({ ...group, resources: group.resources.filter(({ address }) => address !== undefined && !isIn(kept, address.ip)) }))
    .filter(({ resources }) => resources.length > 0)
  return [...kept, ...added, ...edited]
}

function isIn(groups: readonly GroupConfig[], ip: string): boolean {
  return groups.some(({ resources }) => resources.some(({ address }) => address?.ip === ip))
}
