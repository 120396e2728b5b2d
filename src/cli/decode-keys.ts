/** The keys that `hactl decode` verifies with: those of a file that is named, else of the configuration. None of them is ever shown. */
import { readFileSync } from 'node:fs'
import { readAuthkeys } from '../config/authkeys.ts'
import { collectFindings, messageLine } from '../config/findings.ts'
import { readConfig } from '../daemon/read-config.ts'
import type { Keyring } from '../protocol/signature.ts'

export interface DecodeKeys {
  /** Absent: nothing can be verified, and `note` says why. */
  readonly keyring?: Keyring
  readonly note?: string
  /** The ports of the configuration's links, as far as it could be read. */
  readonly ports: readonly number[]
}

/** A string: what is wrong with the file that was named. Its mode does not matter here: a copy for looking may be anybody's. */
export function keysOfFile(path: string): DecodeKeys | string {
  const read = readKeyFile(path)
  if (typeof read === 'string') return read
  return { keyring: read, ports: [] }
}

export function keysOfConfig(config: string): DecodeKeys {
  const { result } = readConfig(config)
  const ports = [...new Set((result.config?.links ?? []).flatMap((link) => (link.kind === 'serial' ? [] : [link.port])))]
  const read = result.authFile === undefined ? `${config} has no key file that can be read` : readKeyFile(result.authFile)
  if (typeof read !== 'string') return { keyring: read, ports }
  return { note: `not verified: ${read}. To name the keys: --keys FILE`, ports }
}

function readKeyFile(path: string): Keyring | string {
  let text: string
  try {
    // Also a pipe, as of `--keys <(ssh web-a cat /etc/ha.d/authkeys)`.
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return `${path} cannot be read: ${error instanceof Error ? error.message.replace(/^(\w+): ([^,]*).*$/s, '$2 ($1)') : String(error)}`
  }
  const findings = collectFindings()
  const { active, keys } = readAuthkeys({ name: 'authkeys', path, text }, {}, findings)
  if (keys.length > 0) return { active: active ?? -1, keys, allowCrc: true }
  const [first] = findings.errors()
  return `${path} has no key${first === undefined ? '' : `: ${messageLine(first)}`}`
}
