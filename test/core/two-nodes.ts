/** Two cores on one clock with a perfect wire: enough to tell stories about the rules. The simulator is for everything else. */
import type { AdminCommand, AdminReply } from '../../src/core/admin.ts'
import type { CoreConfig, GroupConfig, ResourceConfig } from '../../src/core/config.ts'
import { nextDeadlineMs } from '../../src/core/deadlines.ts'
import type { Effect } from '../../src/core/effects.ts'
import type { Event, Outcome, WitnessAnswer } from '../../src/core/events.ts'
import type { GuardPlan } from '../../src/core/guard-plan.ts'
import type { EventRecord } from '../../src/core/records.ts'
import { createState } from '../../src/core/create-state.ts'
import type { GroupState, NodeState } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'

export function address(ip: string): ResourceConfig {
  return { script: 'IPaddr', args: [ip], address: { ip, family: 'ipv4' }, warm: false, startTimeoutMs: 60_000, stopTimeoutMs: 60_000 }
}

export function script(name: string, options: Partial<ResourceConfig> = {}): ResourceConfig {
  return { script: name, args: [], warm: false, startTimeoutMs: 60_000, stopTimeoutMs: 60_000, status: { intervalMs: 2_000, timeoutMs: 10_000, fall: 2, rise: 1 }, ...options }
}

export function group(name: string, preferredNode: string, resources: readonly ResourceConfig[]): GroupConfig {
  return { name, preferredNode, resources }
}

export function configuration(groups: readonly GroupConfig[], change: Partial<CoreConfig> = {}): CoreConfig {
  return {
    nodes: ['a', 'b'],
    timing: { keepaliveMs: 200, warntimeMs: 500, deadtimeMs: 1_000, initdeadMs: 3_000 },
    autoFailback: 'on',
    groups,
    digests: { groups: 'same', timing: 'same' },
    failureMemoryMs: 600_000,
    lease: 'off',
    pauseLimitMs: 600_000,
    watchdog: false,
    ...change,
  }
}

export interface Host {
  readonly name: 'a' | 'b'
  state: NodeState
  up: boolean
  readonly records: EventRecord[]
  readonly replies: { requestId: number; reply: AdminReply }[]
  /** Stages running, as the outside world has them: `GROUP/index`. */
  readonly running: Set<string>
  /** Until when the kernel keeps the addresses of a stage, for those that have a lifetime. */
  readonly leasesMs: Map<string, number>
  /** What its guard would do now. */
  plan?: GuardPlan
  exitCode?: number
}

export interface Rig {
  readonly hosts: Record<'a' | 'b', Host>
  nowMs: number
  /** `a>b`: packets of a do not reach b. */
  readonly cut: Set<string>
  /** How operations end: `a start apache2` to an outcome. `never` does not end. */
  readonly outcomes: Map<string, Outcome | 'never'>
  /** How long operations take, by the same names; 1 ms where nothing is said. */
  readonly tookMs: Map<string, number>
  /** How long the kernel takes to answer a renewal. */
  renewalMs: number
  readonly disk: Record<'a' | 'b', 'takes' | 'refuses' | 'silent'>
  readonly witness: WitnessModel
  /** How fencing of a host ends; it dies of `confirmed`. */
  readonly fences: Record<'a' | 'b', 'confirmed' | 'failed' | 'never'>
  /** Each program run that was to fence a host, with its level. */
  readonly fenced: string[]
  /** Hosts whose watchdog is fed no more. */
  readonly resets: string[]
  /** Hosts whose watchdog is fed again. */
  readonly spared: string[]
  run(durationMs: number): void
  ask(host: 'a' | 'b', command: AdminCommand): void
  give(host: 'a' | 'b', event: Record<string, unknown> & { type: Event['type'] }): void
  /** `hactl reload` with another configuration. */
  reload(host: 'a' | 'b', config: CoreConfig): void
  start(host: 'a' | 'b', generation?: number): void
  kill(host: 'a' | 'b'): void
  held(groupName: string): string
}

/** One key for each group, with a lease; the answer takes a millisecond. */
export interface WitnessModel {
  readonly reachableFrom: Set<'a' | 'b'>
  readonly keys: Map<string, { holder: 'a' | 'b'; leaseId: string; untilMs: number }>
  readonly numbers: Map<string, number>
  readonly asked: string[]
}

interface Delivery { readonly atMs: number; readonly serial: number; readonly host: 'a' | 'b'; readonly event: Record<string, unknown> & { type: Event['type'] }; readonly from?: 'a' | 'b' }

