/** A rehearsal as a person reads it: the timeline in the voice of `hactl why`, then who serves what and what clients noticed. */
import { isServedOnce, type Rehearsal, type RehearsedGroup } from '../simulation/rehearsal.ts'
import type { RehearsalLine } from '../simulation/rehearsal-story.ts'
import { colourOf } from './render-events.ts'
import type { View } from './terminal.ts'
import { cell, durationText, type Row, table, wrapped } from './text.ts'

/** `assumed`: what a rehearsal cannot know and takes for granted. */
export function renderRehearsal(rehearsal: Rehearsal, scenario: string, assumed: string, view: View): string {
  const { columns, paint } = view
  const parts = [
    [...wrapped(`rehearsal: ${scenario}`, columns, '', '  ').map(paint.bold), ...wrapped(assumed, columns, '  ', '  ').map(paint.dim)],
    timelineLines(rehearsal, view),
    groupLines(rehearsal, view),
    problemLines(rehearsal, view),
    verdictLines(rehearsal, view),
  ]
  return `${parts.filter((part) => part.length > 0).map((part) => part.join('\n')).join('\n\n')}\n`
}

function timelineLines({ timeline }: Rehearsal, view: View): readonly string[] {
  const times = timeline.map(({ afterMs }) => `+${(afterMs / 1000).toFixed(3)} s`)
  const width = Math.max(0, ...times.map((time) => time.length))
  const nodeWidth = Math.max(0, ...timeline.map(({ node = '' }) => node.length))
  return timeline.flatMap((line, index) => {
    const time = (times[index] ?? '').padStart(width)
    const first = `  ${time}  ${(line.node ?? '').padEnd(nodeWidth)}  `
    return wrapped(textOf(line), view.columns, first, ' '.repeat(first.length)).map(paintOf(line, view))
  })
}

/** Marks what is not a node's own word. */
function textOf({ kind, text }: RehearsalLine): string {
  switch (kind) {
    case 'step': return `>>> ${text}`
    case 'service': return `=== ${text}`
    case 'world': return `(${text})`
    case 'record': return text
  }
}

function paintOf({ kind, level = 'info', text }: RehearsalLine, { paint }: View): (text: string) => string {
  switch (kind) {
    case 'step': return paint.bold
    case 'service': return /BOTH|nobody/.test(text) ? paint.red : paint.bold
    case 'world': return paint.dim
    case 'record': return colourOf(level, paint)
  }
}

function groupLines({ groups, endMs, endless }: Rehearsal, { columns, paint }: View): readonly string[] {
  const rows = groups.map((group): Row => ({
    cells: [
      cell(group.group, paint.bold),
      isServedOnce(group) ? cell(servedText(group), paint.green) : cell(servedText(group), paint.red),
      cell(timeText(group.nobodyMs, group.served === 'by-nobody' || group.served === 'in-part')),
      cell(timeText(group.bothMs, group.served === 'by-both'), group.bothMs === 0 ? undefined : paint.red),
      cell(group.twiceMs === 0 ? '' : timeText(group.twiceMs, group.twice.length > 0), paint.red),
    ],
  }))
  const when = endless ? `it goes on and on; after ${durationText(endMs)} it stands so` : `nothing new happens after ${durationText(endMs)}`
  const headings = ['group', 'served by', 'by nobody for', 'by both for', 'scripts on both for']
  return [...wrapped(`${when}:`, columns, '', '  '), ...table(headings, rows, columns, '  ')]
}

function timeText(ms: number, toTheEnd: boolean): string {
  if (toTheEnd) return 'to the end'
  return ms === 0 ? 'never' : durationText(ms)
}

function servedText({ served, nodes }: RehearsedGroup): string {
  switch (served) {
    case 'by-one': return nodes[0] ?? ''
    case 'in-part': return `${nodes[0] ?? ''} in part`
    case 'by-nobody': return 'nobody'
    case 'by-both': return 'BOTH'
  }
}

/** Where a group is not as it should be, what `hactl status` would say then. */
function problemLines({ groups, problems }: Rehearsal, { columns, paint }: View): readonly string[] {
  if (groups.every(isServedOnce)) return []
  return problems.flatMap(({ node, problems: said }) => [
    `hactl status on ${node} says then:`, ...said.flatMap((problem) => wrapped(problem, columns, '  ! ', '    ')).map(paint.red),
  ])
}

/** The promises of design.md section 2 that a checker of the simulator stands for, in words. */
const broken: Readonly<Record<string, string>> = {
  S1: 'two nodes had the same at once, and nothing that promise P2 allows explains it',
  S2: 'a node started a group without any proof that the other does not have it (P1, P2)',
  S3: 'operations of one group ran at once, or in the wrong order',
  S4: 'a group was started although its stop had failed on the other node (P6)',
  S6: 'a node that had stood still took something over before it had listened (P4)',
  S7: 'a command got no answer in time',
  L3: 'a daemon that was told to stop did not end in time',
  A1: 'a holder let go although its peer was silent',
  P1: 'an address was on both nodes at once (P1)',
  P3: 'a dead daemon left an address behind (P3)',
  P4: 'a daemon that hangs kept an address beyond its lease (P4)',
}

function verdictLines(rehearsal: Rehearsal, { columns, paint }: View): readonly string[] {
  const { violations, groups } = rehearsal
  const lines = violations.flatMap(({ rule, message }) =>
    wrapped(`a promise is broken: ${broken[rule] ?? `rule ${rule} of the simulator`}: ${message}`, columns, '', '  ').map(paint.red))
  if (violations.length > 0) {
    const advice = '`hactl check` says which promises this configuration can keep. If it said nothing of this: it is a defect of ' +
      'hactl, please report it'
    return [...lines, ...wrapped(advice, columns, '', '  ')]
  }
  const both = groups.filter(({ bothMs }) => bothMs > 0).map(({ group }) => group)
  const twice = groups.filter(({ twiceMs }) => twiceMs > 0).map(({ group }) => group)
  const once = [
    ...(both.length === 0 ? [] : [`both nodes had the address of ${both.join(', ')} at once: ${bothText(rehearsal)}`]),
    ...(twice.length === 0 || both.length > 0 ? []
      : [`scripts of ${twice.join(', ')} ran on both nodes at once, without the address on one: ${twiceText(rehearsal)}`]),
  ].flatMap((text) => wrapped(text, columns, '', '  ').map(paint.yellow))
  const unserved = !groups.every(isServedOnce)
  const but = unserved ? ', but not every group is served by one node alone: an administrator has to act' : ''
  return [...once, ...wrapped(`no promise is broken${but}`, columns, '', '  ').map(unserved ? paint.yellow : paint.green)]
}

/** Promise P2, and what P4 leaves open. */
function bothText({ excuses }: Rehearsal): string {
  if (excuses.includes('silence')) {
    return 'neither could know that the other lives. More links over other networks make that rare, a witness or fencing impossible ' +
      '(promise P2)'
  }
  const stoodStill = excuses.includes('holder-paused') || excuses.includes('waking')
  if (stoodStill) return 'the holder stood still and let go when it ran again (promises P2, P4)'
  if (excuses.includes('daemon-dead')) return 'a dead daemon had left it behind'
  return `nothing better is promised here (${excuses.join(', ')}; promise P2)`
}

function twiceText({ excuses }: Rehearsal): string {
  const where = excuses.includes('holder-paused') || excuses.includes('daemon-dead') ? 'the daemon there could not stop them'
    : 'they were not stopped in time, and nobody could be told'
  return `${where}. What must never run twice needs fencing, or a watchdog (promise P6)`
}
