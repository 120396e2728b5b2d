/** authkeys: which key signs, and which are accepted (heartbeat-3.md section 2.4). No message shows any word that could be a key. */
import type { AuthKey, AuthMethod } from '../core/config.ts'
import type { DraftAuth } from './draft.ts'
import type { Findings } from './findings.ts'
import { leadingInteger } from './ha-cf-values.ts'
import { nearest } from './suggestions.ts'
import { blanks, linesOf, type Word, wordsOf } from './text-lines.ts'
import type { LoadOptions, Place, SourceFile } from './types.ts'

const methods: readonly AuthMethod[] = ['sha256', 'sha1', 'md5', 'crc']
const highestIndex = 15
const othersReadOrWrite = 0o066

interface Reading {
  /** Of the newest `auth` line. */
  wanted: number | undefined
  wantedPlace: Place
  active: number | undefined
  activePlace: Place
  readonly keys: Map<number, AuthKey>
}

export function readAuthkeys(file: SourceFile, options: LoadOptions, findings: Findings): DraftAuth {
  const top = { file: file.path, line: 1, column: 1 }
  checkFile(file, options, top, findings)
  const reading: Reading = { wanted: undefined, wantedPlace: top, active: undefined, activePlace: top, keys: new Map() }
  const errorsBefore = findings.errors().length
  for (const line of linesOf(file, 'are-blanks', findings)) {
    const start = line.text.search(/[^ \t\f]/)
    if (start < 0 || line.text[start] === '#') continue
    const place = { file: file.path, line: line.number, column: start + 1 }
    if (line.text[start] === 'a') readActive(line.text.slice(start), place, reading, findings)
    else readKey(line.text.slice(start), place, reading, findings)
  }
  const bad = findings.errors().length > errorsBefore
  checkActive(reading, top, bad, findings)
  const keys = [...reading.keys.values()].sort((a, b) => a.index - b.index)
  return { path: file.path, place: top, active: reading.active, keys, activePlace: reading.activePlace }
}

/** design.md section 9: the mode is an error for `check` and for the daemon. Heartbeat looks at the read bits only. */
function checkFile({ path, mode, uid }: SourceFile, { ownUid }: LoadOptions, place: Place, findings: Findings): void {
  if (mode !== undefined && (mode & othersReadOrWrite) !== 0) {
    const octal = (mode & 0o7777).toString(8).padStart(4, '0')
    const what = (mode & 0o044) !== 0 ? 'read' : 'write'
    findings.error(place, 'auth-mode',
      `${path} has mode ${octal}: others can ${what} it, and whoever has a key can move the addresses. Type: chmod 600 ${path}`)
  }
  if (uid !== undefined && uid !== 0 && ownUid !== undefined && uid !== ownUid) {
    findings.warning(place, 'auth-owner',
      `${path} belongs to the user with id ${uid}, who can read and replace the keys. Type: chown root ${path}`)
  }
}

/** Heartbeat minds no missing blank before a number, nor what follows it. */
function readActive(line: string, place: Place, reading: Reading, findings: Findings): void {
  const [, before = '', digits] = /^(auth[ \t\f\v]*)([+-]?\d+)/.exec(line) ?? []
  if (digits === undefined) {
    findings.error(place, 'auth-line',
      'this line starts with a and is not `auth N`. Write auth and the number of the key that signs: auth 1')
    return
  }
  const index = leadingInteger(digits)
  if (!isIndex(index, { ...place, column: place.column + before.length }, findings)) return
  reading.wanted = index
  reading.wantedPlace = place
}

function isIndex(index: number, place: Place, findings: Findings): boolean {
  if (index >= 0 && index <= highestIndex) return true
  findings.error(place, 'auth-index', `the key number is out of range: it is 0 to ${highestIndex}.`)
  return false
}

function readKey(line: string, place: Place, reading: Reading, findings: Findings): void {
  const digits = /^[+-]?\d+/.exec(line)?.[0] ?? ''
  const [second, third, ...more] = wordsOf(line.slice(digits.length), blanks, place.column + digits.length)
  const column = (word: Word | undefined): Place => ({ ...place, column: word?.column ?? place.column })
  if (digits === '' || second === undefined) {
    findings.error(place, 'auth-line', line.startsWith('//')
      ? 'this line starts with //, which starts no comment. Write # for //.'
      : 'this line is neither `auth N` nor `N METHOD KEY`, as in: 1 sha1 KEY')
    return
  }
  const index = leadingInteger(digits)
  if (!isIndex(index, place, findings)) return
  const method = methods.find((known) => known === second.text)
  if (method === undefined) {
    // The word is not shown: where the method was forgotten it is the key.
    const close = /^crc#/.test(second.text) ? 'crc, with a blank before #' : nearest(second.text, methods)
    findings.error(column(second), 'auth-method',
      `the method of key ${index} is none of ${methods.join(', ')} (in small ` +
      `letters).${close === undefined ? '' : ` Did you mean ${close}?`}`)
    return
  }
  if (!isKeyFitting(method, index, third, column(third ?? second), findings)) return
  if (method !== 'crc' && more.length > 0 && !(more[0]?.text ?? '').startsWith('#')) {
    findings.warning(column(more[0]), 'auth-words',
      `words follow key ${index} and are no part of it: a key is one word, without blanks and quotes.`)
  }
  if (reading.keys.has(index)) findings.warning(place, 'auth-twice',
    `key ${index} stands twice; this one counts, as in Heartbeat. Remove the other.`)
  reading.keys.set(index, { index, method, key: third?.text ?? '' })
  if (index !== reading.wanted) return
  reading.active = index
  reading.activePlace = place
}

function isKeyFitting(method: AuthMethod, index: number, key: Word | undefined, place: Place, findings: Findings): boolean {
  if (method === 'crc') {
    if (key === undefined) return true
    findings.error(place, 'auth-key', key.text.startsWith('#')
      ? `crc takes no key, and Heartbeat reads the comment behind it as one. Put the comment on a line of its own.`
      : `crc takes no key, and key ${index} has one. Remove it, or write sha1 or sha256 for crc.`)
    return false
  }
  if (key === undefined) {
    findings.error(place, 'auth-key', `key ${index} is missing: ${method} needs one. Type: hactl keys new`)
    return false
  }
  if (key.text.includes('\ufffd')) {
    findings.error(place, 'auth-key',
      `key ${index} has bytes that are not UTF-8; hactl cannot use them. Write a key of letters and digits on both nodes.`)
    return false
  }
  if (key.text.startsWith('#')) {
    findings.warning(place, 'auth-words', `key ${index} starts with #: it is the key all the same, no comment, as in Heartbeat.`)
  }
  return true
}

function checkActive({ wanted, wantedPlace, active, keys }: Reading, top: Place, bad: boolean, findings: Findings): void {
  if (wanted === undefined) {
    findings.error(top, 'auth-missing', 'there is no `auth` line, so that no key signs. Write `auth N` above the key that it names.')
  } else if (active === undefined && keys.has(wanted)) {
    findings.error(wantedPlace, 'auth-order',
      `\`auth ${wanted}\` stands below key ${wanted}; Heartbeat does not find it then. Move the auth line above the key.`)
  } else if (active === undefined && !bad) {
    findings.error(wantedPlace, 'auth-missing',
      `\`auth ${wanted}\` names a key that is not there. Add the line \`${wanted} sha1 KEY\` below it.`)
  } else if (active !== undefined && active !== wanted) {
    findings.warning(wantedPlace, 'auth-missing',
      `\`auth ${wanted}\` finds no key below it; key ${active} goes on signing, as in Heartbeat.`)
  }
}
