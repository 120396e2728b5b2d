/** Reads `witness`, `ping`, `fence` and `watchdog` of YAML, alone or beside classic files, into the draft. */
import type { z } from 'zod'
import type { Draft, DraftFenceDevice, Placed } from './draft.ts'
import { checkReadable, defaultFence } from './fencing.ts'
import type { Findings } from './findings.ts'
import { addPingTarget, isPingGroupName, isPingHost } from './ping-nodes.ts'
import type { Form } from './resource-words.ts'
import type { SourceFile } from './types.ts'
import type { YamlFile } from './yaml-document.ts'
import { reportIssues, understand, type Understood } from './yaml-issues.ts'
import {
  deviceSchema, etcdSchema, pingOverlaySchema, pingSchema, watchdogOverlaySchema, watchdogSchema, witnessSchema,
} from './yaml-protection-schema.ts'
import type { OverlayYaml } from './yaml-schema.ts'
import { overlayRule, path as pathText } from './yaml-values.ts'

interface Reading { readonly file: YamlFile; readonly source: SourceFile; readonly draft: Draft; readonly findings: Findings }

type Path = readonly (string | number)[]

/** `form` is classic where the file stands beside ha.cf. */
export function readProtection(yaml: Understood<OverlayYaml>, form: Form, reading: Reading): void {
  const { file, draft: { protection } } = reading
  if (yaml.lease !== undefined) protection.lease = { value: yaml.lease, place: file.placeOf(['lease']) }
  if (yaml.pause_limit !== undefined) protection.pauseLimitMs = yaml.pause_limit
  if (yaml.flap_guard !== undefined) protection.flapGuard = yaml.flap_guard
  if (yaml.witness !== undefined) readWitness(yaml.witness, reading)
  if (yaml.ping !== undefined) readPing(yaml.ping, form, reading)
  if (yaml.fence !== undefined) readFence(yaml.fence, reading)
  if (yaml.watchdog !== undefined) readWatchdog(yaml.watchdog, form, reading)
}

function readWitness(given: unknown, { file, draft, findings }: Reading): void {
  const { etcd: etcdGiven, timeout, grant, renew } = understand(witnessSchema, given, ['witness'], file, findings)
  if (etcdGiven === undefined) {
    if (isMapping(given)) findings.error(file.placeOf(['witness']), 'key-missing',
      'witness.etcd is missing. Name the cluster: witness: {etcd: {endpoints: ["https://192.0.2.50:2379"]}}')
    return
  }
  const parsed = etcdSchema.safeParse(etcdGiven)
  if (!parsed.success) return reportIssues(file, ['witness', 'etcd'], parsed.error.issues, findings)
  const { endpoints, prefix, ca, cert, key, user, password_file } = parsed.data
  const at = (name: string): Path => ['witness', 'etcd', name]
  const fault = etcdFault(parsed.data)
  if (fault !== undefined) return findings.error(file.placeOf(at(fault.key)), 'value-invalid', `witness.etcd: ${fault.text}`)
  if (grant !== undefined && (grant < 1_000 || grant % 1_000 !== 0)) {
    findings.error(file.placeOf(['witness', 'grant']), 'value-invalid',
      'witness.grant: etcd counts the life of a grant in whole seconds. Write 3s or more.')
  }
  const placed = (name: string, value: number | undefined): Placed<number> | undefined =>
    value === undefined ? undefined : { value, place: file.placeOf(['witness', name]) }
  draft.protection.witness = {
    place: file.placeOfKey(['witness']),
    value: {
      etcd: {
        endpoints,
        ...(prefix === undefined ? {} : { prefix }),
        ...(ca === undefined ? {} : { caFile: ca }),
        ...(cert === undefined ? {} : { certificateFile: cert }),
        ...(key === undefined ? {} : { keyFile: key }),
        ...(user === undefined || password_file === undefined ? {} : { user: { name: user, passwordFile: password_file } }),
      },
      ...optional('timeoutMs', placed('timeout', timeout)),
      ...optional('grantMs', placed('grant', grant)),
      ...optional('renewMs', placed('renew', renew)),
    },
  }
}

