/**
 * A peer that may be a real Heartbeat: joins its delivery and its dialogue, which are pure, to the wire and to the core
 * (design.md section 5 "Classic peers"). While the peer is one of ours nothing is left of it but the count of what was sent.
 */
import { deliveryDueMs, deliveryStep, newDelivery, type DeliveryOutput, type DeliveryState } from '../classic/delivery.ts'
import type { DialogueOutput } from '../classic/dialogue-types.ts'
import { coreNumber, newNumbers, numbered, type Numbers } from '../classic/numbers.ts'
import type { Said } from '../classic/outgoing.ts'
import { readClassic } from '../classic/reading.ts'
import type { LinkName } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import type { Decoded } from '../protocol/datagram.ts'
import type { Field } from '../protocol/fields.ts'
import { fieldsOf, fieldsOfNote } from './classic-fields.ts'
import { heardPeer, newRenewal, renewalDueMs, spokeToPeer, type Renewal } from './classic-renewal.ts'
import type { ClassicOptions, ClassicPeer, Dialogue } from './classic-types.ts'

/** `kind`: by the peer's newest status; `unknown`: none was heard. */
interface Encounter {
  readonly options: ClassicOptions
  kind: 'unknown' | 'classic' | 'ours'
  delivery: DeliveryState
  numbers: Numbers
  dialogue: Dialogue
  renewal: Renewal
  lastSpoken?: Packet
  goodbye?: readonly Field[]
  /** The newest packet of the core that left. */
  sent?: { readonly nodeStatus: Packet['nodeStatus']; readonly atMs: Millis }
  /** The one that brought the peer's newest message. */
  link: LinkName
  commands: number
  readonly pending: DialogueOutput[]
  flushing: boolean
  tickedMs: Millis
  /** Waits for the end of an exchange; looked at again at `nextMs`. */
  waiting?: { readonly run: () => void; readonly untilMs: Millis; nextMs: Millis }
}

/** Not more often than this is anything done by the timer, whatever is due. */
const tickEveryMs: Millis = 10
const restWithinMs: Millis = 30_000
const lookAgainMs: Millis = 200

/** The core tells in its log how a standby went; nobody waits for the answer. */
const standbyTimeoutMs: Millis = 3_600_000

export function createClassicPeer(options: ClassicOptions): ClassicPeer {
  const encounter: Encounter = {
    options, kind: 'unknown', delivery: newDelivery(options.generation), numbers: newNumbers(options.generation), dialogue: options.openDialogue(),
    renewal: newRenewal(), link: '', commands: 0, pending: [], flushing: false, tickedMs: -Infinity,
  }
  return {
    say: (packet) => sayPacket(encounter, packet),
    take: (link, decoded) => take(encounter, link, decoded),
    takeOurs: (packet) => takeOurs(encounter, packet),
    isOurs: () => encounter.kind === 'ours',
    useGroups: (groups) => encounter.dialogue.useGroups(groups),
    whenAtRest(run) {
      const { nowMs } = options.clock()
      encounter.waiting = { run, untilMs: nowMs + restWithinMs, nextMs: nowMs }
      endWaiting(encounter)
    },
    generation: () => encounter.delivery.outgoing.generation,
    dueMs: () => dueMs(encounter),
    tick: () => tick(encounter),
  }
}

function sayPacket(encounter: Encounter, packet: Packet): void {
  const { options, goodbye, lastSpoken, kind } = encounter
  const { nowMs } = options.clock()
  // Nobody answers a goodbye, so the core says it more than once; a Heartbeat would take each as another one.
  if (kind !== 'ours' && packet.kind === 'goodbye' && goodbye !== undefined) return void options.transmit(goodbye)
  const wasSilent = spokeToPeer(encounter.renewal, packet.deadtimeMs, nowMs)
  if (kind === 'classic' && wasSilent) renew(encounter)
  if (!isForOursOnly(encounter, packet, nowMs)) {
    const fields = say(encounter, { packet })
    if (fields === undefined) return
    if (packet.kind === 'goodbye') encounter.goodbye = fields
    encounter.sent = { nodeStatus: packet.nodeStatus, atMs: nowMs }
  }
  if (lastSpoken === undefined || packet.id.sequence > lastSpoken.id.sequence) encounter.lastSpoken = packet
  if (kind !== 'ours') follow(encounter, encounter.dialogue.step({ type: 'spoke', packet, nowMs }))
}

