/** haresources: one group a line, its preferred node first (heartbeat-3.md sections 6.1 and 6.2). */
import type { Draft, DraftGroup } from './draft.ts'
import { codePoint, type Findings, quoted } from './findings.ts'
import { resourceOfWord } from './resource-words.ts'
import { linesOf, oddBlanks, type TextLine, type Word, wordsOf } from './text-lines.ts'
import type { Place, SourceFile } from './types.ts'

interface PlacedWord extends Word { readonly line: number }

/** Needs the draft's nodes: whether a line continues the one before may hang on it. */
export function readHaresources(file: SourceFile, draft: Draft, findings: Findings): void {
  const at = (line: number, column: number): Place => ({ file: file.path, line, column })
  if (file.text.includes('\r\n')) {
    findings.warning(at(1, 1), 'line-ends',
      `${file.path} has carriage returns at line ends, which Heartbeat takes for a part of the last word. They are left out. Convert ` +
      `it: sed -i 's/\\r$//' ${file.path}`)
  }
  const lines = linesOf(file, 'are-line-ends', findings)
  for (const words of logicalLines(lines, file, draft, findings)) {
    const [first, ...others] = words
    if (first === undefined) continue
    draft.groups.push(groupOf(first, others, file.path, findings))
  }
}

function groupOf(first: PlacedWord, words: readonly PlacedWord[], path: string, findings: Findings): DraftGroup {
  const place = { file: path, line: first.line, column: first.column }
  const resources = words.map((word) => {
    const wordPlace = { file: path, line: word.line, column: word.column }
    return { ...resourceOfWord(word.text, 'classic', wordPlace, findings), word: word.text, place: wordPlace, settings: {} }
  })
  return { preferredNode: { value: first.text.toLowerCase(), place }, place, resources, settings: {} }
}

/** Words of each logical line. A comment on a continued line is a comment here, though Heartbeat takes it for resources. */
function logicalLines(lines: readonly TextLine[], file: SourceFile, draft: Draft,
  findings: Findings): readonly (readonly PlacedWord[])[] {
  const result: PlacedWord[][] = []
  let open: PlacedWord[] | undefined
  let glue = false
  for (const [index, line] of lines.entries()) {
    const place = { file: file.path, line: line.number, column: Math.max(1, line.text.length) }
    const { body, continues } = splitLine(line, open !== undefined, place, findings)
    const words = wordsOfBody(body, open === undefined || open.length === 0, place, findings)
    if (words.length === 0 && open === undefined && continues !== 'yes') continue
    if (open === undefined && continues === 'yes') checkNodeStands(words, body, place, findings)
    const current: PlacedWord[] = open ?? []
    if (open === undefined) result.push(current)
    joinWords(current, words, glue && !startsWithBlank.test(body), place, findings)
    const nodeBelow = nodeOf(lines[index + 1], draft)
    const goesOn = continues === 'yes' && !(line.returned && nodeBelow !== undefined)
      || (continues === 'in-comment' && nodeBelow === undefined)
    if (goesOn) reportContinuation({ continues, last: isLast(lines, index), returned: line.returned, nodeBelow, place, findings })
    open = goesOn ? current : undefined
    glue = goesOn && continues === 'yes' && body !== '' && !/[ \t\f]$/.test(body)
  }
  return result.map((words) => withoutSlashComment(words, file.path, findings))
}

const startsWithBlank = /^[ \t\f]/

/** The node ends where Heartbeat's daemon ends it. Behind it, what looks like a blank is one, though its scripts disagree. */
function wordsOfBody(body: string, withNode: boolean, place: Place, findings: Findings): readonly PlacedWord[] {
  const [first, ...others] = wordsOf(body, /[ \t\f]/)
  if (first === undefined) return []
  const start = (withNode ? others[0] : first)?.column ?? body.length + 1
  const odd = body.slice(start - 1).search(oddBlanks)
  const formFeed = body.indexOf('\f')
  const column = formFeed >= 0 ? formFeed + 1 : odd < 0 ? undefined : start + odd
  if (column !== undefined) findings.warning({ ...place, column }, 'blank-odd',
    `the character ${codePoint(body[column - 1])} stands here, which Heartbeat takes for a part of a word. It is read as a blank. Write a ` +
    `blank for it.`)
  const separated = wordsOf(body.slice(start - 1), oddOrOrdinary, start)
  return (withNode ? [first, ...separated] : separated).map((word) => ({ ...word, line: place.line }))
}

const oddOrOrdinary = new RegExp(`[ \\t]|${oddBlanks.source}`)

