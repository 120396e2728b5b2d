/** `hactl rehearse` as typed: text, JSON and exit codes. What follows from a scenario is tested in simulation/rehearsal.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runHactl } from '../../src/cli/program.ts'
import { renderRehearsal } from '../../src/cli/render-rehearsal.ts'
import { colourPaint, plainPaint, type View } from '../../src/cli/terminal.ts'
import type { Rehearsal } from '../../src/simulation/rehearsal.ts'
import { goodAuthkeys, goodHaCf } from '../config/samples.ts'

const view: View = { columns: 80, paint: plainPaint }
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hactl-rehearse-'))
  writeFileSync(join(directory, 'ha.cf'), goodHaCf)
  writeFileSync(join(directory, 'haresources'), 'node1 192.0.2.100/24/eth0 apache2\n')
  writeFileSync(join(directory, 'authkeys'), goodAuthkeys, { mode: 0o600 })
})
afterEach(() => rmSync(directory, { recursive: true }))

async function rehearse(...words: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text), interactive: false, view, errorView: view }
  return { exitCode: await runHactl(['--config', directory, 'rehearse', ...words], terminal), out, err }
}

test('the story of a host that dies: the golden one, within 80 columns', async () => {
  const { exitCode, out, err } = await rehearse('kill node1, wait 40s, start node1')
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  expect(out.split('\n').filter((line) => line.length > 80 || line !== line.trimEnd())).toEqual([])
  // How the path of the configuration is wrapped hangs on where this machine keeps its temporary files.
  await expect(out.replace(/\n  the rules of .*?\n\n/s, '\n\n')).toMatchFileSnapshot('golden/rehearsal.txt')
})

test('words need no quotation marks, and the time of scripts can be given', async () => {
  const [quoted, bare] = [await rehearse('standby node1, wait 1m'), await rehearse('standby', 'node1,', 'wait', '1m')]
  expect(bare).toEqual(quoted)
  expect((await rehearse('standby', 'node1', '--script-time', '4s')).out).toContain('apache2 is stopped, in 4,000 ms')
})

test('nobody serves at the end: exit code 1, and what hactl status would say then', async () => {
  const { exitCode, out } = await rehearse('stop of apache2 fails, standby node1')
  expect(exitCode).toBe(1)
  expect(out).toContain('hactl status on node1 says then:\n  ! 192.0.2.100 is unclean on node1')
  expect(out.replace(/\s+/g, ' ')).toContain('no promise is broken, but not every group is served by one node alone')
})

test('as JSON: the scenario, the timeline and each group', async () => {
  const json: unknown = JSON.parse((await rehearse('kill node1', '--json')).out)
  expect(json).toMatchObject({
    scenario: 'kill node1', ok: true, endless: false, violations: [],
    groups: [{ group: '192.0.2.100', served: 'by-one', nodes: ['node2'], bothMs: 0 }],
  })
  expect(json).toHaveProperty('timeline.0', { afterMs: 0, kind: 'step', text: 'kill node1' })
})

test('without words: examples of this configuration, and all that is understood', async () => {
  const { exitCode, out } = await rehearse()
  expect(exitCode).toBe(0)
  expect(out).toContain('  hactl rehearse "kill node1, wait 1m, start node1"\n')
  expect(out).toMatch(/^ {2}lose link LINK +it, or each link of an interface, is dead$/m)
  expect(out).not.toMatch(/^ {2}witness/m)
})

test('words that nobody knows: exit code 2 and each mistake', async () => {
  const { exitCode, out, err } = await rehearse('kill node3, lose', 'lnk eth0')
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
  expect(err).toContain('hactl: "kill node3": there is no node node3. Did you mean node1?')
  expect(err).toContain('hactl: "lose lnk eth0" is not understood. There is "lose link LINK"')
})

test('a configuration with errors: exit code 2 and the errors', async () => {
  writeFileSync(join(directory, 'haresources'), 'node9 192.0.2.100\n')
  const { exitCode, err } = await rehearse('kill node1')
  expect(exitCode).toBe(2)
  expect(err).toContain('[node-unknown]')
  expect(err).toContain('nothing can be rehearsed')
})

const calm: Rehearsal = {
  ok: true, endless: false, endMs: 1000, isProtected: false, problems: [], violations: [], excuses: [],
  timeline: [{ afterMs: 0, kind: 'step', text: 'partition' }],
  groups: [{ group: 'web', served: 'by-one', nodes: ['node1'], twice: [], nobodyMs: 0, bothMs: 0, twiceMs: 0 }],
}
const [web] = calm.groups
const verdicts: { title: string; change: Partial<Rehearsal>; says: string }[] = [
  { title: 'calm', change: {}, says: 'no promise is broken' },
  { title: 'a partition without a witness', change: { excuses: ['silence'], groups: [{ ...web!, bothMs: 9000 }] },
    says: 'both nodes had the address of web at once: neither could know that the other lives.' },
  { title: 'a holder that stood still', change: { excuses: ['waking'], groups: [{ ...web!, bothMs: 5 }] }, says: 'the holder stood still' },
  { title: 'a daemon that died', change: { excuses: ['daemon-dead'], groups: [{ ...web!, bothMs: 5 }] }, says: 'a dead daemon had left it behind' },
  { title: 'a service that could not be stopped', change: { excuses: ['unclean-and-unheard'], groups: [{ ...web!, twiceMs: 5 }] },
    says: 'scripts of web ran on both nodes at once, without the address on one: they were not stopped in time' },
  { title: 'a broken promise', change: { ok: false, violations: [{ rule: 'P1', message: '192.0.2.100 on both' }] },
    says: 'a promise is broken: an address was on both nodes at once (P1): 192.0.2.100 on both' },
  { title: 'a rule without words of its own', change: { violations: [{ rule: 'S9', message: 'busy' }] }, says: 'a promise is broken: rule S9 of the simulator: busy' },
  { title: 'back and forth without end', change: { ok: false, endless: true }, says: 'it goes on and on; after 1.0 s it stands so:' },
]
for (const { title, change, says } of verdicts) {
  test(`the verdict of a rehearsal: ${title}`, () => {
    const text = renderRehearsal({ ...calm, ...change }, 'partition', 'assumed', view)
    expect(text.replace(/\s+/g, ' ')).toContain(says)
    expect(renderRehearsal({ ...calm, ...change }, 'partition', 'assumed', { columns: 80, paint: colourPaint }).replace(/\x1b\[[0-9;]*m/g, '')).toBe(text)
  })
}
