/** One request to whichever member of etcd answers first, of those that were told; in order of their last success. */
import { setMaxListeners } from 'node:events'
import type { EtcdConfig } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import type { EtcdCall, ReplyKind } from '../protocol/etcd-json.ts'
import { openConnections, type Posted } from './etcd-connection.ts'
import { connectionFault } from './etcd-faults.ts'
import { createLogin, type LoginWords } from './etcd-login.ts'
import { firstAnswer } from './first-answer.ts'

/** What the answers mean is not known here. */
export interface EtcdWords extends LoginWords {
  kindOf(status: number, text: string): ReplyKind
  /** The cluster that answered; undefined where it is not named. */
  clusterOf(text: string): string | undefined
  readonly maxReplyBytes: number
}

export type EtcdOutcome =
  /** `sentMs`: when that copy of the request left which was answered. */
  | { readonly result: 'answered'; readonly sentMs: Millis; readonly status: number; readonly text: string }
  | { readonly result: 'unreachable'; readonly message: string }

export interface EtcdClient {
  /** Answered at `endMs` at the latest; never rejects. It may be done twice: by a member that was too slow, and by the next. */
  request(call: EtcdCall, endMs: Millis): Promise<EtcdOutcome>
  close(): void
}

export function openEtcdClient(etcd: EtcdConfig, words: EtcdWords, onTrouble: (message: string) => void): EtcdClient {
  const connections = openConnections(etcd, words.maxReplyBytes, onTrouble)
  const closing = new AbortController()
  // One for each question under way; their number is bounded by the caller.
  setMaxListeners(0, closing.signal)
  const login = createLogin(etcd.user, words, closing.signal, (endpoint, call, signal) => connections.post({ endpoint, ...call }, signal))
  const isOfCluster = createClusterCheck(words)
  let order: readonly string[] = [...new Set(etcd.endpoints)]

  async function ask(endpoint: string, call: EtcdCall, signal: AbortSignal): Promise<Posted> {
    for (let tries = 1; ; tries += 1) {
      const token = await login.token(endpoint)
      if (signal.aborted) throw new Error('too late')
      const posted = await connections.post({ endpoint, ...call, ...(token === undefined ? {} : { token }) }, signal)
      const said = words.kindOf(posted.status, posted.text)
      if (said.kind === 'elsewhere') throw new Error(said.message)
      if (said.kind === 'login' && login.again(token) && tries === 1) continue
      isOfCluster(posted.text)
      return posted
    }
  }

  async function request(call: EtcdCall, endMs: Millis): Promise<EtcdOutcome> {
    const first = await firstAnswer({
      hosts: order, endMs, stop: closing.signal,
      ask: (endpoint, signal) => ask(endpoint, call, signal),
      faultOf: (error) => connectionFault(error, etcd),
    })
    if (first.result === 'none') return { result: 'unreachable', message: first.message }
    order = [first.host, ...order.filter((endpoint) => endpoint !== first.host)]
    return { result: 'answered', ...first.answer }
  }

  return {
    request: (call, endMs) => (closing.signal.aborted ? Promise.resolve({ result: 'unreachable', message: 'the daemon ends' }) : request(call, endMs)),
    close: () => {
      closing.abort()
      connections.close()
    },
  }
}

/** Throws for the member of another cluster: two that do not know of each other would grant the same key twice. */
function createClusterCheck(words: EtcdWords): (text: string) => void {
  let known: string | undefined
  return (text) => {
    const found = words.clusterOf(text)
    if (found === undefined) return
    known ??= found
    if (found === known) return
    throw new Error(`it is of etcd cluster ${found}, and the member that answered first was of ${known}: name members of one cluster only, and restart this daemon where etcd was set up anew`)
  }
}
