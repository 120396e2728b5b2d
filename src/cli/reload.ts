/** `hactl reload`: the daemon rereads its configuration, all or nothing. */
import type { AdminReply } from '../core/admin.ts'
import { callDaemon } from '../runtime/control-client.ts'
import { showReply } from './admin.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import type { Terminal } from './terminal.ts'

export async function runReload({ control }: CommonOptions, terminal: Terminal): Promise<number> {
  const answer = await callDaemon<AdminReply>(control, { command: 'reload' })
  return answer.ok ? showReply(answer.result, terminal) : refuse(answer.error, terminal)
}
