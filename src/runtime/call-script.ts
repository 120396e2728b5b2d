/** One call of a script from its beginning to its outcome: its output kept, its process noted for the daemon after this one. */
import type { Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import { openCallOutput } from './call-output.ts'
import type { EarlierOperations } from './earlier-operations.ts'
import { runScript, type RunningScript } from './run-script.ts'
import type { ScriptCall } from './script-call.ts'
import { concludeScript } from './script-end.ts'
import type { Outputs } from './script-output.ts'
import type { Said } from './status-text.ts'

/** What is under way for one operation: one script after the other. */
export interface Current { script?: RunningScript; cancelled: boolean }

export interface Called { readonly outcome: Outcome; /** Absent where the script did not exit by itself. */ readonly said?: Said }

export interface Calling {
  readonly call: ScriptCall
  /** The whole of it. */
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: Millis
  readonly outputName: string
  onCut(message: string): void
}

export interface CallPlace {
  readonly outputs: Outputs
  /** Names of output files in use. */
  readonly openNames: Set<string>
  readonly earlier: EarlierOperations
}

/** Rejects where the system gives no descriptor. */
export async function callScript({ call, environment, timeoutMs, outputName, onCut }: Calling, place: CallPlace, current: Current): Promise<Called> {
  if (current.cancelled) return { outcome: { result: 'cancelled' } }
  const output = openCallOutput(place.outputs, outputName, place.openNames, call.judgesText)
  const begun = place.earlier.begin()
  let forget = (): void => undefined
  try {
    const script = runScript({ path: call.program, args: call.args, environment, timeoutMs, outputFd: output.fd, errorFd: output.errorFd })
    current.script = script
    if (script.pid !== undefined) forget = place.earlier.note(script.pid, call.typed)
    begun()
    const end = await script.done
    const said = output.read((message) => onCut(`${call.typed} ${message}`))
    return { outcome: concludeScript(call, timeoutMs, end, said), ...(end.end === 'exited' ? { said } : {}) }
  } finally {
    begun()
    forget()
    output.close()
  }
}

export function cancelCurrent(current: Current | undefined): void {
  if (current === undefined) return
  current.cancelled = true
  current.script?.cancel()
}
