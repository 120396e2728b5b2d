/** hactl.yaml: the whole configuration, or beside classic files what those cannot say. */
import { defaultPort, type Draft, type DraftGroup, type DraftResource, type Placed, type ResourceSettings } from './draft.ts'
import { type Findings, quoted } from './findings.ts'
import { resourceOf, resourceOfWord } from './resource-words.ts'
import { noSettings, type Settings } from './settings.ts'
import type { Place, SourceFile } from './types.ts'
import { readYaml, type YamlFile } from './yaml-document.ts'
import { readLink } from './yaml-links.ts'
import { reportIssues, understand, type Understood } from './yaml-issues.ts'
import { readProtection } from './yaml-protection.ts'
import {
  type FullYaml, fullSchema, groupSchema, groupSettingsSchema, type GroupYaml, overlaySchema, type OverlayYaml,
    resourceSchema,
  resourceSettingsSchema, type ResourceYaml,
} from './yaml-schema.ts'

interface Reading { readonly file: YamlFile; readonly draft: Draft; readonly findings: Findings }

/** Fills the draft and returns the settings; the path of `auth.file` is the caller's to follow. Undefined: it is no YAML. */
export function readFullYaml(
  source: SourceFile, draft: Draft, findings: Findings,
): { readonly settings: Settings; readonly authFile: Placed<string> | undefined } | undefined {
  const file = readYaml(source, findings)
  if (file === undefined) return undefined
  const yaml = understand(fullSchema, file.value, [], file, findings)
  fillDraft(yaml, { file, draft, findings })
  readProtection(yaml, 'yaml', { file, source, draft, findings })
  const authFile = yaml.auth === undefined ? undefined : { value: yaml.auth.file, place: file.placeOf(['auth', 'file']) }
  return { settings: settingsOf(yaml, undefined, file, findings), authFile }
}

/** Beside classic files, which were read into the draft before. */
export function readOverlay(source: SourceFile, draft: Draft, findings: Findings): Settings {
  const file = readYaml(source, findings)
  // An empty file, or one of comments, sets nothing.
  if (file === undefined || file.value === null || file.value === undefined || file.value === '') return noSettings
  const yaml = understand(overlaySchema, file.value, [], file, findings)
  readProtection(yaml, 'classic', { file, source, draft, findings })
  return settingsOf(yaml, yaml.group_options, file, findings)
}

function fillDraft(yaml: Understood<FullYaml>, reading: Reading): void {
  const { file, draft } = reading
  draft.nodesPlace = file.placeOf(['nodes'])
  draft.linksPlace = file.placeOf(['links'])
  draft.timingPlace = file.placeOf([])
  for (const part of ['nodes', 'links', 'groups', 'auto_failback'] as const) if (isUnread(yaml[part], part, file)) draft.unread.add(part)
  for (const [index, name] of (yaml.nodes ?? []).entries()) draft.nodes.push({ value: name.toLowerCase(), place: file.placeOf(['nodes',
    index]) })
  for (const [key, target] of times) {
    const value = yaml[key]
    if (value !== undefined) draft.timing[target] = { value, place: file.placeOf([key]) }
  }
  draft.udpPort = yaml.udpport ?? defaultPort
  if (yaml.auto_failback !== undefined) draft.autoFailback = { value: yaml.auto_failback, place: file.placeOf(['auto_failback']) }
  for (const [index, link] of (yaml.links ?? []).entries()) readLink(link, index, reading)
  for (const [index, group] of (yaml.groups ?? []).entries()) draft.groups.push(groupOf(group, ['groups', index], reading))
  if (yaml.logfile !== undefined) draft.logFile = yaml.logfile
  const { debugfile, logfacility, use_logd } = yaml
  if (debugfile !== undefined || logfacility !== undefined || use_logd !== undefined) {
    draft.scriptLog = {
      logd: use_logd ?? false,
      ...(debugfile === undefined ? {} : { debugFile: debugfile }), ...(logfacility === undefined ? {} : { facility: logfacility }),
    }
  }
  draft.debugLevel = yaml.debug ?? 0
  Object.assign(draft.environment, yaml.env ?? {})
}

const times = [['keepalive', 'keepaliveMs'], ['deadtime', 'deadtimeMs'], ['warntime', 'warntimeMs'], ['initdead', 'initdeadMs']] as const

/** It is missing or wrong, which was said. A policy that is not there is no fault. */
function isUnread(understood: unknown, part: string, { value }: YamlFile): boolean {
  const given = typeof value === 'object' && value !== null && Object.hasOwn(value, part)
  if (part === 'auto_failback') return given && understood === undefined
  return !Array.isArray(understood)
}