/** `other`: the configuration of b, where it is not the same. */
export function rig(config: CoreConfig, other: CoreConfig = config): Rig {
  const configs = { a: config, b: other }
  const queue: Delivery[] = []
  let serial = 0
  let requestId = 0
  const host = (name: 'a' | 'b'): Host => ({ name, state: initial(configs[name], name, 1, 0), up: false, records: [], replies: [], running: new Set(), leasesMs: new Map() })
  const self: Rig = {
    hosts: { a: host('a'), b: host('b') },
    nowMs: 0,
    cut: new Set(),
    outcomes: new Map(),
    tookMs: new Map(),
    renewalMs: 1,
    disk: { a: 'takes', b: 'takes' },
    witness: { reachableFrom: new Set(['a', 'b']), keys: new Map(), numbers: new Map(), asked: [] },
    fences: { a: 'confirmed', b: 'confirmed' },
    fenced: [],
    resets: [],
    spared: [],
    run(durationMs) {
      const endMs = self.nowMs + durationMs
      for (let turns = 0; ; turns += 1) {
        if (turns > 50 * durationMs + 1_000) throw new Error(`busy loop at ${self.nowMs}: ${JSON.stringify(self.hosts)}`.slice(0, 3_000))
        const due = [...(['a', 'b'] as const).filter((name) => self.hosts[name].up).map((name) => ({ atMs: nextDeadlineMs(self.hosts[name].state) ?? Infinity, name }))].sort((x, y) => x.atMs - y.atMs)[0]
        queue.sort((x, y) => x.atMs - y.atMs || x.serial - y.serial)
        const next = queue[0]
        if (next !== undefined && next.atMs <= endMs && next.atMs <= (due?.atMs ?? Infinity)) {
          queue.shift()
          self.nowMs = Math.max(self.nowMs, next.atMs)
          if (next.from === undefined || !self.cut.has(`${next.from}>${next.host}`)) feed(self.hosts[next.host], next.event)
          continue
        }
        if (due === undefined || due.atMs > endMs) break
        self.nowMs = Math.max(self.nowMs, due.atMs)
        feed(self.hosts[due.name], { type: 'tick' })
      }
      self.nowMs = endMs
    },
    ask: (name, command) => feed(self.hosts[name], { type: 'admin-requested', requestId: ++requestId, command }),
    give: (name, event) => feed(self.hosts[name], event),
    reload(name, next) {
      configs[name] = next
      feed(self.hosts[name], { type: 'config-reloaded', requestId: ++requestId, config: next })
    },
    start(name, generation = 1) {
      const one = self.hosts[name]
      one.state = initial(configs[name], name, generation, self.nowMs, one.state)
      one.up = true
      feed(one, { type: 'tick' })
    },
    kill(name) {
      self.hosts[name].up = false
      self.hosts[name].running.clear()
    },
    held: (name) => (['a', 'b'] as const).filter((one) => self.hosts[one].up && self.hosts[one].state.groups.find((g) => g.name === name)?.hold?.heldSinceMs !== undefined).join('+'),
  }
  function feed(one: Host, event: Record<string, unknown> & { type: Event['type'] }): void {
    if (!one.up) return
    const result = step(one.state, { nowMs: self.nowMs, wallMs: 1_000_000 + self.nowMs, ...event } as Event)
    one.state = result.state
    for (const effect of result.effects) perform(one, effect)
  }
  function later(afterMs: number, name: 'a' | 'b', event: Delivery['event'], from?: 'a' | 'b'): void {
    queue.push({ atMs: self.nowMs + afterMs, serial: serial++, host: name, event, ...(from === undefined ? {} : { from }) })
  }
  function perform(one: Host, effect: Effect): void {
    const peer = one.name === 'a' ? 'b' : 'a'
    if (effect.type === 'send-packet') later(0.2, peer, { type: 'packet-received', link: 'bcast eth0', packet: effect.packet }, one.name)
    if (effect.type === 'record') one.records.push(effect.record)
    if (effect.type === 'reply-admin') one.replies.push(effect)
    if (effect.type === 'persist' && self.disk[one.name] !== 'silent') {
      later(1, one.name, { type: 'persist-finished', persistId: effect.persistId, ...(self.disk[one.name] === 'refuses' ? { error: 'No space left on device' } : {}) })
    }
    if (effect.type === 'plan-guard') one.plan = effect.plan
    if (effect.type === 'renew-addresses') {
      const key = `${effect.group}/${effect.stage}`
      const there = one.running.has(key)
      if (there) one.leasesMs.set(key, self.nowMs + effect.lease.validSeconds * 1_000)
      later(self.renewalMs, one.name, { type: 'addresses-renewed', group: effect.group, stage: effect.stage, serial: effect.serial, result: there ? 'renewed' : 'gone', ...(there ? {} : { ips: ['192.0.2.100'] }) })
    }
    if (effect.type === 'reset-host') self.resets.push(one.name)
    if (effect.type === 'spare-host') self.spared.push(one.name)
    if (effect.type === 'ask-witness') askWitness(one, effect)
    if (effect.type === 'run-fence') {
      self.fenced.push(`${one.name} fences ${effect.node}, level ${effect.level}`)
      const outcome = self.fences[peer]
      if (outcome === 'confirmed') self.kill(peer)
      if (outcome !== 'never') later(100, one.name, { type: 'fence-finished', fenceId: effect.fenceId, result: outcome, message: outcome === 'confirmed' ? 'it is off' : 'the device does not answer' })
    }
    if (effect.type === 'exit') { one.exitCode = effect.exitCode; one.up = false }
    if (effect.type === 'observe-resources') {
      later(5, one.name, { type: 'resources-observed', observations: one.state.groups.flatMap((g) => g.stages.map((_s, stage) => ({ group: g.name, stage, found: one.running.has(`${g.name}/${stage}`) ? 'running' : 'stopped' }))) })
    }
    if (effect.type === 'run-operation') {
      const key = `${effect.group}/${effect.stage}`
      const wanted = self.outcomes.get(`${one.name} ${effect.action} ${effect.what.name}`)
      if (wanted === 'never') return
      const outcome = wanted ?? (effect.action === 'status' && !one.running.has(key) ? { result: 'not-running' } : { result: 'ok' })
      if (outcome.result === 'ok' && effect.action === 'start') one.running.add(key)
      if (effect.lease !== undefined) one.leasesMs.set(key, self.nowMs + effect.lease.validSeconds * 1_000)
      if (outcome.result === 'ok' && effect.action === 'stop') one.running.delete(key)
      later(self.tookMs.get(`${one.name} ${effect.action} ${effect.what.name}`) ?? 1, one.name, { type: 'operation-finished', operationId: effect.operationId, outcome })
    }
    if (effect.type === 'drop-addresses') one.running.delete(`${effect.group}/${effect.stage}`)
    if (effect.type === 'cancel-operation') later(1, one.name, { type: 'operation-finished', operationId: effect.operationId, outcome: { result: 'cancelled' } })
  }
  function askWitness(one: Host, { requestId, group = '', ask }: Extract<Effect, { type: 'ask-witness' }>): void {
    const { witness } = self
    const reply = (answer: WitnessAnswer): void => later(1, one.name, { type: 'witness-answered', requestId, answer })
    if (ask.type !== 'look') witness.asked.push(`${one.name} ${ask.type} ${group}`)
    if (!witness.reachableFrom.has(one.name)) return later(400, one.name, { type: 'witness-answered', requestId, answer: { result: 'unreachable', message: 'connection refused' } })
    if (ask.type === 'look') return reply({ result: 'seen' })
    if (ask.type === 'give-back') {
      for (const [name, { leaseId }] of witness.keys) if (leaseId === ask.leaseId) witness.keys.delete(name)
      return reply({ result: 'given-back' })
    }
    const key = witness.keys.get(group)
    const stands = key !== undefined && self.nowMs < key.untilMs
    const lifeMs = one.state.config.witness?.grantMs ?? 0
    if (ask.type === 'renew') {
      if (!stands || key.leaseId !== ask.leaseId) return reply({ result: 'lost' })
      key.untilMs = self.nowMs + lifeMs
      return reply({ result: 'renewed', sentMs: self.nowMs, lifeMs })
    }
    if (stands && key.holder !== one.name && ask.overwrite === undefined) return reply({ result: 'refused', holder: key.holder, number: witness.numbers.get(group) ?? 0 })
    const number = Math.max(witness.numbers.get(group) ?? 0, ask.number) + 1
    const leaseId = `lease${requestId}${one.name}`
    witness.keys.set(group, { holder: one.name, leaseId, untilMs: self.nowMs + lifeMs })
    witness.numbers.set(group, number)
    return reply({ result: 'granted', leaseId, sentMs: self.nowMs, lifeMs, number })
  }
  return self
}

