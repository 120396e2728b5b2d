/** Asks the daemon over its control socket. Loaded by every command, so it imports nothing but node:net. */
import { connect, type Socket } from 'node:net'
import type { Progress } from '../core/admin.ts'
import type { EventRecord } from '../core/records.ts'
import type { ControlError, ControlRequest } from './control-protocol.ts'
import { isObject, parseJson } from './json-values.ts'

/**
 * `no-daemon`, `no-permission`, `no-answer` (it is there and silent) and `broken-answer` are ours; any other code is the daemon's own.
 * `aborted`: the caller's signal ended a `follow`.
 */
export type CallResult<T = unknown> =
  | { readonly ok: true; readonly result: T }
  | { readonly ok: false; readonly error: ControlError }

export interface CallOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly onRecord?: (record: EventRecord) => void
  /** The longest silence of the daemon; default 10 s. For `admin`, the command's own timeout and some seconds. 0: no limit (`follow`). */
  readonly silenceLimitMs?: number
  readonly signal?: AbortSignal
}

/** Never rejects: every trouble is an `error` with a sentence that says what to type. */
export function callDaemon<T = unknown>(path: string, request: ControlRequest, options: CallOptions = {}): Promise<CallResult<T>> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const silenceLimitMs = options.silenceLimitMs ?? 10_000
    let pending = ''
    let settled = false

    function settle(result: CallResult<T>): void {
      if (settled) return
      settled = true
      socket.destroy()
      resolve(result)
    }
    const fail = (code: string, message: string): void => settle({ ok: false, error: { code, message } })

    function takeLine(line: string): void {
      const answer = parseLine(line)
      if (answer === undefined) {
        return fail('broken-answer', `the daemon at ${path} answered what this hactl does not understand: ${line.slice(0, 80)}`)
      }
      if ('progress' in answer) options.onProgress?.(answer.progress as Progress)
      else if ('record' in answer) options.onRecord?.(answer.record as EventRecord)
      else if ('error' in answer) settle({ ok: false, error: answer.error as ControlError })
      else settle({ ok: true, result: answer['result'] as T })
    }

    socket.setEncoding('utf8')
    if (silenceLimitMs > 0) {
      socket.setTimeout(silenceLimitMs, () => fail('no-answer',
        `the daemon at ${path} takes connections but has not answered for ${silenceLimitMs / 1_000} s; type: systemctl status hactl`))
    }
    socket.once('connect', () => socket.write(`${JSON.stringify({ version: 1, ...request })}\n`))
    socket.on('data', (text: string) => {
      const lines = (pending + text).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) if (!settled) takeLine(line)
    })
    socket.once('close', () =>
      fail('broken-answer', `the daemon at ${path} closed the connection without a result; type: systemctl status hactl`))
    socket.once('error', (error) => settle({ ok: false, error: explain(path, error) }))
    stopOn(options.signal, socket, () => fail('aborted', 'stopped waiting'))
  })
}

/** One that takes connections and is silent for 2 s runs as well. */
export async function daemonRuns(path: string): Promise<boolean> {
  const answer = await callDaemon(path, { command: 'pid' }, { silenceLimitMs: 2_000 })
  return answer.ok || answer.error.code === 'no-answer'
}

function stopOn(signal: AbortSignal | undefined, socket: Socket, stop: () => void): void {
  if (signal === undefined) return
  if (signal.aborted) return stop()
  signal.addEventListener('abort', stop, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', stop))
}

function parseLine(line: string): Record<string, unknown> | undefined {
  const json = parseJson(line)
  if (!isObject(json)) return undefined
  return 'progress' in json || 'record' in json || 'result' in json || isControlError(json['error']) ? json : undefined
}

function isControlError(value: unknown): value is ControlError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value &&
    typeof value.code === 'string' && typeof value.message === 'string'
}

function explain(path: string, error: NodeJS.ErrnoException): ControlError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR' || error.code === 'ENOTSOCK') {
    const why = error.code === 'ECONNREFUSED' ? 'nobody listens there' : 'there is no such socket'
    return { code: 'no-daemon', message: `no daemon answers at ${path}: ${why}; type: systemctl status hactl` }
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return { code: 'no-permission', message: `no permission to use ${path}: be root or in the group haclient; type: ls -l ${path}` }
  }
  return { code: 'broken-answer', message: `talking to the daemon at ${path} failed: ${error.message}; type: systemctl status hactl` }
}
