/** The real core, the dialogue, and a model of a Heartbeat on one virtual clock; a wire that delivers each word once, in any order. */
import { createDialogue, dialogueDueMs, dialogueStep, isExchanging, type DialogueState } from '../../src/classic/dialogue.ts'
import type { DialogueInput } from '../../src/classic/dialogue-types.ts'
import type { Sign, Word } from '../../src/classic/words.ts'
import type { AdminCommand, AdminReply } from '../../src/core/admin.ts'
import type { CoreConfig } from '../../src/core/config.ts'
import { createState } from '../../src/core/create-state.ts'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import type { Effect } from '../../src/core/effects.ts'
import type { Event, Outcome } from '../../src/core/events.ts'
import type { NodeState } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { address, configuration, group, script } from '../core/two-nodes.ts'
import { createHeartbeat, type Heartbeat } from './heartbeat-model.ts'

export interface Side { readonly name: 'a' | 'b' }

export interface Couple {
  nowMs: number
  readonly heartbeat: Heartbeat
  readonly state: () => NodeState
  readonly dialogue: () => DialogueState
  readonly log: string[]
  readonly codes: string[]
  readonly replies: AdminReply[]
  /** Stages that run on our host: `GROUP/index`. */
  readonly running: Set<string>
  readonly outcomes: Map<string, Outcome | 'never'>
  readonly tookMs: Map<string, number>
  /** `ours`: what we say is lost; `theirs`: what we would hear. */
  readonly cut: Set<'ours' | 'theirs'>
  /** Longest stretch in which both ran something of a group. */
  readonly overlapMs: Map<string, number>
  /** Longest stretch in which neither ran all of it, since `watch` was called. */
  readonly outageMs: Map<string, number>
  isUp(): boolean
  startOurs(generation?: number): void
  killOurs(): void
  stopOurs(): void
  startTheirs(generation?: number): void
  ask(command: AdminCommand): void
  ping(reachable: boolean): void
  run(durationMs: number): void
  watch(): void
  /** Who runs the group: `ours`, `theirs`, `both`, `nobody`. */
  at(name: string): string
}

export interface CoupleOptions {
  /** Our node; the other one runs Heartbeat. Group `web` prefers a, `db` prefers b. */
  readonly we: 'a' | 'b'
  readonly failback?: boolean
  /** The Heartbeat's is legacy; `failback` is ours alone then. */
  readonly legacy?: boolean
  readonly oneGroup?: boolean
  readonly config?: Partial<CoreConfig>
  readonly operationMs?: number
  /** Of the wire, from 0 to 1. */
  readonly random?: () => number
  readonly jitterMs?: number
}

const initdeadMs = 3_000
export const deadtimeMs = 1_000

