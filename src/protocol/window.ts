/**
 * Which packets of the peer are used: each once, newest first, in the order of (generation, sequence) (design.md section 8). Only the
 * newest generation is remembered, and a new one may start at any sequence.
 *
 * Wills are used in any order, each once: groups are stopped beside each other, and links bring packets in their own order. Each of them
 * tells something that stays true until the next generation, because the daemon that could undo it is dead; so none makes another untrue.
 * After the first one nothing else of that generation is used.
 */
import type { NodeName } from '../core/config.ts'
import type { PacketId } from '../core/packet.ts'

/**
 * The sequence numbers above this one are reserved for the wills of a generation (design.md section 6); message.ts refuses a will below
 * and any other packet above it. At ten packets a second it is reached in 13 years.
 */
export const lastOrdinarySequence = 0xfffe_ffff
export const maxSequence = 0xffff_ffff
/** Heartbeat's hb_generation has 15 columns for it (heartbeat-3.md section 3.1). */
export const maxGeneration = 10 ** 15 - 1

/** `seen`: bit n stands for sequence `newest.sequence - n`, heard before. `wills`: of that generation, the sequences that were used. */
export interface Window { readonly newest?: PacketId; readonly seen: number; readonly wills: readonly number[] }

export const emptyWindow: Window = { seen: 0, wills: [] }

/**
 * `duplicate`: used before, so another link brought it first; also when newer ones came in between, which several links do when packets
 * follow closely. It says nothing new, but its link works.
 */
export type Verdict = 'new' | 'duplicate' | 'own-packet' | 'name-conflict' | 'foreign-node' | 'old-generation' | 'stale'

/**
 * This daemon: its generations tell its own packets, which broadcast brings back, from those of another host of the same name. It has more
 * than one where it has begun anew towards a real Heartbeat (`newest`).
 */
export interface Sender { readonly name: NodeName; readonly generation: number; readonly newest?: number }

const remembered = 32

/**
 * The window changes only with the verdicts `new` and `duplicate`. `floorGeneration`: the highest generation of the peer that an earlier
 * daemon of this node has heard, so that a replay finds no gap after a restart.
 */
export function accept(
  window: Window,
  self: Sender,
  peer: NodeName,
  packet: { readonly from: NodeName; readonly id: PacketId },
  floorGeneration = 0,
): { readonly window: Window; readonly verdict: Verdict } {
  const { from, id } = packet
  if (from === self.name) return { window, verdict: isOwn(self, id.generation) ? 'own-packet' : 'name-conflict' }
  if (from !== peer) return { window, verdict: 'foreign-node' }
  const { newest, seen, wills } = window
  if (id.generation < Math.max(newest?.generation ?? 0, floorGeneration)) return { window, verdict: 'old-generation' }
  const isWill = id.sequence > lastOrdinarySequence
  if (newest === undefined || id.generation > newest.generation) {
    return { window: { newest: id, seen: 1, wills: isWill ? [id.sequence] : [] }, verdict: 'new' }
  }
  if (isWill && wills.includes(id.sequence)) return { window, verdict: 'duplicate' }
  if (isWill) return { window: { newest, seen, wills: [...wills, id.sequence] }, verdict: 'new' }
  const ahead = id.sequence - newest.sequence
  if (ahead > 0 && wills.length > 0) return { window, verdict: 'stale' }
  if (ahead > 0) return { window: { newest: id, seen: ahead < remembered ? ((seen << ahead) | 1) >>> 0 : 1, wills }, verdict: 'new' }
  if (-ahead < remembered && ((seen >>> -ahead) & 1) === 1) return { window, verdict: 'duplicate' }
  return { window, verdict: 'stale' }
}

function isOwn({ generation, newest = generation }: Sender, heard: number): boolean {
  return heard >= generation && heard <= newest
}
