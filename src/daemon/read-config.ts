/** A configuration from its files, as the daemon and every command that needs it read it. */
import { authFileOf, loadConfig } from '../config/index.ts'
import type { ConfigResult, ConfigSource } from '../config/types.ts'
import { readConfigFiles } from '../runtime/config-files.ts'

/** `path`: a directory like /etc/ha.d, one of its files, or a hactl.yaml. What cannot be read becomes an error of the result. */
export function readConfig(path: string): { readonly source: ConfigSource; readonly result: ConfigResult } {
  const source = readConfigFiles(path, authFileOf)
  const ownUid = process.getuid?.()
  return { source, result: loadConfig(source, ownUid === undefined ? {} : { ownUid }) }
}
