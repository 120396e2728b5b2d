/** What is to happen, ordered by (time, order of asking): the same asking always gives the same order. */

export interface Queue<T> {
  add(timeMs: number, item: T): void
  /** The earliest item; undefined when nothing is left. */
  take(): { readonly timeMs: number; readonly item: T } | undefined
  nextMs(): number | undefined
}

interface Entry<T> { readonly timeMs: number; readonly serial: number; readonly item: T }

/** A binary heap: a ten-minute run passes some ten thousand items through it. */
export function createQueue<T>(): Queue<T> {
  const heap: Entry<T>[] = []
  let serial = 0
  return {
    add(timeMs, item) {
      heap.push({ timeMs, serial, item })
      serial += 1
      rise(heap)
    },
    take() {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (heap.length > 0) {
        heap[0] = last
        sink(heap)
      }
      return first
    },
    nextMs: () => heap[0]?.timeMs,
  }
}

function before<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.serial < other.serial)
}

function rise<T>(heap: Entry<T>[]): void {
  let at = heap.length - 1
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const [entry, parent] = [heap[at], heap[parentAt]]
    if (entry === undefined || parent === undefined || !before(entry, parent)) return
    heap[at] = parent
    heap[parentAt] = entry
    at = parentAt
  }
}

function sink<T>(heap: Entry<T>[]): void {
  let at = 0
  for (;;) {
    const [leftAt, rightAt] = [2 * at + 1, 2 * at + 2]
    const [left, right] = [heap[leftAt], heap[rightAt]]
    if (left === undefined) return
    const smallerAt = right !== undefined && before(right, left) ? rightAt : leftAt
    const [entry, smaller] = [heap[at], heap[smallerAt]]
    if (entry === undefined || smaller === undefined || !before(smaller, entry)) return
    heap[at] = smaller
    heap[smallerAt] = entry
    at = smallerAt
  }
}