/**
 * What has changed of our own facts is no news for a Heartbeat: beside what the dialogue makes of it, that gets its heartbeat, and no packet
 * that a slow line would have to lose.
 */
function isForOursOnly({ kind, sent, options, delivery }: Encounter, packet: Packet, nowMs: Millis): boolean {
  if (kind !== 'classic' || packet.kind !== 'status' || sent === undefined || delivery.outgoing.sequence === 0) return false
  return packet.nodeStatus === sent.nodeStatus && nowMs - sent.atMs < 0.5 * options.keepaliveMs()
}

/** What was sent; undefined if nothing was. */
function say(encounter: Encounter, said: Said): readonly Field[] | undefined {
  const { options } = encounter
  const step = deliveryStep(encounter.delivery, { type: 'say', said, keep: encounter.kind !== 'ours', ...options.clock() })
  const [output] = step.outputs
  if (output?.type !== 'send') return undefined
  const fields = fieldsOf(options, output.sent)
  if (!options.transmit(fields) || typeof fields === 'string') return undefined
  encounter.delivery = step.state
  const core = 'packet' in said ? said.packet.id.sequence : encounter.lastSpoken?.id.sequence
  if (core !== undefined) encounter.numbers = numbered(encounter.numbers, output.sent.id, core)
  return fields
}

function takeOurs(encounter: Encounter, packet: Packet): Packet {
  if (packet.kind !== 'will' && encounter.kind !== 'ours') {
    encounter.kind = 'ours'
    encounter.delivery = { outgoing: encounter.delivery.outgoing }
  }
  const { facts } = packet
  if (facts?.confirms === undefined) return packet
  const { confirms: wire, ...others } = facts
  const confirms = coreNumber(encounter.numbers, wire)
  if (confirms?.generation === wire.generation && confirms.sequence === wire.sequence) return packet
  return { ...packet, facts: confirms === undefined ? others : { ...others, confirms } }
}

function take(encounter: Encounter, link: LinkName, decoded: Decoded): void {
  const { options } = encounter
  const { nowMs } = options.clock()
  const isStatus = decoded.result === 'packet' && decoded.packet.kind === 'status'
  // Between two of ours words may be under way that one said before it had heard the other.
  if (encounter.kind === 'ours' && !isStatus) return decoded.result === 'unsequenced' ? options.drop('unsequenced', link) : undefined
  encounter.link = link
  if (isStatus) meetClassic(encounter)
  const step = deliveryStep(encounter.delivery, { type: 'read', reading: readClassic(decoded, options.self), nowMs })
  encounter.delivery = step.state
  let told = false
  for (const output of step.outputs) told = perform(encounter, output, nowMs) || told
  // The core hears of it in any case: so the link is seen to work, and the timer is set anew.
  const accepted = step.outputs.some((output) => output.type === 'judged' && (output.verdict === 'new' || output.verdict === 'duplicate'))
  if (accepted && !told) options.feed({ type: 'duplicate-received', link })
}

/** True if the core was fed. */
function perform(encounter: Encounter, output: DeliveryOutput, nowMs: Millis): boolean {
  const { options, link } = encounter
  switch (output.type) {
    case 'send':
      options.transmit(fieldsOf(options, output.sent))
      return false
    case 'note':
      options.transmit(fieldsOfNote(options, encounter.delivery.outgoing.generation, output.note, options.clock().wallMs))
      return false
    case 'heard':
      heardPeer(encounter.renewal, nowMs)
      return follow(encounter, encounter.dialogue.step({ type: 'heard', id: output.id, heard: output.heard, nowMs }))
    case 'acknowledged':
      return follow(encounter, encounter.dialogue.step({ type: 'acknowledged', nowMs }))
    case 'judged':
      if (output.verdict === 'stale' || output.verdict === 'old-generation') options.drop(output.verdict, link)
      return false
    case 'trouble':
      options.drop(output.cause, link)
      return false
  }
}

/** In order, also where the core answers in between: what the dialogue says to that comes behind. True if the core was fed. */
function follow(encounter: Encounter, outputs: readonly DialogueOutput[]): boolean {
  encounter.pending.push(...outputs)
  if (encounter.flushing) return false
  encounter.flushing = true
  let fed = false
  try {
    for (let next = encounter.pending.shift(); next !== undefined; next = encounter.pending.shift()) fed = obey(encounter, next) || fed
  } finally {
    encounter.flushing = false
  }
  return fed
}

