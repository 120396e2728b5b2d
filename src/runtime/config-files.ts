/** Reads the files of a configuration: a directory like /etc/ha.d, or a YAML file with the key file that it names. Never throws. */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ConfigSource, Message, SourceFile } from '../config/types.ts'
import { errorCode, errorText } from './errors.ts'

/** design.md section 9. */
const classicNames = ['ha.cf', 'haresources', 'authkeys'] as const
const yamlName = 'hactl.yaml'

/** Far above any configuration: a disk image given by mistake is not read into memory. */
const mostBytes = 16 * 1024 * 1024

/** `authFileOf`: the key file that a YAML text names (config/index.ts). */
export function readConfigFiles(path: string, authFileOf: (yamlPath: string, text: string) => string | undefined): ConfigSource {
  const status = statusOf(path)
  if (typeof status === 'string') return { files: [], problems: [problem(path, 'path-missing',
    `${path} ${status}. Name a directory with ha.cf, haresources and authkeys, or a hactl.yaml.`)] }
  if (status.isDirectory()) return readDirectory(path, authFileOf)
  const isClassic = classicNames.some((name) => name === basename(path))
  return isClassic ? readDirectory(dirname(path), authFileOf) : withAuthFile(readAll([path]), authFileOf)
}

function readDirectory(path: string, authFileOf: (yamlPath: string, text: string) => string | undefined): ConfigSource {
  const present = [...classicNames, yamlName].map((name) => join(path, name)).filter((file) => statusOf(file) !== 'does not exist')
  if (present.length === 0) {
    return { files: [], problems: [problem(path, 'file-missing',
      `${path} has none of ${classicNames.join(', ')} and ${yamlName}. Is it the right directory?`)] }
  }
  const source = readAll(present)
  return present.some((file) => ['ha.cf', 'haresources'].includes(basename(file))) ? source : withAuthFile(source, authFileOf)
}

function withAuthFile(source: ConfigSource, authFileOf: (yamlPath: string, text: string) => string | undefined): ConfigSource {
  const yaml = source.files.find(({ name }) => name !== 'authkeys')
  const path = yaml === undefined ? undefined : authFileOf(yaml.path, yaml.text)
  if (path === undefined || source.files.some((file) => file.path === path) || statusOf(path) === 'does not exist') return source
  const auth = readAll([path])
  return {
    files: [...source.files, ...auth.files.map((file) => ({ ...file, name: 'authkeys' }))],
    problems: [...(source.problems ?? []), ...(auth.problems ?? [])],
  }
}

function readAll(paths: readonly string[]): ConfigSource {
  const files: SourceFile[] = []
  const problems: Message[] = []
  for (const path of paths) {
    const read = readOne(path)
    if ('text' in read) files.push(read)
    else problems.push(read)
  }
  return { files, problems }
}

function readOne(path: string): SourceFile | Message {
  const status = statusOf(path)
  if (typeof status === 'string') return problem(path, 'path-missing', `${path} ${status}.`)
  // A pipe or a device could keep the reader waiting for ever.
  if (!status.isFile()) return problem(path, 'path-missing', `${path} is no regular file.`)
  if (status.size > mostBytes) return problem(path, 'file-too-large',
    `${path} has ${status.size} bytes; a configuration has less. Is it the right file?`)
  try {
    // A byte order mark stays, because Heartbeat would see it; bytes that are not UTF-8 become U+FFFD.
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(readFileSync(path))
    return { name: basename(path), path, text, mode: status.mode & 0o7777, uid: status.uid }
  } catch (error) {
    return problem(path, 'path-missing', `${path} ${faultOf(error)}.`)
  }
}

function statusOf(path: string) {
  try {
    return statSync(path)
  } catch (error) {
    return faultOf(error)
  }
}

function faultOf(error: unknown): string {
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: no permission (type it as root)'
  return `cannot be read: ${errorText(error)}`
}

function problem(file: string, code: Message['code'], message: string): Message {
  return { file, line: 1, column: 1, code, message }
}
