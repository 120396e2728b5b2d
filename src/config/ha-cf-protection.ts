/** Directives of ha.cf for what stands behind a dead or cut-off node: ping nodes, ipfail, fencing, watchdog (heartbeat-3.md 8.4 to 8.7). */
import type { FenceDevice } from '../core/config.ts'
import { defaultFence } from './fencing.ts'
import { type Findings, quoted } from './findings.ts'
import type { Directive, HaCfReading } from './ha-cf.ts'
import { timeOf } from './ha-cf-used.ts'
import { addPingTarget, canBePinged, isPingGroupName, isPingHost, type PingFamily } from './ping-nodes.ts'
import type { Word } from './text-lines.ts'
import type { Place } from './types.ts'

export const protectionDirectives: Readonly<Record<string, Directive>> = {
  ping: pingDirective('ping', 'ipv4'),
  ping6: pingDirective('ping6', 'ipv6'),
  ping_group: { takes: 'line', read: readPingGroup },
  deadping: {
    takes: 'words',
    read: ([word], place, reading) => {
      const ms = timeOf('deadping', word?.text ?? '', place, reading)
      if (ms !== undefined) reading.draft.protection.pings.deadpingMs = { value: ms, place }
    },
  },
  watchdog: { takes: 'path', read: readWatchdog },
  stonith: { takes: 'line', read: readStonith },
  stonith_host: { takes: 'line', read: readStonithHost },
  respawn: { takes: 'line', read: (words, place, reading) => readChild('respawn', words, place, reading) },
  failfast: { takes: 'line', read: (words, place, reading) => readChild('failfast', words, place, reading) },
}

function pingDirective(name: string, family: PingFamily): Directive {
  return {
    takes: 'words',
    adds: true,
    read: ([word], place, { draft, findings }) => {
      if (word === undefined || !isPingHost(word.text, name, family, place, findings)) return
      addPingTarget({ name: word.text, addresses: [word.text] }, place, draft, findings)
    },
  }
}

function readPingGroup(words: readonly Word[], place: Place, { draft, findings }: HaCfReading): void {
  const [name, ...hosts] = words
  if (name === undefined || hosts.length === 0 || !isPingGroupName(name.text)) {
    findings.error(place, 'value-invalid',
      'ping_group needs a name and at least one host: ping_group gateways 192.0.2.253 192.0.2.254')
    return
  }
  const good = withoutSlashes(hosts, place, findings).flatMap((word) => hostsOf(word, place, findings))
  const addresses = [...new Set(good)]
  if (addresses.length > 0) addPingTarget({ name: name.text, addresses }, { ...place, column: name.column }, draft, findings)
}

function withoutSlashes(hosts: readonly Word[], place: Place, findings: Findings): readonly Word[] {
  const start = hosts.findIndex(({ text }) => text.startsWith('//'))
  const word = hosts[start]
  if (word === undefined) return hosts
  findings.warning({ ...place, column: word.column }, 'slash-comment',
    `${quoted(word.text)} and what follows is read as a comment, though Heartbeat takes it for hosts. Write # for //.`)
  return hosts.slice(0, start)
}

/** Blanks alone separate here; Heartbeat looks for a host that is called `192.0.2.1,192.0.2.2`, and goes on without it. */
function hostsOf({ text, column }: Word, place: Place, findings: Findings): readonly string[] {
  const parts = text.split(',').filter((part) => part !== '')
  const [good, bad] = [parts.filter((part) => canBePinged(part, 'ipv4')), parts.filter((part) => !canBePinged(part, 'ipv4'))]
  if (text.includes(',')) findings.warning({ ...place, column }, 'ping-address',
    `ping_group ${quoted(text)} is read as ${parts.length} hosts, though Heartbeat takes it for one name. Write blanks for commas.`)
  for (const part of bad) findings.warning({ ...place, column }, 'ping-address',
    `ping_group ${quoted(part)} is no IPv4 address of a host and no host name: it is left out. Write the address.`)
  return good
}

function readWatchdog([word]: readonly Word[], place: Place, { draft, findings, seenOnce }: HaCfReading): void {
  const text = word?.text ?? ''
  if (seenOnce.has('watchdog')) findings.error(place, 'directive-twice', 'watchdog stands twice; it may stand once. Remove one.')
  else if (!text.startsWith('/')) findings.error(place, 'watchdog-invalid',
    `watchdog ${quoted(text)}: it is the full path of a device. Heartbeat runs without a watchdog then. Write watchdog /dev/watchdog`)
  else draft.protection.watchdog = { value: text, place }
  seenOnce.add('watchdog')
}

