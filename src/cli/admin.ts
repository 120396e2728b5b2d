/** `standby`, `online`, `takeover`, `pause`, `resume`, `cleanup`: ask the daemon, show each step, say how it ended. */
import { performance } from 'node:perf_hooks'
import type { AdminCommand, AdminReply, Progress } from '../core/admin.ts'
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

export async function runAdmin({ control, command, wait }: AdminOptions, terminal: Terminal): Promise<number> {
  const startMs = performance.now()
  const left = new AbortController()
  const onProgress = (progress: Progress): void => {
    if (wait) terminal.out(renderProgress(progress, performance.now() - startMs, terminal.view))
    else left.abort()
  }
  const timer = wait ? undefined : setTimeout(() => left.abort(), refusalMs)
  const silenceLimitMs = ('timeoutMs' in command ? command.timeoutMs : graceMs) + graceMs
  const answer = await callDaemon<AdminReply>(control, { command: 'admin', admin: command }, { onProgress, silenceLimitMs, signal: left.signal })
  clearTimeout(timer)
  if (answer.ok) return showReply(answer.result, terminal)
  if (answer.error.code !== 'aborted') return refuse(answer.error, terminal)
  terminal.out('asked: the daemon is at work on it; `hactl status` and `hactl events --follow` show how it goes\n')
  return 0
}

function showReply(reply: AdminReply, terminal: Terminal): number {
  if (reply.result === 'done') terminal.out(renderReply(reply, terminal.view))
  else terminal.err(renderReply(reply, terminal.errorView))
  return exitCodeOf(reply)
}
