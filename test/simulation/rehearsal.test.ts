/** `hactl rehearse`: words to steps, an administrator's configuration to a simulated pair, and what clients notice. */
import { expect, test } from 'vitest'
import type { ClusterConfig, GroupConfig } from '../../src/core/config.ts'
import { defaultWitnessTiming } from '../../src/core/lease-arithmetic.ts'
import { realCore } from '../../src/simulation/core.ts'
import { exampleScenarios, rehearse, type Rehearsal } from '../../src/simulation/rehearsal.ts'
import { linksOf } from '../../src/simulation/rehearsal-options.ts'
import { formsOf, readScenario } from '../../src/simulation/rehearsal-words.ts'
import { addressResource, scriptResource } from '../../src/simulation/options.ts'
import { configOf, yamlSource } from '../config/samples.ts'

const yaml = `nodes: [web-a, web-b]
keepalive: 500ms
deadtime: 5s
initdead: 10s
auto_failback: off
links:
  - {bcast: eth0}
  - {ucast: eth1, address: 198.51.100.1}
  - {ucast: eth1, address: 198.51.100.2}
groups: [{name: web, preferred_node: web-a, resources: [192.0.2.100/24/eth0, apache2]}]
auth: {file: authkeys}
`
const plain: ClusterConfig = configOf(yamlSource(yaml))
const { timing } = plain
const level = [{ name: 'ipmi', timeoutMs: 10_000, retries: 0 }]
const witnessed: ClusterConfig = { ...plain, witness: defaultWitnessTiming(timing) }
const guarded: ClusterConfig = {
  ...witnessed, watchdog: true,
  fencing: { levels: { 'web-a': level, 'web-b': level }, delaysMs: {} },
  ping: { names: ['192.0.2.254'], balances: false, releases: false, settleMs: 1000 },
}

function rehearsed(scenario: string, config = plain, scriptMs = 1000): Rehearsal {
  const reading = readScenario(scenario, config)
  if ('problems' in reading) throw new Error(reading.problems.join('\n'))
  return rehearse({ core: realCore, config, steps: reading.steps, scriptMs })
}

function outcome(rehearsal: Rehearsal): object {
  const { ok, groups } = rehearsal
  return { ok, groups: groups.map(({ served, nodes, nobodyMs, bothMs }) => [served, nodes.join(), Math.round(nobodyMs / 100) / 10, Math.round(bothMs / 100) / 10]) }
}

// What a client of the one group notices: who serves it at the end, seconds by nobody, seconds by both.
const stories: { scenario: string; config?: ClusterConfig; ok: boolean; group: [string, string, number, number] }[] = [
  { scenario: 'kill web-a', ok: true, group: ['by-one', 'web-b', 6, 0] },
  { scenario: 'kill web-a, wait 1m, start web-a', ok: true, group: ['by-one', 'web-b', 6, 0] },
  { scenario: 'kill web-b', ok: true, group: ['by-one', 'web-a', 0, 0] },
  { scenario: 'lose link eth1', ok: true, group: ['by-one', 'web-a', 0, 0] },
  { scenario: 'lose link eth0, lose link ucast eth1, wait 15s, heal', ok: true, group: ['by-one', 'web-b', 0, 10.5] },
  { scenario: 'partition, wait 15s, heal', config: witnessed, ok: true, group: ['by-one', 'web-a', 0, 0] },
  { scenario: 'partition, witness reachable from web-b only', config: witnessed, ok: true, group: ['by-one', 'web-b', 2.4, 0] },
  { scenario: 'cut web-a to web-b', config: witnessed, ok: true, group: ['by-one', 'web-a', 0, 0] },
  { scenario: 'hang daemon web-a 15s', config: witnessed, ok: true, group: ['by-one', 'web-b', 2.8, 0] },
  { scenario: 'standby web-a', ok: true, group: ['by-one', 'web-b', 1, 0] },
]
for (const { scenario, config = plain, ok, group } of stories) {
  test(`rehearsal of "${scenario}"${config === plain ? '' : ' with a witness'}`, () => {
    const result = rehearsed(scenario, config)
    expect(result.violations).toEqual([])
    expect(outcome(result)).toEqual({ ok, groups: [group] })
  })
}

test('a hung daemon loses its address by the kernel, and its service goes on: that is told apart', () => {
  const { groups, timeline } = rehearsed('hang daemon web-a 15s', witnessed)
  expect(groups).toMatchObject([{ served: 'by-one', bothMs: 0, twice: [] }])
  expect(Math.round(groups[0]!.twiceMs / 1000)).toBe(10)
  expect(timeline.map(({ text }) => text)).toContain('web-b serves web; apache2 of it runs on BOTH nodes')
})

test('without witness and without peer nobody serves: that is no success, and the status of then says why', () => {
  const result = rehearsed('witness down, kill web-a', witnessed)
  expect(result).toMatchObject({ ok: false, violations: [], groups: [{ served: 'by-nobody' }] })
  expect(result.problems.flatMap(({ problems }) => problems).join()).toContain('the witness does not answer')
})

test('a group that cannot be started anywhere is no success', () => {
  expect(rehearsed('start of apache2 fails on web-b, kill web-a').ok).toBe(false)
})

test('the time that scripts take is the administrator\'s to say', () => {
  const [slow, quick] = [rehearsed('standby web-a', plain, 3000), rehearsed('standby web-a', plain, 100)]
  expect(slow.groups[0]!.nobodyMs - quick.groups[0]!.nobodyMs).toBeCloseTo(2_900, -2)
})

