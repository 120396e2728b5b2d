/** `cl_status hbparameter`: the value as it stands in ha.cf, or what holds without it. */
import type { ShownConfig } from '../../config/types.ts'

/** Heartbeat's defaults, of directives that it tells and that mean something with haresources (asked of 3.0.6). */
const defaults: Readonly<Record<string, string>> = {
  udpport: '694', baud: '19200', debug: '0', realtime: 'true', hopfudge: '1', crm: 'false', autojoin: 'none', uuidfrom: 'file', compression: 'zlib',
  traditional_compression: 'no', conn_logd_time: '60', log_badpack: 'true', cluster: 'linux-ha', syslogmsgfmt: 'true', msgfmt: 'classic',
}
/** Told where they are written, and unknown otherwise. */
const written: readonly string[] = [
  'auto_failback', 'logfacility', 'logfile', 'debugfile', 'use_logd', 'watchdog', 'rtprio', 'coredumps', 'compression_threshold', 'memreserve',
]
const timings = ['keepalive', 'deadtime', 'warntime', 'initdead', 'deadping'] as const

/** `haCf`: its text, where the configuration is a classic one; empty otherwise. */
export function parametersOf(haCf: string, config: ShownConfig | undefined, version: string): ReadonlyMap<string, string> {
  const values = new Map([...Object.entries(defaults), ['hbversion', version] as const])
  for (const [name, ms] of Object.entries(timesOf(config))) values.set(name, `${ms}ms`)
  if (config !== undefined) values.set('auto_failback', config.autoFailback === 'off' ? 'off' : 'on')
  const told = new Set([...Object.keys(defaults), ...written, ...timings])
  for (const line of haCf.split('\n')) {
    const [name = '', ...words] = line.replace(/#.*/, '').trim().split(/[\s,]+/)
    const value = words.at(-1)
    if (told.has(name) && value !== undefined && value !== '') values.set(name, value)
  }
  return values
}

function timesOf(config: ShownConfig | undefined): Readonly<Partial<Record<(typeof timings)[number], number>>> {
  if (config === undefined) return {}
  const { keepaliveMs, deadtimeMs, warntimeMs, initdeadMs, ping } = config
  return { keepalive: keepaliveMs, deadtime: deadtimeMs, warntime: warntimeMs, initdead: initdeadMs, deadping: ping?.deadpingMs ?? deadtimeMs }
}