function optional<K extends string>(key: K, value: Placed<number> | undefined): { readonly [Key in K]?: Placed<number> } {
  return value === undefined ? {} : { [key]: value } as { readonly [Key in K]?: Placed<number> }
}

function etcdFault(
  { endpoints, ca, cert, key, user, password_file }: z.output<typeof etcdSchema>,
): { readonly key: string; readonly text: string } | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    return { key: there, text: `${there} is there and ${missing} is not: a client certificate needs both. Write ${missing} too.` }
  }
  if ((user === undefined) !== (password_file === undefined)) {
    const [there, missing] = user === undefined ? ['password_file', 'user'] : ['user', 'password_file']
    return { key: there, text: `${there} is there and ${missing} is not. Write ${missing} too.` }
  }
  if ((ca ?? cert) !== undefined && endpoints.some((endpoint) => endpoint.startsWith('http:'))) {
    return { key: 'endpoints', text: 'an endpoint is http:, where ca, cert and key have no use. Write https:.' }
  }
  return undefined
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readPing(given: unknown, form: Form, reading: Reading): void {
  const { file, draft: { protection: { pings } }, findings } = reading
  if (form === 'classic' && !isMapping(given)) {
    return findings.error(file.placeOfKey(['ping']), 'overlay-key', `the ping nodes stand in ha.cf (ping, ping_group): ${overlayRule}`)
  }
  if (!isMapping(given)) {
    const parsed = pingSchema.shape.nodes.safeParse(given)
    if (parsed.success) return readTargets({ nodes: parsed.data }, ['ping'], reading)
    return reportIssues(file, ['ping'], parsed.error.issues, findings)
  }
  const yaml: Understood<z.output<typeof pingSchema>> = form === 'classic'
    ? understand(pingOverlaySchema, given, ['ping'], file, findings) : understand(pingSchema, given, ['ping'], file, findings)
  const at = (name: string) => file.placeOf(['ping', name])
  readTargets(yaml, ['ping', 'nodes'], reading)
  if (yaml.interval !== undefined) pings.intervalMs = { value: yaml.interval, place: at('interval') }
  if (yaml.deadping !== undefined) pings.deadpingMs = { value: yaml.deadping, place: at('deadping') }
  if (yaml.settle !== undefined) pings.settleMs = { value: yaml.settle, place: at('settle') }
  if (yaml.balance !== undefined) pings.balances = { value: yaml.balance, place: at('balance') }
  if (yaml.release !== undefined) pings.releases = { value: yaml.release, place: at('release') }
}

function readTargets({ nodes, groups }: Understood<z.output<typeof pingSchema>>, nodesAt: Path, { file, draft, findings }: Reading): void {
  for (const [index, host] of (nodes ?? []).entries()) {
    const place = file.placeOf([...nodesAt, index])
    if (isPingHost(host, 'ping', 'either', place, findings)) addPingTarget({ name: host, addresses: [host] }, place, draft, findings)
  }
  for (const [name, hosts] of Object.entries(groups ?? {})) {
    const at: Path = ['ping', 'groups', name]
    const place = file.placeOfKey(at)
    if (!isPingGroupName(name)) {
      findings.error(place, 'value-invalid', 'ping.groups: a name has at most 99 characters and no blanks.')
      continue
    }
    const good = hosts.filter((host, index) => isPingHost(host, 'ping', 'either', file.placeOf([...at, index]), findings))
    if (good.length > 0) addPingTarget({ name, addresses: [...new Set(good)] }, place, draft, findings)
  }
}

