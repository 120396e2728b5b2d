/** Why a script of Heartbeat's resource.d cannot work although it can be executed: most only hand their words on to an OCF agent. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ResourceConfig } from '../core/config.ts'
import { ocfRoot, type Located } from './locate-script.ts'
import { textOf } from './text-file.ts'

const confDirectory = '/etc/ha.d/conf/OCF'
const shellFunctions = '/etc/ha.d/shellfuncs'
const toInstall = 'type: apt-get install resource-agents'

/** What is missing and what to type; undefined where nothing is known to be. */
export function agentFault(located: Located, { script, args }: ResourceConfig): string | undefined {
  if (located.kind !== 'heartbeat') return undefined
  const text = textOf(located.path)
  if (text.includes(shellFunctions) && !existsSync(shellFunctions)) return `${located.path} needs ${shellFunctions}, which is not there; ${toInstall}`
  if (script === 'OCF') return instanceFault(args)
  const agent = /hto-mapfuncs/.test(text) ? /^OCF_TYPE=(\w+)/m.exec(text)?.[1] : undefined
  if (agent === undefined || existsSync(join(ocfRoot, 'resource.d/heartbeat', agent))) return undefined
  return `${located.path} calls the OCF agent ${ocfRoot}/resource.d/heartbeat/${agent}, which is not there; ${toInstall}`
}

/** `OCF::TYPE::INSTANCE`: without its file the script knows neither start nor stop, and the group would be unclean. */
function instanceFault([type, instance, ...more]: readonly string[]): string | undefined {
  if (type === undefined || instance === undefined || more.length > 0) {
    return `OCF takes two arguments: write OCF::TYPE::INSTANCE, and the parameters into ${confDirectory}/TYPE/INSTANCE`
  }
  if (!providers().some((provider) => existsSync(join(ocfRoot, 'resource.d', provider, type)))) {
    return `there is no OCF agent ${type} below ${ocfRoot}/resource.d; ${toInstall}`
  }
  const file = join(confDirectory, type, instance)
  return existsSync(file) ? undefined
    : `OCF::${type}::${instance} has no file of parameters ${file}: write them there, a line OCF_RESKEY_NAME=VALUE for each`
}

function providers(): readonly string[] {
  try {
    return readdirSync(join(ocfRoot, 'resource.d'))
  } catch {
    return []
  }
}
