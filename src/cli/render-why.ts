/** `hactl why`: one move of one group: the reason, the evidence, each step in ms from the decision, how long it took. */
import type { MoveExplanation } from '../core/explain.ts'
import type { EventRecord } from '../core/records.ts'
import { isPermission, permissionWords } from './permission-words.ts'
import { colourOf, figureText } from './render-events.ts'
import type { View } from './terminal.ts'
import { clockText, dateText, durationText, exactText, grouped, wrapped } from './text.ts'

export function renderWhy(why: MoveExplanation, view: View): string {
  const parts = [headLines(why, view), evidenceLines(why, view), timelineLines(why, view), endLines(why, view)]
  return `${parts.filter((part) => part.length > 0).map((part) => part.join('\n')).join('\n\n')}\n`
}

function headLines({ explanation, reason, decidedWallMs, move }: MoveExplanation, { columns, paint }: View): readonly string[] {
  const code = reason === '' ? '' : ` [${reason}]`
  const [first = '', ...rest] = wrapped(`${explanation}${code}`, columns, '', '  ')
  const when = `  decided on ${dateText(decidedWallMs)} at ${clockText(decidedWallMs)}, move ${move}`
  return [paint.bold(first), ...rest.map(paint.bold), paint.dim(when)]
}

function evidenceLines({ evidence }: MoveExplanation, { columns }: View): readonly string[] {
  const figures = Object.entries(evidence).map(([name, value]) =>
    name === 'permission' && isPermission(value) ? `permitted by ${permissionWords[value]}` : figureText(name, value))
  return figures.length === 0 ? [] : wrapped(`evidence: ${figures.join(', ')}`, columns, '', '  ')
}

function timelineLines({ timeline: all, decidedWallMs, explanation }: MoveExplanation, { columns, paint }: View): readonly string[] {
  // Where the table of placement now has its finger follows from the steps beside it.
  const timeline = all.filter(({ code }) => code !== 'placement-changed')
  const decision = timeline.find((record) => record.wallMs === decidedWallMs && record.message === explanation)
  if (decision === undefined) return ['its records are no longer in the history']
  const offsets = timeline.map((record) => signed(offsetMs(record, decision)))
  const width = Math.max(...offsets.map((offset) => offset.length))
  const lines = timeline.flatMap((record, index) => {
    const first = `  ${(offsets[index] ?? '').padStart(width)}  `
    const text = record === decision ? 'decided: see above' : record.message
    const paintLine = record === decision ? paint.bold : colourOf(record.level, paint)
    return wrapped(text, columns, first, ' '.repeat(first.length)).map(paintLine)
  })
  return ['timeline, from the decision', ...lines]
}

/** The monotonic clock where one daemon wrote both; a daemon before this one counted from another boot, perhaps. */
function offsetMs(record: EventRecord, decision: EventRecord): number {
  const monotonicMs = record.nowMs - decision.nowMs
  const wallMs = record.wallMs - decision.wallMs
  return Math.abs(monotonicMs - wallMs) < 1000 ? monotonicMs : wallMs
}

/** In ms, where it counts; a tenure that ended with this move may have begun weeks ago. */
function signed(ms: number): string {
  const rounded = Math.round(ms * 10) / 10
  const size = Math.abs(rounded)
  const text = size < 100 ? `${size.toFixed(1)} ms` : size < 60_000 ? `${grouped(Math.round(size))} ms` : durationText(size)
  return rounded > 0 ? `+${text}` : rounded < 0 ? `-${text}` : '0.0 ms'
}

function endLines(why: MoveExplanation, { columns, paint }: View): readonly string[] {
  if (why.durationMs === undefined) return [paint.yellow('it is not finished: `hactl status` shows how it stands')]
  const text = `it took ${exactText(why.durationMs)} from the decision${noticedText(why, why.durationMs)}`
  return wrapped(text, columns, '', '').map(paint.bold)
}

function noticedText({ timeline, evidence, reason, explanation, decidedWallMs }: MoveExplanation, durationMs: number): string {
  // Records of the tenure before the decision carry the figures of earlier moves.
  const decided = timeline.findIndex((record) => record.wallMs === decidedWallMs && record.message === explanation)
  const unheldMs = timeline.slice(Math.max(0, decided)).map(({ figures }) => figures?.['unheldMs']).findLast((value) => typeof value === 'number')
  if (unheldMs !== undefined) return `; clients noticed: no node held it for at most ${exactText(unheldMs)}`
  const silentMs = evidence['silentMs']
  if (reason !== 'peer-dead' || typeof silentMs !== 'number') return ''
  const never = timeline.some(({ code, figures }) => code === 'peer-dead' && figures?.['initdeadMs'] !== undefined)
  if (never) return '; the peer was never heard, so how long clients had waited before is not known'
  return `; clients noticed: nobody served it for at most ${exactText(silentMs + durationMs)}, counted from the peer's last packet`
}
