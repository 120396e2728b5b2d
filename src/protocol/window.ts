/**
 * Which packets of the peer are used: each once, newest first, in the order of (generation, sequence) (design.md section 8). Only the
 * newest generation is remembered, and a new one may start at any sequence.
 */
import type { NodeName } from '../core/config.ts'
import type { PacketId } from '../core/packet.ts'

/**
 * The sequence numbers above this one are reserved for the wills of a generation: whoever has used a will uses nothing else of that
 * generation afterwards, because every other packet is older (design.md section 6). At ten packets a second it is reached in 13 years.
 */
export const lastOrdinarySequence = 0xfffe_ffff
export const maxSequence = 0xffff_ffff

/** `seen`: bit n stands for sequence `newest.sequence - n`, heard before. */
export interface Window { readonly newest?: PacketId; readonly seen: number }

export const emptyWindow: Window = { seen: 0 }

/**
 * `duplicate`: used before, so another link brought it first; also when newer ones came in between, which several links do when packets
 * follow closely. It says nothing new, but its link works.
 */
export type Verdict = 'new' | 'duplicate' | 'own-packet' | 'name-conflict' | 'foreign-node' | 'old-generation' | 'stale'

/** This daemon: the generation tells its own packets, which broadcast brings back, from those of another host of the same name. */
export interface Sender { readonly name: NodeName; readonly generation: number }

const remembered = 32

/** The window changes only with the verdicts `new` and `duplicate`. */
export function accept(
  window: Window,
  self: Sender,
  peer: NodeName,
  packet: { readonly from: NodeName; readonly id: PacketId },
): { readonly window: Window; readonly verdict: Verdict } {
  const { from, id } = packet
  if (from === self.name) return { window, verdict: id.generation === self.generation ? 'own-packet' : 'name-conflict' }
  if (from !== peer) return { window, verdict: 'foreign-node' }
  const { newest, seen } = window
  if (newest === undefined || id.generation > newest.generation) return { window: { newest: id, seen: 1 }, verdict: 'new' }
  if (id.generation < newest.generation) return { window, verdict: 'old-generation' }
  const ahead = id.sequence - newest.sequence
  if (ahead > 0) return { window: { newest: id, seen: ahead < remembered ? ((seen << ahead) | 1) >>> 0 : 1 }, verdict: 'new' }
  if (-ahead < remembered && ((seen >>> -ahead) & 1) === 1) return { window, verdict: 'duplicate' }
  return { window, verdict: 'stale' }
}
