/** Who had an address when, as the kernel said it. One socket hears all hosts, so the order of events is never in doubt. */

export interface AddressEvent { readonly atMs: number; readonly host: string; readonly what: 'added' | 'removed'; readonly ip: string }
/** `toMs` is missing while it lasts. */
export interface Tenure { readonly host: string; readonly fromMs: number; readonly toMs?: number }

/** One line of `ip -ts -o monitor all-nsid address`; undefined for anything that is no address event of a known host. */
export function parseAddressEvent(line: string, hostOf: (nsid: number) => string | undefined): AddressEvent | undefined {
  const match = /^\[([^\]]+)\] ?\[nsid (\d+)\](Deleted )?\d+: (\S+)\s+inet6? ([0-9a-f.:]+)/.exec(line)
  if (match === null) return undefined
  const [, at = '', nsid = '', deleted, , ip = ''] = match
  const host = hostOf(Number(nsid))
  if (host === undefined) return undefined
  // The monitor runs with TZ=UTC.
  const atMs = Date.parse(`${at.slice(0, 19)}Z`) + Number(`0.${at.slice(20)}`) * 1000
  return { atMs, host, what: deleted === undefined ? 'added' : 'removed', ip }
}

/** When each host had the address. A second `added` in a row is a change of its lifetime and starts nothing. */
export function tenuresOf(events: readonly AddressEvent[], ip: string): Tenure[] {
  const tenures: Tenure[] = []
  for (const event of events) {
    if (event.ip !== ip) continue
    const open = tenures.findIndex((tenure) => tenure.host === event.host && tenure.toMs === undefined)
    const tenure = tenures[open]
    if (event.what === 'added' && tenure === undefined) tenures.push({ host: event.host, fromMs: event.atMs })
    if (event.what === 'removed' && tenure !== undefined) tenures[open] = { ...tenure, toMs: event.atMs }
  }
  return tenures
}

/** For how long two hosts had the address at the same time, between the two instants. */
export function overlapMs(tenures: readonly Tenure[], fromMs: number, toMs: number): number {
  let sumMs = 0
  tenures.forEach((one, index) => {
    for (const other of tenures.slice(index + 1)) {
      if (one.host === other.host) continue
      const startMs = Math.max(one.fromMs, other.fromMs, fromMs)
      const endMs = Math.min(one.toMs ?? Infinity, other.toMs ?? Infinity, toMs)
      sumMs += Math.max(0, endMs - startMs)
    }
  })
  return sumMs
}

/** For how long no host had it, between the two instants. */
export function unheldMs(tenures: readonly Tenure[], fromMs: number, toMs: number): number {
  let sumMs = 0
  let heldUntilMs = fromMs
  for (const tenure of [...tenures].sort((one, other) => one.fromMs - other.fromMs)) {
    if (tenure.fromMs > toMs) break
    sumMs += Math.max(0, tenure.fromMs - heldUntilMs)
    heldUntilMs = Math.max(heldUntilMs, tenure.toMs ?? Infinity)
  }
  return sumMs + Math.max(0, toMs - heldUntilMs)
}
