/** Does a Heartbeat run on this host? Two programs must never hold the same addresses. It is looked for, and never touched. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const pidPath = '/run/heartbeat.pid'
const program = /\/heartbeat\/heartbeat( \(deleted\))?$/

/** The pid of its master process; undefined: none runs in this network. One in a container's network is none of this host. */
export function runningHeartbeat(): number | undefined {
  const own = linkOf('self', 'ns/net')
  const pids = processes().filter((pid) => program.test(linkOf(pid, 'exe') ?? '') && linkOf(pid, 'ns/net') === own)
  const written = writtenPid()
  return pids.includes(String(written)) ? written : pids.map(Number).sort((one, other) => one - other)[0]
}

function processes(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** Processes end while they are looked at, and only root may look at those of others. */
function linkOf(pid: string, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return undefined
  }
}

function writtenPid(): number | undefined {
  try {
    return Number(readFileSync(pidPath, 'utf8').trim())
  } catch {
    return undefined
  }
}
