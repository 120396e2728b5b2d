/** `hb_standby` and `hb_takeover`: words, output and exit codes as Heartbeat's scripts had them (heartbeat-3.md section 9.2). */
import type { AdminCommand } from '../../core/admin.ts'
import type { Scope } from '../../core/packet.ts'
import { runAdmin } from '../admin.ts'
import { defaultStateDir, isScope } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { clockText } from './stamp.ts'

export type MoveName = 'hb_standby' | 'hb_takeover'
type Asked = { readonly scope: Scope } | { readonly refused: string | undefined }

/** As long as `hactl standby` waits; nobody waits for it here, but a move that takes longer counts as failed. */
const timeoutMs = 60_000

/** What the words ask for. `refused`: what is wrong with them; undefined where only the usage was wanted. */
export function askedMove(name: MoveName, words: readonly string[]): Asked {
  const [word = 'all', ...more] = words
  if (more.length > 0) return { refused: 'too many arguments' }
  if (word === '--help') return { refused: undefined }
  // What Heartbeat calls so: back to the state in which each node has its own.
  if (word === 'failback') return { scope: name === 'hb_standby' ? 'foreign' : 'local' }
  return isScope(word) ? { scope: word } : { refused: `wrong resources(${word}).` }
}

/**
 * Like Heartbeat's, it returns once the daemon has been asked; a refusal comes with a sentence and an exit code that is not 0
 * (Heartbeat's own scripts know no refusal, and hang where no daemon runs).
 */
export async function runMove(name: MoveName, path: string, words: readonly string[], options: { readonly control: string; readonly config: string }, terminal: Terminal): Promise<number> {
  const asked = askedMove(name, words)
  if ('refused' in asked) {
    if (asked.refused !== undefined) terminal.out(`${path}: ${asked.refused}\n`)
    terminal.out('usage:\n')
    terminal.err(`${path} [all|foreign|local|failback]\n`)
    return 1
  }
  const { scope } = asked
  const command: AdminCommand = name === 'hb_standby' ? { type: 'standby', scope, once: true, timeoutMs } : { type: 'takeover', target: scope, force: false, timeoutMs }
  if (name === 'hb_standby') terminal.err(`${clockText(new Date())} Going standby [${scope}].\n`)
  return runAdmin({ ...options, stateDir: defaultStateDir, command, wait: false }, { ...terminal, out: () => undefined })
}
