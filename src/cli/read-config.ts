/** A configuration from its files, as `check`, `import` and every command that needs it reads it. */
import { authFileOf, type ConfigResult, type ConfigSource, loadConfig } from '../config/index.ts'
import { readConfigFiles } from '../runtime/config-files.ts'

/** `path`: a directory like /etc/ha.d, one of its files, or a hactl.yaml. What cannot be read becomes an error of the result. */
export function readConfigSource(path: string): ConfigSource {
  return readConfigFiles(path, authFileOf)
}

export interface LoadedConfig { readonly source: ConfigSource; readonly result: ConfigResult }

export function readConfig(path: string): LoadedConfig {
  const source = readConfigSource(path)
  const ownUid = process.getuid?.()
  return { source, result: loadConfig(source, ownUid === undefined ? {} : { ownUid }) }
}
