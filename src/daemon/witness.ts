/**
 * The witness of this daemon: each question of the core becomes a conversation with etcd (protocol/witness-conversation.ts),
 * carried by runtime/etcd-client.ts. Whatever goes wrong, the answer is there within the witness timeout, or 0.9 s later where many groups ask at once (runtime/witness-queue.ts).
 */
import type { ClusterConfig, EtcdConfig, GroupName, NodeName, WitnessTiming } from '../core/config.ts'
import type { WitnessAsk } from '../core/effects.ts'
import type { WitnessAnswer } from '../core/events.ts'
import { clusterOf, formatLogin, formatRequest, kindOfReply, maxReplyBytes, parseLogin, parseReply } from '../protocol/etcd-json.ts'
import type { EtcdIdentity } from '../protocol/etcd-trouble.ts'
import { beginConversation, continueConversation } from '../protocol/witness-conversation.ts'
import { keySpace } from '../protocol/witness-key.ts'
import { nowMs } from '../runtime/clock.ts'
import { errorText } from '../runtime/errors.ts'
import { openEtcdClient } from '../runtime/etcd-client.ts'
import { createWitnessQueue } from '../runtime/witness-queue.ts'

export interface WitnessOptions {
  readonly etcd: EtcdConfig
  readonly timing: WitnessTiming
  readonly self: NodeName
  readonly peer: NodeName
  readonly generation: number
  /** Of things that a person should know and that spoil no answer; not more often than once a minute. */
  onNotice(message: string): void
}

export interface Witness {
  /** Within the witness timeout and a few milliseconds, and a wait of at most 0.9 s before where many ask at once; never rejects. */
  ask(group: GroupName | undefined, ask: WitnessAsk): Promise<WitnessAnswer>
  close(): void
}

const noticeIntervalMs = 60_000

export function openWitness(options: WitnessOptions): Witness {
  const { etcd, timing } = options
  const asker = { self: options.self, peer: options.peer, generation: options.generation, prefix: etcd.prefix, grantMs: timing.grantMs }
  const identity: EtcdIdentity = { keySpace: keySpace(etcd.prefix), ...(etcd.user === undefined ? {} : { user: etcd.user }) }
  const client = openEtcdClient(etcd, wordsFor(identity), limited(options.onNotice))
  const queue = createWitnessQueue((question) => converse(question.group, question.ask))

  async function converse(group: GroupName | undefined, ask: WitnessAsk): Promise<WitnessAnswer> {
    const endMs = nowMs() + timing.timeoutMs
    let step = beginConversation(asker, group, ask)
    while (step.next === 'send') {
      const { request, conversation } = step
      const outcome = await client.request(formatRequest(request), endMs)
      step = outcome.result === 'answered'
        ? continueConversation(conversation, parseReply(request, outcome.status, outcome.text, identity), outcome.sentMs)
        : continueConversation(conversation, { type: 'failed', message: outcome.message, answered: false }, nowMs())
    }
    return step.answer
  }

  return {
    ask: async (group, ask) => {
      try {
        return await queue.add({ group, ask })
      } catch (error) {
        return { result: 'unreachable', message: `a mistake of our own: ${errorText(error)}` }
      }
    },
    close: () => {
      queue.close()
      client.close()
    },
  }
}

export interface WitnessInForce extends Witness {
  /** After a reload. What is under way to the former witness is answered as unreachable. */
  use(config: ClusterConfig): void
}

/** The witness that the configuration names, or one that tells that it names none. */
export function witnessInForce(initial: ClusterConfig, own: Omit<WitnessOptions, 'etcd' | 'timing'>): WitnessInForce {
  const open = ({ etcd, witness: timing }: ClusterConfig): Witness | undefined => (etcd === undefined || timing === undefined ? undefined : openWitness({ ...own, etcd, timing }))
  const wordsOf = ({ etcd, witness: timing }: ClusterConfig): string => JSON.stringify([etcd, timing])
  let words = wordsOf(initial)
  let current = open(initial)
  return {
    ask: (group, ask) => current?.ask(group, ask) ?? Promise.resolve({ result: 'unreachable', message: 'no witness is configured' }),
    use: (config) => {
      if (wordsOf(config) === words) return
      current?.close()
      words = wordsOf(config)
      current = open(config)
    },
    close: () => current?.close(),
  }
}

function wordsFor(identity: EtcdIdentity): Parameters<typeof openEtcdClient>[1] {
  return {
    maxReplyBytes, clusterOf, formatLogin,
    kindOf: (status, text) => kindOfReply(status, text, identity),
    parseLogin: (status, text) => parseLogin(status, text, identity),
  }
}

function limited(tell: (message: string) => void): (message: string) => void {
  let toldMs = -Infinity
  return (message) => {
    if (nowMs() - toldMs < noticeIntervalMs) return
    toldMs = nowMs()
    tell(message)
  }
}
