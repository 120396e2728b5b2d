/**
 * `cl_status` beside what Heartbeat 3.0.6's own said, recorded line by line (cl-status-3.0.6.jsonl): the same words, the same text,
 * the same exit code, but for the differences that are listed here.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { answer, notRunning, type Answer } from '../../../src/cli/heartbeat/cl-status-answers.ts'
import { parametersOf } from '../../../src/cli/heartbeat/cl-status-parameters.ts'
import { declaredNames, holdingOf } from '../../../src/cli/heartbeat/cl-status-view.ts'
import { isSubcommand, readWords, usage } from '../../../src/cli/heartbeat/cl-status-words.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { GroupReport, PeerStatus, StatusReport } from '../../../src/core/report.ts'
import { healthy } from '../reports.ts'

interface Recorded { readonly state: string; readonly words: string; readonly code: number; readonly out: string; readonly err: string }

const recorded = readFileSync(fileURLToPath(new URL('cl-status-3.0.6.jsonl', import.meta.url)), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Recorded)

const files = {
  pings: 'keepalive 200ms\ndeadtime 1500ms\nwarntime 750ms\ninitdead 3000ms\nudpport 694\nbcast eth0\nauto_failback on\nnode alpha beta\nlogfile /var/log/ha-log\nlogfacility none\nrealtime false\nping 192.0.2.254 192.0.2.2\n',
  links: 'logfile /var/log/ha-log\nlogfacility none\nrealtime false\ndeadtime 3\nudpport 694\nmcast eth0 225.0.0.1 694 1 0\nbcast eth0\nucast eth0 192.0.2.1\nucast eth0 192.0.2.2\nping_group gw 192.0.2.254 192.0.2.2\nnode alpha\nnode beta\nauto_failback on\n',
}

const [web] = healthy.groups
if (web === undefined) throw new Error('a report without a group')
const group = (preferredNode: string, isHeld: boolean): GroupReport => ({ ...web, name: preferredNode, preferredNode, state: isHeld ? 'held' : 'stopped' })

function report(node: 'alpha' | 'beta', peerStatus: PeerStatus, alphas: boolean, betas: boolean | undefined, change: Partial<StatusReport> = {}): StatusReport {
  const peer = node === 'alpha' ? 'beta' : 'alpha'
  return {
    ...healthy, node, peer,
    nodes: [{ name: node, self: true, status: 'alive' }, { name: peer, self: false, status: peerStatus }],
    links: [{ name: 'bcast eth0', status: peerStatus === 'alive' ? 'up' : 'down' }],
    groups: [group('alpha', alphas), ...(betas === undefined ? [] : [group('beta', betas)])],
    // The second one is beta, which answers as long as it is up.
    pings: [{ name: '192.0.2.254', reachable: false }, { name: '192.0.2.2', reachable: peerStatus === 'alive' }],
    ...change,
  }
}

const sameInterface: StatusReport['links'] = ['mcast eth0 225.0.0.1', 'bcast eth0', 'ucast eth0 192.0.2.2'].map((name) => ({ name, status: 'up' }))
const situations: Readonly<Record<string, { readonly file: keyof typeof files; readonly report: StatusReport | undefined }>> = {
  both: { file: 'pings', report: report('alpha', 'alive', true, false) },
  'after standby': { file: 'pings', report: report('alpha', 'alive', false, false) },
  'after standby, on beta': { file: 'pings', report: report('beta', 'alive', true, true, { pings: [{ name: '192.0.2.254', reachable: false }, { name: '192.0.2.2', reachable: true }] }) },
  'after takeover all': { file: 'pings', report: report('alpha', 'alive', true, true) },
  'after takeover all, on beta': { file: 'pings', report: report('beta', 'alive', false, false) },
  'beta dead': { file: 'pings', report: report('alpha', 'dead', true, true) },
  stopped: { file: 'pings', report: undefined },
  minimal: { file: 'links', report: report('alpha', 'alive', true, undefined, { links: sameInterface, pings: [{ name: 'gw', reachable: true }] }) },
  'alpha stopped, on beta': { file: 'links', report: report('beta', 'left', true, undefined, { pings: [{ name: 'gw', reachable: true }] }) },
}

/** What is otherwise on purpose: by words, with the reason. */
const differences: readonly { readonly words: RegExp; readonly why: string }[] = [
  { words: /^hbparameter -p hbversion$/, why: 'the version is ours' },
  { words: /^hbstatus -v$/, why: 'the version is ours' },
  { words: /^hbparameter -p deadping$/, why: 'half of deadtime here (README section 5)' },
  { words: /^clientstatus (-m )?(alpha|beta) ipfail/, why: 'what ipfail did is done here wherever there are ping nodes' },
]