/** Both started and in contact for a second. */
export function pairOf(config: CoreConfig, other: CoreConfig = config): Rig {
  const pair = rig(config, other)
  pair.start('a')
  pair.start('b')
  pair.run(1_000)
  return pair
}

export function groupOf(host: Host, name = 'web'): GroupState {
  const found = host.state.groups.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${host.name} has no group ${name}`)
  return found
}

/** A witness, with timing for which `hactl check` has no warning. */
export const witnessed = {
  timing: { keepaliveMs: 500, warntimeMs: 2_500, deadtimeMs: 5_000, initdeadMs: 10_000 },
  witness: { timeoutMs: 500, grantMs: 5_000, renewMs: 800 },
  lease: 'auto',
} as const

/** The daemon is killed, not the host: what it held stays until its guard acts. */
export function dieOf(pair: Rig, name: 'a' | 'b'): void {
  pair.hosts[name].up = false
}

/** The newest reply that a host gave. */
export function replyOf(host: Host): AdminReply {
  const last = host.replies.at(-1)
  if (last === undefined) throw new Error(`${host.name} has answered nothing`)
  return last.reply
}

export const standbyAll = { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 } as const
export const takeoverAll = { type: 'takeover', target: 'all', force: false, timeoutMs: 60_000 } as const

function initial(config: CoreConfig, name: 'a' | 'b', generation: number, nowMs: number, before?: NodeState): NodeState {
  return createState({
    self: name, peer: name === 'a' ? 'b' : 'a', generation, config, links: ['bcast eth0'], sameBoot: before !== undefined && generation > 1,
    ...(before === undefined ? {} : { persistent: before.persisted }), nowMs, wallMs: 1_000_000 + nowMs,
  })
}

export function codes(host: Host): readonly string[] {
  return host.records.map((one) => one.code)
}
