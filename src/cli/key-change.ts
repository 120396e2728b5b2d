/**
 * The steps of a key change, each taken only when both daemons run exactly what the file says: then no packet is ever signed with a key
 * that the other side does not accept. `hactl keys rotate` carries them out; here it is only decided which one is next.
 */

/** Names as in `hactl status --json`: `INDEX-DIGEST`, the one that signs first. */
export type KeyNames = readonly string[]

export interface KeySituation {
  readonly self: string
  readonly peer: string
  readonly file: KeyNames
  /** As `hactl status` of this node tells; undefined: it does not say. */
  readonly own: KeyNames | undefined
  readonly peerOwn: KeyNames | undefined
  /** The index of the key to change to, once one has been added. */
  readonly newIndex: number | undefined
}

export type KeyStep =
  | { readonly step: 'add'; readonly index: number }
  | { readonly step: 'activate'; readonly index: number }
  | { readonly step: 'remove'; readonly keep: number }
  | { readonly step: 'done'; readonly index: number }
  | { readonly step: 'wait'; readonly reason: string; readonly where: 'here' | 'peer' }
  | { readonly step: 'refuse'; readonly reason: string }

const indexCount = 16

export function nextKeyStep(situation: KeySituation): KeyStep {
  const { self, peer, file, own, peerOwn, newIndex } = situation
  if (own === undefined) return { step: 'refuse', reason: `the daemon of ${self} does not say which keys it accepts; is it older than this hactl?` }
  const here = difference(self, file, own)
  if (here !== undefined) return { step: 'wait', reason: here, where: 'here' }
  if (peerOwn === undefined) return { step: 'refuse', reason: `${peer} does not say which keys it accepts: it is not heard, is a real Heartbeat, or is older; type: hactl status` }
  const there = difference(peer, file, peerOwn)
  if (there !== undefined) return { step: 'wait', reason: there, where: 'peer' }
  const [active = 0] = file.map(indexOf)
  const known = newIndex !== undefined && file.some((name) => indexOf(name) === newIndex)
  if (!known && file.length === 1) return addStep(active)
  if (!known) return { step: 'refuse', reason: `there are ${file.length} keys (${file.join(', ')}) and nothing says which is the new one; type: hactl keys rotate --to INDEX` }
  if (active !== newIndex) return { step: 'activate', index: newIndex }
  return file.length > 1 ? { step: 'remove', keep: newIndex } : { step: 'done', index: newIndex }
}

/** The next one above, so that a number comes back only after all the others. */
function addStep(active: number): KeyStep {
  return { step: 'add', index: (active + 1) % indexCount }
}

export function indexOf(name: string): number {
  return Number(name.split('-')[0])
}

/** How what a daemon runs differs from the file, in the order in which it matters. */
function difference(node: string, file: KeyNames, running: KeyNames): string | undefined {
  const lacks = file.filter((name) => !running.includes(name))
  if (lacks.length > 0) return `${node} does not accept key ${lacks.join(', ')} of this file yet`
  if (running[0] !== file[0]) return `${node} still signs with key ${running[0] ?? 'none'}, not with ${file[0] ?? 'none'}`
  const more = running.filter((name) => !file.includes(name))
  return more.length > 0 ? `${node} still accepts key ${more.join(', ')}, which this file does not have` : undefined
}
