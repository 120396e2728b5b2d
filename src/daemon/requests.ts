/** Administrators at the control socket: queries are answered from state and history, wishes go to the core. */
import type { AdminReply, Progress } from '../core/admin.ts'
import { explainMove } from '../core/explain.ts'
import type { NodeState } from '../core/state.ts'
import { statusReport } from '../core/status.ts'
import { nowMs } from '../runtime/clock.ts'
import type { ControlHandlers, ControlReply } from '../runtime/control-server.ts'
import type { History } from '../runtime/history.ts'
import type { Happening } from './loop.ts'

export interface Requests extends ControlHandlers {
  progress(requestId: number, progress: Progress): void
  reply(requestId: number, reply: AdminReply): void
}

export interface RequestsOptions {
  readonly history: History
  /** Undefined until the daemon's loop runs: the socket is open a moment earlier. */
  state(): NodeState | undefined
  feed(happening: Happening): void
  reload(requestId: number): void
  trouble(message: string): void
}

/** `why` looks this far back; the history holds more. */
const whyRecords = 2_000

export function createRequests(options: RequestsOptions): Requests {
  const waiting = new Map<number, ControlReply>()
  let lastId = 0
  function ask(reply: ControlReply, send: (requestId: number) => void): void {
    lastId += 1
    waiting.set(lastId, reply)
    send(lastId)
  }
  return {
    trouble: (message) => options.trouble(message),
    request(request, reply) {
      const state = options.state()
      if (state === undefined) return reply.error('starting', 'the daemon has only just been started and is not ready yet; try again in a moment')
      switch (request.command) {
        case 'status':
          return reply.result(statusReport(state, nowMs()))
        case 'events':
          return events(options.history, request.follow, request.limit, reply)
        case 'why':
          return reply.result(explainMove(options.history.recent(whyRecords), request.group) ?? null)
        case 'admin':
          return ask(reply, (requestId) => options.feed({ type: 'admin-requested', requestId, command: request.admin }))
        case 'reload':
          return ask(reply, (requestId) => options.reload(requestId))
      }
    },
    progress: (requestId, progress) => waiting.get(requestId)?.progress(progress),
    reply(requestId, answer) {
      waiting.get(requestId)?.result(answer)
      waiting.delete(requestId)
    },
  }
}

function events(history: History, follow: boolean, limit: number, reply: ControlReply): void {
  for (const record of history.recent(limit)) reply.record(record)
  if (!follow) return reply.result({})
  const stop = history.follow((record) => reply.record(record))
  reply.onClose(stop)
}
