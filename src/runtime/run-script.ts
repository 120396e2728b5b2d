/** Runs one program as data (no shell) in a process group of its own, and says how it ended. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import type { Millis } from '../core/time.ts'
import { errorCode, errorText } from './errors.ts'

export interface ScriptRun {
  readonly path: string
  readonly args: readonly string[]
  /** The whole of it: nothing of the daemon's own environment is added. */
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMs: Millis
  /** stdout and stderr. */
  readonly outputFd: number
  /** stderr, where it goes elsewhere. */
  readonly errorFd?: number
  /** stdin; absent: nothing to read. */
  readonly inputFd?: number
}

export type ScriptEnd =
  | { readonly end: 'exited'; readonly exitCode: number }
  | { readonly end: 'killed'; readonly signal: string }
  /** The group got TERM and, where that was not enough, KILL. `survivors`: processes that even KILL has not ended yet. */
  | { readonly end: 'timed-out' | 'cancelled'; readonly survivors: readonly number[] }
  | { readonly end: 'not-started'; readonly code: string; readonly message: string }

export interface RunningScript {
  readonly pid: number | undefined
  /** Never rejects. The script's own exit decides: what it left running, and who still has its output open, does not matter. */
  readonly done: Promise<ScriptEnd>
  /** TERM, then KILL, to all of the group; `done` then says `cancelled`. Nothing when it has ended. */
  cancel(): void
}

/** Between TERM and KILL. */
export const graceMs: Millis = 2_000
/** After KILL: a process that waits in the kernel for a disk can take its time; the caller is told and not kept. */
const killLimitMs: Millis = 1_000
/** Short: a switchover waits for a cancelled status. */
const lookMs: Millis = 5

let isProtected: boolean | undefined

/** The unit protects the daemon from the OOM killer (OOMScoreAdjust=); a database that a script starts must not inherit that. */
function giveUpOomProtection(pid: number): void {
  try {
    isProtected ??= Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) < 0
    if (isProtected) writeFileSync(`/proc/${pid}/oom_score_adj`, '0')
  } catch {
    // The script has ended already.
  }
}

export function runScript(run: ScriptRun): RunningScript {
  const child = execa(run.path, [...run.args], {
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    extendEnv: false,
    env: { ...run.environment },
    cwd: '/',
    // execa hands on any descriptor as it is; only its types stop at 9.
    stdin: run.inputFd === undefined ? 'ignore' : run.inputFd as 3,
    stdout: run.outputFd as 3,
    stderr: (run.errorFd ?? run.outputFd) as 3,
  })
  const { pid } = child
  if (pid !== undefined) giveUpOomProtection(pid)
  let ending: 'timed-out' | 'cancelled' | undefined
  let exited = false
  let timer: NodeJS.Timeout | undefined

  let settle: (end: ScriptEnd) => void
  const done = new Promise<ScriptEnd>((resolve) => { settle = resolve })

  function end(why: 'timed-out' | 'cancelled'): void {
    if (exited || ending !== undefined || pid === undefined) return
    ending = why
    clearTimeout(timer)
    void endGroup(pid).then((survivors) => settle({ end: why, survivors }))
  }

  child.once('exit', (exitCode, signal) => {
    exited = true
    clearTimeout(timer)
    if (ending === undefined) settle(signal === null ? { end: 'exited', exitCode: exitCode ?? 0 } : { end: 'killed', signal })
  })
  void child.then((result) => {
    if (exited || pid !== undefined) return
    const { cause } = result
    settle({ end: 'not-started', code: errorCode(cause) || errorCode(result), message: errorText(cause ?? result.shortMessage) })
  })
  if (pid !== undefined) timer = setTimeout(() => end('timed-out'), run.timeoutMs)
  return { pid, done, cancel: () => end('cancelled') }
}

/** TERM, then KILL, to all of a process group; the answer is who is alive even so. */
export async function endGroup(groupId: number): Promise<readonly number[]> {
  signalGroup(groupId, 'SIGTERM')
  if (await isGone(groupId, graceMs, false)) return []
  signalGroup(groupId, 'SIGKILL')
  if (await isGone(groupId, killLimitMs, true)) return []
  return livingMembers(groupId)
}

function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** `look`: also look whether only zombies are left, for hosts whose init does not collect them. */
async function isGone(groupId: number, limitMs: Millis, look: boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += lookMs) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    if (!signalGroup(groupId, 0)) return true
    if (look && waitedMs % (5 * lookMs) === 0 && livingMembers(groupId).length === 0) return true
  }
  return false
}

/** Costs a walk over /proc: only for groups that would not end. */
function livingMembers(groupId: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  return pids.filter((pid) => {
    const { state, group } = statusOf(pid)
    return group === groupId && state !== 'Z' && state !== 'X'
  })
}

function statusOf(pid: number): { state: string; group: number } {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = 'X', , group = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state, group: Number(group) }
  } catch {
    return { state: 'X', group: 0 }
  }
}
