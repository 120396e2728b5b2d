/** The two forms of a configuration, read into one (design.md section 9). Pure: texts in, messages and a configuration out. */
import { assemble } from './assemble.ts'
import { readAuthkeys } from './authkeys.ts'
import { type Draft, emptyDraft, type Placed } from './draft.ts'
import { collectFindings, type Findings } from './findings.ts'
import { readHaCf } from './ha-cf.ts'
import { readHaresources } from './haresources.ts'
import type { Form } from './resource-words.ts'
import { noSettings, type Settings } from './settings.ts'
import type { ConfigResult, ConfigSource, LoadOptions, SourceFile } from './types.ts'
import { readFullYaml, readOverlay } from './yaml-config.ts'
import { readYaml } from './yaml-document.ts'

export { configCodes, type ConfigCode } from './codes.ts'
export { judgeMachine, type MachineFacts, type MachineQuestions, machineQuestions, startErrors } from './machine.ts'
export { judgeMigration, type MigrationFacts, type MigrationFinding, migrationParts } from './migration.ts'
export { migrationCodes } from './migration-codes.ts'
export { toYaml } from './to-yaml.ts'
export { type SecretFile, secretFilesOf } from './to-yaml-protection.ts'
export { messageLine } from './findings.ts'
export type { ConfigResult, ConfigSource, LoadOptions, Message, Place, ShownConfig, SourceFile } from './types.ts'

/** Classic files when ha.cf or haresources is among them, else YAML. Never throws; what cannot be read is an error among the others. */
export function loadConfig(source: ConfigSource, options: LoadOptions = {}): ConfigResult {
  const findings = collectFindings()
  for (const { file, line, column, code, message } of source.problems ?? []) findings.error({ file, line, column }, code, message)
  const [first] = source.files
  if (first === undefined) return nothingRead(findings)
  const read = isClassic(source) ? readClassic(source, options, findings) : readAlone(first, source, options, findings)
  if (read === undefined) return nothingRead(findings)
  const { draft, settings, form } = read
  const { config, shown, places } = assemble(draft, settings, form, findings)
  const errors = findings.errors()
  return {
    ok: errors.length === 0,
    errors,
    warnings: findings.warnings(),
    notes: errors.length === 0 ? findings.notes() : [],
    config: errors.length === 0 ? config : undefined,
    shown,
    places,
    authFile: draft.auth?.path,
  }
}

/** The key file that a YAML text names, as an absolute path beside `yamlPath`; undefined when it names none, or is no YAML. */
export function authFileOf(yamlPath: string, text: string): string | undefined {
  const file = readYaml({ name: 'hactl.yaml', path: yamlPath, text }, collectFindings())
  const value = file?.value
  if (typeof value !== 'object' || value === null || !('auth' in value)) return undefined
  const auth: unknown = value.auth
  if (typeof auth !== 'object' || auth === null || !('file' in auth) || typeof auth.file !== 'string'
    || auth.file === '') return undefined
  return besideYaml(yamlPath, auth.file)
}

function besideYaml(yamlPath: string, path: string): string {
  return path.startsWith('/') ? path : yamlPath.slice(0, yamlPath.lastIndexOf('/') + 1) + path
}

interface Read { readonly draft: Draft; readonly settings: Settings; readonly form: Form }

function isClassic({ files }: ConfigSource): boolean {
  return files.some(({ name }) => name === 'ha.cf' || name === 'haresources')
}

function isYaml({ name }: SourceFile): boolean {
  return /\.ya?ml$/.test(name)
}

function readClassic(source: ConfigSource, options: LoadOptions, findings: Findings): Read {
  const fileOf = (name: string): SourceFile | undefined => source.files.find((file) => file.name === name)
  const haCf = fileOf('ha.cf')
  const haresources = fileOf('haresources')
  const authkeys = fileOf('authkeys')
  const directory = directoryOf(haCf ?? haresources)
  const draft = emptyDraft(haCf?.path ?? `${directory}ha.cf`)
  if (haCf === undefined) {
    missing('ha.cf', 'It names the nodes, the links and the times.', directory, source, findings)
    draft.unread = new Set(['nodes', 'links', 'auto_failback'])
  } else readHaCf(haCf, draft, findings)
  if (haresources === undefined) {
    missing('haresources', 'It lists the groups: NODE 192.0.2.100/24/eth0 apache2', directory, source, findings)
    draft.unread.add('groups')
  } else readHaresources(haresources, draft, findings)
  if (authkeys === undefined) missing('authkeys', `It holds the keys. Type: hactl keys new -o ${directory}authkeys`, directory, source,
    findings)
  else draft.auth = readAuthkeys(authkeys, options, findings)
  const overlay = source.files.find(isYaml)
  return { draft, settings: overlay === undefined ? noSettings : readOverlay(overlay, draft, findings), form: 'classic' }
}

function missing(name: string, why: string, directory: string, source: ConfigSource, findings: Findings): void {
  const path = directory + name
  // Already said, with the reason why it cannot be read.
  if ((source.problems ?? []).some(({ file }) => file === path)) return
  findings.error({ file: path, line: 1, column: 1 }, 'file-missing', `${path} is not there. ${why}`)
}

function directoryOf(file: SourceFile | undefined): string {
  return file === undefined ? '' : file.path.slice(0, file.path.lastIndexOf('/') + 1)
}

function readAlone(first: SourceFile, source: ConfigSource, options: LoadOptions, findings: Findings): Read | undefined {
  const yaml = source.files.find(isYaml) ?? first
  const draft = emptyDraft(yaml.path)
  const read = readFullYaml(yaml, draft, findings)
  if (read === undefined) return undefined
  const { settings, authFile } = read
  if (authFile !== undefined) readAuthFile(authFile, yaml, draft, source, options, findings)
  return { draft, settings, form: 'yaml' }
}

function readAuthFile(
  { value, place }: Placed<string>, yaml: SourceFile, draft: Draft, source: ConfigSource, options: LoadOptions, findings: Findings,
): void {
  const path = besideYaml(yaml.path, value)
  const file = source.files.find((candidate) => candidate !== yaml && candidate.path === path)
  if (file !== undefined) draft.auth = readAuthkeys(file, options, findings)
  else if (!(source.problems ?? []).some((problem) => problem.file === path)) {
    findings.error(place, 'file-missing', `the key file ${path} is not there. Type: hactl keys new -o ${path}`)
  }
}

function nothingRead(findings: Findings): ConfigResult {
  const top = { file: '', line: 1, column: 1 }
  if (findings.errors().length === 0) findings.error(top, 'path-missing', 'there is no configuration to read.')
  return {
    ok: false, errors: findings.errors(), warnings: findings.warnings(), notes: [], config: undefined, shown: undefined,
    places: { nodes: top, auth: top, links: [], pings: [], witness: top, fences: {}, watchdog: top, resources: [] }, authFile: undefined,
  }
}