/** `stonith TYPE CONFIGFILE`: the device resets either node. */
function readStonith(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const [type, file, ...more] = words
  if (type === undefined || file === undefined || !isPlugin(type.text) || !file.text.startsWith('/')) {
    reading.findings.error(place, 'value-invalid',
      'stonith needs a type and the full path of its parameter file: stonith external/ipmi /etc/ha.d/ipmi.conf')
    return
  }
  const [first] = more
  if (first !== undefined) reading.findings.error({ ...place, column: first.column }, 'value-invalid',
    'stonith takes a type and the path of its parameter file: Heartbeat takes further words for a part of that path. Remove them.')
  addStonith('*', { kind: 'stonith', agent: type.text, parameters: {}, parameterFile: file.text }, place, reading)
}

/** `stonith_host HOST|* TYPE PARAMETERS...`: HOST reaches the device, so that it resets the other node. */
function readStonithHost(words: readonly Word[], place: Place, reading: HaCfReading): void {
  const [host, type, ...parameters] = words
  if (host === undefined || type === undefined || !isPlugin(type.text) || (parameters.length === 0 && type.text !== 'suicide')) {
    // The line is not quoted: a password may stand in it.
    reading.findings.error(place, 'value-invalid',
      'stonith_host needs the node that reaches the device (or *), its type, and its parameters: ' +
      'stonith_host web-a external/ipmi web-b 192.0.2.66 USER PASSWORD lan')
    return
  }
  const device: FenceDevice = { kind: 'stonith', agent: type.text, parameters: {}, words: parameters.map(({ text }) => text) }
  addStonith(host.text.toLowerCase(), device, place, reading)
}

function isPlugin(text: string): boolean {
  return /^[A-Za-z0-9][\w.+-]*(\/[\w+-][\w.+-]*)?$/.test(text)
}

function addStonith(host: string, device: FenceDevice, place: Place, { stonith }: HaCfReading): void {
  stonith.push({ host, device, place })
}

/** Each node has one device: the last line that names it, or all (heartbeat-3.md section 8.7). Which node fences which hangs on the node lines. */
export function resolveStonith({ stonith, draft, findings }: HaCfReading): void {
  const nodes = [...new Set(draft.nodes.map(({ value }) => value))]
  for (const { host, device, place } of stonith) {
    if (host !== '*' && !nodes.includes(host)) {
      findings.warning(place, 'node-unknown',
        `stonith_host names ${quoted(host)}, which is no node of this pair (${nodes.map(quoted).join(', ')}): the line has no effect, as in ` +
        `Heartbeat. Write the node that reaches the device, or *.`)
      continue
    }
    for (const target of nodes.filter((node) => node !== host)) {
      const before = draft.protection.fences.find((fence) => fence.target.value === target)
      if (before !== undefined) findings.warning(before.target.place, 'fence-replaced',
        `line ${place.line} says again how ${target} is fenced; the last line counts, as in Heartbeat. Remove one, or list several devices ` +
        `under fence in hactl.yaml.`)
      draft.protection.fences = [...draft.protection.fences.filter((fence) => fence !== before),
        { target: { value: target, place }, levels: [[{ device, ...defaultFence }]] }]
    }
  }
}

const childConsequences: Readonly<Record<string, string>> = {
  pingd: 'it is for Pacemaker. Write ipfail where the node that sees more ping nodes shall hold.',
  dopd: 'the peer\'s DRBD is not marked outdated when replication breaks: use a fence-peer handler of DRBD.',
}

function readChild(name: string, [user, command]: readonly Word[], place: Place, { draft, findings }: HaCfReading): void {
  if (user === undefined || command?.text.startsWith('/') !== true) {
    findings.error(place, 'value-invalid',
      `${name} needs a user and a program with its full path: ${name} hacluster /usr/lib/heartbeat/ipfail. hactl does itself what ` +
      `ipfail does, and starts no such programs; remove other lines.`)
    return
  }
  const program = command.text.split('/').at(-1) ?? ''
  const commandPlace = { ...place, column: command.column }
  if (program === 'ipfail') {
    draft.protection.pings.balances = { value: true, place: commandPlace }
    return
  }
  const consequence = childConsequences[program] ?? 'if it is still needed, run it as a systemd unit.'
  findings.warning(commandPlace, 'directive-unsupported', `${name} ${quoted(program)} is not started by hactl: ${consequence}`)
}
