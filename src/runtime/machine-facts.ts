/** Facts of this host that a configuration is compared with: its name, interfaces, scripts, programs, host names, koffi. */
import { accessSync, constants, readFileSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { MachineFacts, MachineQuestions } from '../config/machine.ts'
import { agentFault } from './agent-faults.ts'
import { errorCode } from './errors.ts'
import { isExecutable } from './executable.ts'
import { defaultResourceDirectories, locateScript, ocfRoot } from './locate-script.ts'
import { nativeMissingReason } from './native.ts'

/** Name service can be dead, which must not keep `hactl check` or the daemon from answering. */
const resolvingMs = 3_000

/** Heartbeat's own override of `uname -n` (heartbeat-3.md section 7.2). */
const nodeInfoPath = '/etc/ha.d/nodeinfo'

export async function gatherMachineFacts(questions: MachineQuestions): Promise<MachineFacts> {
  const directories = defaultResourceDirectories()
  const faults = [...questions.scripts].flatMap(([key, resource]): readonly (readonly [string, string])[] => {
    const located = locateScript(resource, directories, ocfRoot)
    const fault = located.kind === 'not-found' ? located.message : agentFault(located, resource)
    return fault === undefined ? [] : [[key, fault]]
  })
  const nativeCallsFault = nativeMissingReason()
  return {
    nodeName: ownNodeName(),
    interfaces: interfaceNames(),
    scriptFaults: new Map(faults),
    programs: new Map(questions.programs.map((program) => [program, isOnPath(program)])),
    fileFaults: new Map(questions.files.flatMap((path) => {
      const fault = fileFault(path)
      return fault === undefined ? [] : [[path, fault] as const]
    })),
    hosts: new Map(await Promise.all(questions.hosts.map(async (host) => [host, await addressesOf(host)] as const))),
    ...(nativeCallsFault === undefined ? {} : { nativeCallsFault }),
  }
}

/** In small letters, as node names are compared. */
export function ownNodeName(): string {
  let first = ''
  try {
    first = readFileSync(nodeInfoPath, 'utf8').split('\n', 1)[0]?.trim() ?? ''
  } catch {
    // Nearly no host has the file.
  }
  return (first === '' ? hostname() : first).toLowerCase()
}

/** Of this process's network namespace; /sys shows those of the mount. */
function interfaceNames(): readonly string[] {
  try {
    return readFileSync('/proc/net/dev', 'utf8').split('\n').flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? [])
  } catch {
    return Object.keys(networkInterfaces())
  }
}

/** Why it cannot be read. Devices are only looked at: opening a watchdog would start it. */
function fileFault(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK)
    return undefined
  } catch (error) {
    const code = errorCode(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'it is not there' : code === 'EACCES' ? 'it cannot be read' : `it cannot be opened (${code})`
  }
}

function isOnPath(program: string): boolean {
  if (program.startsWith('/')) return isExecutable(program)
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return directories.some((directory) => directory !== '' && isExecutable(join(directory, program)))
}

async function addressesOf(host: string): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly string[]>((resolve) => { timer = setTimeout(() => resolve([]), resolvingMs) })
  const found = lookup(host, { all: true, family: 4 }).then((all) => all.map(({ address }) => address), () => [])
  const addresses = await Promise.race([found, late])
  clearTimeout(timer)
  return addresses
}
