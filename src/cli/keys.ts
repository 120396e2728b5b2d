/** `hactl keys new`: an authkeys file with a key that nobody has seen before. */
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Terminal } from './terminal.ts'

const keyBytes = 32

export async function runKeysNew({ output }: { readonly output?: string }, terminal: Terminal): Promise<number> {
  const text = authkeysText(newKey())
  if (output === undefined) {
    terminal.out(text)
    return 0
  }
  try {
    // 'wx': a key in use is never overwritten. The mode is given at creation, so that nobody reads it in between.
    const file = await open(output, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    terminal.err(`${failureText(output, error)}\n`)
    return 1
  }
  terminal.out(`wrote ${output} (mode 0600)\nto copy it to the other node, with its mode:  scp -p ${output} PEER:${output}\n`)
  return 0
}

export function newKey(): string {
  return randomBytes(keyBytes).toString('hex')
}

/** Heartbeat's format (heartbeat-3.md section 2.4), with our own method. */
function authkeysText(key: string): string {
  return [
    '# The same file on both nodes, mode 0600.',
    '# A real Heartbeat does not know sha256: while one is in the pair, write sha1 for it.',
    'auth 1',
    `1 sha256 ${key}`,
    '',
  ].join('\n')
}

function failureText(path: string, error: unknown): string {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: String(error) }
  if (code === 'EEXIST') return `hactl: ${path} exists and is not overwritten. Name another file, or first type: mv ${path} ${path}.old`
  if (code === 'ENOENT') return `hactl: ${path} cannot be written: its directory does not exist. Type: mkdir -p "$(dirname ${path})"`
  if (code === 'EACCES') return `hactl: ${path} cannot be written: no permission. Type it as root: sudo hactl keys new -o ${path}`
  return `hactl: ${path} cannot be written: ${message}`
}
