/** Directives of ha.cf that hactl does not act upon: each is checked as Heartbeat checks it, and named with what follows from it. */
import { classicTime } from './durations.ts'
import { quoted } from './findings.ts'
import type { Directive, HaCfReading } from './ha-cf.ts'
import { isBoolean, isTrue, leadingInteger } from './ha-cf-values.ts'
import type { Word } from './text-lines.ts'
import type { Place } from './types.ts'

/** Says the rule when the value breaks it. */
type Rule = { readonly holds: (text: string) => boolean; readonly rule: string }

const aPriority: Rule = { holds: (text) => within(leadingInteger(text), 1, 99), rule: 'it is 1 to 99' }

const facilities = [
  'auth', 'authpriv', 'cron', 'daemon', 'ftp', 'kern', 'lpr', 'mail', 'news', 'syslog', 'user', 'uucp', 'none',
  'security', 'mark', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7',
]

const aBoolean: Rule = { holds: isBoolean, rule: 'it is on or off' }
const aTime: Rule = { holds: (text) => classicTime(text, Infinity).ok, rule: 'it is a number of seconds, or carries ms' }
const anything: Rule = { holds: () => true, rule: '' }
const positive: Rule = { holds: (text) => leadingInteger(text) > 0, rule: 'it is a number above 0' }
const aByte: Rule = { holds: (text) => within(leadingInteger(text), 0, 255), rule: 'it is a number from 0 to 255' }
const aPath: Rule = { holds: (text) => text.startsWith('/'), rule: 'it is the full path of a directory' }

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

function oneOf(...values: readonly string[]): Rule {
  return { holds: (text) => values.includes(text), rule: `it is one of ${values.join(', ')}` }
}

interface More {
  readonly once?: boolean
  readonly path?: boolean
  readonly seen?: (text: string, place: Place, reading: HaCfReading) => void
}

/** Nothing is lost: hactl does it otherwise, or there is nothing to do. */
function needless(name: string, why: string, rule: Rule, more: More = {}): Directive {
  return {
    takes: more.path === true ? 'path' : 'words',
    read: ([word], place, reading) => {
      const text = word?.text ?? ''
      if (more.once === true && reading.seenOnce.has(name)) {
        reading.findings.error(place, 'directive-twice', `${name} stands twice; it may stand once. Remove one.`)
      } else if (!rule.holds(text)) reading.findings.error(place, 'value-invalid', `${name} ${quoted(text)}: ${rule.rule}.`)
      else reading.findings.warning(place, 'directive-without-effect', `${name} has no effect: ${why}`)
      reading.seenOnce.add(name)
      more.seen?.(text, place, reading)
    },
  }
}

/** Something is missing without it. */
function unsupported(name: string, consequence: string, once = false): Directive {
  return {
    takes: 'line',
    read: (_words, place, reading) => {
      if (once && reading.seenOnce.has(name)) reading.findings.error(place, 'directive-twice',
        `${name} stands twice; it may stand once. Remove one.`)
      else reading.findings.warning(place, 'directive-unsupported', `${name}: ${consequence}`)
      reading.seenOnce.add(name)
    },
  }
}

const pacemakerOnly = 'it is for Pacemaker, which hactl does not use. Remove the line.'
const journal = 'hactl logs to standard error, which systemd keeps in the journal, and to logfile. Read it with journalctl -u hactl.'
const toldAs = (variable: string): string => `Resource scripts are told all the same (${variable}) and log there by themselves.`
const aFacility: Rule = {
  holds: (text) => facilities.includes(text),
  rule: 'it is none, daemon, user, local0 to local7 or another facility of syslog, in small letters',
}

function seesLog(key: 'facility' | 'debugFile'): NonNullable<More['seen']> {
  return (text, _place, reading) => {
    reading.logs = true
    reading.draft.scriptLog = { logd: false, ...reading.draft.scriptLog, [key]: text }
  }
}

function seesLogd(text: string, place: Place, reading: HaCfReading): void {
  reading.useLogd = { on: isTrue(text), place }
  reading.draft.scriptLog = { ...reading.draft.scriptLog, logd: isTrue(text) }
}

