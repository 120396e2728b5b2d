/**
 * The words of a real Heartbeat as fields of its messages, both ways (heartbeat-3.md sections 1.6, 1.7, 3.6, 5 and 8.6). Tolerant in
 * what is read: a message that is no word of ours is ignored, as a Heartbeat ignores what it does not know. `dest` is written and never
 * `destuuid`, which would decide alone and be wrong once the peer has got another one (section 1.6).
 */
import type { NodeName } from '../core/config.ts'
import { fieldText, textField as text, type Field } from '../protocol/fields.ts'
import type { Holding, Word } from './words.ts'

/** `ignored`: nothing that a pair without scripts of its own needs. `bad`: one of our words, and what it needs is missing or cannot be. */
export type ReadWord = Word | 'ignored' | 'bad'

/** A Heartbeat has at most this many nodes (section 7.2). */
const maxNodes = 100
const maxInfoLength = 256
const maxPingNodes = 1_000_000
/** Of one resource as haresources has it. */
const maxKeyLength = 1_000

/** What a message of this word begins with; the fields of its sender follow (protocol/message.ts). */
export function wordFields(word: Word, peer: NodeName): readonly Field[] {
  switch (word.word) {
    case 'reqnodes':
      return [text('t', 'reqnodes'), text('dest', peer)]
    case 'repnodes':
      // Each name ends with a blank, and an empty list is one blank.
      return [text('dest', peer), text('t', 'repnodes'), text('nodelist', word.nodes.map((node) => `${node} `).join('') || ' '), text('delnodelist', ' ')]
    case 'starting':
      return [text('t', 'starting')]
    case 'resource':
      return [
        text('t', 'resource'), text('rsc_hold', word.holds), ...(word.full ? [text('rtype', 'full')] : []),
        ...(word.stable === undefined ? [] : [text('isstable', word.stable ? '1' : '0')]), ...(word.info === undefined ? [] : [text('info', word.info)]),
      ]
    case 'ask':
      return [text('t', 'ask_resources'), text('rsc_hold', word.holds), text('info', word.step)]
    case 'ip-request':
      return [text('t', 'ip-request'), text('ipaddr', word.key)]
    case 'ip-answer':
      return [text('t', 'ip-request-resp'), text('dest', peer), text('ipaddr', word.key), text('weown', word.owned ? 'yes' : 'no'), text('ok', 'OK')]
    case 'takeover':
      return [text('t', 'hb_takeover'), text('rsc_hold', word.holds)]
    case 'stonith':
      return [text('t', 'stonith'), text('node', word.node), text('result', word.result)]
    case 'pings':
      return [text('t', 'num_ping_nodes'), text('num_ping', String(word.seen)), ...toIpfail(peer)]
    case 'pings-answer':
      return [text('t', word.answer === 'you-are-dead' ? 'you_are_dead' : 'abort_giveup'), ...toIpfail(peer)]
  }
}

/** From client to client of the API, as ipfail there expects it. */
function toIpfail(peer: NodeName): readonly Field[] {
  return [text('dest', peer), text('from_id', 'ipfail'), text('to_id', 'ipfail'), text('client_gen', '0')]
}

/** Absent: to everybody. Heartbeat compares exactly. */
export function isForUs(fields: readonly Field[], self: NodeName): boolean {
  const dest = fieldText(fields, 'dest')
  return dest === undefined || dest === self
}

/** `type` is the field `t`. */
export function readWord(type: string, fields: readonly Field[]): ReadWord {
  switch (type) {
    case 'reqnodes':
    case 'starting':
      return { word: type }
    case 'repnodes':
      return readNodes(fieldText(fields, 'nodelist'))
    case 'resource':
      return readResource(fields)
    case 'ask_resources':
      return readAsk(fields)
    case 'ip-request':
      return readRequest(fields)
    case 'ip-request-resp':
      return readAnswer(fields)
    case 'hb_takeover':
      return { word: 'takeover', holds: readTakeover(fieldText(fields, 'rsc_hold')) }
    case 'stonith':
      return readStonith(fieldText(fields, 'node'), fieldText(fields, 'result'))
    case 'num_ping_nodes':
      return readPings(fieldText(fields, 'num_ping'))
    case 'you_are_dead':
      return { word: 'pings-answer', answer: 'you-are-dead' }
    case 'abort_giveup':
      return { word: 'pings-answer', answer: 'abort-giveup' }
  }
  return 'ignored'
}

function readNodes(list: string | undefined): ReadWord {
  if (list === undefined) return 'bad'
  const nodes = list.split(' ', maxNodes + 2).filter((name) => name !== '')
  return nodes.length <= maxNodes && nodes.every((name) => name.length < 100) ? { word: 'repnodes', nodes } : 'bad'
}

function readHolding(written: string | undefined): Holding | undefined {
  return written === 'none' || written === 'local' || written === 'foreign' || written === 'all' ? written : undefined
}

/** Scripts send it without `rtype` and `isstable` (section 5.6); what `isstable` other than 1 and 0 means is unstable (section 5.3). */
function readResource(fields: readonly Field[]): ReadWord {
  const holds = readHolding(fieldText(fields, 'rsc_hold'))
  if (holds === undefined) return 'bad'
  const stable = fieldText(fields, 'isstable')
  const info = fieldText(fields, 'info')
  return {
    word: 'resource', holds, full: fieldText(fields, 'rtype') === 'full', ...(stable === undefined ? {} : { stable: stable === '1' }),
    ...(info === undefined ? {} : { info: info.slice(0, maxInfoLength) }),
  }
}

/** Without `rsc_hold` all is meant; without a step nothing (section 5.10). */
function readAsk(fields: readonly Field[]): ReadWord {
  const written = fieldText(fields, 'rsc_hold')
  const holds = written === undefined ? 'all' : readHolding(written)
  const step = fieldText(fields, 'info')
  if (holds === undefined || (step !== 'me' && step !== 'other' && step !== 'done')) return 'bad'
  return { word: 'ask', holds, step }
}

function readKey(fields: readonly Field[]): string | undefined {
  const key = fieldText(fields, 'ipaddr')
  return key === undefined || key === '' || key.length > maxKeyLength ? undefined : key
}

function readRequest(fields: readonly Field[]): ReadWord {
  const key = readKey(fields)
  return key === undefined ? 'bad' : { word: 'ip-request', key }
}

/** Only `OK` makes the one who asked start it; any other answer, like none, leaves it waiting (rc.d/ip-request-resp). */
function readAnswer(fields: readonly Field[]): ReadWord {
  const key = readKey(fields)
  if (key === undefined) return 'bad'
  return fieldText(fields, 'ok') === 'OK' ? { word: 'ip-answer', key, owned: fieldText(fields, 'weown') === 'yes' } : 'ignored'
}

/** Whatever is neither local nor foreign means all of it, `failback` too: so does the script of a Heartbeat (section 5.10). */
function readTakeover(written: string | undefined): Holding {
  return written === 'local' || written === 'foreign' ? written : 'all'
}

function readStonith(node: string | undefined, result: string | undefined): ReadWord {
  return node === undefined || result === undefined ? 'bad' : { word: 'stonith', node: node.slice(0, maxInfoLength), result: result.slice(0, maxInfoLength) }
}

function readPings(written: string | undefined): ReadWord {
  if (written === undefined || !/^\d{1,7}$/.test(written)) return 'bad'
  const seen = Number(written)
  return seen <= maxPingNodes ? { word: 'pings', seen } : 'bad'
}