const configs = new Map<string, ReturnType<typeof loadConfig>>()
function configOf(file: keyof typeof files) {
  if (!configs.has(file)) {
    const groups = file === 'pings' ? 'alpha 192.0.2.100/24/eth0\nbeta 192.0.2.101/24/eth0\n' : 'alpha 192.0.2.100/24/eth0\n'
    configs.set(file, loadConfig({ files: [
      { name: 'ha.cf', path: '/etc/ha.d/ha.cf', text: files[file] }, { name: 'haresources', path: '/etc/ha.d/haresources', text: groups },
      { name: 'authkeys', path: '/etc/ha.d/authkeys', text: 'auth 1\n1 sha1 secret\n', mode: 0o600 },
    ] }))
  }
  const config = configs.get(file)
  if (config?.shown === undefined) throw new Error(`${file} cannot be read`)
  return config
}

/** As `runClStatus`, without a daemon. */
function ours({ state, words }: Recorded): Answer & { readonly complaints: readonly string[] } {
  const [name, ...rest] = words.split(' ').filter((word) => word !== '')
  if (name === undefined || name === '-h') return { exitCode: 0, out: usage, complaints: [] }
  if (!isSubcommand(name)) return { exitCode: 11, errors: [`${name}: invalid sub-command.`], complaints: [] }
  const situation = situations[state]
  if (situation === undefined) throw new Error(`no situation ${state}`)
  const asked = readWords(name, rest)
  if (situation.report === undefined) return { ...notRunning(asked, "hb_api_signon: Can't initiate connection to heartbeat"), complaints: asked.complaints }
  const config = configOf(situation.file)
  const facts = { report: situation.report, names: declaredNames(config), parameters: parametersOf(files[situation.file], config.shown, '1.2.3'), version: '1.2.3 (hactl)' }
  return { ...answer(asked, facts), complaints: asked.complaints }
}

const errorText = ({ complaints, plainError, errors = [] }: ReturnType<typeof ours>): string =>
  [...complaints, ...(plainError === undefined ? [] : [plainError]), ...errors.map((error) => `ERROR: ${error}`)].map((line) => `${line}\n`).join('')

test('every recorded answer of Heartbeat is ours as well, but for what differs on purpose', () => {
  const wrong = recorded.flatMap((one) => {
    const said = ours(one)
    const [mine, theirs] = [{ code: said.exitCode, out: said.out ?? '', err: errorText(said) }, { code: one.code, out: one.out, err: one.err }]
    if (JSON.stringify(mine) === JSON.stringify(theirs) || differences.some(({ words }) => words.test(one.words))) return []
    return [{ state: one.state, words: one.words, mine, theirs }]
  })
  expect(wrong).toEqual([])
  expect(recorded.length).toBeGreaterThan(250)
})

test('what a node holds: a class without groups is its own node\'s, or of who is left, and nothing is certain while something moves', () => {
  expect(holdingOf(report('alpha', 'alive', true, undefined))).toBe('local')
  expect(holdingOf(report('beta', 'alive', false, undefined))).toBe('local')
  expect(holdingOf(report('beta', 'alive', true, undefined))).toBe('all')
  expect(holdingOf(report('alpha', 'dead', true, undefined))).toBe('all')
  expect(holdingOf(report('alpha', 'alive', true, undefined, { phase: 'joining' }))).toBe('transition')
  expect(holdingOf({ ...report('alpha', 'alive', true, false), groups: [{ ...group('alpha', true), state: 'stopping' }] })).toBe('transition')
  const standby = report('beta', 'alive', false, undefined)
  expect(holdingOf({ ...standby, nodes: standby.nodes.map((node) => (node.self ? { ...node, standby: 'all' as const } : node)) })).toBe('none')
})