export const unusedDirectives: Readonly<Record<string, Directive>> = {
  logfacility: needless('logfacility', `${journal} ${toldAs('HA_LOGFACILITY')}`, aFacility, { seen: seesLog('facility') }),
  debugfile: needless('debugfile', `debug lines go where all others go. ${toldAs('HA_DEBUGLOG')}`, anything, { path: true, seen: seesLog('debugFile') }),
  use_logd: needless('use_logd', `${journal} ${toldAs('HA_LOGD')}`, aBoolean, { seen: seesLogd }),
  conn_logd_time: needless('conn_logd_time', journal, aTime),
  syslogmsgfmt: needless('syslogmsgfmt', journal, aBoolean),
  log_badpack: needless('log_badpack', 'bad packets are counted by cause and logged at most once a minute.', aBoolean),
  hopfudge: needless('hopfudge', 'it is for rings of serial lines of more than two nodes.', aByte),
  realtime: needless('realtime', 'the systemd unit sets the scheduling.', aBoolean),
  rtprio: needless('rtprio', 'the systemd unit sets the scheduling.', aPriority),
  memreserve: needless('memreserve', 'the systemd unit keeps the daemon from being swapped out.', positive),
  hbgenmethod: needless('hbgenmethod', 'the generation is kept on disk.', oneOf('file', 'time')),
  uuidfrom: needless('uuidfrom', 'nodes are known by their names.', oneOf('file', 'nodename')),
  msgfmt: needless('msgfmt', 'both framings are read, and the classic one is written.', oneOf('classic', 'netstring')),
  compression: needless('compression', 'packets are small and never compressed.', oneOf('zlib', 'bz2')),
  compression_threshold: needless('compression_threshold', 'packets are small and never compressed.', positive),
  traditional_compression: needless('traditional_compression', 'packets are small and never compressed.', aBoolean),
  max_rexmit_delay: needless('max_rexmit_delay', 'nothing is transmitted again: the next heartbeat carries all that counts.', positive),
  cluster: needless('cluster', 'a pair needs no name.', anything),
  coredumps: needless('coredumps', 'systemd decides about core dumps.', aBoolean),
  coreroot: needless('coreroot', 'systemd decides about core dumps.', aPath, { path: true }),
  use_apphbd: needless('use_apphbd', 'systemd watches the daemon.', aBoolean),
  crm_daemon_dir: needless('crm_daemon_dir', pacemakerOnly, aPath, { path: true }),
  crmd_spawns_pengine: needless('crmd_spawns_pengine', pacemakerOnly, aBoolean),
  record_config_changes: needless('record_config_changes', pacemakerOnly, aBoolean),
  record_pengine_inputs: needless('record_pengine_inputs', pacemakerOnly, aBoolean),
  enable_config_writes: needless('enable_config_writes', pacemakerOnly, aBoolean),
  quorum_server: unsupported('quorum_server', 'it is for Pacemaker. hactl does not ask it who may hold a group.'),
  apiauth: { takes: 'line', read: readApiauth },
}

/** Clients that `crm on` registers itself, so that Heartbeat refuses to have them named again. */
const pacemakerClients = ['stonith-ng', 'cib', 'attrd', 'crmd', 'stonithd']

function readApiauth(words: readonly Word[], place: Place, { findings, apiClients, crmOn }: HaCfReading): void {
  const [client, ...lists] = words
  const kinds = lists.map(({ text }) => text.slice(0, 4))
  const wrong = client === undefined || lists.length === 0 || new Set(kinds).size < kinds.length
    || lists.some(({ text }) => !/^[ug]id=([^=,:;][^=:;]*)?$/.test(text))
  if (wrong) findings.error(place, 'value-invalid',
    'apiauth needs a client and one list of users or groups, or one of each: apiauth ipfail uid=hacluster gid=haclient. hactl has no such clients; remove the line.')
  else if (apiClients.has(client.text) || (crmOn && pacemakerClients.includes(client.text))) {
    findings.error(place, 'directive-twice',
      `apiauth ${quoted(client.text)} stands twice${crmOn ? ' (crm brings one itself)' : ''}, which Heartbeat refuses. hactl has no ` +
      `such clients; remove the line.`)
  } else {
    findings.warning(place, 'directive-without-effect',
      `apiauth has no effect: programs talk to hactl over its control socket, which root and the group haclient may use. Remove the line.`)
  }
  if (client !== undefined) apiClients.add(client.text)
}
