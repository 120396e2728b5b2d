/**
 * Which operations are running, kept outside the daemon: after a kill -9 their scripts go on, and the next daemon must not look at a
 * resource that an old script is still starting or stopping (design.md section 5, restart).
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endGroup } from './run-script.ts'
import { makePrivateDirectory } from './private-directory.ts'

export interface EarlierOperations {
  /** Notes a script that has just been started; the answer takes the note back. Without a place to write there is no note. */
  note(pid: number, typed: string): () => void
  /** Ends (TERM, KILL) what an earlier daemon left running, and says what that was. */
  end(): Promise<readonly string[]>
}

export function createEarlierOperations(directory: string): EarlierOperations {
  const bootId = read('/proc/sys/kernel/random/boot_id').trim()
  const own = `${process.pid} ${beginOf(process.pid)}`
  let usable = true
  try {
    makePrivateDirectory(directory)
  } catch {
    // The outputs beside it told the administrator already.
    usable = false
  }

  return {
    note(pid, typed) {
      if (!usable) return () => undefined
      const path = join(directory, String(pid))
      try {
        writeFileSync(path, `${bootId}\n${pid} ${beginOf(pid)}\n${own}\n${typed}\n`, { mode: 0o600 })
      } catch {
        return () => undefined
      }
      return () => rmSync(path, { force: true })
    },
    async end() {
      if (!usable) return []
      const notes = readdirSync(directory).map((name) => {
        const [boot = '', script = '', daemon = '', typed = ''] = read(join(directory, name)).split('\n')
        return { name, script, typed, sameBoot: boot === bootId, daemon }
      })
      // Another daemon on this machine that shares the directory looks after its own scripts.
      const left = notes.filter(({ sameBoot, daemon }) => !sameBoot || !isThere(daemon))
      const ended = await Promise.all(left.filter(({ sameBoot, script }) => sameBoot && isThere(script)).map(async ({ script, typed }) => {
        const pid = Number(script.split(' ')[0])
        const survivors = await endGroup(pid)
        const rest = survivors.length === 0 ? '' : `; process ${survivors.join(', ')} does not end even so`
        return `${typed} (pid ${pid}) of an earlier daemon was still running and was ended${rest}`
      }))
      for (const { name } of left) rmSync(join(directory, name), { force: true })
      return ended
    },
  }
}

/** Of `PID TICKS`: a number is given anew to other processes; with the instant of its start it names one. */
function isThere(process: string): boolean {
  const [pid = '', begin = ''] = process.split(' ')
  return Number(pid) > 1 && begin !== 'gone' && begin === beginOf(Number(pid))
}

/** When the process began, in ticks since the boot; `gone` when there is none, or only its remains. */
function beginOf(pid: number): string {
  const text = read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || fields[0] === 'Z' ? 'gone' : (fields[19] ?? 'gone')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
