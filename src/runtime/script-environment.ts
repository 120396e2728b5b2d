/**
 * What every script finds in its environment: Heartbeat's variables (heartbeat-3.md section 6.3), ours, and nothing of the daemon's
 * own that would mislead a service started from here (NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM).
 */
import { ocfRoot } from './locate-script.ts'

export interface EnvironmentOptions {
  readonly nodeName: string
  readonly peerName: string
  /** `env NAME=VALUE` of ha.cf, without the HA_ prefix. */
  readonly environment: Readonly<Record<string, string>>
  /** The daemon's; scripts keep their own notes in directories below it. */
  readonly stateDirectory?: string
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export function scriptEnvironment(options: EnvironmentOptions): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    PATH: withSystemPath(process.env['PATH'] ?? ''),
    HOME: process.env['HOME'] ?? '/root',
    // Text of `status` is judged, so every host has to say it in the same language.
    LC_ALL: 'C',
    OCF_ROOT: ocfRoot,
    HA_DIR: '/etc/ha.d',
    HA_FUNCS: '/etc/ha.d/shellfuncs',
    HA_RESOURCEDIR: '/etc/ha.d/resource.d',
    HA_CURHOST: options.nodeName,
    HA_LOGFILE: '',
    HA_DEBUGLOG: '/dev/null',
    HA_LOGFACILITY: 'daemon',
    HA_DATEFMT: '%Y/%m/%d_%T ',
    HA_debug: '0',
    HA_LOGD: 'no',
    HACTL_NODE: options.nodeName,
    HACTL_PEER: options.peerName,
    // For scripts that are run by Node: the daemon's own, wherever it is installed.
    NODE: process.execPath,
  }
  if (options.stateDirectory !== undefined) environment['HACTL_STATE_DIR'] = options.stateDirectory
  const zone = process.env['TZ']
  if (zone !== undefined) environment['TZ'] = zone
  for (const [name, value] of Object.entries(options.environment)) environment[`HA_${name}`] = value
  return environment
}

/** A unit file's PATH may lack the sbin directories in which half of what init scripts call lives. */
export function withSystemPath(path: string): string {
  const parts = path.split(':').filter((part) => part.startsWith('/'))
  const missing = systemPath.split(':').filter((part) => !parts.includes(part))
  return [...parts, ...missing].join(':')
}
