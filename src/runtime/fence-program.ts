/**
 * One run of a fencing program. What it needs to know goes to its standard input alone: arguments and environment can be read by
 * others, and what it says is told only after every secret in it was blotted out.
 */
import { closeSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Millis } from '../core/time.ts'
import type { EarlierOperations } from './earlier-operations.ts'
import { errorText } from './errors.ts'
import { isExecutable } from './executable.ts'
import { makePrivateDirectory } from './private-directory.ts'
import { graceMs, runScript, type RunningScript, type ScriptEnd } from './run-script.ts'
import { saying } from './script-judgement.ts'
import { withSystemPath } from './script-environment.ts'
import { createOutputs, type Outputs } from './script-output.ts'

export interface FenceCall {
  readonly program: string
  readonly args: readonly string[]
  /** A file, already unlinked, that the program finds as its standard input. */
  readonly input: string
  /** Beside what every fencing program gets. */
  readonly environment?: Readonly<Record<string, string>>
  /** As messages name the call: `fence_ipmilan off for beta`. */
  readonly named: string
  readonly secrets: readonly string[]
  readonly timeoutMs: Millis
}

/** `said`: the end of its output as the rest of a sentence, without secrets. `text`: the same output for whoever reads it as data. */
export type FenceAnswer =
  | { readonly end: 'exited'; readonly exitCode: number; readonly text: string; readonly said: string }
  | { readonly end: 'failed' | 'timed-out'; readonly message: string }

export interface FencePrograms {
  /** Never rejects. Ends within `timeoutMs` plus the time of a TERM and a KILL. */
  run(call: FenceCall): Promise<FenceAnswer>
  /** Ends what runs; those calls answer `failed`. */
  close(): void
}

const leastMs: Millis = 1

export function createFencePrograms(directory: string, earlier: EarlierOperations, onTrouble: (message: string) => void): FencePrograms {
  const running = new Set<RunningScript>()
  let outputs: Outputs | undefined
  let count = 0

  async function run(call: FenceCall): Promise<FenceAnswer> {
    const path = findProgram(call.program)
    if (path === undefined) return { end: 'failed', message: missing(call.program) }
    makePrivateDirectory(directory)
    outputs ??= createOutputs(directory, onTrouble)
    count += 1
    const name = `${process.pid}.${count}`
    const inputFd = openInput(join(directory, `${name}.input`), call.input)
    const output = outputs.open(`${name}.output`)
    let forget = (): void => undefined
    try {
      const environment = { ...baseEnvironment(), ...call.environment }
      const timeoutMs = Math.max(call.timeoutMs, leastMs)
      const script = runScript({ path, args: call.args, environment, timeoutMs, outputFd: output.fd, inputFd })
      running.add(script)
      if (script.pid !== undefined) forget = earlier.note(script.pid, call.named)
      const end = await script.done
      running.delete(script)
      const text = blotted(output.read().text, call.secrets)
      return answerOf(call, end, text)
    } finally {
      forget()
      output.close()
      rmSync(join(directory, `${name}.output`), { force: true })
      closeSync(inputFd)
    }
  }

  return {
    run: (call) => run(call).catch((error: unknown) => ({
      end: 'failed', message: `${call.named} could not be run: ${errorText(error)}`,
    })),
    close() {
      for (const script of running) script.cancel()
      outputs?.close()
    },
  }
}

function answerOf(call: FenceCall, end: ScriptEnd, text: string): FenceAnswer {
  const said = saying(text)
  switch (end.end) {
    case 'exited':
      return { end: 'exited', exitCode: end.exitCode, text, said }
    case 'killed':
      return { end: 'failed', message: `${call.named} was killed by ${end.signal}${said}` }
    case 'cancelled':
      return { end: 'failed', message: `${call.named} was ended because this daemon ends` }
    case 'timed-out':
      return { end: 'timed-out', message: `${call.named} was not done after ${seconds(call.timeoutMs)} and was ended: ${howEnded(end.survivors)}${said}` }
    case 'not-started':
      return { end: 'failed', message: `${call.named} cannot be run (${end.code}): ${end.message}` }
  }
}

function howEnded(survivors: readonly number[]): string {
  const rest = survivors.length === 0 ? '' : `; even so process ${survivors.join(', ')} does not end`
  return `TERM, and KILL ${seconds(graceMs)} later where TERM did not do${rest}`
}

function seconds(ms: Millis): string {
  return `${Math.round(ms / 100) / 10} s`
}

/** A name is looked for where the daemon's own PATH and the system directories point; an absolute path is taken as it is. */
function findProgram(name: string): string | undefined {
  const places = name.startsWith('/') ? [name] : systemDirectories().map((directory) => join(directory, name))
  return places.find(isExecutable)
}

function systemDirectories(): readonly string[] {
  return withSystemPath(process.env['PATH'] ?? '').split(':')
}

function missing(program: string): string {
  const cure = program.startsWith('/') ? `ls -l ${program}` : `apt-get install ${program === 'stonith' ? 'cluster-glue' : 'fence-agents'}`
  return `${program} is not on this host or cannot be executed; type: ${cure}`
}

/** Messages of stonith and its plugins would go to the system's log otherwise, where nobody looks for them. */
function baseEnvironment(): Readonly<Record<string, string>> {
  return {
    PATH: systemDirectories().join(':'), HOME: process.env['HOME'] ?? '/root', LC_ALL: 'C',
    HA_LOGFILE: '/proc/self/fd/2', HA_LOGD: 'no', HA_debug: '0',
  }
}

function openInput(path: string, text: string): number {
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  const fd = openSync(path, 'r')
  unlinkSync(path)
  return fd
}

function blotted(text: string, secrets: readonly string[]): string {
  // The longest first, for one may be part of another.
  const sorted = [...secrets].filter((secret) => secret.trim() !== '').sort((a, b) => b.length - a.length)
  return sorted.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
