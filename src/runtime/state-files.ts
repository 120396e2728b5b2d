/** The state directory: what a daemon must remember over its own death. One daemon at a time (state-lock.ts). */
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import type { PersistentState } from '../core/effects.ts'
import { writeAtomically } from './atomic-file.ts'
import { errorCode, errorText } from './errors.ts'
import { defaultHeartbeatDirectory } from './heartbeat-files.ts'
import { countStart, reserveGeneration } from './generation-file.ts'
import { formatState, parseState } from './persistent-state.ts'
import { lockDirectory } from './state-lock.ts'
import { readUncleanNotes, removeUncleanNotes, withUnclean } from './unclean-notes.ts'

export interface StateFiles {
  readonly directory: string
  /** Of this start; on disk before this object exists. */
  readonly generation: number
  /** Of the node. */
  readonly uuid: string
  /** One more than all that were used or reserved, on disk when it is given: for a daemon that begins anew towards its peer. Rejects when it cannot be kept. */
  reserveGeneration(): Promise<number>
  /** Absent at the very first start, and when the file was damaged (then `warnings` says so). */
  readonly persistent?: PersistentState
  /** The kernel has not been booted since the daemon's last start. */
  readonly sameBoot: boolean
  readonly warnings: readonly string[]
  /**
   * After the guard of an earlier daemon has ended: what it could not stop is unclean in the answer, and on disk. Otherwise `persistent`.
   * Rejects where the note of it cannot be read, or the state not be written; the note then stays.
   */
  mergeUnclean(): Promise<PersistentState | undefined>
  /** On disk when it answers without `error`. Calls during a write share the next one; the newest state wins. Never rejects. */
  save(state: PersistentState): Promise<{ readonly error?: string }>
  /** Waits for the write under way and gives the directory free. */
  close(): Promise<void>
}

export interface StateOptions {
  /** Default: the kernel's own. */
  readonly bootId?: string
  /** Where a Heartbeat on this host kept its generation. */
  readonly heartbeatDirectory?: string
}

/** Rejects with a message for the administrator: no permission, full disk, another daemon on the directory. */
export async function openState(directory: string, options: StateOptions = {}): Promise<StateFiles> {
  await prepareDirectory(directory)
  const lock = await lockDirectory(directory).catch((error: unknown) => {
    throw new Error(explainLock(directory, error), { cause: error })
  })
  try {
    const bootId = options.bootId ?? (await readBootId())
    const heartbeatDirectory = options.heartbeatDirectory ?? defaultHeartbeatDirectory
    const start = await countStart(directory, bootId, heartbeatDirectory)
    const path = `${directory}/state.json`
    const { persistent, warning } = await readState(path)
    const writer = createWriter((text) => writeAtomically(path, text, 0o600), path)
    return {
      directory,
      ...start,
      ...(persistent === undefined ? {} : { persistent }),
      warnings: [...start.warnings, ...(warning === undefined ? [] : [warning])],
      reserveGeneration: () => reserveGeneration(directory, bootId, heartbeatDirectory),
      save: (state) => writer.write(formatState(state)),
      async mergeUnclean() {
        const names = readUncleanNotes(directory)
        if (names.length === 0) return persistent
        const merged = withUnclean(persistent, names)
        await writeAtomically(path, formatState(merged), 0o600)
        removeUncleanNotes(directory)
        return merged
      },
      async close() {
        await writer.idle()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Error(
      `the state directory ${directory} cannot be made: ${errorText(error)}; type: mkdir -p ${directory} as root, or give --state-dir`,
      { cause: error },
    )
  }
  const { mode } = await stat(directory)
  if ((mode & 0o022) !== 0) {
    const octal = (mode & 0o7777).toString(8)
    throw new Error(`the state directory ${directory} has mode ${octal}: others may write into it; type: chmod 700 ${directory}`)
  }
}

function explainLock(directory: string, error: unknown): string {
  const text = errorText(error)
  if (errorCode(error) === '') return text
  return `the state directory ${directory} cannot be locked: ${text}; type: ls -ld ${directory}; df -h ${directory}`
}

async function readBootId(): Promise<string> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return text.trim()
}

async function readState(path: string): Promise<{ persistent?: PersistentState; warning?: string }> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {}
    throw new Error(`the state file ${path} cannot be read: ${errorText(error)}; type: ls -l ${path}`, { cause: error })
  }
  const parsed = parseState(text)
  if ('state' in parsed) return { persistent: parsed.state }
  const aside = `${path}.corrupt`
  await rename(path, aside)
  return {
    warning:
      `${path} is damaged (${parsed.problem}) and was put aside as ${aside}: standby, pause, unclean groups and claim numbers ` +
      'from before are forgotten; look with: hactl status',
  }
}

interface Writer {
  write(text: string): Saved
  idle(): Promise<void>
}

type Saved = Promise<{ readonly error?: string }>

function createWriter(writeFile: (text: string) => Promise<void>, path: string): Writer {
  let running: Saved | undefined
  let next: { text: string; done: Saved } | undefined

  async function writeOnce(text: string): Saved {
    try {
      await writeFile(text)
      return {}
    } catch (error) {
      return { error: `${path} cannot be written: ${errorText(error)}` }
    }
  }

  function begin(text: string): Saved {
    const mine: Saved = writeOnce(text).then((result) => {
      if (running === mine) running = undefined
      return result
    })
    running = mine
    return mine
  }

  function queue(text: string, after: Saved): Saved {
    const waiting = { text, done: after }
    waiting.done = after.then(() => {
      next = undefined
      return begin(waiting.text)
    })
    next = waiting
    return waiting.done
  }

  return {
    write(text) {
      // Looked at first: between the end of one write and the start of the next only `next` is set.
      if (next !== undefined) {
        next.text = text
        return next.done
      }
      return running === undefined ? begin(text) : queue(text, running)
    },
    async idle() {
      while (running !== undefined || next !== undefined) await (next?.done ?? running)
    },
  }
}
