/**
 * Facts of the machine for what stands behind a dead peer: a witness, ping nodes or fencing that cannot work here keep the
 * daemon from starting, since the pair would rest on them; so does a missing watchdog, without which a node that must reset itself cannot.
 */
import type { ClusterConfig, FenceDevice, NodeName } from '../core/config.ts'
import { messageAt } from './findings.ts'
import type { Judged, MachineFacts } from './machine.ts'
import type { ConfigPlaces } from './types.ts'

interface FencingUse { readonly target: NodeName; readonly device: FenceDevice }

function devicesOf({ fenceDevices }: ClusterConfig): readonly FencingUse[] {
  return Object.entries(fenceDevices ?? {}).flatMap(([target, levels]) => levels.flat().map((device) => ({ target, device })))
}

function programOf({ kind, agent }: FenceDevice): string {
  return kind === 'stonith' ? 'stonith' : agent
}

export function protectionPrograms(config: ClusterConfig): readonly string[] {
  const agents = devicesOf(config).map(({ device }) => programOf(device))
  return [...new Set([...(config.pings === undefined ? [] : ['ping']), ...agents])]
}

function etcdFiles({ etcd }: ClusterConfig): readonly (readonly [string, string])[] {
  if (etcd === undefined) return []
  const all = [['ca', etcd.caFile], ['cert', etcd.certificateFile], ['key', etcd.keyFile], ['password_file', etcd.user?.passwordFile]] as const
  return all.flatMap(([key, path]) => (path === undefined ? [] : [[key, path] as const]))
}

export function protectionFiles(config: ClusterConfig): readonly string[] {
  const parameters = devicesOf(config).flatMap(({ device }) => device.parameterFile ?? [])
  return [...new Set([...etcdFiles(config).map(([, path]) => path), ...parameters, ...(config.watchdogDevice === undefined ? []
    : [config.watchdogDevice.path])])]
}

export function protectionFaults(config: ClusterConfig, places: ConfigPlaces, facts: MachineFacts): readonly Judged[] {
  return [
    ...pingFaults(config, places, facts), ...witnessFaults(config, places, facts), ...fencingFaults(config, places, facts),
    ...watchdogFaults(config, places, facts),
  ]
}

function pingFaults(
  { pings, witness, fencing }: ClusterConfig, { pings: pingPlaces }: ConfigPlaces, { programs, hosts }: MachineFacts,
): readonly Judged[] {
  const [first] = pingPlaces
  if (pings === undefined || first === undefined) return []
  const faults: Judged[] = []
  if (programs.get('ping') === false) {
    // Only a pair that rests on deadtime alone asks ping nodes before it takes over.
    const needed = witness === undefined && fencing === undefined
    faults.push({ stops: needed, message: messageAt(first, 'program-missing',
      `the program ping is not on this host: no ping node would ever answer${needed ? ', so that this node never takes over' : ''}. Type: ` +
      `apt-get install iputils-ping`) })
  }
  for (const [index, { addresses }] of pings.targets.entries()) {
    const place = pingPlaces[index] ?? first
    for (const address of addresses.filter((host) => hosts.get(host)?.length === 0)) {
      faults.push({ stops: false, message: messageAt(place, 'host-unresolved',
        `ping ${address}: this host cannot resolve ${address}, so that it counts as silent. Write the address, or add it to /etc/hosts.`) })
    }
  }
  return faults
}

function witnessFaults(config: ClusterConfig, { witness }: ConfigPlaces, { fileFaults }: MachineFacts): readonly Judged[] {
  return etcdFiles(config).flatMap(([key, path]): readonly Judged[] => {
    const fault = fileFaults.get(path)
    return fault === undefined ? [] : [{ stops: true, message: messageAt(witness, 'device-missing',
      `witness.etcd.${key} ${path}: ${fault}, so that the witness cannot be asked. Put the file there, readable by root, on both nodes.`) }]
  })
}

/** What fences this node itself is run by its peer, and need not be here. */
function fencingFaults(config: ClusterConfig, { fences, nodes }: ConfigPlaces, facts: MachineFacts): readonly Judged[] {
  const seen = new Set<string>()
  const once = (text: string): boolean => !seen.has(text) && seen.add(text) !== undefined
  return devicesOf(config).filter(({ target }) => target !== facts.nodeName).flatMap(({ target, device }): readonly Judged[] => {
    const place = fences[target] ?? nodes
    const program = programOf(device)
    const faults: Judged[] = []
    if (facts.programs.get(program) === false && once(`${target} ${program}`)) {
      faults.push({ stops: true, message: messageAt(place, 'program-missing',
        `the program ${program} is not on this host: ${target} cannot be fenced from here, and the pair would rest on a fencing that ` +
        `cannot work. Type: apt-get install ${device.kind === 'stonith' ? 'cluster-glue' : 'fence-agents'}`) })
    }
    const fault = device.parameterFile === undefined ? undefined : facts.fileFaults.get(device.parameterFile)
    if (fault !== undefined && once(`${target} ${device.parameterFile ?? ''}`)) {
      faults.push({ stops: true, message: messageAt(place, 'device-missing',
        `${device.parameterFile ?? ''}, the parameters of ${device.agent} for ${target}: ${fault}. Write the file, with mode 0600.`) })
    }
    return faults
  })
}

function watchdogFaults({ watchdogDevice }: ClusterConfig, { watchdog }: ConfigPlaces, { fileFaults }: MachineFacts): readonly Judged[] {
  const fault = watchdogDevice === undefined ? undefined : fileFaults.get(watchdogDevice.path)
  return fault === undefined || watchdogDevice === undefined ? [] : [{ stops: true, message: messageAt(watchdog, 'device-missing',
    `watchdog ${watchdogDevice.path}: ${fault}: a host that hangs is not reset. Load its driver, or without one type: modprobe softdog (and ` +
    `echo softdog >/etc/modules-load.d/softdog.conf)`) }]
}
