/** Runs the scripts of resources: start, stop and status, each with exactly one outcome. It decides nothing; the core says what to run. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Code } from '../core/codes.ts'
import type { ResourceConfig } from '../core/config.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import { createEarlierOperations } from './earlier-operations.ts'
import { errorText } from './errors.ts'
import { defaultResourceDirectories, locateScript, ocfRoot, type Located, type NotFound } from './locate-script.ts'
import { graceMs, runScript, type RunningScript, type ScriptEnd } from './run-script.ts'
import { callOf, saying, type ScriptCall } from './script-call.ts'
import { scriptEnvironment, type EnvironmentOptions } from './script-environment.ts'
import { createOutputs, type Output } from './script-output.ts'

export type { Located, NotFound } from './locate-script.ts'

/** As it is written in haresources: `apache2`, `webdemo::8080`. */
function named(resource: ResourceConfig): string {
  return [resource.script, ...resource.args].join('::')
}

export interface OperationRequest {
  readonly operationId: number
  readonly group: string
  readonly resource: ResourceConfig
  readonly action: Action
  readonly timeoutMs: Millis
}

export interface Notice { readonly code: Code; readonly message: string; readonly group?: string }

export interface OperationsOptions extends EnvironmentOptions {
  /** Where scripts are looked for, in this order; default: shipped, /etc/hactl, Heartbeat's, /etc/init.d. */
  readonly resourceDirectories?: readonly string[]
  /** Default /usr/lib/ocf. */
  readonly ocfDirectory?: string
  /** Default /run/hactl/output: best on a tmpfs, so that no disk is waited for. */
  readonly outputDirectory?: string
  readonly onNotice: (notice: Notice) => void
}

export interface StopCall {
  readonly kind: 'call'
  readonly program: string
  readonly args: readonly string[]
  /** The whole of it. */
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: Millis
  /** Exit codes that mean stopped. */
  readonly accepted: readonly number[]
  readonly typed: string
}

export interface Operations {
  /** Never rejects, and answers within `timeoutMs` plus three seconds (TERM, KILL). Any number may run at once. */
  run(request: OperationRequest): Promise<Outcome>
  /** Ends the operation's whole process group; its `run` then answers `cancelled`. Nothing when it has ended. */
  cancel(operationId: number): void
  cancelAll(): void
  locate(resource: ResourceConfig): Located | NotFound
  /** The stop of a resource as `run` would begin it now, for the guard. */
  stopCall(group: string, resource: ResourceConfig): StopCall | NotFound
  /** Before the first look at resources: ends scripts that an earlier daemon (killed) left running, and says which. */
  endEarlier(): Promise<readonly string[]>
  /** Stops watching the output files; for the end of the daemon. */
  close(): void
}

export const defaultOutputDirectory = '/run/hactl/output'

export function createOperations(options: OperationsOptions): Operations {
  const directories = options.resourceDirectories ?? defaultResourceDirectories()
  const ocfDirectory = options.ocfDirectory ?? ocfRoot
  const environment = { ...scriptEnvironment(options), OCF_ROOT: ocfDirectory }
  const running = new Map<number, RunningScript>()
  const openNames = new Set<string>()
  const outputDirectory = options.outputDirectory ?? defaultOutputDirectory
  const outputs = createOutputs(outputDirectory, (message) => options.onNotice({ code: 'script-output-cut', message }))
  const earlier = createEarlierOperations(join(outputDirectory, 'running'))
  const locate = (resource: ResourceConfig): Located | NotFound => locateScript(resource, directories, ocfDirectory)

  async function run(request: OperationRequest): Promise<Outcome> {
    const { operationId, group, resource, action, timeoutMs } = request
    const located = locate(resource)
    if (located.kind === 'not-found') return { result: 'not-runnable', message: located.message }
    const call = callOf(located, resource, { group, action, timeoutMs })
    const name = outputName(options.nodeName, request, openNames)
    const output = outputs.open(name)
    openNames.add(name)
    const begun = earlier.begin()
    let forget = (): void => undefined
    try {
      const script = runScript({
        path: call.program,
        args: call.args,
        environment: environmentOf(call, group, resource, action),
        timeoutMs,
        outputFd: output.fd,
      })
      running.set(operationId, script)
      if (script.pid !== undefined) forget = earlier.note(script.pid, call.typed)
      begun()
      return conclude(request, call, await script.done, output, options.onNotice)
    } finally {
      begun()
      forget()
      running.delete(operationId)
      openNames.delete(name)
      output.close()
    }
  }

  function environmentOf(call: ScriptCall, group: string, resource: ResourceConfig, action: Action): Readonly<Record<string, string>> {
    return { ...environment, ...call.environment, HACTL_GROUP: group, HACTL_RESOURCE: named(resource), HACTL_ACTION: action }
  }

  return {
    // What is thrown here is the system's refusal to give a descriptor or a process: an outcome like any other.
    run: (request) => run(request).catch((error: unknown) => ({
      result: 'failed', message: `${named(request.resource)} ${request.action} could not be run: ${errorText(error)}`,
    })),
    cancel: (operationId) => running.get(operationId)?.cancel(),
    cancelAll: () => running.forEach((script) => script.cancel()),
    locate,
    stopCall(group, resource) {
      const located = locate(resource)
      if (located.kind === 'not-found') return located
      const timeoutMs = resource.stopTimeoutMs
      const call = callOf(located, resource, { group, action: 'stop', timeoutMs })
      const accepted = exitCodes.filter((exitCode) => call.judge(exitCode, '', true).result === 'ok')
      const { program, args, typed } = call
      return { kind: 'call', program, args, environment: environmentOf(call, group, resource, 'stop'), timeoutMs, accepted, typed }
    },
    endEarlier: () => earlier.end(),
    close: () => outputs.close(),
  }
}

/** No kind of script calls a higher one a success. */
const exitCodes = Array.from({ length: 10 }, (_, code) => code)

function conclude(
  request: OperationRequest,
  call: ScriptCall,
  end: ScriptEnd,
  output: Output,
  onNotice: (notice: Notice) => void,
): Outcome {
  const { text, cutBytes } = output.read()
  if (cutBytes > 0) {
    const message = `${call.typed} printed more than ${Math.round(cutBytes / 1_024)} KiB; only the end of it was kept`
    onNotice({ code: 'script-output-cut', message, group: request.group })
  }
  switch (end.end) {
    case 'exited':
      return call.judge(end.exitCode, text, output.captured)
    case 'killed':
      return { result: 'failed', message: `${call.typed} was killed by ${end.signal}${saying(text)}` }
    case 'cancelled':
      return { result: 'cancelled' }
    case 'timed-out':
      return { result: 'timed-out', message: timedOut(request, call, end.survivors) + saying(text) }
    case 'not-started':
      return { result: isUnfit(end.code) ? 'not-runnable' : 'failed', message: notStarted(call, end.code, end.message) }
  }
}

function timedOut(request: OperationRequest, call: ScriptCall, survivors: readonly number[]): string {
  const limit = `${request.timeoutMs / 1_000} s`
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

/** One file for each node, resource and action; a run beside one that would not end gets its own. */
function outputName(node: string, request: OperationRequest, taken: ReadonlySet<string>): string {
  const full = `${node}.${request.group}.${named(request.resource)}`
  const digest = createHash('sha256').update(full).digest('hex').slice(0, 8)
  const name = `${full.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80)}.${digest}.${request.action}`
  return taken.has(name) ? `${name}.${request.operationId}` : name
}
