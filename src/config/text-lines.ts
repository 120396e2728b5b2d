/** Lines of Heartbeat's own files, with what a person cannot see taken out and said. */
import type { Findings } from './findings.ts'
import type { SourceFile } from './types.ts'

export interface TextLine {
  /** From 1. */
  readonly number: number
  /** Without its line end. */
  readonly text: string
  /** The line end was a carriage return and a line feed. */
  readonly returned: boolean
}

/** heartbeat-3.md section 7.1: a longer line is read as two by Heartbeat. Bytes, without the line end. */
const longestLine = 5119

/** More than any real file by far; a log file given by mistake is named and not read. */
const mostBytes = 4 * 1024 * 1024

/**
 * How carriage returns are read. Heartbeat ends an ha.cf line at the first one; in haresources they become part of a
 * word, which nobody means, so there a file without line feeds is one with old line ends.
 */
export type CarriageReturns = 'end-the-line' | 'are-line-ends' | 'are-blanks'

export function linesOf(file: SourceFile, returns: CarriageReturns, findings: Findings): readonly TextLine[] {
  const at = (line: number, column = 1) => ({ file: file.path, line, column })
  if (file.text.length > mostBytes) {
    findings.error(at(1), 'file-too-large',
      `${file.path} has ${file.text.length} characters; a configuration file has at most ${mostBytes}. Is this the right file?`)
    return []
  }
  const text = withoutMark(file, findings)
  const lines: TextLine[] = []
  const onlyReturns = text.includes('\r') && !text.includes('\n')
  if (onlyReturns) {
    findings[returns === 'are-line-ends' ? 'warning' : 'error'](at(1), 'line-ends',
      `${file.path} has carriage returns and no line feeds as line ends: Heartbeat reads it as one line. Convert it: tr '\\r' '\\n' ` +
      `<OLD >NEW`)
  }
  const separator = onlyReturns && returns === 'are-line-ends' ? '\r' : '\n'
  for (const [index, whole] of text.split(separator).entries()) {
    const number = index + 1
    const parts = partsOf(whole)
    const goesOn = returns === 'are-line-ends'
    if (parts.length > 1) {
      findings[goesOn && !isLongGroup(whole) ? 'error' : 'warning'](at(number), 'line-too-long',
        `line ${number} has more than ${longestLine} bytes: Heartbeat reads the rest as a line of its own. Break it into several lines.`)
    }
    for (const part of goesOn ? [whole] : parts) {
      lines.push({ number, text: cleaned(part, returns, at(number), findings), returned: part.endsWith('\r') })
    }
  }
  return lines
}

/** As Heartbeat reads a long line: piece by piece, each as a line. */
function partsOf(line: string): readonly string[] {
  if (line.length * 3 <= longestLine) return [line]
  const bytes = new TextEncoder().encode(line)
  const parts: string[] = []
  for (let start = 0; start === 0 || start < bytes.length; start += longestLine) {
    parts.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, start + longestLine)))
  }
  return parts
}

/** One group of hundreds of addresses is such a line in haresources and is meant: only a real Heartbeat stumbles over it. */
function isLongGroup(line: string): boolean {
  const [, ...words] = line.trim().split(/\s+/)
  return words.length > 1 && words.every((word) => /^((IPaddr2?|IPv6addr)::)?[0-9a-f]+[.:][0-9a-f.:]+(\/\S*)?$/i.test(word))
}

function withoutMark(file: SourceFile, findings: Findings): string {
  if (!file.text.startsWith('\ufeff')) return file.text
  findings.error({ file: file.path, line: 1, column: 1 }, 'byte-order-mark',
    `${file.path} starts with a byte order mark, which Heartbeat takes for a part of the first word. Remove it: sed -i ` +
    `'1s/^\\xef\\xbb\\xbf//' ${file.path}`)
  return file.text.slice(1)
}

function cleaned(
  whole: string, returns: CarriageReturns, place: { file: string; line: number; column: number }, findings: Findings,
): string {
  let text = whole.endsWith('\r') ? whole.slice(0, -1) : whole
  const nul = text.indexOf('\0')
  if (nul >= 0) {
    findings.warning({ ...place, column: nul + 1 }, 'nul-byte',
      returns === 'are-line-ends'
        ? 'a NUL byte stands here, which makes Heartbeat skip the whole file; it is left out. Remove it.'
        : 'a NUL byte stands here; what follows it on this line is not read, as in Heartbeat. Remove it.')
    text = returns === 'are-line-ends' ? text.replaceAll('\0', '') : text.slice(0, nul)
  }
  const inner = text.indexOf('\r')
  if (inner < 0) return text
  findings.warning({ ...place, column: inner + 1 }, 'line-ends',
    returns === 'end-the-line'
      ? 'a carriage return stands inside the line; what follows it is not read, as in Heartbeat. Remove it.'
      : 'a carriage return stands inside the line; it is read as a blank. Remove it.')
  return returns === 'end-the-line' ? text.slice(0, inner) : text.replaceAll('\r', ' ')
}

export interface Word {
  readonly text: string
  /** From 1. */
  readonly column: number
}

/** Words between separators, each with its column. */
export function wordsOf(text: string, separators: RegExp, firstColumn = 1): readonly Word[] {
  const words: Word[] = []
  let start = -1
  for (let index = 0; index <= text.length; index += 1) {
    const character = text[index]
    const between = character === undefined || separators.test(character)
    if (!between && start < 0) start = index
    if (between && start >= 0) {
      words.push({ text: text.slice(start, index), column: firstColumn + start })
      start = -1
    }
  }
  return words
}

export const blanks = /[ \t\f\v]/
/** What an editor shows as a blank and Heartbeat takes for a part of a word. */
export const oddBlanks = /[\f\v\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/
export const blanksAndCommas = /[ \t\f,]/
