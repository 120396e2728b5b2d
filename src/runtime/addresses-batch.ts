/**
 * One persistent `ip -force -o -batch -`: a command costs 0.04 ms instead of the 4 ms (under load 450 ms) of a process of its own.
 * A syntax error ends the child even with -force, so that whoever writes here checks every word first.
 */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { nowMs } from './clock.ts'
import type { Millis } from '../core/time.ts'
import { errorText } from './errors.ts'

export interface BatchAnswer {
  /** Lines that are no error messages: what `addr show` prints. */
  readonly output: readonly string[]
  /** By the index of the command, the kernel's or ip's own words. */
  readonly errors: ReadonlyMap<number, string>
}

/** What became of commands that may be given to the kernel only until a certain time (monotonic, as `nowMs()`). */
export type TimelyAnswer =
  | { readonly result: 'answered'; readonly answer: BatchAnswer }
  /** The time had passed before: nothing reached the child. */
  | { readonly result: 'not-written' }
  /** The time passed before the answer, and a child that had not answered was killed: whatever the kernel was told last must be undone. */
  | { readonly result: 'late' }
  /** The child ended, and there is time left: what was done is unknown. */
  | { readonly result: 'broken'; readonly message: string }

export interface Batch {
  /** In order, one call after the other. Rejects when the child ended or did not answer in time; what was done is then unknown. */
  run(commands: readonly string[]): Promise<BatchAnswer>
  /** The clock is read just before the writing and just after the answer (F11). */
  runBefore(commands: readonly string[], notAfterMs: Millis): Promise<TimelyAnswer>
  /** Another child for the next command: it caches interface names, and an interface that was made anew has another index. */
  renew(): void
  close(): Promise<void>
}

interface Waiting {
  readonly commands: number
  readonly firstLine: number
  readonly lines: string[]
  readonly timer: NodeJS.Timeout
  readonly resolve: (answer: BatchAnswer) => void
  readonly reject: (error: Error) => void
}

interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly waiting: Waiting[]
  /** Lines written so far: errors are told by line number. */
  lines: number
  rest: string
  ended: boolean
}

/** After each call's commands: everything that the child printed before this line belongs to them. */
const marker = 'link show dev lo'
const markerForm = /^\d+: lo: </
const failureForm = /^Command failed -:(\d+)/
const noAnswer: BatchAnswer = { output: [], errors: new Map() }
const answerMs = 1_000
const answerPerCommandMs = 2
const lastTextLength = 300
const noProgram = /ip: (not found|No such file)/
const noProgramMessage = 'the program ip was not found; install iproute2'

/** Both outputs in one pipe, so that their order is kept; detached, so that an interrupt at a terminal leaves it to the daemon. */
const ip = 'ip -force -o -batch - 2>&1'
const program = ['-c', `exec ${ip}`]
/** It dies with the daemon: an add or a renewal that waits in the pipe must not come after the guard's removal (F11). */
const boundProgram = ['-c', `command -v setpriv >/dev/null 2>&1 && exec setpriv --pdeathsig KILL ${ip}; exec ${ip}`]

/** `onProgram`: a child that may add addresses lives, before it is told anything; it lives no more. */
export function openBatch(onEnded: (reason: string) => void, onProgram: (pid: number, lives: boolean) => void = () => undefined): Batch {
  let child: Child | undefined
  let ending: Promise<void> | undefined
  let closed = false
  const current = (): Child => {
    if (child !== undefined && !child.ended) return child
    const started = startChild((ended, reason) => {
      const { pid } = ended.process
      if (pid !== undefined) onProgram(pid, false)
      if (child === ended && !closed) onEnded(reason)
    })
    child = started
    if (started.process.pid !== undefined) onProgram(started.process.pid, true)
    return started
  }
  const send = (commands: readonly string[], notAfterMs: Millis): Promise<BatchAnswer | undefined> => {
    if (closed) return Promise.reject(new Error('the address program was closed'))
    // A removal must not overtake an add that the old child still has in hand.
    return ending === undefined ? write(current(), commands, notAfterMs) : ending.then(() => write(current(), commands, notAfterMs))
  }
  return {
    async run(commands) {
      return (await send(commands, Infinity)) ?? noAnswer
    },
    async runBefore(commands, notAfterMs) {
      try {
        const answer = await send(commands, notAfterMs)
        if (answer === undefined) return { result: 'not-written' }
        return nowMs() > notAfterMs ? { result: 'late' } : { result: 'answered', answer }
      } catch (error) {
        return nowMs() > notAfterMs ? { result: 'late' } : { result: 'broken', message: errorText(error) }
      }
    },
    renew() {
      const old = child
      child = undefined
      if (old === undefined || old.ended) return
      const ended = Promise.all([ending, endChild(old)]).then(() => {
        if (ending === ended) ending = undefined
      })
      ending = ended
    },
    async close() {
      closed = true
      const last = child
      child = undefined
      await Promise.all([ending, last === undefined || last.ended ? undefined : endChild(last)])
    },
  }
}

