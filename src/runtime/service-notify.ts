/** What systemd is told of the daemon (sd_notify), and how often it wants to hear that the daemon lives. Silent without systemd. */
import { execFile } from 'node:child_process'
import { loadNative } from './native.ts'

export interface ServiceNotify {
  /** `status` is the text that `systemctl status` shows. */
  send(state: 'ready' | 'reloading' | 'stopping', status?: string): void
  /** Sent when it is another text than the last one. */
  status(text: string): void
  /** The loop has made its turn. */
  watchdog(): void
}

const programMs = 5_000
/** While systemd does not answer, messages would pile up. */
const mostWaiting = 4

/**
 * Takes NOTIFY_SOCKET and the WATCHDOG variables out of the environment: a database that a script starts would otherwise tell systemd
 * that *this* service is ready or stopping. `onFailed`: code `notify-failed`.
 */
export function openServiceNotify(onFailed: (message: string) => void): ServiceNotify {
  const socket = process.env['NOTIFY_SOCKET'] ?? ''
  watchdogIntervalMs()
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name]
  if (socket === '') return { send: () => undefined, status: () => undefined, watchdog: () => undefined }
  if (!socket.startsWith('/') && !socket.startsWith('@')) onFailed(`NOTIFY_SOCKET=${socket} is neither a path nor an abstract name`)
  const native = loadNative()
  const sendByProgram = programSender(socket, onFailed)
  let shown: string | undefined
  const send = (lines: readonly string[]): void => {
    const code = native?.sendUnixDatagram(socket, lines.join('\n'))
    if (native === undefined || code === 'EAGAIN' || code === 'ENOBUFS') return sendByProgram(lines)
    if (code !== undefined) onFailed(`${untold(lines)}: ${code} on ${socket}`)
  }
  return {
    send(state, status) {
      shown = status ?? shown
      const reloading = ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`]
      const lines = { ready: ['READY=1'], reloading, stopping: ['STOPPING=1'] }
      send([...lines[state], ...(status === undefined ? [] : [statusLine(status)])])
    },
    status(text) {
      if (text === shown) return
      shown = text
      send([statusLine(text)])
    },
    watchdog: () => send(['WATCHDOG=1']),
  }
}

let watchdogMs: number | undefined

/** Half of what systemd waits for (sd_watchdog_enabled(3)); undefined when it does not wait. Remembered over `openServiceNotify`. */
export function watchdogIntervalMs(): number | undefined {
  const { WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = process.env
  if (limit === undefined) return watchdogMs
  const limitMicroseconds = Number(limit)
  const meant = pid === undefined || Number(pid) === process.pid
  watchdogMs = meant && Number.isFinite(limitMicroseconds) && limitMicroseconds > 0 ? limitMicroseconds / 1_000 / 2 : undefined
  return watchdogMs
}

function statusLine(text: string): string {
  return `STATUS=${text.replace(/\s+/g, ' ')}`
}

/**
 * One program at a time, for two that run at once may be heard in either order. --no-block: else it waits for an answer. It
 * speaks for its parent: the unit needs NotifyAccess=all unless it is root's.
 */
function programSender(socket: string, onFailed: (message: string) => void): (lines: readonly string[]) => void {
  const waiting: (readonly string[])[] = []
  let busy = false
  const next = (): void => {
    const lines = busy ? undefined : waiting.shift()
    if (lines === undefined) return
    busy = true
    const options = { env: { ...process.env, NOTIFY_SOCKET: socket }, timeout: programMs }
    execFile('systemd-notify', ['--no-block', ...lines], options, (error, _output, errors) => {
      busy = false
      if (error !== null) onFailed(`${untold(lines)}: systemd-notify: ${errors.trim() || error.message}`)
      next()
    })
  }
  return (lines) => {
    const last = waiting.at(-1)
    if (last !== undefined && isStatusAlone(last) && isStatusAlone(lines)) waiting.pop()
    if (waiting.length >= mostWaiting) return onFailed(`${untold(lines)}: ${waiting.length} messages are still waiting for systemd-notify`)
    waiting.push(lines)
    next()
  }
}

function isStatusAlone(lines: readonly string[]): boolean {
  return lines.length === 1 && lines[0]?.startsWith('STATUS=') === true
}

function untold(lines: readonly string[]): string {
  return `systemd cannot be told ${lines[0] ?? ''}`
}
