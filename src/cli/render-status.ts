/** `hactl status` as a person reads it at 3 a.m.: what is wrong, what to type, then the tables. */
import type { GroupReport, LinkReport, NodeReport, ResourceReport, StatusReport } from '../core/report.ts'
import type { AdvertisedState } from '../core/packet.ts'
import type { WallMillis } from '../core/time.ts'
import { adviceFor } from './advice.ts'
import { contestedNotes, protectionLines, restsOn } from './render-protection.ts'
import type { Paint, View } from './terminal.ts'
import { type Cell, cell, clockText, dateText, durationText, type Row, table, tableBlocks, wrapped } from './text.ts'

/** `wallMs`: of this moment, for the age of a pause. */
export function renderStatus(report: StatusReport, view: View, wallMs: WallMillis = Date.now()): string {
  const parts = [
    headLines(report, view, wallMs),
    problemLines(report, view),
    nodeLines(report, view),
    linkLines(report, view),
    groupLines(report, view),
    footLines(report, view),
  ]
  return `${parts.filter((part) => part.length > 0).map((part) => part.join('\n')).join('\n\n')}\n`
}

function headLines(report: StatusReport, { columns, paint }: View, wallMs: WallMillis): readonly string[] {
  const [word, colour] = report.health === 'healthy' ? ['healthy', paint.green] as const : ['DEGRADED', paint.red] as const
  const phase = report.phase === 'running' ? '' : `, ${phaseWords(report.phase)}`
  const [head = '', ...rest] = wrapped(`${word}: ${report.node} with peer ${report.peer}${phase}`, columns, '', '  ')
  const pause = pauseText(report, wallMs)
  const pauseLines = pause === undefined ? [] : wrapped(pause, columns, '', '  ').map(paint.yellow)
  return [head.replace(word, colour(word)), ...rest, ...pauseLines]
}

/** Whoever is about to restart a daemon wants to know how long the addresses wait for the next one. */
function pauseText({ pause, groups }: StatusReport, wallMs: WallMillis): string | undefined {
  const { paused, sinceWallMs } = pause
  if (!paused) return undefined
  const age = wallMs < sinceWallMs ? '' : `, for ${durationText(wallMs - sinceWallMs)} by now`
  const leases = groups.flatMap(({ leaseRestMs }) => (leaseRestMs === undefined ? [] : [leaseRestMs]))
  const outlast = leases.length === 0 ? '' : `; addresses here stay for ${durationText(Math.min(...leases))} after a daemon stops`
  return `paused since ${clockText(sinceWallMs).slice(0, 8)} of ${dateText(sinceWallMs)}${age}: no automatic moves${outlast}`
}

function phaseWords(phase: StatusReport['phase']): string {
  switch (phase) {
    case 'looking': return 'looking at what runs here'
    case 'joining': return 'waiting for the peer (initdead)'
    case 'running': return 'running'
    case 'leaving': return 'stopping everything before it leaves'
    case 'left': return 'has left'
  }
}

function problemLines(report: StatusReport, { columns, paint }: View): readonly string[] {
  const problems = report.problems.flatMap((problem) => wrapped(problem, columns, '  ! ', '    ').map((line) => paint.red(line)))
  const advice = adviceFor(report)
  if (report.health === 'healthy' || advice.length === 0) return problems
  const rows = advice.map(({ command, why }) => ({ cells: [cell(command, paint.bold)], note: why }))
  return [...problems, '  what to type next:', ...table([''], rows, columns, '    ')]
}

function nodeLines(report: StatusReport, { columns, paint }: View): readonly string[] {
  const rows = report.nodes.map((node): Row => ({
    cells: [
      cell(node.self ? `${node.name} (this)` : node.name, paint.bold),
      nodeStatusCell(node, paint),
      cell(node.lastHeardMs === undefined ? '' : `${durationText(node.lastHeardMs)} ago`),
      cell(node.standby ?? '', paint.yellow),
    ],
    note: contactText(node),
  }))
  return table(['node', 'status', 'heard', 'standby'], rows, columns, '  ')
}

function nodeStatusCell({ status }: NodeReport, paint: Paint): Cell {
  switch (status) {
    case 'alive': return cell(status, paint.green)
    case 'late': return cell(status, paint.yellow)
    case 'dead': return cell(status, paint.red)
    case 'unknown':
    case 'left': return cell(status, paint.yellow)
  }
}

function contactText(node: NodeReport): string {
  if (node.dialogue === 'heartbeat') return 'a real Heartbeat: no confirmations, no claims'
  return node.status === 'alive' && node.mutualContact === false ? 'does not confirm hearing this node' : ''
}

function linkLines(report: StatusReport, { columns, paint }: View): readonly string[] {
  const rows = report.links.map((link): Row => ({
    cells: [
      cell(link.name),
      linkStatusCell(link, paint),
      cell(link.lastHeardMs === undefined ? '' : `${durationText(link.lastHeardMs)} ago`),
    ],
    note: link.reason ?? '',
  }))
  return table(['link', 'status', 'heard'], rows, columns, '  ')
}

