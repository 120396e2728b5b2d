/** The one source of chance in a simulation: everything that a run does follows from its seed. */

export interface Random {
  /** In [0, 1). */
  fraction(): number
  /** True with the given probability; draws nothing when it is 0. */
  chance(probability: number): boolean
  /** In [from, to). */
  between(from: number, to: number): number
  /** A whole number in [from, to]. */
  whole(from: number, to: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  /** Exponentially distributed, for the time to the next of events that do not know of each other. */
  wait(meanMs: number): number
}

/** sfc32 (Doty-Humphrey, public domain), seeded by a splitmix of `seed`. */
export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [spread(seed), spread(seed ^ 0x5bf03635), spread(seed ^ 0x1f83d9ab), 1]
  const fraction = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return (sum >>> 0) / 4294967296
  }
  for (let round = 0; round < 12; round += 1) fraction()
  const whole = (from: number, to: number): number => from + Math.floor(fraction() * (to - from + 1))
  return {
    fraction,
    chance: (probability) => probability > 0 && fraction() < probability,
    between: (from, to) => from + fraction() * (to - from),
    whole,
    pick: (items) => items[whole(0, items.length - 1)] ?? items[0],
    wait: (meanMs) => -Math.log(1 - fraction()) * meanMs,
  }
}

function spread(seed: number): number {
  let mixed = (seed + 0x9e3779b9) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
