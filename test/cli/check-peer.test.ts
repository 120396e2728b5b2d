/** `hactl check --peer`: what the daemon knows of the peer's configuration, in words and exit codes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { comparePeer, type PeerComparison, renderComparison } from '../../src/cli/check-peer.ts'
import { runHactl } from '../../src/cli/program.ts'
import { plainPaint, type View } from '../../src/cli/terminal.ts'
import type { StatusReport } from '../../src/core/report.ts'
import { openControl } from '../../src/runtime/control-server.ts'
import { goodAuthkeys, goodHaCf, goodHaresources } from '../config/samples.ts'
import { healthy, peerDead } from './reports.ts'

const view: View = { columns: 80, paint: plainPaint }
let directory: string
let control: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hactl-check-'))
  control = join(directory, 'control.sock')
  writeFileSync(join(directory, 'ha.cf'), goodHaCf)
  writeFileSync(join(directory, 'haresources'), goodHaresources)
  writeFileSync(join(directory, 'authkeys'), goodAuthkeys, { mode: 0o600 })
})
afterEach(() => rmSync(directory, { recursive: true }))

const [alpha, beta] = healthy.nodes
const withPeer = (change: Partial<StatusReport['nodes'][number]>): StatusReport => ({ ...healthy, nodes: [alpha!, { ...beta!, ...change }] })

const cases: { title: string; report: StatusReport; is: PeerComparison }[] = [
  { title: 'alike', report: healthy, is: { peer: 'beta', result: 'alike' } },
  { title: 'different deadtimes', report: { ...withPeer({ deadtimeMs: 2_000 }), configDifferences: ['timing'] },
    is: { peer: 'beta', result: 'differs', parts: ['timing'], deadtimesMs: [undefined, 2_000] } },
  { title: 'a dead peer', report: peerDead, is: { peer: 'alpha', result: 'unknown', why: 'alpha is silent' } },
  { title: 'a peer that left', report: withPeer({ status: 'left' }), is: { peer: 'beta', result: 'unknown', why: 'the daemon of beta was stopped' } },
  { title: 'a peer not heard yet', report: withPeer({ status: 'unknown' }), is: { peer: 'beta', result: 'unknown', why: 'beta has not been heard yet' } },
  { title: 'a real Heartbeat', report: withPeer({ dialogue: 'heartbeat' }),
    is: { peer: 'beta', result: 'unknown', why: 'beta runs Heartbeat, which tells nothing of its configuration' } },
]
for (const { title, report, is } of cases) test(`comparePeer: ${title}`, () => expect(comparePeer(report)).toEqual(is))

test('a difference is named with what comes of it and what to type', async () => {
  const comparison: PeerComparison = { peer: 'web-b', result: 'differs', parts: ['groups', 'timing', 'magic'], deadtimesMs: [1_000, 2_000] }
  const text = `${renderComparison(comparison, directory, view).join('\n')}\n`
  expect(text).toContain(`    diff <(hactl import ${directory}) <(ssh web-b hactl import ${directory})\n    hactl reload\n`)
  await expect(text.replaceAll(directory, '/etc/ha.d')).toMatchFileSnapshot('golden/check-peer.txt')
  expect(renderComparison(comparison, join(directory, 'ha.cf'), view).join('\n')).toContain(`diff <(cat ${directory}/ha.cf) <(ssh web-b cat`)
})

async function check(...words: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text), interactive: false, view, errorView: view }
  return { exitCode: await runHactl(['check', directory, '--peer', '--control', control, ...words], terminal), out, err }
}

test('without a daemon nobody knows: exit code 3, after what the files themselves say', async () => {
  const { exitCode, out, err } = await check()
  expect(exitCode).toBe(3)
  expect(out).toContain('as it is understood')
  expect(err).toContain(`no daemon answers at ${control}`)
})

test('errors in the files are exit code 2, with or without a daemon', async () => {
  writeFileSync(join(directory, 'haresources'), 'node9 192.0.2.100\n')
  expect((await check()).exitCode).toBe(2)
})

test('what the daemon says of its peer stands below what the files mean, and in JSON', async () => {
  const server = await openControl(control, { request: (_, reply) => reply.result({ ...healthy, configDifferences: ['groups'] }) })
  try {
    const text = await check()
    expect(text).toMatchObject({ exitCode: 1, err: '' })
    expect(text.out).toContain('\n\ncompared with beta\n  different in groups: names, order, preferred nodes')
    const json: unknown = JSON.parse((await check('--json')).out)
    expect(json).toMatchObject({ peer: { peer: 'beta', result: 'differs', parts: ['groups'] } })
  } finally {
    await server.close()
  }
})
