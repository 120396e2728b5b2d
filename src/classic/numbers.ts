/**
 * The core counts its packets, the wire counts those and the words between them. What a peer of our own kind confirms is a number of the
 * wire, and the core wants its own.
 */
import type { PacketId } from '../core/packet.ts'

/** From this number of the wire on the core's is less by so much. */
interface Step { readonly from: number; readonly less: number }

export interface Numbers {
  /** The core's. */
  readonly generation: number
  /** On the wire: the same, or one that this daemon took up later. */
  readonly wireGeneration: number
  /** Lowest first; only the last ones, which is far more than a confirmation can lag behind. */
  readonly steps: readonly Step[]
}

const remembered = 256

export function newNumbers(generation: number): Numbers {
  return { generation, wireGeneration: generation, steps: [] }
}

/** The core's newest packet is `core`, and what left now, it or a word after it, had `wire`. */
export function numbered(numbers: Numbers, wire: PacketId, core: number): Numbers {
  const before = wire.generation === numbers.wireGeneration ? numbers.steps : []
  const less = wire.sequence - core
  if (before.at(-1)?.less === less) return numbers
  return { ...numbers, wireGeneration: wire.generation, steps: [...before, { from: wire.sequence, less }].slice(-remembered) }
}

/** Undefined: of a generation of this daemon that has ended, or too old to matter. */
export function coreNumber({ generation, wireGeneration, steps }: Numbers, wire: PacketId): PacketId | undefined {
  if (wire.generation !== wireGeneration) return wire.generation < generation ? wire : undefined
  const step = steps.findLast(({ from }) => from <= wire.sequence)
  return step === undefined ? undefined : { generation, sequence: wire.sequence - step.less }
}
