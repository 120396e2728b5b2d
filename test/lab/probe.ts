/** A client that keeps asking the floating address and notes who answered when. */
import { readFileSync } from 'node:fs'
import { askWords } from './programs.ts'
import { sleep, waitFor } from './sandbox.ts'
import type { Running } from './hosts.ts'

/** Wall time in ms. */
export interface Answer { readonly atMs: number; readonly askedMs: number; readonly host: string }
/** The longest time without an answer, and who answered before and after it (`undefined`: nobody). */
export interface Gap { readonly ms: number; readonly fromMs: number; readonly before?: string; readonly after?: string }

export interface Probe {
  readonly everyMs: number
  answers(fromMs?: number, toMs?: number): readonly Answer[]
  /** Silence up to `toMs` counts. */
  longestGap(fromMs: number, toMs?: number): Promise<Gap>
  /** The first answer of this host after the instant. */
  firstAnswerOf(host: string, afterMs: number, timeoutMs?: number): Promise<Answer>
  stop(): void
}

export async function startProbe(start: (words: string[]) => Promise<Running>, ip: string, everyMs: number): Promise<Probe> {
  const running = await start(askWords(ip, everyMs))
  await waitFor('the probe', () => running.log().startsWith('ready') || undefined)
  const answers = (fromMs = 0, toMs = Infinity): Answer[] => {
    const text = readFileSync(running.logPath, 'utf8')
    const lines = text.slice(text.indexOf('\n') + 1, text.lastIndexOf('\n')).split('\n')
    return lines.flatMap((line) => {
      const [atMs = '', askedMs = '', host = ''] = line.split(' ')
      const at = Number(atMs)
      return host !== '' && at >= fromMs && at <= toMs ? [{ atMs: at, askedMs: Number(askedMs), host }] : []
    })
  }
  return {
    everyMs, answers,
    longestGap: async (fromMs, toMs = Date.now()) => {
      // What the probe has heard reaches the file in its own rhythm.
      await sleep(Math.max(0, toMs + 60 - Date.now()))
      return longestGapOf(answers(), fromMs, toMs)
    },
    firstAnswerOf: (host, afterMs, timeoutMs = 15_000) =>
      waitFor(`an answer of ${host} from ${ip}`, () => answers(afterMs).find((answer) => answer.host === host), timeoutMs, 20),
    stop: () => running.kill('SIGKILL'),
  }
}

export function longestGapOf(answers: readonly Answer[], fromMs: number, toMs: number): Gap {
  let last: { atMs: number; host?: string } = { atMs: fromMs }
  let longest: Gap = { ms: 0, fromMs }
  for (const { atMs, host } of [...answers.filter((answer) => answer.atMs >= fromMs && answer.atMs <= toMs), { atMs: toMs, host: undefined }]) {
    if (atMs - last.atMs > longest.ms) {
      longest = {
        ms: atMs - last.atMs, fromMs: last.atMs,
        ...(last.host === undefined ? {} : { before: last.host }), ...(host === undefined ? {} : { after: host }),
      }
    }
    last = { atMs, ...(host === undefined ? {} : { host }) }
  }
  return longest
}
