/** A sandbox of Linux namespaces: whatever runs in it is gone when it ends, and nothing outside it is touched. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

export interface Ran { readonly code: number; readonly stdout: string; readonly stderr: string }

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** After this the command gets SIGKILL and `code` is 124. 20 s unless given. */
  readonly timeoutMs?: number
}

/** The namespaces of one process, entered to run something in them. `pid` is as this process sees it. */
export interface Namespaces { readonly pid: number; readonly flags: readonly string[] }

export const isRoot = process.getuid?.() === 0

/**
 * Without root the sandbox is a user namespace of its own. Users other than its root exist in it only with the package
 * uidmap and a line in /etc/subuid; the programs that do without (all but apache2 and the databases) run either way.
 */
const userFlags = isRoot ? [] : ['--user', '--map-root-user', ...(hasOtherUsers() ? ['--map-auto'] : [])]
const enterUserFlags = isRoot ? [] : ['--user', '--preserve-credentials']

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function hasOtherUsers(): boolean {
  if (!existsSync('/usr/bin/newuidmap') || !existsSync('/etc/subuid')) return false
  const names = [String(process.getuid?.()), nameOfUser()]
  return readFileSync('/etc/subuid', 'utf8').split('\n').some((line) => line !== '' && names.includes(line.split(':')[0] ?? ''))
}

/** A user need not stand in /etc/passwd. */
function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}

/** What a command in the sandbox gets: nothing of the caller's environment but what is named here. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: searchPath, HOME: isRoot ? '/root' : '/', LANG: 'C.UTF-8', ...extra }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until `found` gives something; throws with `what` after `timeoutMs`. */
export async function waitFor<T>(what: string, found: () => T | undefined | Promise<T | undefined>, timeoutMs = 10_000, everyMs = 10): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const value = await found()
    if (value !== undefined && value !== false) return value
    if (Date.now() >= end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await sleep(everyMs)
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number)
  } catch {
    return []
  }
}

/** The process id of `pid` in the namespace `levelsUp` above its own; the kernel lists them outermost first. */
export function pidSeenFrom(pid: number, levelsUp: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').find((text) => text.startsWith('NSpid:'))
  const seen = line?.split(/\s+/).slice(1).filter((word) => word !== '').map(Number) ?? []
  const wanted = seen[seen.length - 1 - levelsUp]
  if (wanted === undefined) throw new Error(`process ${pid} has no id ${levelsUp} namespaces up: ${line ?? 'no NSpid line'}`)
  return wanted
}

/** The words that run `command` in these namespaces. */
export function enterWords(inside: Namespaces, command: readonly string[]): string[] {
  return ['nsenter', '--target', String(inside.pid), ...inside.flags, '--', ...command]
}

export function run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = '', ...args] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: cleanEnvironment(options.env) })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let late = false
    const timer = setTimeout(() => {
      late = true
      for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL')
      child.kill('SIGKILL')
    }, options.timeoutMs ?? 20_000)
    child.stdout.on('data', (part: Buffer) => out.push(part))
    child.stderr.on('data', (part: Buffer) => err.push(part))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      // A daemon that the command left behind may hold the pipes for ever: what was read by now is the answer.
      const settle = (): void => resolve({
        code: late ? 124 : code ?? (signal === null ? 1 : 128), stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(),
      })
      const grace = setTimeout(settle, 200)
      child.on('close', () => {
        clearTimeout(grace)
        settle()
      })
    })
  })
}

/** Like `run`; throws with the command and what it said when it fails. */
export async function must(words: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(words, options)
  if (ran.code !== 0) throw new Error(`${words.join(' ')}: exit code ${ran.code}\n${ran.stderr}${ran.stdout}`)
  return ran.stdout
}

/** A first process that does nothing but live: it ends, and its namespaces with it, when our end of its input closes. */
export interface Anchor { readonly inside: Namespaces; readonly process: ChildProcess; readonly kill: () => Promise<void> }

/**
 * Starts `bash -c script` as the first process of new namespaces and waits for the line `ready`. The shell then reads its
 * input to the end: should this process die in any way, the pipe closes and the namespaces vanish.
 */
export async function anchor(outer: Namespaces | undefined, unshareFlags: readonly string[], script: string, words: readonly string[]): Promise<Anchor> {
  const unshare = ['unshare', ...(outer === undefined ? userFlags : []), '--fork', '--kill-child', '--propagation', 'private', '--mount', '--pid', '--net',
    ...unshareFlags, 'bash', '--norc', '-c', `${script}\necho ready\nwhile read -r _; do :; done`, ...words]
  const [program = '', ...args] = outer === undefined ? unshare : enterWords(outer, unshare)
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe']
  const child = spawn(program, args, { stdio, env: cleanEnvironment() })
  let said = ''
  let ready = false
  child.stdout?.on('data', (part: Buffer) => (ready ||= part.toString().includes('ready')))
  child.stderr?.on('data', (part: Buffer) => (said += part.toString()))
  child.stdin?.on('error', () => undefined)
  await waitFor('a sandbox of namespaces', () => {
    if (child.exitCode !== null) throw new Error(`no namespaces (exit code ${child.exitCode}): ${said.trim()}${isRoot ? '' : userHint}`)
    return ready ? true : undefined
  }, 30_000, 2)
  let pid = child.pid ?? 0
  for (let level = outer === undefined ? 1 : 2; level > 0; level -= 1) pid = childrenOf(pid)[0] ?? 0
  if (pid === 0) throw new Error(`the first process of the namespaces is not to be found: ${said.trim()}`)
  const inside = { pid, flags: [...enterUserFlags, '--mount', '--net', '--pid', ...(unshareFlags.includes('--uts') ? ['--uts', '--ipc'] : [])] }
  return { inside, process: child, kill: () => killAndWait(pid, child) }
}

const userHint = '\nAs an ordinary user this needs user namespaces; see `sysctl kernel.unprivileged_userns_clone user.max_user_namespaces`.'

async function killAndWait(pid: number, child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
  child.stdin?.destroy()
  // A process that was sent into the namespaces belongs, once orphaned, to the first process outside. Where that one reaps
  // nobody (some containers), the namespaces are dead and yet never end: they are waited for, but not for ever.
  let timer: NodeJS.Timeout | undefined
  await Promise.race([ended, new Promise<void>((resolve) => { timer = setTimeout(resolve, 2_000) })])
  clearTimeout(timer)
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
}
