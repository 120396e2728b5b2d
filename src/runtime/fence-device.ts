/** What can be asked of a fencing device, whichever family of programs serves it. */
import type { NodeName } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import type { FenceAnswer } from './fence-program.ts'

export type FenceAction = 'off' | 'reboot' | 'on'

export type FenceSaid =
  | { readonly result: 'done'; readonly message: string }
  | { readonly result: 'failed' | 'timed-out'; readonly message: string }

/** Of the node, as the device sees it. */
export type Power = 'on' | 'off' | 'unknown'

export interface FenceDriver {
  /** As messages name it: `fence_ipmilan`, `stonith external/ipmi`. */
  readonly name: string
  /** What the device does when it is the only one of its level. */
  readonly action: 'off' | 'reboot'
  act(action: FenceAction, node: NodeName, timeoutMs: Millis): Promise<FenceSaid>
  /** Changes nothing. `unknown`: the device cannot say, or does not answer. */
  power(node: NodeName, timeoutMs: Millis): Promise<Power>
  /** Is the device there, and does it know the node? Changes nothing. */
  reach(node: NodeName, timeoutMs: Millis): Promise<FenceSaid>
}

const secretName = /pass|pwd|(^|[_-])pw|secret|token|key|community|cred|auth|pin$/i

/** Its value is never shown. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

export function secretsOf(parameters: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(parameters).filter(([name]) => isSecretName(name)).map(([, value]) => value)
}

/** An exit code that is not among the good ones means failure; the program's own words say why. */
export function judged(named: string, answer: FenceAnswer, good: readonly number[] = [0]): FenceSaid {
  if (answer.end !== 'exited') return { result: answer.end, message: answer.message }
  const said = answer.text.trim() === '' ? '' : answer.said
  if (good.includes(answer.exitCode)) return { result: 'done', message: `${named} succeeded${said}` }
  return { result: 'failed', message: `${named} failed with exit code ${answer.exitCode}${answer.said}` }
}
