/** A client as real as they come: it fetches a page from the floating address every few ms, each time over a new connection. */
import { readFileSync } from 'node:fs'
import type http from 'node:http'
import type { Host } from '../lab/hosts.ts'
import { waitFor } from '../lab/hosts.ts'

/** Wall time in ms; `host` is the node that the page names. */
export interface Answer { readonly atMs: number; readonly host: string }

export interface Client {
  answers(): readonly Answer[]
  /** The first answer (of this host) after the instant. */
  firstAnswer(afterMs: number, host?: string, timeoutMs?: number): Promise<Answer>
  stop(): void
}

/** Runs in the client's namespaces as a program of its own, hence the `require` and the plain JavaScript of its body. */
function ask(require: NodeJS.Require, address: string, port: number, everyMs: number): void {
  const { get } = require('node:http') as typeof http
  let lines = ''
  const question = (): void => {
    // Not waiting for the one before: a question without an answer must not keep the next one from being asked.
    const request = get({ host: address, port, agent: false, timeout: 1000 }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => (lines += `${Date.now()} ${text.replace(/\s+/g, ' ')}\n`))
      response.on('error', () => undefined)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => undefined)
  }
  setInterval(question, everyMs)
  setInterval(() => {
    if (lines !== '') process.stdout.write(lines)
    lines = ''
  }, 50)
}

export async function startClient(from: Host, hosts: readonly string[], address: string, port: number, everyMs: number): Promise<Client> {
  const words = [address, port, everyMs].map((word) => JSON.stringify(word)).join(', ')
  const running = await from.start('asking', [process.execPath, '-e', `(${ask.toString()})(require, ${words})`])
  const answers = (): readonly Answer[] => answersIn(readFileSync(running.logPath, 'utf8'), hosts)
  return {
    answers,
    firstAnswer: (afterMs, host, timeoutMs = 20_000) => waitFor(
      `an answer${host === undefined ? '' : ` of ${host}`} from ${address}`,
      () => answers().find((answer) => answer.atMs >= afterMs && (host === undefined || answer.host === host)), timeoutMs, 25),
    stop: () => running.kill('SIGKILL'),
  }
}

/** A line is the instant and the page; the page names the host that made it. */
export function answersIn(log: string, hosts: readonly string[]): readonly Answer[] {
  return log.slice(0, log.lastIndexOf('\n') + 1).split('\n').flatMap((line) => {
    const [at = ''] = line.split(' ', 1)
    const page = line.slice(at.length).split(/[^A-Za-z0-9-]+/)
    const host = hosts.find((name) => page.includes(name))
    return host === undefined || !/^\d+$/.test(at) ? [] : [{ atMs: Number(at), host }]
  })
}

/** The longest time without an answer that touches the span, and the answer that ended it. */
export function longestGap(answers: readonly Answer[], fromMs: number, toMs: number): { readonly ms: number; readonly endedBy?: Answer } {
  let longest: { ms: number; endedBy?: Answer } = { ms: 0 }
  let previousMs = fromMs
  for (const answer of answers) {
    if (answer.atMs < fromMs) continue
    if (answer.atMs > toMs) break
    if (answer.atMs - previousMs > longest.ms) longest = { ms: answer.atMs - previousMs, endedBy: answer }
    previousMs = answer.atMs
  }
  return toMs - previousMs > longest.ms ? { ms: toMs - previousMs } : longest
}
