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

function names(options: NamesOptions, terminal: Terminal): number {
  const { action, directory, program } = options
  const own = heartbeatNames.map((name) => join(directory, name))
  const places = placesAt(options.heartbeatsPlaces || action === 'list' ? [...own, ...heartbeatsPlaces] : own, program)
  switch (action) {
    case 'list':
      terminal.out(places.map(({ path, found }) => `${path}: ${found.is === 'nothing' ? 'not there' : found.is === 'ours' ? 'hactl' : `not hactl's, ${found.what}`}\n`).join(''))
      return 0
    case 'install': {
      const reason = reasonAgainst(places, options)
      return reason === undefined ? makeLinks(pathsOf(places, 'nothing'), options, terminal) : fail(`nothing is changed: ${reason}`, 1, terminal)
    }
    case 'remove':
      return removeLinks(pathsOf(places, 'ours'), options, terminal)
  }
}

function placesAt(paths: readonly string[], program: string): readonly Place[] {
  return [...new Set(paths)].map((path) => ({ path, found: lookAt(path, program) }))
}

function pathsOf(places: readonly Place[], is: AtPlace['is']): readonly string[] {
  return places.filter(({ found }) => found.is === is).map(({ path }) => path)
}

function reasonAgainst(places: readonly Place[], { directory, searched, program }: NamesOptions): string | undefined {
  const heartbeats = pathsOf(placesAt(heartbeatsPlaces, program), 'theirs')
  if (heartbeats.length > 0 && searched.includes(directory)) {
    return `Heartbeat's own commands are here (${heartbeats.join(', ')}), and links in ${directory} would stand before them. Remove its package ` +
      'first, or choose a directory that no shell searches: hactl names install --dir DIRECTORY'
  }
  const [first] = pathsOf(places, 'theirs')
  if (first === undefined) return undefined
  const list = places.flatMap(({ path, found }) => (found.is === 'theirs' ? [`${path} is ${found.what}`] : [])).join('; ')
  return `${list}, and not hactl's. While Heartbeat's package is installed its own commands are there (type: dpkg -S ${first}). ` +
    'Remove the package first, or choose another directory: hactl names install --dir DIRECTORY'
}

const whatToType = 'Type it as root, or choose another directory with --dir'

function makeLinks(paths: readonly string[], { dryRun, program }: NamesOptions, terminal: Terminal): number {
  const made: string[] = []
  try {
    for (const path of dryRun ? [] : paths) {
      makeLink(path, program)
      made.push(path)
    }
  } catch (error) {
    made.forEach(removeLink)
    return fail(`nothing is changed: ${errorText(error)}. ${whatToType}`, 1, terminal)
  }
  return say(paths, dryRun ? 'would link' : 'linked', 'they are there', terminal)
}

function removeLinks(paths: readonly string[], { dryRun }: NamesOptions, terminal: Terminal): number {
  const removed: string[] = []
  try {
    for (const path of dryRun ? [] : paths) {
      removeLink(path)
      removed.push(path)
    }
  } catch (error) {
    return fail(`removed so far: ${removed.join(', ') || 'nothing'}: ${errorText(error)}. ${whatToType}`, 1, terminal)
  }
  return say(paths, dryRun ? 'would remove' : 'removed', 'none of them is hactl\'s', terminal)
}

function say(paths: readonly string[], what: string, why: string, terminal: Terminal): number {
  terminal.out(paths.length === 0 ? `nothing to do: ${why}\n` : paths.map((path) => `${what} ${path}\n`).join(''))
  return 0
}
