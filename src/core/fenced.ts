/** Could the peer be fenced, and has it been? (fencing.ts does it.) */
import type { FenceLevel } from './config.ts'
import type { NodeState } from './state.ts'

/** What is there to fence the peer with. */
export function levelsOf({ config, peer }: NodeState): readonly FenceLevel[] {
  return config.fencing?.levels[peer] ?? []
}

/** The peer could be fenced, should it be necessary. */
export function canFence(state: NodeState): boolean {
  return levelsOf(state).length > 0 && state.contact.confirmed !== undefined
}

/** It is fenced once it is dead; a host that was left in order nobody switches off. */
export function canFenceDead(state: NodeState): boolean {
  return state.contact.status === 'dead' && canFence(state)
}

/** Confirmed for the newest daemon of the peer that is known. */
export function isFenced({ fencing, contact }: NodeState): boolean {
  return contact.status === 'dead' && fencing?.status === 'confirmed' && fencing.generation === contact.newest?.generation
}
