/** A dialogue alone: what it hears and what the core says in, what it says and feeds out, both as short texts. */
import { createDialogue, dialogueDueMs, dialogueStep, type DialogueState } from '../../src/classic/dialogue.ts'
import type { DialogueInput } from '../../src/classic/dialogue-types.ts'
import type { Holding, Sign, Word } from '../../src/classic/words.ts'
import type { AdvertisedGroup, Facts, OfferReason, Packet } from '../../src/core/packet.ts'
import { describeWord } from './couple.ts'

export const groups = [{ name: 'web', preferredNode: 'a' }, { name: 'db', preferredNode: 'b' }]

/** `offer: 'none'` takes it back. */
type Told = Partial<Omit<AdvertisedGroup, 'offer'>> & { readonly offer?: OfferReason | 'none' }

export interface Speech {
  state: DialogueState
  nowMs: number
  /** What came out, in order, since it was last asked for. */
  taken(): readonly string[]
  hear(heard: Word | Sign, id?: { generation?: number; sequence?: number }): void
  /** The core's next packet; what is not named stays as in the last one. */
  core(change: Partial<Facts> & { readonly web?: Told; readonly db?: Told; readonly nodeStatus?: Packet['nodeStatus']; readonly kind?: Packet['kind'] }): void
  /** This node goes on as another generation. */
  renew(): void
  /** It has acknowledged something of ours. */
  acknowledge(): void
  /** Lets time pass; ticks where the dialogue asks for them. */
  wait(durationMs: number): void
}

export function speech(self: 'a' | 'b' = 'a', own = groups): Speech {
  const out: string[] = []
  let sequence = 0
  let packets = 0
  let facts: Facts = {
    dialogue: 1, answerWanted: false, pause: { paused: false, number: 0, sinceWallMs: 0 }, digests: {}, requests: [],
    groups: own.map(({ name }): AdvertisedGroup => ({ name, state: 'stopped', claimNumber: 0, claiming: false, failed: false, pinned: false })),
  }
  let nodeStatus: Packet['nodeStatus'] = 'active'
  const one: Speech = {
    state: createDialogue({ self, peer: self === 'a' ? 'b' : 'a', groups: own }),
    nowMs: 0,
    taken: () => out.splice(0),
    hear(heard, id = {}) {
      sequence += 1
      put({ type: 'heard', nowMs: one.nowMs, id: { generation: id.generation ?? 1, sequence: id.sequence ?? sequence }, heard })
    },
    core({ web, db, nodeStatus: status, kind, ...rest }) {
      nodeStatus = status ?? nodeStatus
      facts = { ...facts, ...rest, groups: facts.groups.map((group) => changed(group, (group.name === 'web' ? web : group.name === 'db' ? db : {}) ?? {})) }
      packets += 1
      put({ type: 'spoke', nowMs: one.nowMs, packet: { id: { generation: 7, sequence: packets }, from: self, kind: kind ?? 'status', nodeStatus, deadtimeMs: 30_000, facts } })
    },
    acknowledge: () => put({ type: 'acknowledged', nowMs: one.nowMs }),
    renew: () => put({ type: 'renewed', nowMs: one.nowMs }),
    wait(durationMs) {
      const endMs = one.nowMs + durationMs
      for (let dueMs = dialogueDueMs(one.state); dueMs !== undefined && dueMs <= endMs; dueMs = dialogueDueMs(one.state)) {
        one.nowMs = Math.max(one.nowMs, dueMs)
        put({ type: 'tick', nowMs: one.nowMs })
      }
      one.nowMs = endMs
    },
  }
  function put(input: DialogueInput): void {
    const step = dialogueStep(one.state, input)
    one.state = step.state
    for (const output of step.outputs) {
      if (output.type === 'say') out.push(describeWord(output.word))
      else if (output.type === 'command') out.push(`command ${output.command.kind} ${output.command.scope}`)
      else if (output.type === 'report') out.push(`report ${output.code}`)
      else if (output.type === 'heartbeat' || output.type === 'renew') out.push(output.type)
      else out.push(`fed: ${describeFed(output.packet)}`)
    }
  }
  return one
}

function changed({ offer: before, ...group }: AdvertisedGroup, { offer, ...told }: Told): AdvertisedGroup {
  const now = offer === 'none' ? undefined : (offer ?? before)
  return { ...group, ...told, ...(now === undefined ? {} : { offer: now }) }
}

function describeFed({ kind, facts }: Packet): string {
  const marks = [kind === 'goodbye' ? 'goodbye' : '', facts?.standby === undefined ? '' : `standby ${facts.standby}`, facts?.leaving === true ? 'leaving' : '', facts?.pingsSeen === undefined ? '' : `sees ${facts.pingsSeen}`]
  const told = facts?.groups.map((group) => [`${group.name} ${group.state}`, group.claiming ? `claims ${group.claimNumber}` : '', group.offer === undefined ? '' : `offers ${group.offer}`, group.failed ? 'failed' : ''].filter((word) => word !== '').join(' ')) ?? []
  return [...told, ...marks.filter((word) => word !== '')].join(', ')
}

export const status = (nodeStatus: 'init' | 'up' | 'active'): Sign => ({ sign: 'status', nodeStatus, deadtimeMs: 30_000 })
export const resource = (holds: Holding, stable?: boolean, info?: string): Word => ({ word: 'resource', holds, full: stable !== undefined, ...(stable === undefined ? {} : { stable }), ...(info === undefined ? {} : { info }) })
export const request = (key: string): Word => ({ word: 'ip-request', key })
export const answer = (key: string, owned = true): Word => ({ word: 'ip-answer', key, owned })
export const ask = (holds: Holding, step: 'me' | 'other' | 'done'): Word => ({ word: 'ask', holds, step })

/** Both have joined and hold their own. */
export function atRest(self: 'a' | 'b' = 'a', own = groups): Speech {
  const one = speech(self, own)
  one.core(self === 'a' ? { web: { state: 'held', claimNumber: 3 } } : { db: { state: 'held', claimNumber: 3 } })
  one.hear(status('active'))
  one.hear(resource('local', true))
  one.wait(5_000)
  one.taken()
  return one
}