/** Its commands are still answered; then the end of its input ends it, or the time. */
function endChild(child: Child): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.process.kill('SIGKILL'), answerMs)
    child.process.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    child.process.stdin.end()
  })
}

function startChild(onEnded: (child: Child, reason: string) => void): Child {
  const process = spawn('/bin/sh', boundProgram, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const child: Child = { process, waiting: [], lines: 0, rest: '', ended: false }
  const end = (reason: string): void => {
    if (child.ended) return
    child.ended = true
    const text = child.waiting[0]?.lines.join(' ') ?? ''
    const last = (text + child.rest).trim().slice(0, lastTextLength) || 'no message'
    const message = noProgram.test(last) ? noProgramMessage : `${reason}: ${last}`
    for (const waiting of child.waiting.splice(0)) {
      clearTimeout(waiting.timer)
      waiting.reject(new Error(message))
    }
    onEnded(child, message)
  }
  process.on('error', (error) => end(`/bin/sh cannot be run (${error.message})`))
  process.on('close', (code, signal) => end(`the address program ended (${signal ?? `exit code ${String(code)}`})`))
  // An ended child is told by `close`; writing to it is no news.
  process.stdin.on('error', () => undefined)
  process.stdout.setEncoding('utf8').on('data', (text: string) => receive(child, text))
  process.stderr.resume()
  return child
}

/** Undefined: it was too late to write them. */
function write(child: Child, commands: readonly string[], notAfterMs: Millis): Promise<BatchAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const leftMs = notAfterMs - nowMs()
    if (leftMs < 0) return resolve(undefined)
    const limitMs = Math.min(answerMs + commands.length * answerPerCommandMs, Math.ceil(leftMs) + 1)
    // A child that hangs may still do what it was told: it is ended before anything else is decided.
    const timer = setTimeout(() => child.process.kill('SIGKILL'), limitMs)
    child.waiting.push({ commands: commands.length, firstLine: child.lines + 1, lines: [], timer, resolve, reject })
    child.lines += commands.length + 1
    child.process.stdin.write(`${[...commands, marker].join('\n')}\n`)
  })
}

function receive(child: Child, text: string): void {
  const lines = (child.rest + text).split('\n')
  child.rest = lines.pop() ?? ''
  for (const line of lines) {
    const waiting = child.waiting[0]
    if (waiting === undefined) continue
    if (!markerForm.test(line)) {
      waiting.lines.push(line)
      continue
    }
    child.waiting.shift()
    clearTimeout(waiting.timer)
    waiting.resolve(answerOf(waiting.lines, waiting.firstLine))
  }
}

function answerOf(lines: readonly string[], firstLine: number): BatchAnswer {
  const output: string[] = []
  const errors = new Map<number, string>()
  let pending: string[] = []
  for (const line of lines) {
    const failed = failureForm.exec(line)
    if (failed !== null) {
      errors.set(Number(failed[1]) - firstLine, pending.join(' ') || 'no message')
      pending = []
    } else if (/^\d+: /.test(line)) output.push(line)
    else pending.push(line)
  }
  return { output, errors }
}

/** The same commands in a process of its own: for removals when the persistent child is no more. */
export function runOnce(commands: readonly string[]): Promise<BatchAnswer> {
  return new Promise((resolve, reject) => {
    const limitMs = answerMs + commands.length * answerPerCommandMs
    const child = execFile('/bin/sh', program, { timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 16 << 20 }, (error, output) => {
      if (noProgram.test(output)) return reject(new Error(noProgramMessage))
      // Exit code 1 only says that a command failed, which its own line says better; a kill or a failed start is another matter.
      if (error !== null && error.code !== 1) return reject(new Error(`ip could not be run: ${error.message.slice(0, lastTextLength)}`))
      resolve(answerOf(output.split('\n'), 1))
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(`${commands.join('\n')}\n`)
  })
}
