/** `hactl reload` and SIGHUP: the files are read anew; all of it comes into force, or nothing does and the reason is told. */
import type { AdminReply } from '../core/admin.ts'
import type { ClusterConfig } from '../core/config.ts'
import type { NodeState } from '../core/state.ts'
import { keyNames } from '../protocol/key-names.ts'
import type { Log } from '../runtime/log.ts'
import type { Chronicle } from './chronicle.ts'
import type { Happening } from './loop.ts'
import { scheduleFaults } from './failback-schedules.ts'
import { readConfig } from './read-config.ts'
import { keyringOf } from './wire.ts'

export interface ReloadOptions {
  readonly path: string
  readonly initial: ClusterConfig
  readonly log: Log
  readonly chronicle: Chronicle
  feed(happening: Happening): void
  state(): NodeState
  reply(requestId: number, reply: AdminReply): void
  /** What the outside keeps of a configuration: keys, notify commands, schedules. */
  apply(config: ClusterConfig): void
}

/** `requestId` undefined: SIGHUP, nobody waits for a reply. */
export function createReload(options: ReloadOptions): (requestId: number | undefined) => void {
  let current = options.initial
  return (requestId) => {
    options.log.reopen()
    const { result } = readConfig(options.path)
    const refusal = result.config === undefined ? result.errors.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`).join('\n') : reasonAgainst(current, result.config)
    if (refusal !== undefined || result.config === undefined) {
      options.chronicle.say('error', 'config-reloaded', `the new configuration was refused, the old one stays: ${refusal ?? ''}`)
      if (requestId !== undefined) options.reply(requestId, { result: 'refused', message: `${refusal ?? ''}\nThe old configuration stays`, moves: [] })
      return
    }
    const config = result.config
    options.feed({ type: 'config-reloaded', config, keyNames: keyNames(keyringOf(config)), ...(requestId === undefined ? {} : { requestId }) })
    if (options.state().config !== config) return
    current = config
    options.apply(config)
  }
}

/** What a running daemon cannot change, or take. */
function reasonAgainst(before: ClusterConfig, after: ClusterConfig): string | undefined {
  const parts: readonly (keyof ClusterConfig)[] = ['links', 'udpPort', 'pings', 'etcd', 'fenceDevices', 'watchdogDevice', 'environment', 'logFile', 'scriptLog', 'debugLevel']
  const changed = parts.filter((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]))
  if (changed.length === 0) return scheduleFaults(after)[0]
  return `${changed.map((part) => (part === 'scriptLog' ? 'debugfile, logfacility or use_logd' : part)).join(', ')} changed: that needs a restart of the daemon, which moves nothing during a pause (hactl pause; systemctl restart hactl; hactl resume)`
}
