/** Runs the scripts of resources: start, stop and status, each with exactly one outcome. It decides nothing; the core says what to run. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Code } from '../core/codes.ts'
import type { ResourceConfig } from '../core/config.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import { prepareForAgents } from './agent-directory.ts'
import { callScript, cancelCurrent, type Called, type CallPlace, type Current } from './call-script.ts'
import { createEarlierOperations } from './earlier-operations.ts'
import { errorText } from './errors.ts'
import { defaultResourceDirectories, locateScript, ocfRoot, type Located, type NotFound } from './locate-script.ts'
import { callOf, type ScriptCall } from './script-call.ts'
import { scriptEnvironment, type EnvironmentOptions } from './script-environment.ts'
import { createOutputs } from './script-output.ts'
import { callAsHeartbeat, isAskedFirst } from './script-sequence.ts'
import type { Said } from './status-text.ts'

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
  /** Where scripts are looked for, in this order; default: /etc/hactl, Heartbeat's, shipped, /etc/init.d. */
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
  const running = new Map<number, Current>()
  const outputDirectory = options.outputDirectory ?? defaultOutputDirectory
  const outputs = createOutputs(outputDirectory, (message) => options.onNotice({ code: 'script-output-cut', message }))
  const earlier = createEarlierOperations(join(outputDirectory, 'running'))
  const place: CallPlace = { outputs, openNames: new Set(), earlier }
  const locate = (resource: ResourceConfig): Located | NotFound => locateScript(resource, directories, ocfDirectory)

  async function run(request: OperationRequest): Promise<Outcome> {
    const { operationId, resource, action, timeoutMs } = request
    const located = locate(resource)
    if (located.kind === 'not-found') return { result: 'not-runnable', message: located.message }
    prepareForAgents(located)
    const current: Current = { cancelled: false }
    running.set(operationId, current)
    const call = (one: Action, limitMs: Millis): Promise<Called> => callOnce(located, { ...request, action: one, timeoutMs: limitMs }, current)
    try {
      if (!isAskedFirst(located)) return (await call(action, timeoutMs)).outcome
      const onNote = (message: string): void => options.onNotice({ code: 'resource-failed', message, group: request.group })
      return await callAsHeartbeat(resource, action, timeoutMs, { call, onNote })
    } finally {
      running.delete(operationId)
    }
  }

  function callOnce(located: Located, request: OperationRequest, current: Current): Promise<Called> {
    const { group, resource, action, timeoutMs } = request
    const call = callOf(located, resource, { group, action, timeoutMs })
    const onCut = (message: string): void => options.onNotice({ code: 'script-output-cut', message, group })
    const outputName = outputNameOf(options.nodeName, request, place.openNames)
    return callScript({ call, environment: environmentOf(call, group, resource, action), timeoutMs, outputName, onCut }, place, current)
  }

  function environmentOf(call: ScriptCall, group: string, resource: ResourceConfig, action: Action): Readonly<Record<string, string>> {
    return { ...environment, ...call.environment, HACTL_GROUP: group, HACTL_RESOURCE: named(resource), HACTL_ACTION: action }
  }

  return {
    // What is thrown here is the system's refusal to give a descriptor or a process: an outcome like any other.
    run: (request) => run(request).catch((error: unknown) => ({
      result: 'failed', message: `${named(request.resource)} ${request.action} could not be run: ${errorText(error)}`,
    })),
    cancel: (operationId) => cancelCurrent(running.get(operationId)),
    cancelAll: () => running.forEach(cancelCurrent),
    locate,
    stopCall(group, resource) {
      const located = locate(resource)
      if (located.kind === 'not-found') return located
      const timeoutMs = resource.stopTimeoutMs
      const call = callOf(located, resource, { group, action: 'stop', timeoutMs })
      const accepted = exitCodes.filter((exitCode) => call.judge(exitCode, nothingSaid).result === 'ok')
      const { program, args, typed } = call
      return { kind: 'call', program, args, environment: environmentOf(call, group, resource, 'stop'), timeoutMs, accepted, typed }
    },
    endEarlier: () => earlier.end(),
    close: () => outputs.close(),
  }
}

const nothingSaid: Said = { text: '', standardOutput: '', captured: true }

/** No kind of script calls a higher one a success. */
const exitCodes = Array.from({ length: 10 }, (_, code) => code)

/** One file for each node, resource and action; a run beside one that would not end gets its own. */
function outputNameOf(node: string, request: OperationRequest, taken: ReadonlySet<string>): string {
  const full = `${node}.${request.group}.${named(request.resource)}`
  const digest = createHash('sha256').update(full).digest('hex').slice(0, 8)
  const name = `${full.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80)}.${digest}.${request.action}`
  return taken.has(name) ? `${name}.${request.operationId}` : name
}
