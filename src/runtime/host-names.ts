/**
 * Names of hosts, looked up so that nothing waits: a name server that does not answer would hold one of Node's four threads
 * for seconds on each call, and with them every file of this process. One look-up for each name at a time; what was found
 * last serves as long as no newer answer comes, so that a name server lost in a partition costs nothing.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { nowMs } from './clock.ts'

const freshMs = 30_000

type Waiting = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void
interface Name { found: readonly LookupAddress[]; foundMs: number; waiting: Waiting[] }

export type Resolve = (name: string, done: Waiting) => void

const resolveBySystem: Resolve = (name, done) => systemLookup(name, { all: true }, done)

/** For `net.connect` and whatever rests on it. */
export function createLookup(resolve: Resolve = resolveBySystem): LookupFunction {
  const names = new Map<string, Name>()

  function refresh(name: string, known: Name, waiting: Waiting | undefined): void {
    const running = known.waiting.length > 0
    known.waiting.push(waiting ?? (() => undefined))
    if (running) return
    resolve(name, (error, addresses) => {
      if (error === null && addresses.length > 0) Object.assign(known, { found: addresses, foundMs: nowMs() })
      const told = known.waiting
      known.waiting = []
      for (const tell of told) tell(error, addresses)
    })
  }

  return (name, options, callback) => {
    const known = names.get(name) ?? { found: [], foundMs: 0, waiting: [] }
    names.set(name, known)
    const tell: Waiting = (error, addresses) => {
      const [first] = addresses
      if (error !== null || first === undefined) callback(error ?? new Error(`${name} has no address`), '', 0)
      else if (options.all === true) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    }
    if (known.found.length === 0) return refresh(name, known, tell)
    if (nowMs() - known.foundMs > freshMs) refresh(name, known, undefined)
    const { found } = known
    process.nextTick(() => tell(null, found))
  }
}
