/** One call of a resource's script as data: program, words, environment, and what its end means (the script contract, README section 6). */
import type { ResourceConfig } from '../core/config.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import type { Located } from './locate-script.ts'
import { agentEnvironment, judgeOcf, meaningOfOcf, ocfActions } from './ocf-agent.ts'
import { isStopped, judgeUnit, unitWords } from './systemd-unit.ts'

export interface ScriptCall {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The call as a person would type it. */
  readonly typed: string
  /** Of a script that exited; `text` is the end of its output. */
  judge(exitCode: number, text: string, captured: boolean): Outcome
}

export interface CallContext {
  readonly group: string
  readonly action: Action
  readonly timeoutMs: Millis
}

export function callOf(located: Located, resource: ResourceConfig, context: CallContext): ScriptCall {
  const { action } = context
  if (located.kind === 'systemd') {
    const [program, ...args] = unitWords(located.unit, action)
    return call(program, args, {}, (exitCode, text) => judgeSystemd(located.unit, action, exitCode, text))
  }
  if (located.kind === 'ocf') {
    const environment = agentEnvironment(resource, located, context.group, context.timeoutMs)
    return call(located.path, [ocfActions[action]], environment, (exitCode, text) => judgeAgent(located.path, action, exitCode, text))
  }
  const judge = (exitCode: number, text: string, captured: boolean): Outcome =>
    located.kind === 'heartbeat' && action === 'status'
      ? judgeText(located.path, text, captured)
      : judgeLsb(located.path, action, exitCode, text)
  return call(located.path, [...resource.args, action], resource.parameters ?? {}, judge)
}

function call(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  judge: ScriptCall['judge'],
): ScriptCall {
  return { program, args, environment, typed: [program, ...args].map(quote).join(' '), judge }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

const lsbMeanings: Readonly<Record<number, string>> = {
  2: 'wrong arguments', 3: 'action not implemented', 4: 'no permission', 5: 'program not installed', 6: 'not configured', 7: 'not running',
  126: 'something it calls cannot be executed', 127: 'something it calls was not found',
}
const lsbStatusMeanings: Readonly<Record<number, string>> = {
  1: 'dead, but its pid file is there', 2: 'dead, but its lock file is there', 4: 'state not known',
}

function judgeLsb(path: string, action: Action, exitCode: number, text: string): Outcome {
  if (exitCode === 0) return { result: 'ok' }
  if (action === 'status' && exitCode === 3) return { result: 'not-running' }
  const meaning = (action === 'status' ? lsbStatusMeanings[exitCode] : undefined) ?? lsbMeanings[exitCode]
  return failed(path, action, exitCode, meaning, text)
}

/** Heartbeat's own rule (heartbeat-3.md section 6.4): the exit code of `status` is not looked at. */
function judgeText(path: string, text: string, captured: boolean): Outcome {
  if (!captured) return { result: 'failed', message: `${path} status cannot be judged: its text says it, and the text could not be kept` }
  if (/not running/i.test(text)) return { result: 'not-running' }
  return /running|Running|OK/.test(text) ? { result: 'ok' } : { result: 'not-running' }
}

function judgeAgent(path: string, action: Action, exitCode: number, text: string): Outcome {
  const result = judgeOcf(action, exitCode)
  if (result !== 'failed') return { result }
  // The agent's own sentence, where it gave one, says more than all of its log lines.
  const reason = [...text.matchAll(/^ocf-exit-reason:(.+)$/gm)].at(-1)?.[1]
  return failed(path, action, exitCode, meaningOfOcf(exitCode), reason ?? text)
}

function judgeSystemd(unit: string, action: Action, exitCode: number, text: string): Outcome {
  if (action === 'status' && exitCode === 0) return judgeUnit(unit, text)
  if (exitCode === 0 || (action === 'stop' && isStopped(exitCode))) return { result: 'ok' }
  const advice = `type: systemctl status ${unit}; journalctl -u ${unit}`
  return { result: 'failed', exitCode, message: `systemctl ${action} ${unit} failed with exit code ${exitCode}${saying(text)}; ${advice}` }
}

function failed(path: string, action: Action, exitCode: number, meaning: string | undefined, text: string): Outcome {
  const what = meaning === undefined ? '' : ` (${meaning})`
  return { result: 'failed', exitCode, message: `${path} ${action} failed with exit code ${exitCode}${what}${saying(text)}` }
}

const sayLimit = 600

/** The end of a script's output as part of one line: no control characters reach a log or a terminal. */
export function saying(text: string): string {
  const plain = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').split('\n')
  const joined = plain.map((line) => line.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()).filter((line) => line !== '').join(' | ')
  if (joined === '') return ', and it said nothing'
  return `, saying: ${joined.length > sayLimit ? `...${joined.slice(-sayLimit)}` : joined}`
}
