/** Finds what serves a resource: a script in one of the directories, a systemd unit, an OCF agent. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResourceConfig } from '../core/config.ts'
import { errorCode, errorText } from './errors.ts'

export type Located =
  /** Judged by exit code alone, as the Linux Standard Base says. */
  | { readonly kind: 'lsb'; readonly path: string }
  /** Of Heartbeat's resource.d: `status` is judged by its text (heartbeat-3.md section 6.4). */
  | { readonly kind: 'heartbeat'; readonly path: string }
  /** Of init.d: by its text, and by its exit code where that says nothing. */
  | { readonly kind: 'init'; readonly path: string }
  | { readonly kind: 'systemd'; readonly unit: string }
  | { readonly kind: 'ocf'; readonly path: string; readonly provider: string; readonly agent: string }

export interface NotFound {
  readonly kind: 'not-found'
  /** Every path looked at. */
  readonly tried: readonly string[]
  /** For the person who is paged: what was looked for, where, what stood in the way, what to type. */
  readonly message: string
}

export const ocfRoot = '/usr/lib/ocf'

/**
 * What an administrator put there comes first: a pair that comes from Heartbeat goes on with its own apache2 of /etc/ha.d/resource.d.
 * Then what is shipped, then the system's.
 */
export function defaultResourceDirectories(): readonly string[] {
  return ['/etc/hactl/resource.d', '/etc/ha.d/resource.d', shippedDirectory(), '/etc/init.d']
}

/** `resources/` beside `src/` and `dist/`: the same file runs from the source tree and inside the bundle. */
export function shippedDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  return join(here, basename(here) === 'runtime' ? '../../resources' : '../resources')
}

export function locateScript(resource: ResourceConfig, directories: readonly string[], ocfDirectory: string): Located | NotFound {
  const { script } = resource
  if (script.startsWith('systemd:')) return locateUnit(script)
  if (script.startsWith('ocf:')) return locateAgent(script, ocfDirectory)
  if (script.startsWith('/')) return locateIn([dirname(script)], basename(script), resource)
  if (script === '' || script === '.' || script === '..' || script.includes('/')) {
    return notFound([], `the resource script "${script}" is no file name: write the name of a script, or its whole path from /`)
  }
  return locateIn(directories, script, resource)
}

function locateIn(directories: readonly string[], name: string, resource: ResourceConfig): Located | NotFound {
  const tried: string[] = []
  const obstacles: string[] = []
  for (const directory of directories) {
    const path = join(directory, name)
    tried.push(path)
    const obstacle = obstacleOf(path)
    if (obstacle === undefined) return { kind: kindOf(directory), path }
    if (obstacle !== 'missing') obstacles.push(obstacle)
  }
  if (obstacles.length > 0) return notFound(tried, `the resource script ${name} cannot be run: ${obstacles.join('; ')}`)
  return notFound(tried, `there is no resource script ${name}: tried ${tried.join(', ')}; ${advice(resource, tried)}`)
}

function advice(resource: ResourceConfig, tried: readonly string[]): string {
  const [type] = resource.args
  if (resource.script === 'OCF' && type !== undefined) {
    return `OCF::${type} needs Heartbeat's own script OCF; write ocf:heartbeat:${type} with parameters in hactl.yaml instead`
  }
  return `install the package that brings it, put a script of your own at ${tried.at(0) ?? ''}, or write systemd:UNIT`
}

/** The directory is systemd's own sign (sd_booted(3)) that it runs the host. */
function locateUnit(script: string): Located | NotFound {
  const unit = script.slice('systemd:'.length)
  if (unit === '') return notFound([], `"${script}" names no unit: write systemd:UNIT, as in systemd:nginx`)
  if (existsSync('/run/systemd/system')) return { kind: 'systemd', unit }
  return notFound(['/run/systemd/system'], `the unit of ${script} cannot be run: systemd does not run this host (no /run/systemd/system)`)
}

function locateAgent(script: string, ocfDirectory: string): Located | NotFound {
  const [, provider = '', agent = '', more] = script.split(':')
  if (!isPlain(provider) || !isPlain(agent) || more !== undefined) {
    return notFound([], `"${script}" is no OCF agent: write ocf:PROVIDER:NAME, as in ocf:heartbeat:Filesystem`)
  }
  const path = join(ocfDirectory, 'resource.d', provider, agent)
  const obstacle = obstacleOf(path)
  if (obstacle === undefined) return { kind: 'ocf', path, provider, agent }
  if (obstacle !== 'missing') return notFound([path], `the OCF agent ${script} cannot be run: ${obstacle}`)
  return notFound([path], `there is no OCF agent ${script}: tried ${path}; type: apt-get install resource-agents`)
}

function isPlain(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !name.includes('/')
}

function kindOf(directory: string): 'heartbeat' | 'init' | 'lsb' {
  if (/(^|\/)ha\.d\/resource\.d\/?$/.test(directory)) return 'heartbeat'
  return /(^|\/)init\.d\/?$/.test(directory) ? 'init' : 'lsb'
}

function obstacleOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) return 'missing'
    if (found.isDirectory()) return `${path} is a directory`
    if (!found.isFile()) return `${path} is no regular file`
    accessSync(path, constants.X_OK)
    return undefined
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return 'missing'
    return errorCode(error) === 'EACCES' ? `${path} is not executable (type: chmod 755 ${path})` : `${path}: ${errorText(error)}`
  }
}

function notFound(tried: readonly string[], message: string): NotFound {
  return { kind: 'not-found', tried, message }
}
