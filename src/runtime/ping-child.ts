/**
 * One persistent `ping` of one address, started again whenever it ends. With `-O` iputils writes a line for every packet, answered or
 * not, as it happens; so a daemon that stood still reads afterwards what it missed, in order.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Millis } from '../core/time.ts'
import { errorCode } from './errors.ts'
import { withSystemPath } from './script-environment.ts'

export interface PingChildOptions {
  readonly address: string
  readonly intervalMs: Millis
  /** The longest wait before an ended child is started again. */
  readonly patienceMs: Millis
  /** What has been read since the last call, in order: true for an answer, false for a packet that has none yet. */
  onLines(answers: readonly boolean[]): void
  /** Why the child ended; the same reason is told once until an answer comes. */
  onTrouble(message: string): void
}

export interface PingChild {
  /** Another child at once: a host name may have another address by now, a source address may have gone. */
  renew(): void
  close(): void
}

const firstWaitMs: Millis = 200
const longestLine = 2_000
const lastTextLength = 300
const answerForm = /^\d+ bytes from .*icmp_seq=/
const missingForm = /^no answer yet for icmp_seq=|^From .*icmp_seq=/

export function openPingChild(options: PingChildOptions): PingChild {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let waitMs = firstWaitMs
  let told = ''
  let closed = false

  function start(): void {
    const own = spawnPing(options.address, options.intervalMs)
    child = own
    let rest = ''
    let last = ''
    own.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = (lines.pop() ?? '').slice(0, longestLine)
      if (child === own) take(lines)
    })
    own.stderr?.setEncoding('utf8').on('data', (text: string) => { last = (last + text).slice(-lastTextLength) })
    own.once('error', (error) => ended(own, `the program ping cannot be run (${errorCode(error) || error.message}); install iputils-ping`))
    own.once('close', (code, signal) => ended(own, endOf(code, signal, last)))
  }

  function take(lines: readonly string[]): void {
    const answers = lines.filter((line) => answerForm.test(line) || missingForm.test(line)).map((line) => answerForm.test(line))
    if (answers.length === 0) return
    if (answers.includes(true)) {
      waitMs = firstWaitMs
      told = ''
    }
    options.onLines(answers)
  }

  function ended(own: ChildProcess, reason: string): void {
    if (child !== own || closed) return
    child = undefined
    if (reason !== told) options.onTrouble(`ping ${options.address}: ${reason}`)
    told = reason
    timer = setTimeout(start, waitMs)
    waitMs = Math.min(waitMs * 2, Math.max(options.patienceMs, firstWaitMs))
  }

  function end(): void {
    clearTimeout(timer)
    // KILL, for it may have been stopped, and it has nothing to put in order.
    child?.kill('SIGKILL')
    child = undefined
  }

  start()
  return {
    renew() {
      if (closed || child === undefined) return
      end()
      start()
    },
    close() {
      closed = true
      end()
    },
  }
}

/** In a session of its own: an interrupt at a terminal leaves it to the daemon. Without the daemon its next line ends it (SIGPIPE). */
function spawnPing(address: string, intervalMs: Millis): ChildProcess {
  const words = ['-n', '-O', '-i', String(intervalMs / 1_000), '--', address]
  const env = { PATH: withSystemPath(process.env['PATH'] ?? ''), LC_ALL: 'C' }
  return spawn('ping', words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env })
}

function endOf(code: number | null, signal: NodeJS.Signals | null, last: string): string {
  const said = last.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim().replace(/^ping: /, '')
  if (/invalid option|unrecognized option/.test(said)) return `this ping has no -O; install iputils-ping (it said: ${said})`
  const how = signal === null ? `it ended with exit code ${String(code)}` : `it was ended by ${signal}`
  return `${how}${said === '' ? '' : `, saying: ${said}`}; it is started again`
}