export function couple(options: CoupleOptions): Couple {
  const { we } = options
  const they = we === 'a' ? 'b' : 'a'
  const groups = [group('web', 'a', [address('192.0.2.100'), script('apache2')]), ...(options.oneGroup === true ? [] : [group('db', 'b', [address('192.0.2.101')])])]
  const failback = options.failback ?? true
  const config = configuration(groups, { autoFailback: failback ? 'on' : 'off', ...options.config })
  const random = options.random ?? (() => 0)
  const queue: { readonly atMs: number; readonly serial: number; readonly act: () => void }[] = []
  let serial = 0
  let life = 0
  let up = false
  let core = create(1, 0)
  let dialogue = createDialogue(setting())
  /** Ours on the wire. */
  let wireGeneration = 1
  let heardThere = 0
  let requestId = 0
  let leavingWanted = false
  const since = new Map<string, { both?: number; nobody?: number }>()
  let held: { readonly sinceMs: number; readonly act: () => void }[] = []

  function setting(): Parameters<typeof createDialogue>[0] {
    return { self: we, peer: they, groups: groups.map(({ name, preferredNode }) => ({ name, preferredNode })) }
  }
  function create(generation: number, nowMs: number): NodeState {
    return createState({
      self: we, peer: they, generation, config, links: ['bcast eth0'], sameBoot: generation > 1, nowMs, wallMs: 1_000_000,
      ...(generation > 1 ? { persistent: core.persisted } : {}),
    })
  }
  function later(afterMs: number, act: () => void): void {
    queue.push({ atMs: self.nowMs + afterMs, serial: serial++, act })
  }
  function mine(afterMs: number, act: () => void): void {
    const of = life
    later(afterMs, () => { if (life === of && up) act() })
  }
  /** A status that is lost is lost; a word is sent again once packets pass, unless its sender is dead to the other by then. */
  function carry(from: 'ours' | 'theirs', isStatus: boolean, act: () => void): void {
    const delayMs = 0.2 + random() * (isStatus ? 1 : (options.jitterMs ?? 0))
    if (!self.cut.has(from)) return later(delayMs, act)
    if (!isStatus) held.push({ sinceMs: self.nowMs, act })
  }

  const self: Couple = {
    nowMs: 0,
    heartbeat: createHeartbeat({
      name: they, peer: we, groups, autoFailback: failback, legacy: options.legacy ?? false, keepaliveMs: 200, deadtimeMs, initdeadMs, operationMs: options.operationMs ?? 50,
      now: () => self.nowMs, later,
      transmit(id, heard) {
        self.log.push(`${Math.round(self.nowMs)} they: ${describeWord(heard)}`)
        carry('theirs', 'sign' in heard && heard.sign === 'status', () => talk({ type: 'heard', id, heard }))
      },
    }),
    state: () => core,
    dialogue: () => dialogue,
    log: [],
    codes: [],
    replies: [],
    running: new Set(),
    outcomes: new Map(),
    tookMs: new Map(),
    cut: new Set(),
    overlapMs: new Map(),
    outageMs: new Map(),
    isUp: () => up,
    startOurs(generation = 1) {
      life += 1
      up = true
      leavingWanted = false
      core = create(generation, self.nowMs)
      wireGeneration = Math.max(generation, wireGeneration + 1)
      dialogue = createDialogue(setting())
      feed({ type: 'tick' })
    },
    killOurs() {
      up = false
      life += 1
      self.running.clear()
    },
    stopOurs: () => { leavingWanted = true; leave() },
    startTheirs: (generation = 1) => self.heartbeat.start(generation),
    ask: (command) => feed({ type: 'admin-requested', requestId: ++requestId, command }),
    ping: (reachable) => feed({ type: 'ping-changed', name: '192.0.2.254', reachable }),
    watch() { self.outageMs.clear(); since.clear() },
    at(name) {
      const ours = [...self.running].some((key) => key.startsWith(`${name}/`))
      const theirs = self.heartbeat.running.has(name)
      return ours && theirs ? 'both' : ours ? 'ours' : theirs ? 'theirs' : 'nobody'
    },
    run(durationMs) {
      const endMs = self.nowMs + durationMs
      for (let turns = 0; ; turns += 1) {
        if (turns > 20 * durationMs + 10_000) throw new Error(`busy loop at ${self.nowMs} core ${nextDeadlineMs(core)} talk ${dialogueDueMs(dialogue)} ${JSON.stringify({ ...dialogue, spoken: dialogue.spoken?.facts })}\n${self.log.slice(-40).join('\n')}`)
        queue.sort((x, y) => x.atMs - y.atMs || x.serial - y.serial)
        const next = queue[0]
        const coreMs = up ? (nextDeadlineMs(core) ?? Infinity) : Infinity
        const talkMs = up ? (dialogueDueMs(dialogue) ?? Infinity) : Infinity
        const dueMs = Math.min(next?.atMs ?? Infinity, coreMs, talkMs)
        if (dueMs > endMs) break
        self.nowMs = Math.max(self.nowMs, dueMs)
        if (next !== undefined && next.atMs <= dueMs) {
          queue.shift()
          next.act()
        } else if (coreMs <= dueMs) feed({ type: 'tick' })
        else talk({ type: 'tick' })
        judge()
      }
      self.nowMs = endMs
      judge()
    },
  }

  function judge(): void {
    for (const { name } of groups) {
      const where = self.at(name)
      const entry = since.get(name) ?? {}
      const both = where === 'both' ? (entry.both ?? self.nowMs) : undefined
      if (both !== undefined && entry.both === undefined) self.log.push(`${Math.round(self.nowMs)} BOTH run ${name}`)
      const nobody = where === 'nobody' ? (entry.nobody ?? self.nowMs) : undefined
      if (both !== undefined) self.overlapMs.set(name, Math.max(self.overlapMs.get(name) ?? 0, self.nowMs - both))
      if (nobody !== undefined) self.outageMs.set(name, Math.max(self.outageMs.get(name) ?? 0, self.nowMs - nobody))
      since.set(name, { ...(both === undefined ? {} : { both }), ...(nobody === undefined ? {} : { nobody }) })
    }
    if (self.cut.size === 0 && held.length > 0) {
      const acts = held
      held = []
      for (const { sinceMs, act } of acts) if (self.nowMs - sinceMs < deadtimeMs) later(300, act)
    }
  }
  /** A shutdown waits for the end of an exchange. */
  function leave(): void {
    if (leavingWanted && up && !isExchanging(dialogue, self.nowMs)) {
      leavingWanted = false
      feed({ type: 'shutdown-requested' })
    }
  }

  const events: Record<string, unknown>[] = []
  let busy = false
  function feed(event: Record<string, unknown> & { type: Event['type'] }): void {
    events.push(event)
    if (busy) return
    busy = true
    for (let next = events.shift(); next !== undefined; next = events.shift()) {
      if (!up) continue
      const result = step(core, { nowMs: self.nowMs, wallMs: 1_000_000 + self.nowMs, ...next } as Event)
      core = result.state
      for (const effect of result.effects) perform(effect)
    }
    busy = false
    leave()
  }

  function talk(input: { readonly [Key in Exclude<keyof DialogueInput, 'nowMs'>]: DialogueInput[Key] } & Record<string, unknown>): void {
    if (!up) return
    const result = dialogueStep(dialogue, { nowMs: self.nowMs, ...input } as DialogueInput)
    dialogue = result.state
    for (const output of result.outputs) {
      if (output.type === 'say') sendWord(output.word)
      else if (output.type === 'feed') feed({ type: 'packet-received', link: 'bcast eth0', packet: output.packet })
      else if (output.type === 'report') self.codes.push(output.code)
      else if (output.type === 'renew') {
        wireGeneration += 1
        talk({ type: 'renewed' })
      } else if (output.type === 'heartbeat') sendWord({ sign: 'status', nodeStatus: 'active', deadtimeMs })
      else feed({ type: 'admin-requested', requestId: ++requestId, command: { type: 'standby', scope: output.command.scope, once: true, timeoutMs: 60_000 } })
    }
    leave()
  }
  function sendWord(heard: Word | Sign): void {
    self.log.push(`${Math.round(self.nowMs)} we: ${describeWord(heard)}`)
    const generation = wireGeneration
    carry('ours', 'sign' in heard && heard.sign === 'status', () => {
      self.heartbeat.hear(generation, heard)
      heardThere += 1
      if (self.heartbeat.isUp() && heardThere % 10 === 0) carry('theirs', true, () => { if (generation === wireGeneration) talk({ type: 'acknowledged' }) })
    })
  }

  let goodbyeSaid = -1
  function perform(effect: Effect): void {
    if (effect.type === 'send-packet') {
      const { packet } = effect
      if (packet.kind === 'goodbye') {
        if (goodbyeSaid !== life) sendWord({ sign: 'goodbye' })
        goodbyeSaid = life
      } else if (packet.nodeStatus !== 'dead') sendWord({ sign: 'status', nodeStatus: packet.nodeStatus, deadtimeMs: packet.deadtimeMs })
      talk({ type: 'spoke', packet })
    }
    if (effect.type === 'record') {
      self.codes.push(effect.record.code)
      self.log.push(`${Math.round(self.nowMs)} core: ${effect.record.code} ${effect.record.message}`)
    }
    if (effect.type === 'reply-admin') self.replies.push(effect.reply)
    if (effect.type === 'persist') mine(1, () => feed({ type: 'persist-finished', persistId: effect.persistId }))
    if (effect.type === 'exit') { up = false; life += 1 }
    if (effect.type === 'observe-resources') {
      mine(5, () => feed({ type: 'resources-observed', observations: core.groups.flatMap((one) => one.stages.map((_stage, stage) => ({ group: one.name, stage, found: self.running.has(`${one.name}/${stage}`) ? 'running' : 'stopped' }))) }))
    }
    if (effect.type === 'run-operation') {
      const key = `${effect.group}/${effect.stage}`
      const wanted = self.outcomes.get(`${effect.action} ${effect.what.name}`)
      if (effect.action === 'start') self.running.add(key)
      if (wanted === 'never') return
      const outcome: Outcome = wanted ?? (effect.action === 'status' && !self.running.has(key) ? { result: 'not-running' } : { result: 'ok' })
      mine(self.tookMs.get(`${effect.action} ${effect.what.name}`) ?? 20, () => {
        if (outcome.result === 'ok' && effect.action === 'stop') self.running.delete(key)
        feed({ type: 'operation-finished', operationId: effect.operationId, outcome })
      })
    }
    if (effect.type === 'drop-addresses') self.running.delete(`${effect.group}/${effect.stage}`)
    if (effect.type === 'cancel-operation') mine(1, () => feed({ type: 'operation-finished', operationId: effect.operationId, outcome: { result: 'cancelled' } }))
  }
  return self
}

