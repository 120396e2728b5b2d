/** `hactl names`: which of Heartbeat's commands are this program, and links for them, made and removed on request. All or nothing. */
import { join } from 'node:path'
import { errorText } from '../../runtime/errors.ts'
import { type AtPlace, lookAt, makeLink, removeLink } from '../../runtime/name-links.ts'
import { fail } from '../refusal.ts'
import type { Terminal } from '../terminal.ts'
import { heartbeatNames } from './names.ts'

export interface NamesOptions {
  readonly action: 'list' | 'install' | 'remove'
  readonly directory: string
  /** Also where Heartbeat's packages have them, for scripts that call them by their whole path. */
  readonly heartbeatsPlaces: boolean
  readonly dryRun: boolean
  /** Directories in which shells look for commands. */
  readonly searched: readonly string[]
  /** What the links lead to. */
  readonly program: string
}

const heartbeatsPlaces: readonly string[] = [
  '/usr/bin/cl_status', '/usr/share/heartbeat/hb_standby', '/usr/share/heartbeat/hb_takeover', '/usr/lib/heartbeat/hb_standby', '/usr/lib/heartbeat/hb_takeover',
]

interface Place { readonly path: string; readonly found: AtPlace }

export function runNames(options: NamesOptions, terminal: Terminal): Promise<number> {
  try {
    return Promise.resolve(names(options, terminal))
  } catch (error) {
    return Promise.resolve(fail(`nothing is changed: ${errorText(error)}`, 1, terminal))
  }
}

function names({ action, directory, heartbeatsPlaces: also, dryRun, program, searched }: NamesOptions, terminal: Terminal): number {
  const paths = [...heartbeatNames.map((name) => join(directory, name)), ...(also || action === 'list' ? heartbeatsPlaces : [])]
  const places = [...new Set(paths)].map((path): Place => ({ path, found: lookAt(path, program) }))
  if (action === 'list') {
    terminal.out(places.map(({ path, found }) => `${path}: ${found.is === 'nothing' ? 'not there' : found.is === 'ours' ? 'hactl' : `not hactl's, ${found.what}`}\n`).join(''))
    return 0
  }
  const own = heartbeatsPlaces.filter((path) => lookAt(path, program).is === 'theirs')
  if (action === 'install' && own.length > 0 && searched.includes(directory)) {
    return fail(`nothing is changed: Heartbeat's own commands are here (${own.join(', ')}), and links in ${directory} would stand before them. Remove its package ` +
      'first, or choose a directory that no shell searches: hactl names install --dir DIRECTORY', 1, terminal)
  }
  const theirs = places.filter(({ found }) => found.is === 'theirs')
  if (action === 'install' && theirs.length > 0) {
    const [first] = theirs
    const list = theirs.map(({ path, found }) => `${path} is ${found.is === 'theirs' ? found.what : ''}`).join('; ')
    return fail(`nothing is changed: ${list}, and not hactl's. While Heartbeat's package is installed its own commands are there (type: dpkg -S ${first?.path}). ` +
      'Remove the package first, or choose another directory: hactl names install --dir DIRECTORY', 1, terminal)
  }
  return change(places.filter(({ found }) => found.is === (action === 'install' ? 'nothing' : 'ours')), action, dryRun, program, terminal)
}

function change(todo: readonly Place[], action: 'install' | 'remove', dryRun: boolean, program: string, terminal: Terminal): number {
  const done: string[] = []
  for (const { path } of todo) {
    try {
      if (!dryRun) (action === 'install' ? makeLink : removeLink)(path, program)
      done.push(path)
    } catch (error) {
      for (const made of action === 'install' ? done : []) removeLink(made)
      return fail(`${action === 'install' ? 'nothing is changed' : `removed so far: ${done.join(', ') || 'nothing'}`}: ${errorText(error)}. Type it as root, or choose another directory with --dir`, 1, terminal)
    }
  }
  const [did, would] = action === 'install' ? ['linked', 'would link'] : ['removed', 'would remove']
  terminal.out(todo.length === 0 ? `nothing to do: ${action === 'install' ? 'they are there' : 'none of them is hactl\'s'}\n` : done.map((path) => `${dryRun ? would : did} ${path}\n`).join(''))
  return 0
}