function groupOf(given: unknown, path: readonly (string | number)[], reading: Reading): DraftGroup {
  const { file, findings } = reading
  const yaml: Understood<GroupYaml> = understand(groupSchema, given, path, file, findings)
  const resources = (yaml.resources ?? []).flatMap((resource, index) => readResource(resource, [...path, 'resources', index], reading))
  return {
    ...(yaml.name === undefined ? {} : { name: { value: yaml.name, place: file.placeOf([...path, 'name']) } }),
    preferredNode: { value: yaml.preferred_node?.toLowerCase() ?? '', place: file.placeOf([...path, 'preferred_node']) },
    place: file.placeOf(path),
    resources,
    settings: settingsOfResource(yaml),
    ...(yaml.auto_failback === undefined ? {} : { autoFailback: yaml.auto_failback }),
    unread: yaml.preferred_node === undefined || resources.length !== yaml.resources?.length,
  }
}

function readResource(given: unknown, path: readonly (string | number)[], { file, findings }: Reading): readonly DraftResource[] {
  const parsed = resourceSchema.safeParse(given)
  if (parsed.success) return draftResource(parsed.data, file.placeOf(path), findings)
  reportIssues(file, path, parsed.error.issues, findings)
  return []
}

function draftResource(yaml: ResourceYaml, place: Place, findings: Findings): readonly DraftResource[] {
  const given = [yaml.resource, yaml.script, yaml.address].filter((word) => word !== undefined)
  const [word] = given
  if (word === undefined || given.length > 1 || (yaml.args !== undefined && yaml.script === undefined)) {
    findings.error(place, 'value-invalid',
      'a resource has exactly one of resource (as in haresources), script (with args) and address: {script: apache2, warm: true}, ' +
      '{address: 192.0.2.100/24/eth0}')
    return []
  }
  if (yaml.script === undefined && /\s/.test(word)) {
    findings.error(place, 'value-invalid',
      `${quoted(word)} has a blank in it: list each resource by itself, or write {script: NAME, args: [...]}.`)
    return []
  }
  const parts = yaml.script !== undefined ? resourceOf(yaml.script, yaml.args ?? [], 'yaml', place, findings)
    : yaml.address !== undefined ? resourceOf('IPaddr', [yaml.address], 'yaml', place, findings)
      : resourceOfWord(word, 'yaml', place, findings)
  return [{ ...parts, ...(yaml.script === undefined ? { word } : {}), place, settings: settingsOfResource(yaml) }]
}

type SettingsYaml = Pick<ResourceYaml, 'warm' | 'start_timeout' | 'stop_timeout' | 'status' | 'parameters'>

function settingsOfResource({ warm, start_timeout, stop_timeout, status, parameters }: Understood<SettingsYaml>): ResourceSettings {
  return { warm, startTimeoutMs: start_timeout, stopTimeoutMs: stop_timeout, status, parameters }
}

function settingsOf(
  yaml: Understood<Omit<OverlayYaml, 'group_options'>>, groups: Readonly<Record<string, unknown>> | undefined, file: YamlFile,
    findings: Findings,
): Settings {
  return {
    allowCrc: yaml.allow_crc ?? false,
    ...(yaml.resource_agents === 'original' ? { originalAgents: file.placeOf(['resource_agents']) } : {}),
    failureMemoryMs: yaml.failure_memory ?? noSettings.failureMemoryMs,
    notify: yaml.notify ?? [],
    defaults: settingsOfResource(yaml),
    resources: placedMap('resources', yaml.resources, file, (given, path) => settingsOfResource(understand(resourceSettingsSchema, given,
      path, file, findings))),
    groups: placedMap('group_options', groups, file, (given, path) => {
      const options = understand(groupSettingsSchema, given, path, file, findings)
      return { ...settingsOfResource(options), autoFailback: options.auto_failback }
    }),
    ...(yaml.auto_failback === undefined ? {} : { autoFailback: { value: yaml.auto_failback, place: file.placeOf(['auto_failback']) } }),
  }
}

function placedMap<T>(
  key: string, entries: Readonly<Record<string, unknown>> | undefined, file: YamlFile, read: (given: unknown,
    path: readonly string[]) => T,
): ReadonlyMap<string, Placed<T>> {
  return new Map(Object.entries(entries ?? {}).map(([name, given]) => [name, { value: read(given, [key, name]),
    place: file.placeOfKey([key, name]) }]))
}
