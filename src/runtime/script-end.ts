/** How a script ended, as one outcome: by its own exit, by a signal, by its timeout, or not at all because it could not be run. */
import { readFileSync } from 'node:fs'
import type { Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import { graceMs, type ScriptEnd } from './run-script.ts'
import type { ScriptCall } from './script-call.ts'
import { saying } from './script-judgement.ts'
import type { Said } from './status-text.ts'

export function concludeScript(call: ScriptCall, timeoutMs: Millis, end: ScriptEnd, said: Said): Outcome {
  const { text } = said
  switch (end.end) {
    case 'exited':
      return call.judge(end.exitCode, said)
    case 'killed':
      return { result: 'failed', message: `${call.typed} was killed by ${end.signal}${saying(text)}` }
    case 'cancelled':
      return { result: 'cancelled' }
    case 'timed-out':
      return { result: 'timed-out', message: timedOut(call, timeoutMs, end.survivors) + saying(text) }
    case 'not-started':
      return { result: isUnfit(end.code) ? 'not-runnable' : 'failed', message: notStarted(call, end.code, end.message) }
  }
}

function timedOut(call: ScriptCall, timeoutMs: Millis, survivors: readonly number[]): string {
  const limit = `${Math.round(timeoutMs) / 1_000} s`
  const head = `${call.typed} was not done after ${limit} and was ended: TERM, and KILL ${graceMs / 1_000} s later where TERM did not do`
  if (survivors.length === 0) return head
  return `${head}; even so process ${survivors.join(', ')} does not end (type: ps -o pid,stat,wchan,cmd -p ${survivors.join(',')})`
}

/** The file is what stands in the way; any other error (no memory, too many processes) says nothing of the resource. */
function isUnfit(code: string): boolean {
  return code === 'ENOENT' || code === 'ENOEXEC' || code === 'EACCES' || code === 'ENOTDIR' || code === 'ELOOP'
}

/** execve's errors name neither the interpreter nor the cure. */
function notStarted(call: ScriptCall, code: string, message: string): string {
  const { program } = call
  if (program === 'systemctl') return `systemctl cannot be run (${code || message}): systemd units need a host that runs systemd`
  const look = `type: head -1 ${program}; ${call.typed}`
  if (code === 'ENOENT') {
    return `${program} cannot be run: the interpreter ${interpreterOf(program)} of its first line does not exist; ${look}`
  }
  if (code === 'ENOEXEC') return `${program} cannot be run: it is neither a program for this machine nor begins with #!; ${look}`
  if (code === 'EACCES') return `${program} cannot be run: no permission for it or its interpreter ${interpreterOf(program)}; ${look}`
  return `${program} cannot be run (${code}): ${message}; ${look}`
}

function interpreterOf(path: string): string {
  try {
    const [line = ''] = readFileSync(path, 'latin1').slice(0, 256).split('\n')
    // A carriage return (a file from another system) is the usual reason, and would not be seen otherwise.
    return line.startsWith('#!') ? JSON.stringify(line.slice(2).trim() + (line.endsWith('\r') ? '\r' : '')) : '(none named)'
  } catch {
    return '(file not readable)'
  }
}
