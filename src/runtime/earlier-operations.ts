/**
 * Which operations are running, kept outside the daemon: after a kill -9 their scripts go on, and the next daemon must not look at a
 * resource that an old script is still starting or stopping (design.md section 5, restart). The guard of a daemon that has died ends
 * them by the same notes (resources/lib/guard reads them).
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isThere, nameOf } from './process-begin.ts'
import { endGroup } from './run-script.ts'
import { makePrivateDirectory } from './private-directory.ts'
import { textOf } from './text-file.ts'

export interface EarlierOperations {
  /** Says that a script is about to be started, whose number nobody knows yet; the answer takes that back. */
  begin(): () => void
  /** Notes a script that has just been started; the answer takes the note back. Without a place to write there is no note. */
  note(pid: number, typed: string): () => void
  /** Ends (TERM, KILL) what an earlier daemon left running, and says what that was. */
  end(): Promise<readonly string[]>
}

export function createEarlierOperations(directory: string): EarlierOperations {
  const bootId = textOf('/proc/sys/kernel/random/boot_id').trim()
  const own = nameOf(process.pid)
  let usable = true
  let begun = 0
  try {
    makePrivateDirectory(directory)
  } catch {
    // The outputs beside it told the administrator already.
    usable = false
  }

  function keep(path: string, text: string): () => void {
    try {
      writeFileSync(path, text, { mode: 0o600 })
    } catch {
      return () => undefined
    }
    return () => rmSync(path, { force: true })
  }

  return {
    begin() {
      if (!usable) return () => undefined
      begun += 1
      return keep(join(directory, `begin-${own.replace(' ', '-')}-${begun}`), '')
    },
    note(pid, typed) {
      if (!usable) return () => undefined
      return keep(join(directory, String(pid)), `${bootId}\n${nameOf(pid)}\n${own}\n${typed}\n`)
    },
    async end() {
      if (!usable) return []
      const names = readdirSync(directory)
      for (const name of names.filter((one) => one.startsWith('begin-') && !isThere(one.split('-').slice(1, 3).join(' ')))) {
        rmSync(join(directory, name), { force: true })
      }
      const notes = names.filter((name) => !name.startsWith('begin-')).map((name) => {
        const [boot = '', script = '', daemon = '', typed = ''] = textOf(join(directory, name)).split('\n')
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
