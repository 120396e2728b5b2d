/**
 * What every script finds in its environment: Heartbeat's variables (heartbeat-3.md section 6.3), ours, and nothing of the daemon's
 * own that would mislead a service started from here (NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM).
 */
import { existsSync } from 'node:fs'
import type { ClusterConfig } from '../core/config.ts'
import { ocfRoot } from './locate-script.ts'

export interface EnvironmentOptions {
  readonly nodeName: string
  readonly peerName: string
  /** `env NAME=VALUE` of ha.cf, without the HA_ prefix. */
  readonly environment: Readonly<Record<string, string>>
  /** The daemon's; scripts keep their own notes in directories below it. */
  readonly stateDirectory?: string
  readonly logging?: ScriptLogging
}

export type ScriptLogging = Pick<ClusterConfig, 'logFile' | 'debugLevel' | 'scriptLog'>

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** `send_arp` and others of Heartbeat's family; where Debian has them now, and where it had them. */
const helperDirectories = ['/usr/libexec/heartbeat', '/usr/lib/heartbeat']
/** `hb_standby` and others. */
const toolDirectory = '/usr/share/heartbeat'

export function scriptEnvironment(options: EnvironmentOptions): Readonly<Record<string, string>> {
  const helpers = helperDirectories.find((path) => existsSync(path))
  const heartbeats = [helpers, toolDirectory].filter((path) => path !== undefined && existsSync(path))
  const environment: Record<string, string> = {
    PATH: [withSystemPath(process.env['PATH'] ?? ''), ...heartbeats].join(':'),
    HOME: process.env['HOME'] ?? '/root',
    // Text of `status` is judged, so every host has to say it in the same language.
    LC_ALL: 'C',
    OCF_ROOT: ocfRoot,
    // Where the script OCF looks for TYPE below; the directory that Heartbeat gives is one too deep for it.
    OCF_AGENTS: `${ocfRoot}/resource.d`,
    HA_DIR: '/etc/ha.d',
    HA_FUNCS: '/etc/ha.d/shellfuncs',
    HA_RESOURCEDIR: '/etc/ha.d/resource.d',
    HA_RCDIR: '/etc/ha.d/rc.d',
    HA_BIN: helpers ?? '/usr/libexec/heartbeat',
    HA_CURHOST: options.nodeName,
    HA_DATEFMT: '%Y/%m/%d_%T\t',
    ...loggingVariables(options.logging),
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

/**
 * As Heartbeat sets them from ha.cf; where it says nothing, a real one hands all to its logging daemon, and scripts of ours log to syslog,
 * which is where that one writes.
 */
function loggingVariables(logging: ScriptLogging | undefined): Readonly<Record<string, string>> {
  const { logFile, scriptLog, debugLevel = 0 } = logging ?? {}
  const { debugFile, facility, logd = false } = scriptLog ?? {}
  const files = logFile !== undefined || debugFile !== undefined
  const said = facility === 'none' && !files ? '' : facility ?? (files || logd ? undefined : 'daemon')
  return {
    HA_LOGFILE: logFile ?? '',
    HA_DEBUGLOG: debugFile ?? '/dev/null',
    ...(said === undefined ? {} : { HA_LOGFACILITY: said }),
    HA_LOGD: logd ? 'yes' : 'no',
    HA_debug: String(debugLevel),
  }
}

/** A unit file's PATH may lack the sbin directories in which half of what init scripts call lives. */
export function withSystemPath(path: string): string {
  const parts = path.split(':').filter((part) => part.startsWith('/'))
  const missing = systemPath.split(':').filter((part) => !parts.includes(part))
  return [...parts, ...missing].join(':')
}
