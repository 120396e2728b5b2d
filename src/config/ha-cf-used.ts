/** Directives of ha.cf that hactl acts upon, but for the links and what stands behind a dead node. */
import type { DraftTiming } from './draft.ts'
import { classicTime } from './durations.ts'
import { quoted } from './findings.ts'
import type { Directive, HaCfReading } from './ha-cf.ts'
import { isBoolean, isTrue, leadingInteger } from './ha-cf-values.ts'
import type { Place } from './types.ts'

type ReadWord = (text: string, place: Place, reading: HaCfReading) => void

function each(read: ReadWord, { takes = 'words', adds = false }: Partial<Pick<Directive, 'takes' | 'adds'>> = {}): Directive {
  return { takes, adds, read: (words, place, reading) => words.forEach(({ text }) => read(text, place, reading)) }
}

export const usedDirectives: Readonly<Record<string, Directive>> = {
  node: each((text, place, { draft }) => {
    if (draft.nodes.length === 0) draft.nodesPlace = place
    draft.nodes.push({ value: text.toLowerCase(), place })
  }, { adds: true }),
  keepalive: time('keepalive', 'keepaliveMs'),
  deadtime: time('deadtime', 'deadtimeMs'),
  warntime: time('warntime', 'warntimeMs'),
  initdead: time('initdead', 'initdeadMs'),
  udpport: each(readPort),
  auto_failback: each(readFailback),
  nice_failback: each(readNiceFailback),
  logfile: each((text, place, reading) => {
    reading.logs = true
    reading.draft.logFile = text
    if (!text.startsWith('/')) reading.findings.warning(place, 'value-invalid',
      `logfile ${quoted(text)} is no absolute path: it depends on where the daemon was started. Write /var/log/ha-log.`)
  }, { takes: 'path' }),
  debug: each(readDebug),
  env: each(readEnvironment, { adds: true }),
  crm: crm('crm'),
  pacemaker: crm('pacemaker'),
  autojoin: each((text, place, reading) => {
    if (text === 'none') delete reading.autojoin
    else if (text === 'any' || text === 'other') reading.autojoin = place
    else reading.findings.error(place, 'value-invalid',
      `autojoin ${quoted(text)}: it is none, other or any. hactl needs none of them; remove the line.`)
  }),
}

function time(name: string, key: keyof DraftTiming): Directive {
  return each((text, place, reading) => {
    const ms = timeOf(name, text, place, reading)
    if (ms === undefined) return
    if (name === 'warntime' && ms === 0) {
      reading.findings.error(place, 'time-invalid',
        'warntime is 0: every heartbeat would be late. Write a time between keepalive and deadtime.')
      return
    }
    reading.draft.timing[key] = { value: ms, place }
    reading.draft.timingPlace = place
  })
}

export function timeOf(name: string, text: string, place: Place, { findings }: HaCfReading): number | undefined {
  const parsed = classicTime(text)
  if (!parsed.ok) {
    findings.error(place, 'time-invalid', `${name} ${quoted(text)} is no time. ${parsed.hint}`)
    return undefined
  }
  if (parsed.ignored !== '') {
    findings.warning(place, 'value-ignored',
      `${name} ${quoted(text)} is read as ${parsed.ms} ms; ${quoted(parsed.ignored)} has no effect, as in Heartbeat. Remove it.`)
  }
  return parsed.ms
}

/** Heartbeat takes the leading digits, and of a number above 65535 what is left of it in 16 bits. */
function readPort(text: string, place: Place, { draft, findings, portOfKind }: HaCfReading): void {
  const number = leadingInteger(text)
  const port = number & 65_535
  if (number <= 0 || port === 0) {
    findings.error(place, 'port-invalid', `udpport ${quoted(text)} is no port: write a number from 1 to 65535, the same on both nodes.`)
    return
  }
  if (String(port) !== text) {
    findings.warning(place, 'value-ignored', `udpport ${quoted(text)} is read as ${port}, as in Heartbeat. Write ${port}.`)
  }
  draft.udpPort = port
  const other = [...portOfKind].filter(([, fixed]) => fixed !== port)
  if (other.length > 0) {
    findings.warning(place, 'port-order',
      `udpport ${port} stands below links (${other.map(([kind, fixed]) => `${kind}: ${fixed}`).join(', ')}), which keep their port, as ` +
      `in Heartbeat. Move it above them, on both nodes.`)
  }
}

