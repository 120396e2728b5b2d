/** The text of the persistent state: written as JSON, read back with every field looked at, for a file is outside input. */
import type { PersistentGroup, PersistentState } from '../core/effects.ts'
import type { PauseState } from '../core/packet.ts'
import { isCount, isObject, isScope, parseJson } from './json-values.ts'

const version = 1

export function formatState(state: PersistentState): string {
  return `${JSON.stringify({ version, ...state }, undefined, 1)}\n`
}

/** The state, or what is wrong with the text. */
export function parseState(text: string): { readonly state: PersistentState } | { readonly problem: string } {
  const json = parseJson(text)
  if (json === undefined) return { problem: text === '' ? 'the file is empty' : 'the file is not JSON' }
  if (!isObject(json)) return { problem: 'the file holds no JSON object' }
  if (json['version'] !== version) return { problem: `version ${JSON.stringify(json['version'])} is not ${version}` }
  const pause = pauseOf(json['pause'])
  if (pause === undefined) return { problem: '"pause" is not {paused, number, sinceWallMs}' }
  const standby = json['standby']
  if (standby !== undefined && !isScope(standby)) return { problem: '"standby" is not all, local or foreign' }
  const list = json['groups']
  if (!Array.isArray(list)) return { problem: '"groups" is not a list' }
  const groups: PersistentGroup[] = []
  for (const item of list) {
    const group = groupOf(item)
    if (group === undefined) return { problem: `entry ${groups.length + 1} of "groups" is not {name, claimLimit, unclean, pinned}` }
    groups.push(group)
  }
  const peerGeneration = json['peerGeneration']
  if (peerGeneration !== undefined && !isCount(peerGeneration)) return { problem: '"peerGeneration" is not a whole number' }
  const peerRaisedUntilWallMs = json['peerRaisedUntilWallMs']
  if (peerRaisedUntilWallMs !== undefined && !isInstant(peerRaisedUntilWallMs)) return { problem: '"peerRaisedUntilWallMs" is not an instant' }
  return {
    state: {
      ...(standby === undefined ? {} : { standby }), pause, groups,
      ...(peerGeneration === undefined ? {} : { peerGeneration }),
      ...(peerRaisedUntilWallMs === undefined ? {} : { peerRaisedUntilWallMs }),
    },
  }
}

function pauseOf(value: unknown): PauseState | undefined {
  if (!isObject(value)) return undefined
  const { paused, number, sinceWallMs } = value
  if (typeof paused !== 'boolean' || !isCount(number) || !isInstant(sinceWallMs)) return undefined
  return { paused, number, sinceWallMs }
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function groupOf(value: unknown): PersistentGroup | undefined {
  if (!isObject(value)) return undefined
  const { name, claimLimit, unclean, pinned } = value
  if (typeof name !== 'string' || !isCount(claimLimit) || typeof unclean !== 'boolean' || typeof pinned !== 'boolean') return undefined
  return { name, claimLimit, unclean, pinned }
}
