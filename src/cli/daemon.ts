/** `hactl daemon`: with --foreground it is this process; without, one of its own that outlives the terminal. */
import { detachDaemon } from './detach.ts'
import type { CommonOptions } from './options.ts'
import type { Terminal } from './terminal.ts'

export interface DaemonOptions extends CommonOptions { readonly foreground: boolean }

export async function runDaemonCommand(options: DaemonOptions, terminal: Terminal): Promise<number> {
  if (!options.foreground) return detachDaemon(options, terminal)
  const { runDaemon } = await import('../daemon/main.ts')
  return runDaemon(options)
}
