/** `hactl keys rotate`: one step of a key change, the next safe one, or why it is not time for it yet. */
import { realpathSync, statSync } from 'node:fs'
import { loadConfig } from '../config/index.ts'
import { newKeyIndex, withActiveKey, withNewKey, withoutMark, withoutOtherKeys } from '../config/authkeys-edit.ts'
import type { ConfigSource, SourceFile } from '../config/types.ts'
import type { AuthMethod, ClusterConfig } from '../core/config.ts'
import type { StatusReport } from '../core/report.ts'
import { readConfig } from '../daemon/read-config.ts'
import { keyNames } from '../protocol/key-names.ts'
import { writeAtomically } from '../runtime/atomic-file.ts'
import { callDaemon } from '../runtime/control-client.ts'
import { errorText } from '../runtime/errors.ts'
import { indexOf, nextKeyStep, type KeyStep } from './key-change.ts'
import { newKey } from './keys.ts'
import type { CommonOptions } from './options.ts'
import { fail, refuse } from './refusal.ts'
import type { Terminal } from './terminal.ts'

export interface RotateOptions extends CommonOptions {
  readonly dryRun: boolean
  /** The key to change to, where the file does not say it. */
  readonly to?: number
}

interface KeyFile { readonly source: ConfigSource; readonly file: SourceFile; readonly config: ClusterConfig }

/** Exit code 0: the step is taken, or all is done. 1: not yet, and why. 2: the configuration has errors. 3: no daemon. */
export async function runKeysRotate(options: RotateOptions, terminal: Terminal): Promise<number> {
  const found = keyFileOf(options.config)
  if (typeof found === 'string') return fail(found, 2, terminal)
  const answer = await callDaemon<StatusReport>(options.control, { command: 'status' })
  if (!answer.ok) return refuse(answer.error, terminal)
  const report = answer.result
  const names = keyNames({ active: found.config.auth.active, keys: found.config.auth.keys, allowCrc: found.config.allowCrc })
  if (options.to !== undefined && !names.some((name) => indexOf(name) === options.to)) {
    return fail(`${found.file.path} has no key ${options.to}: it has ${names.join(', ')}`, 1, terminal)
  }
  const isHeard = report.nodes.some((node) => !node.self && (node.status === 'alive' || node.status === 'late'))
  const step = nextKeyStep({
    self: report.node, peer: report.peer, file: names, own: report.keyNames, peerOwn: isHeard ? report.peerKeyNames : undefined,
    newIndex: options.to ?? newKeyIndex(found.file.text),
  })
  return take(step, found, report.peer, options.dryRun, terminal)
}

function keyFileOf(path: string): KeyFile | string {
  const { source, result } = readConfig(path)
  const { config } = result
  const file = source.files.find(({ name }) => name === 'authkeys')
  if (!result.ok || config === undefined) return `${path} has errors; type: hactl check ${path}`
  return file === undefined ? `${path} names no file of keys` : { source, file, config }
}

async function take(step: KeyStep, found: KeyFile, peer: string, dryRun: boolean, terminal: Terminal): Promise<number> {
  const { path, text } = found.file
  switch (step.step) {
    case 'refuse':
      return fail(`${step.reason}; nothing was changed`, 1, terminal)
    case 'wait':
      return fail(`not yet: ${step.reason}; nothing was changed. ${step.where === 'here' ? 'Type:' : `If the change was begun on ${peer}, go on there; else type:`}\n`
        + commands(step.where === 'here' ? ['hactl reload'] : spread(path, peer)), 1, terminal)
    case 'add': {
      const active = found.config.auth.keys.find(({ index }) => index === found.config.auth.active)
      const next = withNewKey(text, { index: step.index, method: methodAfter(active?.method), key: newKey() })
      return change(`step 1 of 3: key ${step.index} is added; key ${found.config.auth.active} goes on signing`, next, found, peer, dryRun, terminal)
    }
    case 'activate':
      return change(`step 2 of 3: key ${step.index} signs; the others are still accepted`, withActiveKey(text, step.index), found, peer, dryRun, terminal)
    case 'remove':
      return change(`step 3 of 3: key ${step.keep} is the only one left`, withoutOtherKeys(text, step.keep), found, peer, dryRun, terminal)
    case 'done':
      return finish(step.index, found, dryRun, terminal)
  }
}

/** A real Heartbeat in the pair knows no other method than before; crc has no key. */
function methodAfter(method: AuthMethod | undefined): AuthMethod {
  return method === undefined || method === 'crc' ? 'sha256' : method
}

async function change(what: string, next: string, found: KeyFile, peer: string, dryRun: boolean, terminal: Terminal): Promise<number> {
  const fault = await write(next, found, dryRun)
  if (fault !== undefined) return fail(fault, 1, terminal)
  const { path } = found.file
  terminal.out(`${dryRun ? 'would be done: ' : ''}${what} (${path})\nthen, here and over there, at any time:\n`
    + `${commands(['hactl reload', ...spread(path, peer)])}\nand for the next step, when both have reloaded:\n${commands(['hactl keys rotate'])}\n`)
  return 0
}

async function finish(index: number, found: KeyFile, dryRun: boolean, terminal: Terminal): Promise<number> {
  const fault = await write(withoutMark(found.file.text), found, dryRun)
  if (fault !== undefined) return fail(fault, 1, terminal)
  terminal.out(`done: both nodes sign with key ${index} and accept no other. The next hactl keys rotate begins another change\n`)
  return 0
}

/** The new text must be read as good as the old one before it takes its place. Mode and owner stay. */
async function write(text: string, { source, file }: KeyFile, dryRun: boolean): Promise<string | undefined> {
  const files = source.files.map((one) => (one === file ? { ...file, text } : one))
  if (!loadConfig({ ...source, files }).ok) return `${file.path} is written in a way that cannot be changed here; change it by hand: hactl check tells what is wrong`
  if (dryRun) return undefined
  try {
    const path = realpathSync(file.path)
    const { mode, uid, gid } = statSync(path)
    await writeAtomically(path, text, mode & 0o7777, { uid, gid })
    return undefined
  } catch (error) {
    return `${file.path} cannot be written: ${errorText(error)}; nothing was changed`
  }
}

function spread(path: string, peer: string): readonly string[] {
  return [`scp -p ${path} ${peer}:${path}`, `ssh ${peer} hactl reload`]
}

function commands(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}
