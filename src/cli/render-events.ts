/** Event records as lines for people: one after the other (`hactl events`). */
import type { EventRecord, Level } from '../core/records.ts'
import type { Paint, View } from './terminal.ts'
import { clockText, dateText, grouped, wrapped } from './text.ts'

const clockWidth = 12
const indent = ' '.repeat(clockWidth + 3)

/**
 * The lines of one record. On a terminal the date stands once, above the first record of a day (`previousWallMs` is that
 * of the record before); in a pipe each record is one line that begins with its date.
 */
export function renderEvent(record: EventRecord, previousWallMs: number | undefined, view: View): string {
  const date = dateText(record.wallMs)
  const code = `[${record.code}]`
  const group = record.group === undefined || record.message.includes(record.group) ? '' : `${record.group}: `
  const sentence = `${group}${record.message}`
  if (view.columns === Infinity) return `${date} ${clockText(record.wallMs)} ${record.level} ${code} ${sentence}${figuresText(record)}\n`
  const first = `${clockText(record.wallMs)} ${mark(record.level)} `
  const [head = '', ...rest] = wrapped(`${sentence} ${code}`, view.columns, first, indent)
  const dimCode = (line: string): string => line.replace(code, view.paint.dim(code))
  const lines = [colourOf(record.level, view.paint)(head), ...rest].map(dimCode)
  const heading = previousWallMs !== undefined && dateText(previousWallMs) === date ? [] : [view.paint.bold(date)]
  return `${[...heading, ...lines].join('\n')}\n`
}

/** The evidence in words, without the records' own units twice: ` (silent 1,004 ms, links 2)`. */
function figuresText({ figures }: EventRecord): string {
  const entries = Object.entries(figures ?? {})
  return entries.length === 0 ? '' : ` (${entries.map(([name, value]) => figureText(name, value)).join(', ')})`
}

/** Numbers that name something are searched for as they are. */
const names: readonly string[] = ['generation', 'claimNumber', 'mine', 'theirs']

export function figureText(name: string, value: number | string | boolean): string {
  const words = (text: string): string => text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  if (typeof value === 'number') {
    if (name.endsWith('Ms')) return `${words(name.slice(0, -2))} ${grouped(Math.round(value))} ms`
    return `${words(name)} ${names.includes(name) ? value : grouped(value)}`
  }
  return `${words(name)} ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : value}`
}

function mark(level: Level): string {
  switch (level) {
    case 'info': return ' '
    case 'warning': return '!'
    case 'error': return 'X'
  }
}

export function colourOf(level: Level, paint: Paint): (text: string) => string {
  switch (level) {
    case 'info': return (text) => text
    case 'warning': return paint.yellow
    case 'error': return paint.red
  }
}
