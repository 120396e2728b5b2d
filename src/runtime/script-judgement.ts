/** What the end of a script means, by the kind of script: exit codes of the LSB and of OCF, the text of `status` as Heartbeat judged it. */
import type { Action, Outcome } from '../core/events.ts'
import { judgeOcf, meaningOfOcf } from './ocf-agent.ts'
import { heartbeatsWord, isOfSystemctl, saysDown, saysUsage, type Said } from './status-text.ts'
import { isStopped, judgeUnit } from './systemd-unit.ts'

const lsbMeanings: Readonly<Record<number, string>> = {
  2: 'wrong arguments', 3: 'action not implemented', 4: 'no permission', 5: 'program not installed', 6: 'not configured', 7: 'not running',
  126: 'something it calls cannot be executed', 127: 'something it calls was not found',
}
const lsbStatusMeanings: Readonly<Record<number, string>> = {
  1: 'dead, but its pid file is there', 2: 'dead, but its lock file is there', 4: 'state not known',
}

export function judgeLsb(path: string, action: Action, exitCode: number, { text }: Said): Outcome {
  if (exitCode === 0) return { result: 'ok' }
  if (action === 'status' && exitCode === 3) return { result: 'not-running' }
  const meaning = (action === 'status' ? lsbStatusMeanings[exitCode] : undefined) ?? lsbMeanings[exitCode]
  return failed(path, action, exitCode, meaning, text)
}

/** `status` of a script in Heartbeat's resource.d: the text alone. What says nothing and calls that a success has no status. */
export function judgeText(path: string, exitCode: number, said: Said): Outcome {
  if (!said.captured) return notCaptured(path)
  const word = heartbeatsWord(said)
  if (word !== 'neither') return { result: word === 'running' ? 'ok' : 'not-running' }
  return !saysDown(said) && (exitCode === 0 || saysUsage(said)) ? mute(path, exitCode, said) : { result: 'not-running' }
}

/**
 * `status` of an init script. Heartbeat judged these by their text too, so that exit codes that lie never mattered; the text decides
 * wherever it says a word that Heartbeat knew, the exit code where it does not.
 */
export function judgeInit(path: string, exitCode: number, said: Said): Outcome {
  if (!said.captured) return notCaptured(path)
  if (isOfSystemctl(said)) return judgeLsb(path, 'status', exitCode, said)
  const word = heartbeatsWord(said)
  if (word !== 'neither') return { result: word === 'running' ? 'ok' : 'not-running' }
  if (saysUsage(said)) return mute(path, exitCode, said)
  if (exitCode === 0 && saysDown(said)) return { result: 'not-running' }
  return judgeLsb(path, 'status', exitCode, said)
}

function notCaptured(path: string): Outcome {
  return { result: 'failed', message: `${path} status cannot be judged: its text says it, and the text could not be kept` }
}

function mute(path: string, exitCode: number, { text }: Said): Outcome {
  return {
    result: 'unknown',
    message: `${path} status says neither that it runs nor that it does not (exit code ${exitCode}${saying(text)}). Heartbeat did not ask ` +
      'again either. Let its status print running or not running; or write status: off for it in hactl.yaml',
  }
}

export function judgeAgent(path: string, action: Action, exitCode: number, { text }: Said): Outcome {
  const result = judgeOcf(action, exitCode)
  if (result !== 'failed') return { result }
  // The agent's own sentence, where it gave one, says more than all of its log lines.
  const reason = [...text.matchAll(/^ocf-exit-reason:(.+)$/gm)].at(-1)?.[1]
  return failed(path, action, exitCode, meaningOfOcf(exitCode), reason ?? text)
}

export function judgeSystemd(unit: string, action: Action, exitCode: number, { text }: Said): Outcome {
  if (action === 'status' && exitCode === 0) return judgeUnit(unit, text)
  if (exitCode === 0 || (action === 'stop' && isStopped(exitCode))) return { result: 'ok' }
  const advice = `type: systemctl status ${unit}; journalctl -u ${unit}`
  return { result: 'failed', exitCode, message: `systemctl ${action} ${unit} failed with exit code ${exitCode}${saying(text)}; ${advice}` }
}

/**
 * An OCF agent, also behind one of Heartbeat's wrappers, looks for its programs and devices before it touches anything: what it found
 * missing it has not started. Its stop would fail for the same reason, and make the group unclean.
 */
export function judgeAgentStart(outcome: Outcome): Outcome {
  return outcome.result === 'failed' && outcome.exitCode === 5 ? { result: 'not-runnable', message: outcome.message } : outcome
}

/** The wrappers' own sentence for exit code 5 (hto-mapfuncs). */
export function saysNotInstalled({ standardOutput }: Said): boolean {
  return /^ERROR: .*Program is not installed$/m.test(standardOutput)
}

function failed(path: string, action: Action, exitCode: number, meaning: string | undefined, text: string): Outcome {
  const what = meaning === undefined ? '' : ` (${meaning})`
  return { result: 'failed', exitCode, message: `${path} ${action} failed with exit code ${exitCode}${what}${saying(text)}` }
}

const sayLimit = 600

/** The end of a script's output as part of one line: no control characters reach a log or a terminal. */
export function saying(text: string): string {
  const plain = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').split('\n')
  const lines = plain.map((line) => line.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()).filter((line) => line !== '')
  // A script that tries six times says six times why it failed.
  const joined = [...new Set(lines)].join(' | ')
  if (joined === '') return ', and it said nothing'
  return `, saying: ${joined.length > sayLimit ? `...${joined.slice(-sayLimit)}` : joined}`
}
