/** Heartbeat's own commands as names of this program: a link called `cl_status` to `hactl` is `cl_status`. */
import { basename } from 'node:path'
import { defaultConfig, defaultControl } from '../options.ts'
import type { Terminal } from '../terminal.ts'

export const heartbeatNames = ['hb_standby', 'hb_takeover', 'cl_status'] as const
export type HeartbeatName = (typeof heartbeatNames)[number]

/** `path`: as the program was called, links not followed. */
export function heartbeatNameOf(path: string | undefined): HeartbeatName | undefined {
  const name = basename(path ?? '')
  return heartbeatNames.find((one) => one === name)
}

/** These commands have no options for it, so they ask the daemon at its usual place. Gives the exit code. */
export async function runHeartbeatName(name: HeartbeatName, path: string, words: readonly string[], terminal: Terminal): Promise<number> {
  const options = { control: defaultControl, config: defaultConfig() }
  if (name === 'cl_status') return (await import('./cl-status.ts')).runClStatus(words, options, terminal)
  return (await import('./hb-move.ts')).runMove(name, path, words, options, terminal)
}
