/** `hactl migrate --check`: what will happen when hactl takes Heartbeat's place on this host. It changes nothing, and sends nothing. */
import { judgeMigration, machineQuestions, type MachineFacts, type MigrationFinding } from '../config/index.ts'
import type { ConfigResult } from '../config/types.ts'
import { readConfig } from '../daemon/read-config.ts'
import { gatherMachineFacts, ownNodeName } from '../runtime/machine-facts.ts'
import { gatherMigrationFacts } from '../runtime/migration-facts.ts'
import type { CommonOptions } from './options.ts'
import { renderMigration } from './render-migration.ts'
import type { Terminal } from './terminal.ts'

/** Exit code 0: nothing to look at before, 1: something, 2: hactl would not start with this configuration on this host. */
export async function runMigrateCheck(options: CommonOptions & { readonly json: boolean }, terminal: Terminal): Promise<number> {
  const { source, result } = readConfig(options.config)
  const node = ownNodeName()
  const peer = result.shown?.nodes.find((name) => name !== node) ?? ''
  const classic = source.files.some(({ name }) => name === 'ha.cf' || name === 'haresources')
  const findings = [...(classic || result.config === undefined ? [] : [yamlCounts(options.config)]), ...await judged(result, peer, options)]
  const exitCode = findings.some(({ level }) => level === 'error') ? 2 : findings.some(({ level }) => level === 'warning') ? 1 : 0
  if (options.json) {
    const flat = findings.map(({ place, ...finding }) => ({ ...finding, ...place }))
    terminal.out(`${JSON.stringify({ ok: exitCode < 2, node, peer, findings: flat }, undefined, 2)}\n`)
  } else terminal.out(`${renderMigration({ findings, node, config: options.config, source, result }, terminal.view).join('\n')}\n`)
  return exitCode
}

async function judged(result: ConfigResult, peer: string, options: CommonOptions): Promise<readonly MigrationFinding[]> {
  const { config } = result
  if (config === undefined) return result.errors.map(({ file, line, column, code, message }) => ({ part: 'stops', level: 'error', code, message, place: { file, line, column } }))
  const machine: MachineFacts = await gatherMachineFacts(machineQuestions(config))
  return judgeMigration(result, machine, await gatherMigrationFacts({ config, peer, stateDirectory: options.stateDir, control: options.control }))
}

function yamlCounts(path: string): MigrationFinding {
  return { part: 'now', level: 'warning', code: 'yaml-counts', message: `hactl goes by ${path}; /etc/ha.d, which Heartbeat goes by, is not read. To judge that: hactl migrate --check --config /etc/ha.d` }
}