/** Heartbeat looks for the node in the first line alone, and takes a backslash for a part of it. */
function checkNodeStands(words: readonly PlacedWord[], body: string, place: Place, findings: Findings): void {
  const [first, second] = words
  if (second !== undefined || (first !== undefined && /[ \t\f]$/.test(body))) return
  findings.error(place, 'continuation-odd', first === undefined
    ? 'nothing stands before the backslash, which Heartbeat takes for the node and refuses. Remove this line.'
    : `the backslash touches the node, which Heartbeat reads as ${quoted(`${first.text}\\`)} and refuses. Set a blank before the backslash.`)
}

/** `in-comment`: the backslash stands behind a `#`; Heartbeat's two parsers disagree about it. */
type Continues = 'yes' | 'in-comment' | 'no'

function splitLine(line: TextLine, continued: boolean, place: Place, findings: Findings): { body: string; continues: Continues } {
  const comment = line.text.indexOf('#')
  const backslash = line.text.endsWith('\\')
  if (comment < 0) {
    if (backslash) return { body: line.text.slice(0, -1), continues: 'yes' }
    const stray = /\\[ \t\f]+$/.exec(line.text)
    if (stray === null) return { body: line.text, continues: 'no' }
    findings.warning({ ...place, column: stray.index + 1 }, 'continuation-odd',
      'blanks follow the backslash, so that the line does not go on below, as in Heartbeat; the backslash is left out. Remove the ' +
      'blanks behind it.')
    return { body: line.text.slice(0, stray.index), continues: 'no' }
  }
  const body = line.text.slice(0, comment)
  if (!continued && /^[ \t\f]*[^ \t\f]+$/.test(body)) {
    findings.error({ ...place, column: comment + 1 }, 'comment-glued',
      `# starts a comment here, so that the line has the node ${quoted(body.trim())} and no resources. Heartbeat refuses it. Set a ` +
      `blank before #, or remove it.`)
  }
  if (continued) {
    findings.warning({ ...place, column: comment + 1 }, 'comment-continued',
      'a comment stands on a continued line: Heartbeat takes its words for resources. hactl reads it as a comment. Put it on a line of ' +
      'its own above the group.')
  }
  const hasWords = /[^ \t\f]/.test(body)
  return { body, continues: backslash && (hasWords || continued) ? 'in-comment' : 'no' }
}

/** Heartbeat glues `192.0.2.1\` and `apache2` below it to one word. A word is broken only where a colon or slash shows it. */
function joinWords(current: PlacedWord[], words: readonly PlacedWord[], glued: boolean, place: Place, findings: Findings): void {
  const [first, ...others] = words
  const last = current.at(-1)
  if (!glued || first === undefined || last === undefined) {
    current.push(...words)
    return
  }
  if (/[:/]$/.test(last.text) || /^[:/]/.test(first.text)) {
    current.splice(-1, 1, { ...last, text: last.text + first.text })
    current.push(...others)
    return
  }
  findings.warning({ ...place, column: 1 }, 'continuation-odd',
    `no blank stands before the backslash above nor here: Heartbeat reads one word, ${quoted(last.text + first.text)}. ` +
    'They are read as two. Indent this line.')
  current.push(...words)
}

/** The node that the line starts with, if it does. */
function nodeOf(line: TextLine | undefined, draft: Draft): string | undefined {
  const word = line?.text.trim().split(/[ \t\f]/, 1)[0]?.toLowerCase()
  return draft.nodes.find(({ value }) => value === word)?.value
}

function isLast(lines: readonly TextLine[], index: number): boolean {
  return lines.slice(index + 1, index + 3).every(({ text }) => text === '') && index + 2 >= lines.length
}

interface Continuation {
  readonly continues: Continues
  readonly last: boolean
  readonly returned: boolean
  readonly nodeBelow: string | undefined
  readonly place: Place
  readonly findings: Findings
}

function reportContinuation({ continues, last, returned, nodeBelow, place, findings }: Continuation): void {
  const odd = last ? 'the last line ends with a backslash, which Heartbeat takes for a resource; it is left out. Remove it.'
    : continues === 'in-comment' ? 'the backslash stands in a comment, where Heartbeat loses the next line. It is read. Remove the comment.'
      : returned ? 'a carriage return follows the backslash, so that Heartbeat does not go on below. hactl does. Convert the line ends.'
        : nodeBelow !== undefined ? `the line goes on below, where the node ${quoted(nodeBelow)} becomes one of its resources, as in ` +
          `Heartbeat. If a new group starts there, remove the backslash.`
          : undefined
  if (odd !== undefined) findings.warning(place, 'continuation-odd', odd)
}

function withoutSlashComment(words: readonly PlacedWord[], path: string, findings: Findings): readonly PlacedWord[] {
  const start = words.findIndex(({ text }, index) => index > 0 && text.startsWith('//'))
  const word = words[start]
  if (word === undefined) return words
  findings.warning({ file: path, line: word.line, column: word.column }, 'slash-comment',
    `${quoted(word.text)} and what follows is read as a comment, though Heartbeat takes it for resources. Write # for //.`)
  return words.slice(0, start)
}