function linkStatusCell({ status }: LinkReport, paint: Paint): Cell {
  switch (status) {
    case 'up': return cell(status, paint.green)
    case 'unknown': return cell(status, paint.yellow)
    case 'down':
    case 'failed': return cell(status, paint.red)
  }
}

function groupLines(report: StatusReport, view: View): readonly string[] {
  const rows = report.groups.map((group): Row => ({
    cells: [
      cell(group.name, view.paint.bold),
      group.holder === undefined ? cell(unheldWord(report), view.paint.red) : cell(group.holder, view.paint.green),
      stateCell(group.state, view.paint),
      group.peerState === undefined ? cell('') : stateCell(group.peerState, view.paint),
      cell(group.preferredNode),
      cell(group.sinceMs === undefined ? '' : durationText(group.sinceMs)),
    ],
  }))
  const headings = ['group', 'holder', `on ${report.node}`, `on ${report.peer}`, 'preferred', 'since']
  const { heading, blocks } = tableBlocks(headings, rows, view.columns, '  ')
  return [...heading, ...report.groups.flatMap((group, index) => [
    ...(blocks[index] ?? []), ...resourceLines(group, report, view), ...noteLines(group, report, view),
  ])]
}

/** A peer that is not heard may hold it all the same, unless it said goodbye. */
function unheldWord({ nodes }: StatusReport): string {
  return nodes.some(({ self, status }) => !self && (status === 'dead' || status === 'unknown')) ? 'unknown' : 'nobody'
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function stateCell(state: AdvertisedState, paint: Paint): Cell {
  switch (state) {
    case 'held': return cell(state, paint.green)
    case 'stopped': return cell(state)
    case 'unknown':
    case 'starting':
    case 'stopping': return cell(state, paint.yellow)
    case 'unclean': return cell(state, paint.red)
  }
}

/** Of this node. A group that is altogether stopped here, as it should be on one of the two, needs no list to say so. */
function resourceLines(group: GroupReport, { problems }: StatusReport, { columns, paint }: View): readonly string[] {
  // A long message of a script is read once, at the top.
  const told = (message: string): boolean => problems.some((problem) => problem.includes(message))
  const asleep = group.state === 'stopped' && group.resources.every(({ status, message }) => status === 'stopped' && message === undefined)
  if (asleep) return []
  const rows = group.resources.map((resource): Row => ({
    cells: [cell(resource.name), resourceCell(resource, paint), cell(resource.warm ? 'warm' : '')],
    note: resource.message === undefined || told(resource.message) ? '' : resource.message,
  }))
  return table(['', '', ''], rows, columns, '    ')
}

function resourceCell({ status }: ResourceReport, paint: Paint): Cell {
  switch (status) {
    case 'running': return cell(status, paint.green)
    case 'stopped': return cell(status)
    case 'unknown':
    case 'starting':
    case 'stopping': return cell(status, paint.yellow)
    case 'failed':
    case 'unclean': return cell(status, paint.red)
  }
}

/** Of these the table says as much: somebody holds it. */
const plainReasons: readonly string[] = ['holds', 'peer-holds']

/** Why it is where it is, or goes where it goes. */
function noteLines(group: GroupReport, report: StatusReport, { columns, paint }: View): readonly string[] {
  const notes: string[] = []
  const away = group.holder !== undefined && group.holder !== group.preferredNode
  const returning = `it returns when ${group.preferredNode} joins anew, or after \`hactl online\` there`
  const atHeartbeat = report.nodes.some(({ self, name, dialogue }) => !self && dialogue === 'heartbeat' && name === group.holder)
  if (atHeartbeat && away) notes.push(`Heartbeat on ${report.peer} has it, and decides by its auto_failback when it returns; to bring it here: hactl takeover ${group.name}`)
  else if (group.pinned && away) notes.push(`an administrator moved it: ${returning}`)
  else if (!plainReasons.includes(group.reason) && group.flapHeldMs === undefined) notes.push(group.explanation)
  notes.push(...restsOn(group, report))
  if (group.failedHere) notes.push(`it failed on ${report.node} not long ago`)
  if (group.failedOnPeer) notes.push(`it failed on ${report.peer} not long ago`)
  if (group.strippedCount > 0) notes.push(`someone else removed an address of it ${timesText(group.strippedCount)}; it was put back`)
  notes.push(...contestedNotes(group))
  return notes.filter((note) => note !== '').flatMap((note) => wrapped(note, columns, '    ', '    ').map((line) => paint.dim(line)))
}

function footLines(report: StatusReport, { columns, paint }: View): readonly string[] {
  const lines: string[] = []
  const move = report.lastMove
  if (move !== undefined) {
    const took = move.durationMs === undefined ? '' : `, took ${durationText(move.durationMs)}`
    const when = `${dateText(move.wallMs)} ${clockText(move.wallMs).slice(0, 8)}`
    lines.push(...wrapped(`last move to ${move.holder}: ${move.group} on ${when}${took}: ${move.explanation}`, columns, '  ', '    '))
    lines.push(paint.dim(`    \`hactl why ${move.group}\` shows it step by step`))
  }
  return [...lines, ...protectionLines(report, { columns, paint })]
}
