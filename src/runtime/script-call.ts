/** One call of a resource's script as data: program, words, environment, and what its end means (the script contract, README section 6). */
import type { ResourceConfig } from '../core/config.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import type { Located } from './locate-script.ts'
import { agentEnvironment, ocfActions } from './ocf-agent.ts'
import { judgeAgent, judgeAgentStart, judgeInit, judgeLsb, judgeSystemd, judgeText, saysNotInstalled } from './script-judgement.ts'
import type { Said } from './status-text.ts'
import { unitWords } from './systemd-unit.ts'

export interface ScriptCall {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The call as a person would type it. */
  readonly typed: string
  /** Its standard output is judged, so it is kept apart from what it prints to standard error. */
  readonly judgesText: boolean
  /** Of a script that exited; of its output the end. */
  judge(exitCode: number, said: Said): Outcome
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
    return call(program, args, {}, (exitCode, said) => judgeSystemd(located.unit, action, exitCode, said))
  }
  const { path } = located
  if (located.kind === 'ocf') {
    const environment = agentEnvironment(resource, located, context.group, context.timeoutMs)
    return call(path, [ocfActions[action]], environment, (exitCode, said) => {
      const outcome = judgeAgent(path, action, exitCode, said)
      return action === 'start' ? judgeAgentStart(outcome) : outcome
    })
  }
  const judge: Readonly<Record<typeof located.kind, ScriptCall['judge']>> = {
    lsb: (exitCode, said) => judgeLsb(path, action, exitCode, said),
    heartbeat: (exitCode, said) => {
      if (action === 'status') return judgeText(path, exitCode, said)
      const outcome = judgeLsb(path, action, exitCode, said)
      return action === 'start' && saysNotInstalled(said) ? judgeAgentStart(outcome) : outcome
    },
    init: (exitCode, said) => (action === 'status' ? judgeInit(path, exitCode, said) : judgeLsb(path, action, exitCode, said)),
  }
  const judgesText = action === 'status' && located.kind !== 'lsb'
  return { ...call(path, [...resource.args, action], resource.parameters ?? {}, judge[located.kind]), judgesText }
}

function call(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  judge: ScriptCall['judge'],
): ScriptCall {
  return { program, args, environment, typed: [program, ...args].map(quote).join(' '), judgesText: false, judge }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
