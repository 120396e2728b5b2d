/**
 * The generation on disk, in the format of Heartbeat's hb_generation, so that one program goes on where the other ended
 * (heartbeat-3.md section 3.1). Reading, writing and fsync are the runtime's.
 */
import type { WallMillis } from '../core/time.ts'

const columns = 15
export const maxGeneration = 10 ** columns - 1

/** Undefined if the text is no generation file: damaged, cut off, empty. */
export function parseGeneration(text: string): number | undefined {
  const match = /^ *(\d{1,15})\n?$/.exec(text)
  return match?.[1] === undefined ? undefined : Number(match[1])
}

/** 16 bytes. Requires an integer from 0 to `maxGeneration`. */
export function formatGeneration(generation: number): string {
  return `${String(generation).padStart(columns)}\n`
}

/**
 * The generation of this start: one more than the file's. Without a good file the wall clock's seconds are the base, as in Heartbeat,
 * so that a lost file does not send the node back below what its peer remembers. Undefined if there is no higher number.
 */
export function nextGeneration(text: string | undefined, wallMs: WallMillis): number | undefined {
  const base = (text === undefined ? undefined : parseGeneration(text)) ?? Math.max(0, Math.floor(wallMs / 1000))
  return base < maxGeneration ? base + 1 : undefined
}
