/** Links in the file system that give this program further names. */
import { lstatSync, mkdirSync, readlinkSync, realpathSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from './errors.ts'

/** What is at a place: nothing, a link to `program`, or something of somebody else's. */
export type AtPlace = { readonly is: 'nothing' } | { readonly is: 'ours' } | { readonly is: 'theirs'; readonly what: string }

export function lookAt(path: string, program: string): AtPlace {
  try {
    const stat = lstatSync(path)
    if (!stat.isSymbolicLink()) return { is: 'theirs', what: stat.isDirectory() ? 'a directory' : 'a file' }
    return targetOf(path) === realpathSync(program) || readlinkSync(path) === program ? { is: 'ours' } : { is: 'theirs', what: `a link to ${readlinkSync(path)}` }
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return { is: 'nothing' }
    throw error
  }
}

/** A link to what is not there any more is told apart by its text. */
function targetOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return readlinkSync(path)
  }
}

export function makeLink(path: string, program: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(program, path)
}

export function removeLink(path: string): void {
  unlinkSync(path)
}