test('a failback that waits its time is waited for', () => {
  const result = rehearsed('reboot web-a', { ...plain, autoFailback: { afterMs: 300_000 } })
  expect(result.groups).toMatchObject([{ served: 'by-one', nodes: ['web-a'] }])
  expect(result.endMs).toBeGreaterThan(300_000)
})

test('the same words give the same story to the last letter', () => {
  const scenario = 'partition, wait 7s, heal, kill daemon web-b, wait 5s, pause web-a 9s'
  expect(rehearsed(scenario, guarded)).toEqual(rehearsed(scenario, guarded))
})

test('the story is told in order, from the first step to the last news, without what follows by itself', () => {
  const { timeline, endMs } = rehearsed('kill web-a')
  expect(timeline[0]).toMatchObject({ afterMs: 0, kind: 'step', text: 'kill web-a' })
  expect(timeline.map(({ afterMs }) => afterMs)).toEqual(timeline.map(({ afterMs }) => afterMs).toSorted((a, b) => a - b))
  expect(timeline.at(-1)?.afterMs).toBeCloseTo(endMs, 0)
  expect(timeline.filter(({ code }) => code === 'link-down' || code === 'placement-changed')).toEqual([])
})

// A word of each kind for every form: none of them may be there in vain, or break the simulated world.
const words: Readonly<Record<string, string>> = {
  LINK: 'eth0', TIME: '7s', SCOPE: 'local', WHAT: 'web', GROUP: 'web', SCRIPT: 'apache2', ADDRESS: '192.0.2.100',
}
function spoken(form: string): string {
  const nodes = ['web-a', 'web-b']
  return form.split(' ').map((word) => (word === 'NODE' ? nodes.shift() : words[word]) ?? word).join(' ')
}
for (const { words: form } of formsOf(guarded)) {
  test(`every form can be rehearsed: ${form}`, () => {
    const { timeline, violations } = rehearsed(`${spoken(form)}, wait 20s, heal, start web-a`, guarded)
    expect(violations).toEqual([])
    if (!form.startsWith('wait')) expect(timeline[0]).toMatchObject({ kind: 'step', text: spoken(form) })
  })
}

test('forms that make no sense of a configuration are not offered, and refused with the reason', () => {
  const offered = formsOf(plain).map(({ words: form }) => form).join()
  expect(offered).not.toMatch(/witness|fencing|ping/)
  expect(readScenario('witness down, fencing fails, lose ping nodes', plain)).toEqual({ problems: [
    '"witness down": this configuration has no witness', '"fencing fails": this configuration has no fencing',
    '"lose ping nodes": this configuration has no ping nodes',
  ] })
})

test('every example can be rehearsed', () => {
  for (const config of [plain, guarded]) for (const example of exampleScenarios(config)) expect(readScenario(example, config)).toHaveProperty('steps')
})

const mistakes: { scenario: string; says: string }[] = [
  { scenario: 'kil web-a', says: '"kil web-a" is not understood. Did you mean kill?' },
  { scenario: 'explode', says: 'A part begins with one of: wait, lose, heal' },
  { scenario: 'lose eth1', says: '"lose eth1" is not understood. There is "lose link LINK"' },
  { scenario: 'kill web-c', says: '"kill web-c": there is no node web-c. Did you mean web-a? Known: web-a, web-b' },
  { scenario: 'lose link eth2', says: 'there is no link eth2. Did you mean eth0? Known: eth0, bcast eth0, eth1, ucast eth1' },
  { scenario: 'pause web-a 15', says: '15 is no time: 200ms, 2s, 5m' },
  { scenario: 'cut web-a to web-a', says: 'web-a stands twice' },
  { scenario: 'kill service apache', says: 'there is no script apache. Did you mean apache2?' },
  { scenario: 'takeover web-b mail', says: 'there is no group mail. Known: all, local, foreign, web' },
  { scenario: 'standby web-a some', says: 'there is no scope some' },
  { scenario: ' , ,', says: 'the scenario is empty' },
]
for (const { scenario, says } of mistakes) {
  test(`"${scenario}" is refused: ${says}`, () => {
    const reading = readScenario(scenario, plain)
    expect('problems' in reading ? reading.problems.join('\n') : 'understood').toContain(says)
  })
}

test('all mistakes are told at once; capitals and blanks do not matter', () => {
  expect(readScenario('kill web-c, los link, wait 1m', plain)).toMatchObject({ problems: [{}, {}] })
  expect(readScenario('  Kill   WEB-A ,wait 1m', plain)).toMatchObject({ steps: [{ text: 'Kill WEB-A', waitMs: 0 }, { waitMs: 60_000 }] })
})

test('the two hosts\' own unicast lines of an interface are one link', () => {
  expect(linksOf(plain.links)).toEqual([{ name: 'bcast eth0', interface: 'eth0' }, { name: 'ucast eth1', interface: 'eth1' }])
})

test('a broken promise is told, and the rehearsal goes on to its end', () => {
  // A core that believes each witness: it starts beside a living holder.
  const groups: GroupConfig[] = [{ name: 'web', preferredNode: 'web-a', resources: [addressResource('192.0.2.100'), scriptResource('apache2', true, 20_000)] }]
  const config = { ...witnessed, groups }
  const reading = readScenario('partition', config)
  if ('problems' in reading) throw new Error('not understood')
  const hasty: typeof realCore = {
    ...realCore,
    createState: (init) => realCore.createState(init.self === 'web-b' ? { ...init, config: plain } : init),
  }
  const result = rehearse({ core: hasty, config, steps: reading.steps, scriptMs: 1000 })
  expect(result.ok).toBe(false)
  expect(result.violations.length).toBeGreaterThan(0)
})
