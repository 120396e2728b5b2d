/** `hactl import`: the classic files as one YAML on standard output; everything there is to say of them on standard error. */
import { resolve } from 'node:path'
import { messageLine, type SecretFile, secretFilesOf, toYaml } from '../config/index.ts'
import { readConfig } from '../daemon/read-config.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** Exit code 0: printed, perhaps with warnings; 2: the files have errors, and nothing is printed. */
export async function runImport(path: string, terminal: Terminal = processTerminal()): Promise<number> {
  const { result } = readConfig(resolve(path))
  const { paint } = terminal.errorView
  for (const error of result.errors) terminal.err(`${paint.red('error')}: ${messageLine(error)} [${error.code}]\n`)
  for (const warning of result.warnings) terminal.err(`${paint.yellow('warning')}: ${messageLine(warning)} [${warning.code}]\n`)
  const yaml = toYaml(result)
  if (yaml === undefined) {
    terminal.err('hactl: nothing is printed: correct the errors first, or leave out what is not needed.\n')
    return 2
  }
  terminal.out(yaml)
  for (const file of result.config === undefined ? [] : secretFilesOf(result.config, result.authFile ?? '')) {
    terminal.err(`${paint.yellow('to do')}: ${secretText(file)}\n`)
  }
  return 0
}

/** A password is never printed: a person puts it where the printed YAML expects it. */
function secretText({ path, target, agent, form }: SecretFile): string {
  const what = form === 'words' ? `its parameters on one line, as in ha.cf (stonith -t ${agent} -n names them)`
    : `${form.map((name) => `${name}=...`).join(', ')}, each on a line of its own`
  return `the parameters of ${agent}, which fences ${target}, may hold a password and are not printed. Write ${path} with mode 0600: ${what}`
}
