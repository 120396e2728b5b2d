/** Text for people: durations, clock times, wrapped sentences, and tables that never lose a name. */
import type { Millis, WallMillis } from '../core/time.ts'

/** Two figures of it are enough at a glance: `7 ms`, `1.2 s`, `2 min 5 s`, `3 h 4 min`, `2 d 3 h`. */
export function durationText(ms: Millis): string {
  const wholeMs = Math.max(0, Math.round(ms))
  if (wholeMs < 1000) return exactText(Math.max(0, ms))
  if (wholeMs < 60_000) return `${(Math.floor(wholeMs / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(wholeMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`
}

/** Milliseconds with thousands set apart, where each of them counts: `1,004 ms`; below ten also tenths: `2.3 ms`. */
export function exactText(ms: Millis): string {
  return `${grouped(Math.abs(ms) < 10 ? Math.round(ms * 10) / 10 : Math.round(ms))} ms`
}

export function grouped(value: number): string {
  const [whole = '', fraction] = String(value).split('.')
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? separated : `${separated}.${fraction}`
}

/** Of the machine's own time zone, as its logs are. */
export function dateText(wallMs: WallMillis): string {
  const at = new Date(wallMs)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export function clockText(wallMs: WallMillis): string {
  const at = new Date(wallMs)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** Lines of at most `columns`; the first begins with `first`, the others with `rest`. A word that is too long stays whole. */
export function wrapped(text: string, columns: number, first: string, rest: string): readonly string[] {
  const lines: string[] = []
  for (const part of text.split('\n')) {
    let line = lines.length === 0 ? first : rest
    let empty = true
    for (const word of wordsOf(part)) {
      if (!empty && line.length + 1 + word.length > columns) {
        lines.push(line)
        line = rest
        empty = true
      }
      line += empty ? word : ` ${word}`
      empty = false
    }
    lines.push(line.trimEnd())
  }
  return lines
}

/** A number and its unit are one word: `1,312 ms` is not torn apart. */
function wordsOf(text: string): readonly string[] {
  return text.split(/ (?!(?:ms|s|min|h|d)(?![\w]))|(?<!\d) /)
}

/** A cell is padded by its text and painted afterwards, so that colours do not move columns. */
export interface Cell { readonly text: string; readonly paint?: (text: string) => string }

export function cell(text: string, paint?: (text: string) => string): Cell {
  return paint === undefined ? { text } : { text, paint }
}

/** `note` has no column of its own: it stands behind the row where it fits, else in lines of its own below. */
export interface Row { readonly cells: readonly Cell[]; readonly note?: string }

/**
 * Rows under their headings; where they do not fit, one row after the other with `heading: value` below its first cell,
 * because a shortened name is no name. A column that is empty in every row is left out.
 */
export function table(headings: readonly string[], rows: readonly Row[], columns: number, indent: string): readonly string[] {
  const { heading, blocks } = tableBlocks(headings, rows, columns, indent)
  return [...heading, ...blocks.flat()]
}

/** The same with the lines of each row apart, for tables that have more to say below a row. */
export function tableBlocks(
  headings: readonly string[], rows: readonly Row[], columns: number, indent: string,
): { readonly heading: readonly string[]; readonly blocks: readonly (readonly string[])[] } {
  const used = headings.map((_, index) => index === 0 || rows.some(({ cells }) => (cells[index]?.text ?? '') !== ''))
  const kept = <T>(items: readonly T[]): T[] => items.filter((_, index) => used[index] === true)
  const heads = kept(headings)
  const lines = rows.map(({ cells, note }) => ({ cells: kept(cells), note: note ?? '' }))
  const widths = heads.map((heading, index) => Math.max(heading.length, ...lines.map(({ cells }) => cells[index]?.text.length ?? 0)))
  const width = indent.length + widths.reduce((sum, each) => sum + each + 2, -2)
  if (width > columns) {
    const blocks = lines.map(({ cells, note }) => [...stacked(heads, cells, columns, indent), ...noteLines(note, columns, indent)])
    return { heading: [], blocks }
  }
  const heading = heads.some((text) => text !== '') ? [lineOf(heads.map((text) => cell(text)), widths, indent)] : []
  const blocks = lines.map(({ cells, note }) => {
    if (note !== '' && width + 2 + note.length <= columns) return [lineOf([...cells, cell(note)], widths, indent)]
    return [lineOf(cells, widths, indent), ...noteLines(note, columns, indent)]
  })
  return { heading, blocks }
}

function noteLines(note: string, columns: number, indent: string): readonly string[] {
  return note === '' ? [] : wrapped(note, columns, `${indent}  `, `${indent}  `)
}

function lineOf(row: readonly Cell[], widths: readonly number[], indent: string): string {
  let line = indent
  let pendingSpaces = ''
  for (const [index, { text, paint }] of row.entries()) {
    if (text !== '') {
      line += pendingSpaces + (paint === undefined ? text : paint(text))
      pendingSpaces = ''
    }
    pendingSpaces += ' '.repeat(Math.max(widths[index] ?? 0, text.length) - text.length + 2)
  }
  return line
}

function stacked(headings: readonly string[], row: readonly Cell[], columns: number, indent: string): readonly string[] {
  const [first, ...others] = row
  const facts = others.map(({ text }, index) => ({ heading: headings[index + 1] ?? '', text })).filter(({ text }) => text !== '')
  const name = first === undefined ? '' : (first.paint?.(first.text) ?? first.text)
  const line = facts.map(({ heading, text }) => (heading === '' ? text : `${heading}: ${text}`)).join(', ')
  return [`${indent}${name}`, ...(line === '' ? [] : wrapped(line, columns, `${indent}  `, `${indent}  `))]
}
