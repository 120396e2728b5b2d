/** `hactl why`: one move of one group: the reason, the evidence, each step in ms from the decision, what clients noticed. */
import type { EventRecord } from '../core/records.ts'
import type { MoveReport } from '../core/report.ts'
import { colourOf, figureText } from './render-events.ts'
import type { View } from './terminal.ts'
import { clockText, dateText, exactText, grouped, wrapped } from './text.ts'

/** What the daemon answers to `why`: the move, and its records in order. */
export interface MoveExplanation { readonly move: MoveReport; readonly records: readonly EventRecord[] }

export function renderWhy({ move, records }: MoveExplanation, view: View): string {
  const decision = decisionOf(records)
  const parts = [
    headLines(move, view),
    evidenceLines(decision, view),
    timelineLines(records, decision, view),
    endLines(move, records, view),
  ]
  return `${parts.filter((part) => part.length > 0).map((part) => part.join('\n')).join('\n\n')}\n`
}

/** The first record that states a reason is the decision; a move whose beginning the history has lost starts where it starts. */
function decisionOf(records: readonly EventRecord[]): EventRecord | undefined {
  return records.find(({ reason }) => reason !== undefined) ?? records[0]
}

function headLines(move: MoveReport, { columns, paint }: View): readonly string[] {
  const when = `${dateText(move.wallMs)} ${clockText(move.wallMs)}`
  return [
    `${paint.bold(move.group)} went to ${paint.bold(move.holder)} on ${when}`,
    ...wrapped(`because ${move.explanation} [${move.reason}]`, columns, '  ', '  '),
  ]
}

function evidenceLines(decision: EventRecord | undefined, { columns }: View): readonly string[] {
  const figures = Object.entries(decision?.figures ?? {})
  if (figures.length === 0) return []
  return ['evidence', ...wrapped(figures.map(([name, value]) => figureText(name, value)).join(', '), columns, '  ', '  ')]
}

function timelineLines(records: readonly EventRecord[], decision: EventRecord | undefined, { columns, paint }: View): readonly string[] {
  if (decision === undefined) return ['its records are no longer in the history']
  const offsets = records.map((record) => signed(Math.round(record.nowMs - decision.nowMs)))
  const width = Math.max(...offsets.map((offset) => offset.length))
  const lines = records.flatMap((record, index) => {
    const first = `  ${(offsets[index] ?? '').padStart(width)} ms  `
    const text = wrapped(`${record.message}${ownFigures(record, decision)}`, columns, first, ' '.repeat(first.length))
    const paintLine = record === decision ? paint.bold : colourOf(record.level, paint)
    return text.map(paintLine)
  })
  return ['timeline, from the decision', ...lines]
}

function ownFigures(record: EventRecord, decision: EventRecord): string {
  const figures = Object.entries(record === decision ? {} : (record.figures ?? {}))
  return figures.length === 0 ? '' : ` (${figures.map(([name, value]) => figureText(name, value)).join(', ')})`
}

function signed(ms: number): string {
  return ms > 0 ? `+${grouped(ms)}` : ms < 0 ? `-${grouped(-ms)}` : '0'
}

function endLines(move: MoveReport, records: readonly EventRecord[], { columns, paint }: View): readonly string[] {
  const took = move.durationMs === undefined ? 'it is not finished' : `it took ${exactText(move.durationMs)} from the decision`
  const unheldMs = records.map(({ figures }) => figures?.['unheldMs']).findLast((value) => typeof value === 'number')
  const noticed = unheldMs === undefined ? '' : `; clients noticed: no node held it for at most ${exactText(unheldMs)}`
  return wrapped(`${took}${noticed}`, columns, '', '').map(paint.bold)
}
