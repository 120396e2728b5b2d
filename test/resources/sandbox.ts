/**
 * A machine for one test file: its own mounts, processes, host name and network, with private copies of /etc, /run, /var/log and
 * the data directories. It vanishes with its first process; nothing outside it is touched. Works as root, and as an
 * ordinary user with subordinate ids (package uidmap).
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

export interface Result { readonly code: number; readonly stdout: string; readonly stderr: string }
export interface RunOptions { readonly env?: Record<string, string>; readonly input?: string; readonly timeoutMs?: number }

export interface Sandbox {
  /** The process id of its first process, seen from outside. */
  readonly pid: number
  /** Rejects if a program left behind keeps the output open: scripts must detach their daemons. */
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<Result>
  /** A shell text; throws with its output unless it exits 0. Returns standard output, trimmed. */
  readonly sh: (text: string, options?: RunOptions) => Promise<string>
  /** A shipped script: `script('apache2', 'start')`, `script('webdemo 8080', 'stop')`. */
  readonly script: (nameAndArguments: string, action: string, options?: RunOptions) => Promise<Result>
  /** Makes a program disappear for everything in this sandbox. */
  readonly hide: (program: string) => Promise<void>
  readonly close: () => Promise<void>
}

const repository = path.resolve(import.meta.dirname, '../..')
const asRoot = process.getuid?.() === 0
const userNamespace = asRoot ? [] : ['--user', '--map-root-user', '--map-auto']

// Its first process must reap what daemons leave behind, or a process that has ended would seem to be there for ever.
const setUp = `
set -e
hostname "$1"
mount --make-rprivate /
shelf=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$shelf"
cp -a /etc "$shelf/etc" 2>/dev/null || true
mount --bind "$shelf/etc" /etc
for directory in /run /var/log /var/lib/mysql /var/lib/postgresql; do
  [ ! -d "$directory" ] || mount -t tmpfs -o mode=755 tmpfs "$directory"
done
umount -l "$shelf" && rmdir "$shelf"
mkdir -p /run/lock /var/log/apache2
chmod 1777 /run/lock
ip link set lo up
trap 'exit 0' TERM
echo ready
while :; do sleep 1000 & wait $!; done
`

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin; command -v "$1"', 'sh', program]).status === 0
}

/** Why no sandbox can be had here; undefined if it can. */
export function noSandbox(): string | undefined {
  for (const program of ['unshare', 'nsenter', 'ip']) if (!has(program)) return `${program} is not installed`
  const attempt = spawnSync('unshare', [...userNamespace, '--net', '--mount', '--pid', '--fork', '--mount-proc', 'true'], { encoding: 'utf8' })
  return attempt.status === 0 ? undefined : `unshare: ${attempt.stderr.trim()}`
}

/** `beside` shares the network (and nothing else) of another sandbox: the two are a pair of nodes on one wire. */
export async function openSandbox(name: string, beside?: Sandbox): Promise<Sandbox> {
  const join = beside ? ['nsenter', ...enter(beside.pid, ['--net'])] : []
  const network = beside ? [] : [...userNamespace, '--net']
  const words = [...join, 'unshare', ...network, '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', '--mount-proc']
  const [program = '', ...rest] = [...words, 'bash', '-c', setUp, 'sandbox', name]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the sandbox ${name} ended at once with ${code}`)))
  })
  const pid = innermostChild(child.pid ?? 0)
  return {
    ...commands(pid),
    pid,
    close: () => {
      child.kill('SIGKILL')
      return ended
    },
  }
}

// unshare may be the child itself or (after nsenter) replace it; the sandbox's first process is the child of unshare.
function innermostChild(pid: number): number {
  const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]
  if (!first) throw new Error(`process ${pid} has no child: the sandbox has no first process`)
  return Number(first)
}

function enter(pid: number, namespaces: readonly string[]): readonly string[] {
  return ['-t', String(pid), ...(asRoot ? [] : ['--user', '--preserve-credentials']), ...namespaces]
}

function commands(pid: number): Omit<Sandbox, 'pid' | 'close'> {
  const run = (command: readonly string[], options: RunOptions = {}): Promise<Result> => {
    const environment = { PATH: `/run/programs:${path.dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/root', HACTL_STATE_DIR: '/run/hactl-state', ...options.env }
    const assignments = Object.entries(environment).map(([key, value]) => `${key}=${value}`)
    const all = enter(pid, ['--mount', '--uts', '--ipc', '--net', '--pid', '--wd=/'])
    return outputOf(['nsenter', ...all, 'env', '-i', ...assignments, ...command], options)
  }
  const sh = async (text: string, options?: RunOptions): Promise<string> => {
    const { code, stdout, stderr } = await run(['bash', '--norc', '-euc', text], options)
    if (code !== 0) throw new Error(`exit ${code} of: ${text}\n${stdout}${stderr}`)
    return stdout.trim()
  }
  return {
    run,
    sh,
    script: (nameAndArguments, action, options) => {
      const [script = '', ...words] = nameAndArguments.split(' ')
      return run([path.join(repository, 'resources', script), ...words, ...(action === '' ? [] : [action])], options)
    },
    hide: async (program) => {
      await sh(`for file in $(type -ap ${program}); do mount --bind /dev/null "$file"; done`)
    },
  }
}

function outputOf(command: readonly string[], { input = '', timeoutMs = 90_000 }: RunOptions): Promise<Result> {
  const [program = '', ...rest] = command
  const child = spawn(program, rest)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(late)
      setTimeout(() => reject(new Error(`a program left behind keeps the output open: ${command.join(' ')}`)), 5_000).unref()
    })
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}
