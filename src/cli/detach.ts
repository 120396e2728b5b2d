/** Starts the daemon as a process of its own, and waits until it answers, so that a failed start is seen where it was typed. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Millis } from '../core/time.ts'
import { callDaemon } from '../runtime/control-client.ts'
import { errorText } from '../runtime/errors.ts'
import type { DaemonOptions } from './daemon.ts'
import type { Terminal } from './terminal.ts'

const readyWithinMs: Millis = 30_000
const lookAgainMs: Millis = 50
/** Above this the log of earlier detached starts is put aside, once, so that it cannot fill a disk. */
const logLimitBytes = 10 * 1024 * 1024

export async function detachDaemon(options: DaemonOptions, terminal: Terminal): Promise<number> {
  if ((await callDaemon(options.control, { command: 'pid' })).ok) {
    terminal.err(`hactl: a daemon answers on ${options.control} already. Stop it first: systemctl stop hactl\n`)
    return 1
  }
  const log = join(options.stateDir, 'daemon.log')
  let logFile: number
  let before: number
  try {
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 })
    before = logSize(log)
    if (before > logLimitBytes) {
      renameSync(log, `${log}.1`)
      before = 0
    }
    logFile = openSync(log, 'a', 0o600)
  } catch (error) {
    terminal.err(`hactl: ${log} cannot be written: ${errorText(error)}\n`)
    return 2
  }
  // Absolute, since the daemon's own working directory is one that keeps no file system from being unmounted.
  const [config, stateDir, control] = [resolve(options.config), resolve(options.stateDir), resolve(options.control)]
  const words = ['--config', config, '--state-dir', stateDir, '--control', control, 'daemon', '--foreground']
  // NOTIFY_SOCKET is kept: with Type=notify and NotifyAccess=all the service manager still learns when it is ready.
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], {
    detached: true, stdio: ['ignore', logFile, logFile], cwd: '/',
  })
  closeSync(logFile)
  let ended: string | undefined
  child.on('exit', (code, signal) => { ended = signal === null ? `exit code ${code ?? 1}` : `signal ${signal}` })
  child.on('error', (error) => { ended = error.message })
  child.unref()
  const ready = await answersWithin(options.control, () => ended !== undefined)
  if (ready) {
    terminal.out(`the daemon runs (pid ${child.pid ?? 0}); its log: ${log}\n`)
    return 0
  }
  terminal.err(readFileSync(log).subarray(before).toString())
  if (ended === undefined) {
    terminal.err(`hactl: the daemon (pid ${child.pid ?? 0}) runs but does not answer on ${options.control} yet; its log: ${log}\n`)
    return 4
  }
  terminal.err(`hactl: the daemon did not start (${ended}); its log: ${log}\n`)
  return child.exitCode === 2 ? 2 : 1
}

function logSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

async function answersWithin(control: string, ended: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < readyWithinMs && !ended(); waitedMs += lookAgainMs) {
    const answer = await callDaemon(control, { command: 'status' }, { silenceLimitMs: 1000 })
    if (answer.ok && !ended()) return true
    await sleep(lookAgainMs)
  }
  return false
}
