/**
 * An etcd cluster as one thing with revisions: keys, leases that end by its own clock, transactions that compare the
 * revision at which a key was last changed, and a leader that may have been deposed without knowing it. How its clients
 * fare with it (lost, late and doubled requests) is in witness.ts.
 */
import type { EtcdRequest, EtcdResult } from '../protocol/witness-conversation.ts'
import { keysOf, noLease, noRevision, parseHolder, type Entry, type Found, type GroupKeys, type Holder } from '../protocol/witness-key.ts'
import type { Random } from './random.ts'

/** Of every key. */
export const prefix = '/hactl/pair'

export interface Etcd {
  revision: number
  term: number
  readonly keys: Map<string, Entry>
  /** By the true time at which each ends; one that has ended is revoked a little later. */
  readonly leases: Map<string, { readonly seconds: number; endsMs: number }>
  nextLease: number
  /** Until then the former leader still answers for leases, some of the time, and nothing that it says is so. */
  deposedUntilMs: number
  /** How fast its clock runs; 1 % off at most, as the nodes' clocks. */
  readonly rate: number
}

export function createEtcd(rate: number): Etcd {
  return { revision: 1, term: 1, keys: new Map(), leases: new Map(), nextLease: 1, deposedUntilMs: -Infinity, rate }
}

export function serve(etcd: Etcd, request: EtcdRequest, nowMs: number, random: Random): EtcdResult {
  endLeases(etcd, nowMs)
  switch (request.type) {
    case 'read':
      return { type: 'read', found: find(etcd, request.keys), term: String(etcd.term) }
    case 'grant-lease':
      return grant(etcd, request.seconds, nowMs, random)
    case 'write':
      return write(etcd, request)
    case 'keep-alive':
      return keepAlive(etcd, request.lease, nowMs, random)
    case 'revoke':
      if (!etcd.leases.has(request.lease)) return { type: 'no-such-lease' }
      endLease(etcd, request.lease)
      return { type: 'revoked' }
    case 'count':
      return { type: 'counted' }
    case 'status':
      return { type: 'status', complaint: '' }
  }
}

function find(etcd: Etcd, keys: GroupKeys): Found {
  const [holder, number] = [etcd.keys.get(keys.holder), etcd.keys.get(keys.number)]
  return { ...(holder === undefined ? {} : { holder }), ...(number === undefined ? {} : { number }) }
}

function grant(etcd: Etcd, seconds: number, nowMs: number, random: Random): EtcdResult {
  const lease = `75878480000${etcd.nextLease}`
  etcd.nextLease += 1
  etcd.leases.set(lease, { seconds, endsMs: endOf(etcd, seconds, nowMs, random) })
  return { type: 'lease-granted', lease, seconds }
}

function keepAlive(etcd: Etcd, id: string, nowMs: number, random: Random): EtcdResult {
  const lease = etcd.leases.get(id)
  const seconds = lease?.seconds ?? 0
  // A leader that stood still answers for the leases that it knows, long after its successor was elected.
  if (nowMs < etcd.deposedUntilMs && random.chance(0.5)) return { type: 'kept-alive', seconds: Math.max(seconds, 1), term: String(etcd.term - 1) }
  if (lease !== undefined) lease.endsMs = endOf(etcd, seconds, nowMs, random)
  return { type: 'kept-alive', seconds, term: String(etcd.term) }
}

/** Expired leases are looked for every half second. */
function endOf(etcd: Etcd, seconds: number, nowMs: number, random: Random): number {
  return nowMs + (seconds * 1000) / etcd.rate + random.between(0, 500)
}

function write(etcd: Etcd, { keys, revisions, lease, holder, number }: EtcdRequest & { type: 'write' }): EtcdResult {
  const revisionOf = (key: string): string => etcd.keys.get(key)?.revision ?? noRevision
  if (revisionOf(keys.holder) !== revisions.holder || revisionOf(keys.number) !== revisions.number) return { type: 'not-written', found: find(etcd, keys) }
  if (!etcd.leases.has(lease)) return { type: 'no-such-lease' }
  etcd.revision += 1
  const revision = String(etcd.revision)
  etcd.keys.set(keys.holder, { value: holder, revision, lease })
  etcd.keys.set(keys.number, { value: number, revision, lease: noLease })
  return { type: 'written' }
}

function endLeases(etcd: Etcd, nowMs: number): void {
  for (const [lease, { endsMs }] of etcd.leases) if (endsMs <= nowMs) endLease(etcd, lease)
}

function endLease(etcd: Etcd, lease: string): void {
  etcd.leases.delete(lease)
  for (const [key, entry] of [...etcd.keys]) if (entry.lease === lease) etcd.keys.delete(key)
  etcd.revision += 1
}

/** A new leader gives every lease its whole life again. While there was none (`wasDown`), no lease ended. */
export function elect(etcd: Etcd, nowMs: number, random: Random, wasDown: boolean): void {
  if (!wasDown) endLeases(etcd, nowMs)
  etcd.term += 1
  for (const lease of etcd.leases.values()) lease.endsMs = endOf(etcd, lease.seconds, nowMs, random)
}

/** Who has the group's key in truth: for the checkers. */
export function keyHolder(etcd: Etcd, group: string, nowMs: number): Holder | undefined {
  const entry = etcd.keys.get(keysOf(prefix, group).holder)
  const lease = entry === undefined ? undefined : etcd.leases.get(entry.lease)
  return entry === undefined || lease === undefined || lease.endsMs <= nowMs ? undefined : parseHolder(entry.value)
}
