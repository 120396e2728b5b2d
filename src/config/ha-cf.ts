/** ha.cf: lines of a directive and its values (heartbeat-3.md section 7). Every directive is used or named. */
import type { FenceDevice } from '../core/config.ts'
import type { Draft } from './draft.ts'
import { checkReadable } from './fencing.ts'
import { codePoint, type Findings, quoted } from './findings.ts'
import { linkDirectives } from './ha-cf-links.ts'
import { otherLinkDirectives } from './ha-cf-other-links.ts'
import { protectionDirectives, resolveStonith } from './ha-cf-protection.ts'
import { unusedDirectives } from './ha-cf-unused.ts'
import { usedDirectives } from './ha-cf-used.ts'
import { didYouMean } from './suggestions.ts'
import { blanksAndCommas, linesOf, type TextLine, type Word, wordsOf } from './text-lines.ts'
import type { Place, SourceFile } from './types.ts'

/** What a directive may look at and change while the file is read from top to bottom. */
export interface HaCfReading {
  readonly file: string
  readonly draft: Draft
  readonly findings: Findings
  /** Heartbeat fixes the port of a kind of link at its first line. */
  readonly portOfKind: Map<string, number>
  readonly seenOnce: Set<string>
  /** The value that counts so far, of directives of which the last one counts. */
  readonly counting: Map<string, { readonly text: string; readonly line: number }>
  readonly apiClients: Set<string>
  /** Whether Pacemaker would hold the resources. */
  crmOn: boolean
  autojoin?: Place
  useLogd?: { readonly on: boolean; readonly place: Place }
  logs: boolean
  /** Lines of stonith and stonith_host; `host` is `*` where either node reaches the device. */
  readonly stonith: { readonly host: string; readonly device: FenceDevice; readonly place: Place }[]
}

export interface Directive {
  /** `words`: once for each value, between blanks or commas. `line`: once for the line. `path`: words that may start with //. */
  readonly takes: 'words' | 'path' | 'line'
  readonly read: (words: readonly Word[], place: Place, reading: HaCfReading) => void
  /** Each value adds to those before; otherwise the last one counts. */
  readonly adds?: boolean
}

const directives: ReadonlyMap<string, Directive> = new Map(Object.entries({
  ...usedDirectives, ...linkDirectives, ...otherLinkDirectives, ...protectionDirectives, ...unusedDirectives,
}))

export function readHaCf(file: SourceFile, draft: Draft, findings: Findings): void {
  const reading: HaCfReading = {
    file: file.path, draft, findings, portOfKind: new Map(), seenOnce: new Set(), counting: new Map(), apiClients: new Set(), crmOn: false, logs: false,
    stonith: [],
  }
  for (const line of linesOf(file, 'end-the-line', findings)) readLine(line, reading)
  checkTogether(reading)
  resolveStonith(reading)
  const [first] = draft.protection.fences
  if (first === undefined) return
  const levels = draft.protection.fences.flatMap((fence) => fence.levels)
  checkReadable(file, first.target.place, levels, draft.nodes.map(({ value }) => value), findings)
}

function readLine(line: TextLine, reading: HaCfReading): void {
  const comment = line.text.indexOf('#')
  const body = comment < 0 ? line.text : line.text.slice(0, comment)
  const match = /^([ \t\f]*)([^ \t\f]+)/.exec(body)
  if (match === null) return
  const [whole, indent = '', name = ''] = match
  const place = { file: reading.file, line: line.number, column: indent.length + 1 }
  const directive = directives.get(name)
  if (directive === undefined) return unknown(name, place, reading)
  const rest = body.slice(whole.length)
  if (directive.takes === 'line') return directive.read(wordsOf(rest, /[ \t\f]/, whole.length + 1), place, reading)
  const words = wordsOf(rest, blanksAndCommas, whole.length + 1)
  if (words.length === 0) {
    reading.findings.warning(place, 'directive-empty',
      `${name} has no value and changes nothing, as in Heartbeat. Write a value, or remove the line.`)
  }
  for (const word of words) {
    const wordPlace = { ...place, column: word.column }
    if (directive.takes === 'words' && word.text.startsWith('//')) return slashes(name, word, wordPlace, reading)
    if (directive.adds !== true) replaces(name, word, wordPlace, reading)
    directive.read([word], wordPlace, reading)
  }
}

/** `keepalive 1,5` is five seconds. */
function replaces(name: string, { text }: Word, place: Place, { counting, findings }: HaCfReading): void {
  const before = counting.get(name)
  if (before !== undefined && before.text !== text) {
    const where = before.line === place.line ? 'before it' : `in line ${before.line}`
    const point = before.line === place.line && /^\d+$/.test(text) ? ' A decimal number has a point, no comma.' : ''
    findings.warning(place, 'value-replaced',
      `${name} ${quoted(text)} counts, as in Heartbeat, and not ${quoted(before.text)} ${where}. Remove one.${point}`)
  }
  counting.set(name, { text, line: place.line })
}

/** Behind a node's name it is only a comment that Heartbeat reads as more nodes; elsewhere Heartbeat refuses it. */
function slashes(name: string, { text }: Word, place: Place, { findings }: HaCfReading): void {
  if (name === 'node') {
    findings.warning(place, 'slash-comment',
      `${quoted(text)} and what follows is read as a comment, though Heartbeat takes it for more nodes. Write # for //.`)
  } else findings.error(place, 'slash-comment', `${quoted(text)} is read as a value of ${name}: // starts no comment. Write # for //.`)
}

function unknown(name: string, place: Place, { findings }: HaCfReading): void {
  const blank = /^[^\x20-\x7e]/u.test(name)
    ? ` The line starts with the character ${codePoint(name)}, which is no ` +
      `blank here. Remove it.`
    : ''
  const hint = blank !== '' ? blank
    : name.startsWith('//') || name.startsWith(';') ? ' A comment starts with #.'
      : didYouMean(name.replace(/[^A-Za-z0-9_]/g, ''), [...directives.keys()])
  findings.error(place, 'directive-unknown', `${quoted(name)} is no directive of ha.cf.${hint}`)
}

function checkTogether(reading: HaCfReading): void {
  const { findings } = reading
  if (reading.autojoin !== undefined && !reading.crmOn) {
    findings.error(reading.autojoin, 'autojoin',
      'autojoin is not none, which Heartbeat refuses with haresources. Remove the line, and name both nodes: node NAME1 NAME2')
  } else if (reading.autojoin !== undefined) {
    findings.warning(reading.autojoin, 'autojoin',
      'autojoin has no effect: hactl knows the two nodes that are named and accepts no other. Remove the line.')
  }
  if (reading.useLogd?.on === false && !reading.logs) {
    findings.error(reading.useLogd.place, 'value-invalid',
      'use_logd is off and neither logfile, debugfile nor logfacility is there: Heartbeat refuses to run without a log. Remove the ' +
      'line, or write logfacility daemon')
  }
}