export function describeWord(heard: Word | Sign): string {
  if ('sign' in heard) return heard.sign === 'status' ? `status ${heard.nodeStatus}` : 'shutdone'
  switch (heard.word) {
    case 'resource':
      return `resource ${heard.holds}${heard.full ? ' full' : ''}${heard.stable === undefined ? '' : ` isstable=${heard.stable ? 1 : 0}`}${heard.info === undefined ? '' : ` info=${heard.info}`}`
    case 'ask':
      return `ask ${heard.holds} ${heard.step}`
    case 'stonith':
      return `stonith ${heard.node} ${heard.result}`
    case 'ip-request':
      return `ip-request ${heard.key}`
    case 'ip-answer':
      return `ip-answer ${heard.key} weown=${heard.owned ? 'yes' : 'no'}`
    case 'takeover':
      return `takeover ${heard.holds}`
    case 'reqnodes':
    case 'starting':
      return heard.word
    case 'repnodes':
      return `repnodes ${heard.nodes.join(' ')}`
    case 'pings':
      return `pings ${heard.seen}`
    case 'pings-answer':
      return heard.answer
  }
}

/** What was said and heard, without the heartbeats and without the times. */
export function conversation(pair: Couple, from = 0): readonly string[] {
  return pair.log.slice(from).filter((line) => / (we|they): /.test(line) && !/ status (init|up|active)$/.test(line)).map((line) => line.replace(/^\d+ /, ''))
}
