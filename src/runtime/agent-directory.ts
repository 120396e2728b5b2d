/** The directory in which Debian's resource agents keep their own state. */
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { ocfRoot, type Located } from './locate-script.ts'

const directory = '/run/resource-agents'

/** systemd-tmpfiles makes it at boot, and so did Heartbeat's init script; without it Delay, MailTo and others fail to start. */
export function prepareForAgents({ kind }: Located): void {
  if ((kind !== 'heartbeat' && kind !== 'ocf') || existsSync(directory) || !existsSync(ocfRoot)) return
  try {
    mkdirSync(directory)
    chmodSync(directory, 0o1755)
  } catch {
    // Whoever needs it says so, and is judged by that.
  }
}