function readFence(given: unknown, { file, source, draft, findings }: Reading): void {
  if (!isMapping(given)) {
    return findings.error(file.placeOf(['fence']), 'yaml-shape',
      'fence: it must be a mapping of the nodes that are fenced: fence: {web-a: [{agent: fence_ipmilan, parameters: {ip: 192.0.2.66}}]}')
  }
  const added: (readonly DraftFenceDevice[])[] = []
  for (const [node, levelsGiven] of Object.entries(given)) {
    const at: Path = ['fence', node]
    const target = { value: node.toLowerCase(), place: file.placeOfKey(at) }
    const before = draft.protection.fences.find((fence) => fence.target.value === target.value)
    if (before !== undefined) {
      findings.error(target.place, 'overlay-key',
        `how ${target.value} is fenced stands in line ${before.target.place.line} of ${before.target.place.file} already. Keep one.`)
      continue
    }
    if (!Array.isArray(levelsGiven) || levelsGiven.length === 0) {
      findings.error(file.placeOf(at), 'yaml-shape', `fence: of each node it must be a list of devices, tried in order.`)
      continue
    }
    const read = levelsGiven.map((level: unknown, index) => readLevel(level, [...at, index], file, findings))
    const levels = read.filter((devices) => devices !== undefined)
    // A list with a device that could not be read is an error already; half of it must not count as the whole.
    if (levels.length < read.length) continue
    draft.protection.fences.push({ target, levels })
    added.push(...levels)
  }
  checkReadable(source, file.placeOfKey(['fence']), added, draft.nodes.map(({ value }) => value), findings)
}

/** One device, or a list of devices that must all confirm. */
function readLevel(given: unknown, at: Path, file: YamlFile, findings: Findings): readonly DraftFenceDevice[] | undefined {
  if (!Array.isArray(given)) {
    const device = readDevice(given, at, file, findings)
    return device === undefined ? undefined : [device]
  }
  const devices = given.map((part: unknown, index) => readDevice(part, [...at, index], file, findings))
  if (devices.length === 0) findings.error(file.placeOf(at), 'yaml-shape', 'fence: a list of devices is empty. Write one, or remove it.')
  const good = devices.filter((device) => device !== undefined)
  return good.length === devices.length && good.length > 0 ? good : undefined
}

function readDevice(given: unknown, at: Path, file: YamlFile, findings: Findings): DraftFenceDevice | undefined {
  const parsed = deviceSchema.safeParse(given)
  if (!parsed.success) {
    reportIssues(file, at, parsed.error.issues, findings)
    return undefined
  }
  const { agent, stonith, parameters, parameters_file, words, timeout, retries, delay } = parsed.data
  const name = agent ?? stonith
  const fault = name === undefined || (agent !== undefined && stonith !== undefined)
    ? 'a device has exactly one of agent (a fence agent) and stonith (a plugin of cluster-glue): {agent: fence_ipmilan, parameters: {...}}'
    : agent !== undefined && words !== undefined ? 'words are for stonith; a fence agent takes parameters by name.'
      : stonith !== undefined && [parameters, words, parameters_file].filter((part) => part !== undefined).length > 1
        ? 'stonith takes one of parameters, words and parameters_file.' : undefined
  if (fault !== undefined || name === undefined) {
    findings.error(file.placeOf(at), 'value-invalid', `fence: ${fault ?? ''}`)
    return undefined
  }
  return {
    device: {
      kind: agent === undefined ? 'stonith' : 'fence-agent', agent: name, parameters: parameters ?? {},
      ...(words === undefined ? {} : { words }),
      ...(parameters_file === undefined ? {} : { parameterFile: parameters_file }),
    },
    timeoutMs: timeout ?? defaultFence.timeoutMs, retries: retries ?? defaultFence.retries, delayMs: delay ?? defaultFence.delayMs,
  }
}

function readWatchdog(given: unknown, form: Form, { file, draft: { protection }, findings }: Reading): void {
  const at = file.placeOf(['watchdog'])
  if (isMapping(given)) {
    const yaml: Understood<z.output<typeof watchdogSchema>> = form === 'classic'
      ? understand(watchdogOverlaySchema, given, ['watchdog'], file, findings)
      : understand(watchdogSchema, given, ['watchdog'], file, findings)
    if (yaml.device !== undefined) protection.watchdog = { value: yaml.device, place: file.placeOf(['watchdog', 'device']) }
    if (yaml.timeout !== undefined) protection.watchdogTimeoutMs = { value: yaml.timeout, place: file.placeOf(['watchdog', 'timeout']) }
    return
  }
  if (form === 'classic') return findings.error(at, 'overlay-key', `watchdog stands in ha.cf: ${overlayRule}`)
  const parsed = pathText.safeParse(given)
  if (parsed.success) protection.watchdog = { value: parsed.data, place: at }
  else reportIssues(file, ['watchdog'], parsed.error.issues, findings)
}
