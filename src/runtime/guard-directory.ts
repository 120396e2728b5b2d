/**
 * Where a daemon and its guard meet: a directory on a tmpfs, for root alone, one for each state directory, so that daemons that share
 * a machine (in namespaces) do not meet each other. resources/lib/guard says what stands in it.
 */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis } from '../core/time.ts'
import { errorCode, errorText } from './errors.ts'
import { settleLimitMs, type PlanFiles } from './guard-plan-files.ts'
import { shippedDirectory } from './locate-script.ts'
import { makePrivateDirectory } from './private-directory.ts'
import { isThere, nameOf } from './process-begin.ts'
import { textOf } from './text-file.ts'

const guardBase = '/run/hactl/guard'

export interface GuardDirectory {
  readonly path: string
  /** The script of the guard: a copy, so that an update cannot change it under a daemon. */
  readonly script: string
  /** A process that may add addresses lives, or lives no more. */
  program(pid: number, lives: boolean): void
  /** Whoever waits for the end of the guard waits for these. */
  guards(pids: readonly number[]): void
  /** The plan in force changes as a whole. Throws the system's error; the old one then stands. */
  write(files: PlanFiles): void
  /** The name of a file with this text, which stays. Throws the system's error. */
  keepStops(text: string): string
  /** No plan is in force: a guard then does nothing. */
  withdraw(): void
  remove(): void
}

/** Of this state directory: on the tmpfs, or, where nobody may write there, below the state directory itself. */
export function guardDirectories(stateDirectory: string, base = guardBase): readonly string[] {
  const real = existsSync(stateDirectory) ? realpathSync(stateDirectory) : stateDirectory
  return [join(base, createHash('sha256').update(real).digest('hex').slice(0, 12)), join(real, 'guard')]
}

/** Clears away what is left of an earlier daemon, which the caller has read. Throws a sentence for the log where neither place will do. */
export function openGuardDirectory(stateDirectory: string, operationsDirectory: string, base = guardBase): GuardDirectory {
  const own = nameOf(process.pid)
  const settings = `${own}\n${operationsDirectory}\n${realpathSync(stateDirectory)}\n`
  if (settings.split('\n').length !== 4) throw new Error('a directory whose name has a line end cannot be used')
  let problem = ''
  for (const path of guardDirectories(stateDirectory, base)) {
    try {
      return makeDirectory(path, settings)
    } catch (error) {
      problem = errorText(error)
    }
  }
  throw new Error(problem)
}

function makeDirectory(path: string, settings: string): GuardDirectory {
  rmSync(path, { recursive: true, force: true })
  makePrivateDirectory(path)
  chmodSync(path, 0o700)
  if (statSync(path).uid !== process.getuid?.()) throw new Error(`${path} belongs to somebody else`)
  const script = join(path, 'guard')
  mkdirSync(join(path, 'programs'), { mode: 0o700 })
  writeFileSync(script, readFileSync(join(shippedDirectory(), 'lib/guard')), { mode: 0o600 })
  writeFileSync(join(path, 'settings'), settings, { mode: 0o600 })
  let number = 0
  const programs = new Map<number, string>()
  const stops = new Map<string, string>()
  return {
    path,
    script,
    program(pid, lives) {
      const known = programs.get(pid)
      if (known !== undefined) rmSync(known, { force: true })
      programs.delete(pid)
      if (!lives) return
      // The name says it all: a file is there as a whole or not at all.
      const note = join(path, 'programs', nameOf(pid).replace(' ', '.'))
      try {
        writeFileSync(note, '')
        programs.set(pid, note)
      } catch {
        // No room: it still dies with this daemon where setpriv(1) is installed, and the plan cannot be written either, which is told.
      }
    },
    guards: (pids) => replace(join(path, 'pids'), pids.map((pid) => `${nameOf(pid)}\n`).join('')),
    write(files) {
      number += 1
      const name = `plan.${number}`
      mkdirSync(join(path, name), { mode: 0o700 })
      for (const [file, text] of Object.entries(files)) writeFileSync(join(path, name, file), text, { mode: 0o600 })
      symlinkSync(name, join(path, 'next'))
      renameSync(join(path, 'next'), join(path, 'current'))
      // Not in this turn, in which an address waits for the plan.
      const former = join(path, `plan.${number - 1}`)
      setImmediate(() => rmSync(former, { recursive: true, force: true }))
    },
    keepStops(text) {
      const name = stops.get(text) ?? `stops.${stops.size + 1}`
      if (!stops.has(text)) replace(join(path, name), text)
      stops.set(text, name)
      return name
    },
    withdraw: () => rmSync(join(path, 'current'), { force: true }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const lookMs: Millis = 10

/** Waits until every guard of an earlier daemon has ended, or ends it when it must be hanging. The answer is a sentence about that. */
export async function awaitGuard(directory: string): Promise<string | undefined> {
  const guards = (): readonly string[] => textOf(join(directory, 'pids')).split('\n').filter(isThere)
  if (guards().length === 0) return undefined
  const limitMs = Number(textOf(join(directory, 'current', 'limit'))) || settleLimitMs
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += lookMs) {
    await sleep(lookMs)
    if (guards().length === 0) return undefined
  }
  const hanging = guards().map((guard) => Number(guard.split(' ')[0]))
  for (const pid of hanging) killIfThere(pid)
  return `the guard of an earlier daemon (pid ${hanging.join(', ')}) had not ended after ${limitMs / 1_000} s and was killed`
}

/** One that ends by itself between the look and the signal is no trouble. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

export interface GuardAct {
  /** How long ago. */
  readonly ageMs: Millis
  readonly message: string
}

/** What a guard did, oldest first. */
export function actsOf(directory: string): readonly GuardAct[] {
  const uptime = Number(textOf('/proc/uptime').split(' ')[0])
  return textOf(join(directory, 'acts')).split('\n').flatMap((line) => {
    const [, at = '', message = ''] = /^([\d.]+) (.+)$/.exec(line) ?? []
    const ageMs = Math.max(0, uptime - Number(at)) * 1_000
    return message === '' || !Number.isFinite(ageMs) ? [] : [{ ageMs, message }]
  })
}

/** `acted`: a guard has done its plan, or at least begun. `planned`: there is a plan that no guard has begun. */
export function stateOfGuard(directory: string): 'none' | 'planned' | 'acted' {
  if (existsSync(join(directory, 'acting'))) return 'acted'
  return existsSync(join(directory, 'current', 'plan')) ? 'planned' : 'none'
}
