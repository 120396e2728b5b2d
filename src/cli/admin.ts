/** `standby`, `online`, `takeover`, `pause`, `resume`, `cleanup`, `clear`: ask the daemon, show each step, say how it ended. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AdminCommand, AdminReply, Progress } from '../core/admin.ts'
import type { EventRecord } from '../core/records.ts'
import { callDaemon } from '../runtime/control-client.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import { exitCodeOf, renderProgress, renderReply } from './render-admin.ts'
import type { Terminal } from './terminal.ts'

interface AdminOptions extends CommonOptions { readonly command: AdminCommand; readonly wait: boolean }

/** A daemon refuses within a few turns of its loop; one that has said nothing by then is at work. */
const refusalMs = 500
/** The daemon itself ends a request that takes too long; this much later it is not answering at all. */
const graceMs = 5000

/** The request itself, its reply, and what follows from the steps beside it. */
const noSteps: readonly string[] = ['admin-requested', 'admin-replied', 'placement-changed']
/** What the history adds in the same turn as the reply arrives on another connection, a moment later. */
const lastStepsMs = 30
/** How many records may have been written before the daemon took notice of our listening. */
const missedRecords = 100

export async function runAdmin({ control, command, wait }: AdminOptions, terminal: Terminal): Promise<number> {
  const startMs = performance.now()
  const left = new AbortController()
  const show = (progress: Progress): void => terminal.out(renderProgress(progress, performance.now() - startMs, terminal.view))
  const timer = wait ? undefined : setTimeout(() => left.abort(), refusalMs)
  const steps = wait ? showSteps(control, show) : undefined
  const answer = await callDaemon<AdminReply>(control, { command: 'admin', admin: command }, {
    onProgress: wait ? show : () => left.abort(),
    silenceLimitMs: ('timeoutMs' in command ? command.timeoutMs : graceMs) + graceMs,
    signal: left.signal,
  })
  clearTimeout(timer)
  await steps?.end(answer.ok)
  if (answer.ok) return showReply(answer.result, terminal)
  if (answer.error.code !== 'aborted') return refuse(answer.error, terminal)
  terminal.out('asked: the daemon is at work on it; `hactl status` and `hactl events --follow` show how it goes\n')
  return 0
}

/** The records of this daemon from now on: what it does with the request, step by step. */
function showSteps(control: string, show: (progress: Progress) => void): { readonly end: (answered: boolean) => Promise<void> } {
  const startWallMs = Date.now()
  const over = new AbortController()
  const onRecord = ({ code, message, wallMs }: EventRecord): void => {
    if (wallMs >= startWallMs && !noSteps.includes(code)) show({ message })
  }
  const request = { command: 'events', follow: true, limit: missedRecords } as const
  const following = callDaemon(control, request, { onRecord, silenceLimitMs: 0, signal: over.signal })
  return {
    end: async (answered) => {
      if (answered) await sleep(lastStepsMs)
      over.abort()
      await following
    },
  }
}

/** Good news to standard output, bad news to standard error; gives the exit code. */
export function showReply(reply: AdminReply, terminal: Terminal): number {
  if (reply.result === 'done') terminal.out(renderReply(reply, terminal.view))
  else terminal.err(renderReply(reply, terminal.errorView))
  return exitCodeOf(reply)
}
