/** Collects what is wrong while the files are read, so that one run shows everything. */
import type { ConfigCode } from './codes.ts'
import type { Message, Place } from './types.ts'

export interface Findings {
  readonly error: (place: Place, code: ConfigCode, message: string) => void
  readonly warning: (place: Place, code: ConfigCode, message: string) => void
  /** Nothing is wrong: what this configuration promises, and what that rests on. */
  readonly note: (place: Place, code: ConfigCode, message: string) => void
  readonly errors: () => readonly Message[]
  readonly warnings: () => readonly Message[]
  readonly notes: () => readonly Message[]
}

/** A file with ten thousand bad lines is one mistake; the first of each kind are enough to see it. */
const mostMessages = 200

export function collectFindings(): Findings {
  const errors: Message[] = []
  const warnings: Message[] = []
  const notes: Message[] = []
  const add = (list: Message[]) => (place: Place, code: ConfigCode, message: string): void => {
    if (list.length < mostMessages) list.push(messageAt(place, code, message))
  }
  return {
    error: add(errors),
    warning: add(warnings),
    note: add(notes),
    errors: () => inOrder(errors),
    warnings: () => inOrder(warnings),
    notes: () => notes,
  }
}

/** By file as first met, then by line. */
function inOrder(messages: readonly Message[]): readonly Message[] {
  const files = [...new Set(messages.map(({ file }) => file))]
  const rank = new Map(files.map((file, index) => [file, index]))
  return [...messages].sort((a, b) =>
    (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.line - b.line || a.column - b.column)
}

export function messageAt({ file, line, column }: Place, code: ConfigCode, message: string): Message {
  return { file, line, column, code, message }
}

/** As compilers and editors write and read it; for the log of a daemon and for people. */
export function messageLine({ file, line, column, message }: Message): string {
  return `${file}:${line}:${column}: ${message}`
}

/** A value as a message shows it: short, one line, nothing that moves a terminal's cursor. */
export function quoted(value: string): string {
  const visible = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff]/g, escaped)
  return visible.length > 60 ? `"${visible.slice(0, 57)}..."` : `"${visible}"`
}

function escaped(character: string): string {
  if (character === '\t') return '\\t'
  if (character === '\r') return '\\r'
  if (character === '\n') return '\\n'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** `U+00A0`: a character that cannot be told from others by looking at it. */
export function codePoint(character: string | undefined): string {
  return `U+${(character?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
