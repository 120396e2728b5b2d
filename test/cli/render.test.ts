import { expect, test } from 'vitest'
import type { AdminReply } from '../../src/core/admin.ts'
import type { GroupReport, StatusReport } from '../../src/core/report.ts'
import { renderProgress, renderReply } from '../../src/cli/render-admin.ts'
import { renderEvent } from '../../src/cli/render-events.ts'
import { renderStatus } from '../../src/cli/render-status.ts'
import { renderWhy } from '../../src/cli/render-why.ts'
import { colourPaint, plainPaint, type View, viewOf } from '../../src/cli/terminal.ts'
import {
  activeActive, authorityEnded, explanation, fencingFailed, guarded, healthy, longNames, nightMs, peerDead, records, standbyAndMore, troubled, unclean, witnessLost,
} from './reports.ts'

process.env['TZ'] = 'UTC'
const view: View = { columns: 80, paint: plainPaint }
const coloured: View = { columns: 80, paint: colourPaint }
const colours = /\x1b\[[0-9;]*m/g

function renderEvents(on: View): string {
  return records.map((record, index) => renderEvent(record, records[index - 1]?.wallMs, on)).join('')
}

const replies: readonly AdminReply[] = [
  { result: 'done', message: 'beta holds what alpha gave away', moves: [{ group: '192.0.2.100', holder: 'beta', unheldMs: 7 }] },
  { result: 'done', message: 'alpha is in standby already', moves: [] },
  { result: 'refused', message: 'beta cannot take 192.0.2.100: it failed there 12 s ago (hactl why 192.0.2.100 on beta). Nothing was changed', moves: [] },
  { result: 'failed', message: 'the start of mysql on beta failed (exit code 1); the group came back', moves: [{ group: '192.0.2.100',
    holder: 'alpha', unheldMs: 1312 }] },
  { result: 'timed-out', message: 'after 60 s alpha still stops mysql', moves: [{ group: '192.0.2.100' }] },
]

const texts: Readonly<Record<string, (on: View) => string>> = {
  'status-healthy': (on) => renderStatus(healthy, on),
  'status-peer-dead': (on) => renderStatus(peerDead, on),
  'status-unclean': (on) => renderStatus(unclean, on),
  'status-standby-and-more': (on) => renderStatus(standbyAndMore, on, nightMs + 7_440_000),
  'status-guarded': (on) => renderStatus(guarded, on),
  'status-witness-lost': (on) => renderStatus(witnessLost, on),
  'status-fencing-failed': (on) => renderStatus(fencingFailed, on),
  'status-troubled': (on) => renderStatus(troubled, on, nightMs + 61_000),
  'status-active-active': (on) => renderStatus(activeActive, on),
  'status-long-names': (on) => renderStatus(longNames, on),
  'events': renderEvents,
  'why': (on) => renderWhy(explanation, on),
  'why-authority-ended': (on) => renderWhy(authorityEnded, on),
  'replies': (on) => replies.map((reply) => renderReply(reply, on)).join('\n'),
  'progress': (on) => [
    renderProgress({ group: '192.0.2.100', message: 'alpha stops apache2' }, 3.4, on),
    renderProgress({ message: '192.0.2.100 is given to beta' }, 12_345, on),
  ].join(''),
}

for (const [name, render] of Object.entries(texts)) {
  test(`${name}: the text is the golden one, and no line is longer than 80 columns`, async () => {
    const text = render(view)
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(text.split('\n').filter((line) => line !== line.trimEnd())).toEqual([])
    await expect(text).toMatchFileSnapshot(`golden/${name}.txt`)
  })

  test(`${name}: colours change nothing but colours`, () => {
    const text = render(coloured)
    expect(text.replace(colours, '')).toBe(render(view))
  })
}

// The proofs of design.md section 5, as evidence.
const proofs: { permission: string; says: string }[] = [
  { permission: 'consent', says: 'permitted by consent of the peer' },
  { permission: 'will', says: 'permitted by the last will of the peer\'s daemon' },
  { permission: 'fenced', says: 'permitted by confirmed fencing of the peer' },
  { permission: 'witness', says: 'permitted by a grant of the witness' },
  { permission: 'vouched', says: 'permitted by an administrator\'s word' },
  { permission: 'of another version', says: 'permission of another version' },
]
for (const { permission, says } of proofs) {
  test(`why names the proof in words: ${permission}`, () => {
    expect(renderWhy({ ...explanation, evidence: { permission } }, view)).toContain(`evidence: ${says}`)
  })
}

test('without a figure of its own, a takeover from a dead peer is counted from its last packet', () => {
  const timeline = explanation.timeline.map((record) => ({ ...record, figures: {} }))
  expect(renderWhy({ ...explanation, timeline }, view).replace(/\s+/g,
    ' ')).toContain('nobody served it for at most 10,018 ms, counted from the peer\'s last packet')
})

test('a tenure of weeks is not told in milliseconds; a generation is a name, not an amount', () => {
  const old = { ...explanation.timeline[0]!, nowMs: explanation.timeline[0]!.nowMs - 3 * 86_400_000, wallMs: nightMs - 3 * 86_400_000 }
  expect(renderWhy({ ...explanation, timeline: [old, ...explanation.timeline] }, view)).toMatch(/-[23] d \d+ h/)
  expect(renderEvent({ ...old, figures: { generation: 1795231311 } }, undefined, { columns: Infinity, paint: plainPaint })).toContain('generation 1795231311')
})

test('what was measured before the decision belongs to an earlier move', () => {
  const [first, ...others] = explanation.timeline.map((record) => ({ ...record, figures: {} }))
  const timeline = [{ ...first!, figures: { unheldMs: 777 } }, ...others]
  expect(renderWhy({ ...explanation, timeline, reason: 'standby' }, view)).not.toContain('777')
})

test('after a cold start nobody knows how long clients had waited', () => {
  const timeline = explanation.timeline.map((record) => ({ ...record, figures: record.code === 'peer-dead' ? { initdeadMs: 10_000 } : {} }))
  expect(renderWhy({ ...explanation, timeline }, view)).toContain('the peer was never heard')
})

test('nobody knows the holder of what this node does not hold while the peer is silent', () => {
  const { holder, sinceMs, ...group } = peerDead.groups[0]!
  expect([holder, typeof sinceMs]).toEqual(['beta', 'number'])
  expect(renderStatus({ ...peerDead, groups: [group] }, view)).toMatch(/192\.0\.2\.100 +unknown/)
  expect(renderStatus({ ...healthy, groups: [group] }, view)).toMatch(/192\.0\.2\.100 +nobody/)
})

const classic = healthy.nodes.map((node) => (node.self ? node : { ...node, dialogue: 'heartbeat' as const }))
// What stands against two holders, in one line (and one for ping nodes).
const protections: { title: string; report: StatusReport; says: string }[] = [
  { title: 'a witness not asked yet', report: { ...healthy, protection: 'witness', witness: { status: 'unknown' } },
    says: 'witness not asked yet: what a silent peer held is taken only with the grant of the witness' },
  { title: 'a witness that never answered', report: { ...healthy, protection: 'witness', witness: { status: 'unreachable' } },
    says: 'witness has NEVER ANSWERED: what' },
  { title: 'fencing alone', report: { ...healthy, protection: 'fencing', fencing: { status: 'idle' } },
    says: 'fencing configured: what a silent peer held is taken only after it was switched off' },
  { title: 'fencing that is due', report: { ...healthy, protection: 'fencing', fencing: { status: 'waits' } }, says: 'fencing of beta is about to begin:' },
  { title: 'fencing under way', report: { ...healthy, protection: 'fencing', fencing: { status: 'runs' } }, says: 'fencing of beta is running:' },
  { title: 'a fenced peer', report: { ...healthy, protection: 'fencing', fencing: { status: 'confirmed' } }, says: 'beta is fenced: it is off:' },
  { title: 'a watchdog alone', report: { ...healthy, watchdog: true }, says: 'no witness, no fencing, watchdog on: a silent peer' },
  { title: 'ping nodes alone', report: { ...healthy, pings: [{ name: '192.0.2.254', reachable: 'unknown' }] },
    says: 'after deadtime alone, by a node that sees a ping node ping nodes seen: 0 of 1 here, 1 not asked yet' },
  { title: 'a witness beside a real Heartbeat, which asks none', report: { ...guarded, protection: 'witness', nodes: classic },
    says: 'a silent peer is taken for dead after deadtime alone' },
]
for (const { title, report, says } of protections) {
  test(`status says what stands against two holders: ${title}`, () => {
    expect(renderStatus(report, view).replace(/\s+/g, ' ')).toContain(says)
  })
}

const [held] = healthy.groups
const rests: { title: string; change: Partial<GroupReport>; says: string }[] = [
  { title: 'a grant that is renewed', change: { permission: 'witness', grantRestMs: 2_900, authorityRestMs: 2_300 },
    says: 'beta took it by a grant of the witness held by the grant of the witness, which is renewed' },
  { title: 'consent, and no grant yet', change: { permission: 'consent', authorityRestMs: 1_250 },
    says: 'it must be let go in 1.2 s, unless the witness grants it or alpha answers' },
  { title: 'the last will, without a witness', change: { permission: 'will' }, says: 'beta took it by the last will of the peer\'s daemon' },
  { title: 'deadtime alone', change: { permission: 'deadtime-alone' }, says: 'beta took it by deadtime alone (no witness, no fencing)' },
]
for (const { title, change, says } of rests) {
  test(`while the peer is silent, a group says what it rests on: ${title}`, () => {
    const report: StatusReport = { ...peerDead, witness: { status: 'reachable' }, groups: [{ ...held!, ...change }] }
    expect(renderStatus(report, view).replace(/\s+/g, ' ')).toContain(says)
  })
}

test('while the peer answers, what a group was once taken by is history', () => {
  const [report, plain] = [{ ...healthy, groups: [{ ...held!, permission: 'witness' as const, authorityRestMs: 7_000 }] }, healthy]
  expect(renderStatus(report, view)).toBe(renderStatus(plain, view))
})

test('a group that a Heartbeat has returns when that one says so', () => {
  const text = renderStatus({ ...healthy, nodes: classic, groups: [{ ...held!, holder: 'beta', preferredNode: 'alpha', state: 'stopped', pinned: true }] }, view)
  expect(text.replace(/\s+/g, ' ')).toContain('Heartbeat on beta has it, and decides by its auto_failback when it returns; to bring it here: hactl takeover 192.0.2.100')
})

test('the message of a script is printed once, and one time is once', () => {
  const message = 'failed: the script said no'
  const [group] = healthy.groups
  const resources = [{ name: 'apache2', kind: 'script', warm: false, status: 'failed', message } as const]
  const report = { ...healthy, problems: [`web failed on alpha: start of apache2 ${message}`], groups: [{ ...group!, resources, strippedCount: 1 }] }
  const text = renderStatus(report, view)
  expect(text.split('the script said no')).toHaveLength(2)
  expect(text).toContain('removed an address of it once;')
})

test('an event in a pipe is one line that begins with its date', () => {
  const lines = renderEvents({ columns: Infinity, paint: plainPaint }).trimEnd().split('\n')
  expect(lines).toHaveLength(records.length)
  expect(lines[2]).toBe('2026-11-20 03:12:44.123 warning [peer-dead] alpha is dead: silent for 10,004 ms '
    + '(silent 10,004 ms, links 2, deadtime 10,000 ms)')
})

test('a status whose history is lost still says so', () => {
  expect(renderWhy({ ...explanation, timeline: [] }, view)).toContain('no longer in the history')
})

test('colours only on a terminal, and not with NO_COLOR or on a dumb one', () => {
  const terminal = { isTTY: true, columns: 100 }
  expect(viewOf(terminal, {})).toEqual({ columns: 100, paint: colourPaint })
  expect(viewOf(terminal, { NO_COLOR: '' }).paint).toBe(colourPaint)
  expect(viewOf(terminal, { NO_COLOR: '1' }).paint).toBe(plainPaint)
  expect(viewOf(terminal, { TERM: 'dumb' }).paint).toBe(plainPaint)
  expect(viewOf({ isTTY: true, columns: 0 }, {}).columns).toBe(80)
  expect(viewOf({}, { COLUMNS: '72' }).columns).toBe(72)
  expect(viewOf({ isTTY: false }, {})).toEqual({ columns: Infinity, paint: plainPaint })
})
