/** Each claim is told once in a while: whoever sends a thousand a second, under a thousand hardware addresses, fills neither log nor memory. */
import type { Millis } from '../core/time.ts'

export interface ClaimLimit { readonly toldMs: Map<string, Millis> }

const againMs: Millis = 10_000
const mostAtOnce = 64

export function openClaimLimit(): ClaimLimit {
  return { toldMs: new Map() }
}

/** True at most once for each claim in ten seconds, and for at most 64 different claims in that time. */
export function mayTell({ toldMs }: ClaimLimit, ip: string, hardwareAddress: string, nowMs: Millis): boolean {
  // The oldest come first: a map keeps the order of insertion, and each is inserted anew.
  for (const [key, atMs] of toldMs) {
    if (nowMs - atMs < againMs) break
    toldMs.delete(key)
  }
  const key = `${ip} ${hardwareAddress}`
  if (toldMs.has(key) || toldMs.size >= mostAtOnce) return false
  toldMs.set(key, nowMs)
  return true
}
