/**
 * Where the output of scripts goes: a file for each resource and action, given to the script as a plain descriptor. A pipe
 * would end (and kill with SIGPIPE) together with this daemon, and its end is not the script's end: daemons that a script
 * starts keep it open. The files are appended to and cut from this side, so they stay small whoever writes into them.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from './errors.ts'
import { makePrivateDirectory } from './private-directory.ts'

export interface Output {
  /** For stdout and stderr of the script. */
  readonly fd: number
  /** False: the output goes nowhere, because no file could be opened. */
  readonly captured: boolean
  /** The last bytes, at most `keepBytes`, as text, and how many were cut off before them. */
  read(): { readonly text: string; readonly cutBytes: number }
  /** Once. */
  close(): void
}

export interface Outputs {
  /** A name that is free of slashes; a file of that name is begun anew. */
  open(name: string): Output
  close(): void
}

/** A file above this is emptied; how much more it can hold for a moment is what a script writes in `watchMs`. */
const limitBytes = 256 * 1024
const keepBytes = 16 * 1024
const watchMs = 20
/** Daemons that scripts left behind write on into the files; they are slow compared with a script in a loop. */
const sweepMs = 5_000

interface Capture { readonly fd: number; tail: string; cutBytes: number }

export function createOutputs(directory: string, onTrouble: (message: string) => void): Outputs {
  const running = new Set<Capture>()
  let watch: NodeJS.Timeout | undefined
  const sweep = setInterval(() => void sweepFiles(directory), sweepMs).unref()
  try {
    makePrivateDirectory(directory)
  } catch (error) {
    onTrouble(`the directory for script output ${directory} cannot be made: ${errorText(error)}; output of scripts is not kept`)
  }

  function begin(capture: Capture): void {
    running.add(capture)
    watch ??= setInterval(() => running.forEach(cut), watchMs)
  }
  function end(capture: Capture): void {
    running.delete(capture)
    if (running.size > 0) return
    clearInterval(watch)
    watch = undefined
  }

  return {
    open(name) {
      const opened = openFile(join(directory, name), onTrouble)
      const capture: Capture = { fd: opened.fd, tail: '', cutBytes: 0 }
      if (opened.captured) begin(capture)
      return {
        ...opened,
        read() {
          const text = opened.captured ? capture.tail + readTail(capture.fd) : ''
          return { text: text.slice(-keepBytes), cutBytes: capture.cutBytes }
        },
        close() {
          if (opened.captured) cut(capture)
          end(capture)
          closeSync(capture.fd)
        },
      }
    },
    close() {
      clearInterval(sweep)
      clearInterval(watch)
    },
  }
}

function openFile(path: string, onTrouble: (message: string) => void): { fd: number; captured: boolean } {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC } = constants
  try {
    return { fd: openSync(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600), captured: true }
  } catch (error) {
    onTrouble(`the output of a script cannot be kept in ${path}: ${errorText(error)}; it is thrown away`)
    return { fd: openSync('/dev/null', 'r+'), captured: false }
  }
}

function cut(capture: Capture): void {
  const { size } = fstatSync(capture.fd)
  if (size <= limitBytes) return
  capture.tail = readTail(capture.fd)
  ftruncateSync(capture.fd, 0)
  capture.cutBytes += size
}

function readTail(fd: number): string {
  const { size } = fstatSync(fd)
  const buffer = Buffer.alloc(Math.min(size, keepBytes))
  const length = readSync(fd, buffer, 0, buffer.length, Math.max(0, size - buffer.length))
  return buffer.toString('utf8', 0, length)
}

async function sweepFiles(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() === true && found.size > limitBytes) await truncate(path, 0).catch(() => undefined)
  }
}
