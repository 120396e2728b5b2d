/** The parameters of a `stonith` device as that program takes them without showing them to anybody. */
import { readFileSync } from 'node:fs'
import type { FenceDevice } from '../core/config.ts'
import { errorText } from './errors.ts'
import { isSecretName, secretsOf } from './fence-device.ts'

export interface StonithSetting {
  readonly args: readonly string[]
  readonly input: string
  readonly environment: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

/** stonith reads one line, up to here. */
const lineLimit = 1_000

/** `names`: what the device type lists. A sentence says what is wrong. */
export function settingOf(device: FenceDevice, names: readonly string[]): StonithSetting | string {
  const values = valuesOf(device, names)
  if (typeof values === 'string') return values
  const extra = Object.entries(device.parameters).filter(([name]) => name !== 'action' && !names.includes(name))
  // What an external plugin takes beyond its listed parameters reaches it by the environment in any case.
  if (extra.length > 0 && !device.agent.startsWith('external/')) return `it has no parameter ${extra.map(([name]) => name).join(', ')}`
  const bad = extra.find(([name, value]) => !/^[A-Za-z_]\w*$/.test(name) || value.includes('\0') || isSecretName(name))
  if (bad !== undefined) return `the parameter ${bad[0]} is none of those that it lists (${names.join(', ')}), so that it cannot be passed in secret`
  const line = values.join(' ')
  if (line.length > lineLimit || /[\n\r\0]/.test(line)) return `its parameters together are longer than ${lineLimit} characters or more than one line`
  if (line.startsWith('#')) return 'its first parameter starts with #, which stonith takes for a comment'
  const secrets = values.filter((_value, index) => isSecretName(names[Math.min(index, names.length - 1)] ?? ''))
  return {
    args: names.length === 0 ? [] : ['-F', '/proc/self/fd/0'],
    input: names.length === 0 ? '' : `${line}\n`,
    environment: Object.fromEntries(extra),
    secrets: [...secrets, ...secretsOf(device.parameters)],
  }
}

function valuesOf({ parameters, words, parameterFile }: FenceDevice, names: readonly string[]): readonly string[] | string {
  if (words !== undefined) return words
  if (parameterFile !== undefined) return wordsOfFile(parameterFile)
  const missing = names.filter((name) => (parameters[name] ?? '') === '')
  if (missing.length > 0) return `it needs the parameter ${missing.join(', ')}`
  // Only the last may have blanks: the line is cut at them.
  const blank = names.slice(0, -1).find((name) => /\s/.test(parameters[name] ?? ''))
  return blank === undefined ? names.map((name) => parameters[name] ?? '') : `the value of ${blank} has blanks, which stonith takes for its end`
}

function wordsOfFile(path: string): readonly string[] | string {
  try {
    const line = readFileSync(path, 'utf8').split('\n').find((one) => one !== '' && !one.startsWith('#')) ?? ''
    return line.split(/\s+/).filter((word) => word !== '')
  } catch (error) {
    return `its parameter file cannot be read: ${errorText(error)}`
  }
}
