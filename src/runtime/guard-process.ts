/**
 * The guard's process: kept alive while this daemon lives, relieved by another one when the ways to the peer change, and told to go at the
 * end. Its standard input is the pipe whose other end dies with this daemon.
 */
import { spawn, type ChildProcess, type IOType } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Millis } from '../core/time.ts'
import { errorText } from './errors.ts'
import type { GuardDirectory } from './guard-directory.ts'
import { openGuardSockets, type GuardSocket } from './guard-sockets.ts'
import type { Outlet } from './links-plan.ts'
import { withSystemPath } from './script-environment.ts'

export interface GuardProcess {
  /** The ways to the peer changed. Resolves when a guard runs that has them, or is tried again and again. */
  relink(): Promise<void>
  close(): Promise<void>
}

export interface GuardProcessOptions {
  readonly directory: GuardDirectory
  outlets(): readonly Outlet[]
  onNotice(code: 'guard-restarted' | 'guard-failed', message: string): void
}

interface Running { readonly child: ChildProcess; readonly startedMs: Millis; relieved: boolean }

const goLimitMs: Millis = 2_000
/** A guard that has lived for less is started again only after a pause, which doubles. */
const soundMs: Millis = 1_000
const firstPauseMs: Millis = 100
const lastPauseMs: Millis = 5_000

export function createGuardProcess({ directory, outlets, onNotice }: GuardProcessOptions): GuardProcess {
  const logFd = openLogFd()
  const living = new Set<Running>()
  let sockets: readonly GuardSocket[] = []
  let running: Running | undefined
  let timer: NodeJS.Timeout | undefined
  let pauseMs = firstPauseMs
  let told = ''
  let closed = false
  let turn = Promise.resolve()

  function start(): void {
    clearTimeout(timer)
    const child = spawnGuard(directory, [logFd, ...sockets.map(({ fd }) => fd)])
    const one: Running = { child, startedMs: performance.now(), relieved: false }
    living.add(one)
    child.once('error', (error) => ended(one, error.message))
    child.once('exit', (code, signal) => ended(one, signal ?? `exit code ${String(code)}`))
    running = one
    noteLiving()
  }

  function noteLiving(): void {
    try {
      directory.guards([...living].flatMap(({ child }) => child.pid ?? []))
    } catch (error) {
      onNotice('guard-failed', `the next daemon will not know of the guard: ${errorText(error)}`)
    }
  }

  function ended(one: Running, how: string): void {
    if (!living.delete(one) || closed) return
    noteLiving()
    if (one.relieved || one !== running) return
    const lived = performance.now() - one.startedMs >= soundMs
    pauseMs = lived ? firstPauseMs : Math.min(lastPauseMs, pauseMs * 2)
    const next = lived ? 'another one takes its place' : `another one is tried in ${pauseMs / 1_000} s`
    onNotice('guard-restarted', `the guard of this daemon ended (${how}); ${next}`)
    if (lived) start()
    else timer = setTimeout(start, pauseMs).unref()
  }

  async function renew(): Promise<void> {
    if (closed) return
    const opened = await openGuardSockets(outlets())
    if (closed) return opened.sockets.forEach((socket) => socket.close())
    const [former, old] = [running, sockets]
    sockets = opened.sockets
    start()
    if (former !== undefined) letGo(former)
    for (const socket of old) socket.close()
    const problems = opened.problems.join('; ')
    if (problems !== '' && problems !== told) onNotice('guard-failed', problems)
    told = problems
  }

  return {
    relink() {
      turn = turn.then(renew).catch((error: unknown) => onNotice('guard-failed', `the guard cannot be started: ${errorText(error)}`))
      return turn
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await turn
      await Promise.all([...living].map((one) => awaitEnd(one)))
      for (const socket of sockets) socket.close()
      if (logFd !== ownLog) closeSync(logFd)
    },
  }
}

function spawnGuard(directory: GuardDirectory, descriptors: readonly number[]): ChildProcess {
  const stdio: (IOType | number)[] = ['pipe', 'ignore', 'ignore', ...descriptors]
  const env = guardEnvironment()
  // Detached: an interrupt typed at a terminal, or a signal to the daemon's process group, is not for it.
  const child = spawn('/bin/sh', [directory.script, directory.path], { detached: true, cwd: '/', env, stdio })
  child.stdin?.on('error', () => undefined)
  child.unref()
  return child
}

/**
 * Does now what a guard that has died as well would have done: its input ends at once. Whoever calls has looked that its daemon is dead.
 * `logFd`: where it says what it does.
 */
export function actInItsPlace(directory: string, sockets: readonly GuardSocket[], logFd: number): Promise<void> {
  const stdio: (IOType | number)[] = ['ignore', 'ignore', 'ignore', logFd, ...sockets.map(({ fd }) => fd)]
  const child = spawn('/bin/sh', [join(directory, 'guard'), directory], { cwd: '/', env: guardEnvironment(), stdio })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve())
  })
}

function guardEnvironment(): Record<string, string> {
  return { PATH: withSystemPath(process.env['PATH'] ?? ''), LC_ALL: 'C' }
}

function letGo(one: Running): void {
  one.relieved = true
  one.child.stdin?.end('go\n')
}

async function awaitEnd(one: Running): Promise<void> {
  const end = new Promise((resolve) => {
    one.child.once('exit', resolve)
    one.child.once('error', resolve)
  })
  letGo(one)
  const limit = setTimeout(() => one.child.kill('SIGKILL'), goLimitMs)
  await end
  clearTimeout(limit)
}

const ownLog = 2

/**
 * The guard must wait for no reader of the log. The journal's socket is non-blocking already (log-target.ts), and stays so only as a
 * descriptor above 2; anything else gets a description of its own.
 */
function openLogFd(): number {
  try {
    if (fstatSync(ownLog).isSocket()) return ownLog
    return openSync(`/proc/self/fd/${ownLog}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return openSync('/dev/null', 'w')
  }
}