/** Seen on two real ones, one of them in legacy mode: a cold start leaves the other's groups down, and the death of the first its own. */
export const besideHeartbeat = ' While a Heartbeat is in the pair, write the same on both nodes before either is started anew: two Heartbeats of which ' +
  'one has legacy leave groups with nobody. hactl does as the Heartbeat beside it does.'

function readFailback(text: string, place: Place, { draft, findings }: HaCfReading): void {
  if (isBoolean(text)) {
    draft.autoFailback = { value: isTrue(text) ? 'on' : 'off', place }
    return
  }
  if (text.toLowerCase() === 'legacy') {
    findings.warning(place, 'failback-legacy',
      `auto_failback legacy is obsolete; hactl does as with on: a group returns to its preferred node. Write on or off.${besideHeartbeat}`)
    draft.autoFailback = { value: 'on', place }
    return
  }
  findings.error(place, 'value-invalid', `auto_failback ${quoted(text)}: it is on or off.`)
}

/** What Heartbeat makes of it: `off` for `nice_failback on` when auto_failback was read before, else legacy. */
function readNiceFailback(text: string, place: Place, { draft, findings }: HaCfReading): void {
  if (!isBoolean(text)) {
    findings.error(place, 'value-invalid', `nice_failback ${quoted(text)}: it is on or off. It is obsolete; write auto_failback instead.`)
    return
  }
  const value = draft.autoFailback !== undefined && isTrue(text) ? 'off' : 'on'
  findings.warning(place, 'failback-legacy',
    `nice_failback is obsolete; it is taken as auto_failback ${value}, which is what Heartbeat makes of it here. Write auto_failback ` +
    `${value} in its place, or off if a group shall stay where it is.`)
  draft.autoFailback = { value, place }
}

function readDebug(text: string, place: Place, { draft, findings }: HaCfReading): void {
  const level = leadingInteger(text)
  if (level < 0 || level > 255) {
    findings.error(place, 'value-invalid', `debug ${quoted(text)}: it is a number from 0 to 255.`)
    return
  }
  draft.debugLevel = level
  if (String(draft.debugLevel) !== text) {
    findings.warning(place, 'value-ignored',
      `debug ${quoted(text)} is read as ${draft.debugLevel}, as in Heartbeat. Write a number from 0 to 255.`)
  }
}

function readEnvironment(text: string, place: Place, { draft, findings }: HaCfReading): void {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []
  if (name === '') {
    findings.error(place, 'value-invalid', `env ${quoted(text)} has no name: it is NAME=VALUE, without blanks and commas.`)
    return
  }
  if (value === undefined || !/^[A-Za-z_]\w*$/.test(name) || name === '__proto__') {
    findings.warning(place, 'value-ignored',
      `env ${quoted(text)} is left out: a script cannot read it. It is NAME=VALUE, with a name of letters, digits and _, without blanks ` +
      `and commas.`)
    return
  }
  draft.environment[name] = value
}

function crm(name: string): Directive {
  return each((text, place, reading) => {
    const on = isBoolean(text) ? isTrue(text) : ['respawn', 'manual'].includes(text.toLowerCase())
    if (reading.seenOnce.has('crm')) reading.findings.error(place, 'directive-twice',
      `${name} stands twice; it may stand once. Remove one.`)
    else if (!on && !isBoolean(text)) reading.findings.error(place, 'value-invalid',
      `${name} ${quoted(text)}: it is off, on, respawn or manual. hactl needs none of them; remove the line.`)
    else if (on) {
      reading.findings.warning(place, 'crm-on',
        `${name} ${text} hands the resources to Pacemaker, and Heartbeat does not read haresources then. hactl has no Pacemaker and ` +
        `moves the groups of haresources. ` +
        'If they are still what you want, remove the line; stop Pacemaker on both nodes first.')
    }
    reading.seenOnce.add('crm')
    reading.crmOn ||= on
  })
}
