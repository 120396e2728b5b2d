/** The model of etcd that the tests of the protocol rest on answers like a real one, request by request. */
import { afterAll, expect } from 'vitest'
import { formatRequest, parseReply } from '../../src/protocol/etcd-json.ts'
import type { EtcdRequest, EtcdResult } from '../../src/protocol/witness-conversation.ts'
import { keysOf } from '../../src/protocol/witness-key.ts'
import { newEtcd } from '../protocol/model-etcd.ts'
import { onLoopback, startEtcd, type Etcd } from './etcd.ts'
import { sleep } from './hosts.ts'
import { testWith } from './needs.ts'

let etcd: Etcd | undefined
afterAll(() => etcd?.close())

async function askReal(request: EtcdRequest): Promise<EtcdResult> {
  const { path, body } = formatRequest(request)
  const reply = await fetch(`${etcd?.endpoints[0]}${path}`, { method: 'POST', body })
  return parseReply(request, reply.status, await reply.text(), { keySpace: '/x/' })
}

/** Leases and revisions have other numbers here and there; each is known by the order in which it was first seen. */
function numbering(): { name(value: string): string; value(name: string): string } {
  const names = new Map([['0', '0']])
  return {
    name: (value) => names.get(value) ?? (names.set(value, `#${names.size}`), names.get(value) ?? ''),
    value: (name) => [...names].find(([, one]) => one === name)?.[0] ?? '7',
  }
}

type Names = Readonly<Record<'lease' | 'revision', ReturnType<typeof numbering>>>

function neutral(value: unknown, names: Names): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key,
    (key === 'lease' || key === 'revision') && typeof one === 'string' ? names[key].name(one) : key === 'term' ? 'the same' : neutral(one, names)]))
}

/** A small generator of its own, so that a failure comes again. */
function choices(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

testWith(['etcd', 'etcdctl', 'setpriv'], 'five hundred requests in any order: read, lease, write on right and wrong revisions, keep alive, revoke, expire', async () => {
  etcd = await startEtcd([await onLoopback('one')])
  const model = newEtcd()
  const [real, modelled]: readonly Names[] = [{ lease: numbering(), revision: numbering() }, { lease: numbering(), revision: numbering() }]
  if (real === undefined || modelled === undefined) throw new Error('two sides')
  const choose = choices(7)
  const seen = new Set<string>()
  let leases = 0
  let revisions = 0
  for (let turn = 0; turn < 500; turn += 1) {
    const keys = keysOf('/x', `group ${choose(2)}`)
    const lease = (names: Names): string => names.lease.value(`#${leases - chosenLease}`)
    const chosenLease = choose(4)
    const [holderAge, numberAge] = [choose(3), choose(3)]
    const kind = choose(12)
    const request = (names: Names, current: EtcdResult): EtcdRequest => {
      const found = current.type === 'read' ? current.found : {}
      const revision = (entry: { readonly revision: string } | undefined, age: number): string => (age === 0 ? '0' : entry?.revision ?? '0')
      if (kind < 2) return { type: 'read', keys }
      if (kind < 4) return { type: 'grant-lease', seconds: 300 }
      if (kind < 8) return { type: 'write', keys, revisions: { holder: revision(found.holder, holderAge), number: revision(found.number, numberAge) }, lease: lease(names), holder: `h${turn}`, number: `${turn}` }
      if (kind < 10) return { type: 'keep-alive', lease: lease(names) }
      return kind === 10 ? { type: 'revoke', lease: lease(names) } : { type: 'count', keySpace: '/x/' }
    }
    const read = { type: 'read', keys } as const
    const [realNow, modelNow] = [await askReal(read), model.handle(read)]
    expect(neutral(modelNow, modelled), `turn ${turn}, before`).toEqual(neutral(realNow, real))
    const [realSaid, modelSaid] = [await askReal(request(real, realNow)), model.handle(request(modelled, modelNow))]
    expect(neutral(modelSaid, modelled), `turn ${turn}`).toEqual(neutral(realSaid, real))
    seen.add(realSaid.type)
    if (realSaid.type === 'lease-granted') leases += 1
    if (realSaid.type === 'written') revisions += 1
  }
  expect([...seen].sort()).toEqual(['counted', 'kept-alive', 'lease-granted', 'no-such-lease', 'not-written', 'read', 'revoked', 'written'])
  expect(revisions).toBeGreaterThan(30)
  const short = { type: 'grant-lease', seconds: 2 } as const
  const [one, two] = [await askReal(short), model.handle(short)]
  if (one.type !== 'lease-granted' || two.type !== 'lease-granted') throw new Error('no lease')
  await sleep(4_000)
  model.nowMs += 4_000
  expect(await askReal({ type: 'keep-alive', lease: one.lease })).toMatchObject({ seconds: 0 })
  expect(model.handle({ type: 'keep-alive', lease: two.lease })).toMatchObject({ seconds: 0 })
})
