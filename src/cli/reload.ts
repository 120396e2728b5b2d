/** `hactl reload`: the daemon rereads its configuration, all or nothing. */
import { callDaemon } from '../runtime/control-client.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import type { Terminal } from './terminal.ts'

export async function runReload({ control }: CommonOptions, terminal: Terminal): Promise<number> {
  const answer = await callDaemon(control, { command: 'reload' })
  if (!answer.ok) return refuse(answer.error, terminal)
  terminal.out(`${terminal.view.paint.green('done')}: the daemon uses the configuration as it is now\n`)
  return 0
}
