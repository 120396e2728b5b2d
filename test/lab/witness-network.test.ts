/** Three members of etcd and a node on a network that is cut: who is still answered, by whom, and how soon. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { bundle } from '../fixtures/bundled-program.ts'
import type { WitnessAsk } from '../../src/core/effects.ts'
import type { WitnessAnswer } from '../../src/core/events.ts'
import { onHost, startEtcd, type Etcd } from './etcd.ts'
import { openLab, repository, waitFor, type Host, type Lab } from './hosts.ts'
import { lacks, testWith } from './needs.ts'

const needed = ['etcd', 'etcdctl', 'nft']
const timeoutMs = 600
/** What a start of Node and two busy cores add. */
const slackMs = 400

let lab: Lab
let etcd: Etcd
let program: string

beforeAll(async () => {
  if (lacks(...needed).length > 0) return
  const cache = join(repository, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  program = bundle('witness', cache)
  lab = await openLab({ hosts: ['alpha', 'w1', 'w2', 'w3'], answering: false })
  etcd = await startEtcd(['w1', 'w2', 'w3'].map((name) => onHost(lab.host(name))))
})
afterAll(() => lab?.close())

type Said = WitnessAnswer & { readonly tookMs: number; readonly atMs: number }
type Question = WitnessAsk | { readonly type: 'renew' } | `wait ${number}`

/** From alpha, which keeps no connection from an earlier call. */
async function ask(endpoints: readonly string[], ...questions: readonly Question[]): Promise<Said[]> {
  const options = { etcd: { endpoints, prefix: '/hactl/lab' }, timing: { timeoutMs, grantMs: 8_000, renewMs: 1_000 }, self: 'alpha', peer: 'beta', generation: 7 }
  const input = questions.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join('')
  const out = await lab.host('alpha').must([process.execPath, program, JSON.stringify(options)], { input, timeoutMs: 60_000 })
  return out.trimEnd().split('\n').map((line) => JSON.parse(line) as Said)
}

const acquire = { type: 'acquire', number: 0 } as const

function endpointOf(host: Host): string {
  return `http://${host.address}:2379`
}

testWith(needed, 'the member that is asked first is cut off from the others: it cannot answer, and another one does', async () => {
  const w1 = lab.host('w1')
  expect((await ask(etcd.endpoints, acquire)).map((said) => said.result)).toEqual(['granted'])
  for (const name of ['w2', 'w3']) await lab.cutBothWays('w1', name)
  const rest = [lab.host('w2'), lab.host('w3')].map(endpointOf)
  await waitFor('the majority has a leader', async () => (await ask(rest, { type: 'look' }))[0]?.result === 'seen' || undefined, 10_000, 100)
  const [alone] = await ask([endpointOf(w1)], { type: 'look' })
  expect(alone).toMatchObject({ result: 'unreachable' })
  expect(alone?.tookMs).toBeLessThan(timeoutMs + slackMs)
  const said = await ask(etcd.endpoints, acquire, { type: 'renew' }, { type: 'renew' })
  expect(said.map((one) => one.result)).toEqual(['granted', 'renewed', 'renewed'])
  expect(said[2]?.tookMs, 'the one that answered is asked first').toBeLessThan(timeoutMs / 3)
  await lab.heal()
  await waitFor('all three again', async () => (await ask([endpointOf(w1)], { type: 'look' }))[0]?.result === 'seen' || undefined, 10_000, 100)
})

testWith(needed, 'a node that is cut off from all members hears no, in time; healed, it is answered at once', async () => {
  for (const name of ['w1', 'w2', 'w3']) await lab.cutBothWays('alpha', name)
  const [said] = await ask(etcd.endpoints, { type: 'look' })
  expect(said).toMatchObject({ result: 'unreachable', message: expect.stringContaining('no answer within') })
  expect(said?.tookMs).toBeLessThan(timeoutMs + slackMs)
  await lab.heal()
  expect((await ask(etcd.endpoints, { type: 'look' }))[0]?.result).toBe('seen')
})

testWith(needed, 'the leader loses its power: renewed again well before the grant ends, and every answer in time', async () => {
  const leader = lab.host((await etcd.leader()).name)
  const renewals = Array.from({ length: 60 }, () => [{ type: 'renew' }, 'wait 50'] as const).flat()
  const asking = ask(etcd.endpoints, acquire, 'wait 300', ...renewals)
  await new Promise((resolve) => setTimeout(resolve, 800))
  const offMs = Date.now()
  await leader.powerOff()
  const after = (await asking).filter((said) => said.atMs > offMs)
  const first = after.find((said) => said.result === 'renewed' && said.sentMs > 0 && said.atMs > (after.findLast((one) => one.result === 'unreachable')?.atMs ?? offMs))
  console.info(`leader without power: renewed again after ${(first?.atMs ?? Infinity) - offMs} ms; ${after.filter((said) => said.result === 'unreachable').length} times unreachable`)
  expect(after.filter((said) => said.result === 'lost')).toEqual([])
  expect(first).toBeDefined()
  expect((first?.atMs ?? Infinity) - offMs).toBeLessThan(6_000)
  expect(Math.max(...after.map((said) => said.tookMs))).toBeLessThan(timeoutMs + slackMs)
  await leader.powerOn()
  await etcd.members.find((member) => member.name === leader.name)?.start()
})