function obey(encounter: Encounter, output: DialogueOutput): boolean {
  const { options, link } = encounter
  switch (output.type) {
    case 'heartbeat':
      if (encounter.lastSpoken?.kind === 'status') say(encounter, { packet: encounter.lastSpoken })
      return false
    case 'say':
      say(encounter, { word: output.word })
      return false
    case 'feed':
      options.feed({ type: 'packet-received', link, packet: output.packet })
      return true
    case 'command':
      // Administrators' requests count up from 1.
      encounter.commands -= 1
      options.feed({
        type: 'admin-requested', requestId: encounter.commands,
        command: { type: 'standby', scope: output.command.scope, once: true, timeoutMs: standbyTimeoutMs },
      })
      return true
    case 'report':
      options.report(output)
      return false
    case 'renew':
      renew(encounter)
      return false
  }
}

/** The peer speaks as a Heartbeat does. */
function meetClassic(encounter: Encounter): void {
  if (encounter.kind === 'classic') return
  const wasOurs = encounter.kind === 'ours'
  encounter.kind = 'classic'
  reserve(encounter)
  if (wasOurs) meetAnew(encounter)
}

function meetAnew(encounter: Encounter): void {
  encounter.dialogue = encounter.options.openDialogue()
  const { lastSpoken } = encounter
  if (lastSpoken !== undefined) follow(encounter, encounter.dialogue.step({ type: 'spoke', packet: lastSpoken, nowMs: encounter.options.clock().nowMs }))
}

function endWaiting(encounter: Encounter): void {
  const { waiting, kind, dialogue, options } = encounter
  if (waiting === undefined) return
  const { nowMs } = options.clock()
  waiting.nextMs = nowMs + lookAgainMs
  if (kind !== 'ours' && dialogue.isExchanging(nowMs) && nowMs < waiting.untilMs) return
  delete encounter.waiting
  waiting.run()
}

function reserve(encounter: Encounter): void {
  const { renewal, options } = encounter
  if (renewal.spare !== undefined || renewal.reserving) return
  renewal.reserving = true
  void options.reserveGeneration().then((spare) => { renewal.spare = spare }, () => undefined).finally(() => {
    renewal.reserving = false
    if ((renewal.spare ?? Infinity) > encounter.delivery.outgoing.generation) return
    delete renewal.spare
    reserve(encounter)
  })
}

/**
 * As after a restart of this daemon: so a Heartbeat that has taken us for dead joins with us, instead of restarting itself (heartbeat-3.md
 * section 4.6). Where the disk has not given a generation yet, the next number serves: the first one of the next daemon is not below the
 * clock, and so above it.
 */
function renew(encounter: Encounter): void {
  const { renewal, options, delivery } = encounter
  // Nothing was said in this one yet.
  if (delivery.outgoing.sequence === 0) return
  const generation = renewal.spare ?? delivery.outgoing.generation + 1
  delete renewal.spare
  const { nowMs } = options.clock()
  encounter.delivery = deliveryStep(delivery, { type: 'renew', generation, nowMs }).state
  // The Heartbeat hears of this node with the next status.
  follow(encounter, encounter.dialogue.step({ type: 'renewed', nowMs }))
  options.onRenewed(generation)
  reserve(encounter)
}

function dueMs({ kind, delivery, dialogue, renewal, waiting, tickedMs }: Encounter): Millis | undefined {
  if (kind === 'ours') return waiting?.nextMs
  const dues = [waiting?.nextMs, deliveryDueMs(delivery), dialogue.dueMs(), kind === 'classic' ? renewalDueMs(renewal) : undefined].filter((due) => due !== undefined)
  return dues.length === 0 ? undefined : Math.max(tickedMs + tickEveryMs, Math.min(...dues))
}

function tick(encounter: Encounter): void {
  const { options, renewal } = encounter
  endWaiting(encounter)
  if (encounter.kind === 'ours') return
  const { nowMs } = options.clock()
  encounter.tickedMs = nowMs
  if (encounter.kind === 'classic' && nowMs >= (renewalDueMs(renewal) ?? Infinity)) {
    renewal.renewedMs = nowMs
    renew(encounter)
  }
  const step = deliveryStep(encounter.delivery, { type: 'tick', nowMs })
  encounter.delivery = step.state
  for (const output of step.outputs) perform(encounter, output, nowMs)
  if (nowMs >= (encounter.dialogue.dueMs() ?? Infinity)) follow(encounter, encounter.dialogue.step({ type: 'tick', nowMs }))
}
