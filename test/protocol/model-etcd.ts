/** etcd as far as a witness needs it: revisions, leases, transactions; in memory, on a clock that the test turns. */
import type { EtcdRequest, EtcdResult } from '../../src/protocol/witness-conversation.ts'
import type { Entry, Found, GroupKeys } from '../../src/protocol/witness-key.ts'

export interface ModelEtcd {
  nowMs: number
  term: string
  handle(request: EtcdRequest): EtcdResult
  put(key: string, value: string, lease?: string): void
  delete(key: string): void
  value(key: string): string | undefined
  leaseCount(): number
}

export function newEtcd(): ModelEtcd {
  const leases = new Map<string, { endMs: number; readonly seconds: number }>()
  const keys = new Map<string, Entry>()
  let revision = 1
  let nextLease = 1_000

  function end(lease: string): void {
    leases.delete(lease)
    for (const [key, entry] of keys) if (entry.lease === lease) etcd.delete(key)
  }

  function expire(): void {
    for (const [lease, { endMs }] of leases) if (endMs <= etcd.nowMs) end(lease)
  }

  function foundOf(names: GroupKeys): Found {
    const [holder, number] = [keys.get(names.holder), keys.get(names.number)]
    return { ...(holder === undefined ? {} : { holder }), ...(number === undefined ? {} : { number }) }
  }

  function write(request: Extract<EtcdRequest, { type: 'write' }>): EtcdResult {
    const found = foundOf(request.keys)
    if ((found.holder?.revision ?? '0') !== request.revisions.holder || (found.number?.revision ?? '0') !== request.revisions.number) return { type: 'not-written', found }
    if (!leases.has(request.lease)) return { type: 'no-such-lease' }
    revision += 1
    keys.set(request.keys.holder, { value: request.holder, revision: String(revision), lease: request.lease })
    keys.set(request.keys.number, { value: request.number, revision: String(revision), lease: '0' })
    return { type: 'written' }
  }

  function keepAlive(id: string): EtcdResult {
    const lease = leases.get(id)
    if (lease !== undefined) lease.endMs = etcd.nowMs + lease.seconds * 1_000
    return { type: 'kept-alive', seconds: lease?.seconds ?? 0, term: etcd.term }
  }

  const etcd: ModelEtcd = {
    nowMs: 0,
    term: '2',
    handle: (request) => {
      expire()
      switch (request.type) {
        case 'read':
          return { type: 'read', found: foundOf(request.keys), term: etcd.term }
        case 'grant-lease': {
          const lease = String(nextLease++)
          leases.set(lease, { endMs: etcd.nowMs + request.seconds * 1_000, seconds: request.seconds })
          return { type: 'lease-granted', lease, seconds: request.seconds }
        }
        case 'write':
          return write(request)
        case 'keep-alive':
          return keepAlive(request.lease)
        case 'revoke': {
          const known = leases.has(request.lease)
          end(request.lease)
          return { type: known ? 'revoked' : 'no-such-lease' }
        }
        case 'count':
          return { type: 'counted' }
        case 'status':
          return { type: 'status', complaint: '' }
      }
    },
    put: (key, value, lease = '0') => {
      revision += 1
      keys.set(key, { value, revision: String(revision), lease })
    },
    delete: (key) => {
      revision += 1
      keys.delete(key)
    },
    value: (key) => {
      expire()
      return keys.get(key)?.value
    },
    leaseCount: () => {
      expire()
      return leases.size
    },
  }
  return etcd
}
