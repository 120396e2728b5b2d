/**
 * The `notify:` commands: each event record goes to each command, one at a time and in order, with a timeout. keepalived's are
 * unordered and forgotten (field experience: races on cloud interfaces); here a command that fails or hangs is told and passed over.
 */
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EventRecord } from '../core/records.ts'
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'
import { errorText } from './errors.ts'
import { runScript, type RunningScript } from './run-script.ts'
import { saying } from './script-judgement.ts'
import { scriptEnvironment, type EnvironmentOptions } from './script-environment.ts'
import { createOutputs, type Outputs } from './script-output.ts'
import type { Notice } from './operations.ts'
import { makePrivateDirectory } from './private-directory.ts'

export interface NotifyOptions extends EnvironmentOptions {
  /** Each as words: program and arguments. */
  readonly commands: readonly (readonly string[])[]
  /** Default /run/hactl/notify. */
  readonly outputDirectory?: string
  /** Of one command for one record; default 30 s. */
  readonly timeoutMs?: Millis
  /** Records that may wait; default 1,000, then the newest are dropped. */
  readonly queueLimit?: number
  /** `notify-failed`, at most one a minute for each command. */
  readonly onNotice: (notice: Notice) => void
}

export interface Notifier {
  notify(record: EventRecord): void
  /** After a reload; records that wait go to the new ones. */
  setCommands(commands: readonly (readonly string[])[]): void
  /** Ends the running command and forgets what waits. */
  close(): void
}

const troubleIntervalMs = 60_000

export function createNotifier(options: NotifyOptions): Notifier {
  const directory = options.outputDirectory ?? '/run/hactl/notify'
  const queueLimit = options.queueLimit ?? 1_000
  const tell = limited(options.onNotice)
  const environment = scriptEnvironment(options)
  let { commands } = options
  let queue: EventRecord[] = []
  let current: RunningScript | undefined
  let outputs: Outputs | undefined
  let busy = false
  let closed = false

  async function runOne(command: readonly string[], record: EventRecord): Promise<void> {
    const [path = '', ...args] = command
    const inputFd = openInput(join(directory, `${options.nodeName}.record`), record)
    outputs ??= createOutputs(directory, (message) => tell('output', message))
    const output = outputs.open(`${options.nodeName}.output`)
    try {
      const timeoutMs = options.timeoutMs ?? 30_000
      const own = { ...environment, ...recordEnvironment(record) }
      current = runScript({ path, args, environment: own, timeoutMs, outputFd: output.fd, inputFd })
      const end = await current.done
      const said = saying(output.read().text)
      const name = command.join(' ')
      if (end.end === 'timed-out') tell(name, `the notify command ${name} was not done after ${timeoutMs / 1_000} s and was ended${said}`)
      if (end.end === 'killed') tell(name, `the notify command ${name} was killed by ${end.signal}${said}`)
      if (end.end === 'not-started') tell(name, `the notify command ${name} cannot be run (${end.code}); type: ls -l ${path}`)
      if (end.end === 'exited' && end.exitCode !== 0) tell(name, `the notify command ${name} failed with exit code ${end.exitCode}${said}`)
    } finally {
      current = undefined
      output.close()
      closeSync(inputFd)
    }
  }
  async function drain(): Promise<void> {
    busy = true
    for (let record = queue.shift(); record !== undefined && !closed; record = queue.shift()) {
      for (const command of commands) {
        if (closed) break
        await runOne(command, record).catch((error: unknown) => tell('', `a notify command could not be run: ${errorText(error)}`))
      }
    }
    busy = false
  }

  return {
    notify(record) {
      // A command that always fails must not be told of its own failure for ever.
      if (closed || commands.length === 0 || record.code === 'notify-failed') return
      if (queue.length >= queueLimit) return tell('queue', `${queueLimit} records wait for the notify commands; newer ones are dropped`)
      queue.push(record)
      if (!busy) void drain()
    },
    setCommands(next) {
      commands = next
    },
    close() {
      closed = true
      queue = []
      current?.cancel()
      outputs?.close()
    },
  }
}

/** The record as JSON on standard input: a file, for a command that does not read a pipe would hold up its writer. */
function openInput(path: string, record: EventRecord): number {
  makePrivateDirectory(dirname(path))
  writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  const fd = openSync(path, 'r')
  unlinkSync(path)
  return fd
}

/** HACTL_CODE, HACTL_LEVEL, HACTL_MESSAGE, HACTL_GROUP...; each figure as HACTL_FIGURE_name. */
function recordEnvironment(record: EventRecord): Record<string, string> {
  const environment: Record<string, string> = {
    HACTL_CODE: record.code,
    HACTL_LEVEL: record.level,
    // A zero byte cannot be passed, and a peer's text may hold one.
    HACTL_MESSAGE: record.message.replaceAll('\0', ' '),
    HACTL_TIME: new Date(record.wallMs).toISOString(),
    HACTL_GROUP: record.group ?? '',
    HACTL_MOVE: record.move ?? '',
    HACTL_REASON: record.reason ?? '',
  }
  for (const [name, value] of Object.entries(record.figures ?? {})) environment[`HACTL_FIGURE_${name}`] = String(value)
  return environment
}

function limited(onNotice: (notice: Notice) => void): (subject: string, message: string) => void {
  const toldMs = new Map<string, Millis>()
  return (subject, message) => {
    const last = toldMs.get(subject)
    if (last !== undefined && nowMs() - last < troubleIntervalMs) return
    toldMs.set(subject, nowMs())
    onNotice({ code: 'notify-failed', message })
  }
}
