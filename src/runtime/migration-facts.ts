/** Facts of a host on which hactl shall take Heartbeat's place. It looks, and changes nothing. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { IdentityFacts, MigrationFacts } from '../config/migration.ts'
import type { ClusterConfig } from '../core/config.ts'
import { daemonRuns } from './control-client.ts'
import { isExecutable } from './executable.ts'
import { defaultHeartbeatDirectory, readHeartbeatGeneration, readHeartbeatUuid } from './heartbeat-files.ts'
import { runningHeartbeat } from './heartbeat-process.ts'
import { askHeartbeat, heartbeatProgram, heartbeatVersion } from './heartbeat-words.ts'
import { nextStart } from './generation-file.ts'
import { defaultResourceDirectories, locateScript, ocfRoot } from './locate-script.ts'

export interface MigrationQuestions {
  readonly config: ClusterConfig
  readonly peer: string
  readonly stateDirectory: string
  readonly control: string
}

const unitDirectories = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/lib/systemd/system', '/usr/lib/systemd/system']
/** What the unit calls. */
const unitProgram = '/usr/bin/hactl'
/** Where Heartbeat looks for scripts (heartbeat-3.md section 6.3). */
const heartbeatDirectories = ['/etc/ha.d/resource.d', '/etc/init.d']

export async function gatherMigrationFacts({ config, peer, stateDirectory, control }: MigrationQuestions): Promise<MigrationFacts> {
  const path = heartbeatProgram()
  const pid = runningHeartbeat()
  const [version, says, identity, runs] = await Promise.all([
    path === undefined ? undefined : heartbeatVersion(path), pid === undefined ? undefined : askHeartbeat(peer), identityFacts(stateDirectory), daemonRuns(control),
  ])
  return {
    ...(path === undefined && pid === undefined ? {} : {
      heartbeat: { atBoot: startsAtBoot(), ...(version === undefined ? {} : { version }), ...(pid === undefined ? {} : { pid }) },
    }),
    ...(says === undefined ? {} : { says }),
    identity,
    addresses: Object.values(networkInterfaces()).flatMap((found) => found ?? []).map(({ address }) => address),
    otherScripts: otherScripts(config),
    hactl: { runs, unit: unitDirectories.some((directory) => existsSync(`${directory}/hactl.service`)), program: isExecutable(unitProgram) },
    portTaken: portTaken(config.udpPort),
  }
}

async function identityFacts(stateDirectory: string): Promise<IdentityFacts> {
  const warnings: string[] = []
  const generation = await readHeartbeatGeneration(defaultHeartbeatDirectory)
  const uuid = await readHeartbeatUuid(defaultHeartbeatDirectory, warnings)
  const next = await nextStart(stateDirectory, defaultHeartbeatDirectory)
  return {
    generation: generation === undefined ? 'missing' : generation === 0 ? 'damaged' : 'kept',
    uuid: uuid !== undefined ? 'kept' : warnings.length > 0 ? 'damaged' : 'missing',
    next: next.generation, own: next.own,
  }
}

function startsAtBoot(): boolean {
  return ['multi-user', 'graphical', 'default'].some((target) => existsSync(`/etc/systemd/system/${target}.target.wants/heartbeat.service`))
    || (!existsSync('/run/systemd/system') && ['/etc/rc2.d', '/etc/rc3.d', '/etc/rc5.d'].some((directory) => list(directory).some((name) => /^S\d+heartbeat$/.test(name))))
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function otherScripts({ groups }: ClusterConfig): MigrationFacts['otherScripts'] {
  const scripts = groups.flatMap(({ resources }) => resources.filter(({ address }) => address === undefined))
  return new Map(scripts.flatMap((resource) => {
    const ours = locateScript(resource, defaultResourceDirectories(), ocfRoot)
    const theirs = locateScript(resource, heartbeatDirectories, ocfRoot)
    return 'path' in ours && 'path' in theirs && ours.path !== theirs.path ? [[resource.script, { heartbeat: theirs.path, hactl: ours.path }] as const] : []
  }))
}

/** By the kernel's table of this network: bound on any address. */
function portTaken(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/udp', '/proc/net/udp6'].some((table) => {
    try {
      return readFileSync(table, 'utf8').split('\n').some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted) === true)
    } catch {
      return false
    }
  })
}
