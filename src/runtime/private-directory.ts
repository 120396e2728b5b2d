/** A directory for the daemon's own files. The one above it, often /run/hactl, also has the control socket and must stay open to others. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

export function makePrivateDirectory(directory: string): void {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o755 })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}
