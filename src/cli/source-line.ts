/** The line of a file that a message is about, with the column to point at; never a line that could hold a key. */
import type { ConfigResult, ConfigSource, Message } from '../config/types.ts'

export interface SourceLine { readonly text: string; /** Characters before the one that is meant. */ readonly pointer: number }

const mostShown = 100

export function sourceLine({ file, line, column }: Message, { files }: ConfigSource, { authFile }: ConfigResult): SourceLine | undefined {
  const source = files.find(({ path }) => path === file)
  if (source === undefined || source.name === 'authkeys' || file === authFile) return undefined
  const lines = source.text.split(/\r?\n/)
  const text = lines[line - 1]
  if (text === undefined || text.trim() === '' || isSecret(lines, line - 1, source.name)) return undefined
  return cut(text, column - 1)
}

/**
 * Somebody may have put keys where they do not belong: under `auth:` of YAML, or as lines of authkeys in another file.
 * Parameters of fencing devices are passwords among others: below `fence:`, or behind stonith_host, however it is spelled.
 */
function isSecret(lines: readonly string[], index: number, name: string): boolean {
  if (/\b(sha256|sha1|md5)\b|stonith|passw|secret|external\//i.test(lines[index] ?? '')) return true
  if (!/\.ya?ml$/.test(name)) return false
  for (let at = index; at >= 0; at -= 1) {
    const top = /^(?:["'{\s]*)([A-Za-z_]+)["']?\s*:/.exec(lines[at] ?? '')
    if (top !== null && /^[^\s-]/.test(lines[at] ?? '')) return /\b(auth|fence|witness)\b/.test(lines[at] ?? '')
  }
  return false
}

/** A long line is shown around the column; blanks for everything that would move the pointer or the terminal. */
function cut(text: string, column: number): SourceLine {
  const start = column > mostShown - 20 ? column - 20 : 0
  const piece = text.slice(start, start + mostShown).replace(/[\s\p{C}]/gu, ' ').trimEnd()
  return { text: piece, pointer: Math.min(column - start, piece.length) }
}
