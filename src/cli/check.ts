/** `hactl check`: what is wrong with a configuration, line by line, and what it means. */
import { judgeMachine, machineQuestions, type ShownConfig } from '../config/index.ts'
import type { ConfigResult, ConfigSource, Message } from '../config/types.ts'
import { gatherMachineFacts } from '../runtime/machine-facts.ts'
import { defaultConfig } from './options.ts'
import { readConfig } from '../daemon/read-config.ts'
import { sourceLine } from './source-line.ts'
import { processTerminal, type Terminal, type View } from './terminal.ts'
import { wrapped } from './text.ts'

export interface CheckOptions { readonly json?: boolean; readonly config?: string }

/** Exit code 0: fine, 1: warnings, 2: errors (design.md section 9). */
export async function runCheck(path: string | undefined, options: CheckOptions, terminal: Terminal = processTerminal()): Promise<number> {
  const chosen = path ?? options.config ?? defaultConfig()
  const { source, result } = readConfig(chosen)
  const facts = result.config === undefined ? undefined : await gatherMachineFacts(machineQuestions(result.config))
  const warnings = [...result.warnings, ...(facts === undefined ? [] : judgeMachine(result, facts))]
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ ok: result.ok, errors: result.errors, warnings, config: result.shown ?? null }, undefined, 2)}\n`)
  } else terminal.out(`${rendered(chosen, source, result, warnings, terminal.view).join('\n')}\n`)
  if (!result.ok) return 2
  return warnings.length > 0 ? 1 : 0
}

function rendered(path: string, source: ConfigSource, result: ConfigResult, warnings: readonly Message[], view: View): readonly string[] {
  const { paint } = view
  const counts = [counted(result.errors.length, 'error'), counted(warnings.length, 'warning')].filter((text) => text !== '')
  const verdict = result.errors.length > 0 ? paint.red(counts.join(', ')) : counts.length > 0 ? paint.yellow(counts.join(', '))
    : paint.green('fine')
  return [
    `${paint.bold(path)}: ${verdict}`,
    ...section('errors', result.errors, source, result, view, paint.red),
    ...section('warnings', warnings, source, result, view, paint.yellow),
    ...(result.shown === undefined ? [] : meaning(result.shown, view)),
  ]
}

function counted(count: number, what: string): string {
  if (count === 0) return ''
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function section(
  title: string, messages: readonly Message[], source: ConfigSource, result: ConfigResult, view: View, paint: (text: string) => string,
): readonly string[] {
  if (messages.length === 0) return []
  return ['', paint(title), ...messages.flatMap((message) => rows(message, source, result, view))]
}

/** The place and the message, then the line of the file with a pointer under the column. */
function rows(message: Message, source: ConfigSource, result: ConfigResult, view: View): readonly string[] {
  const { file, line, column, code } = message
  const head = wrapped(`${file}:${line}:${column}: ${message.message} [${code}]`, view.columns, '', '    ')
  const shown = sourceLine(message, source, result)
  return shown === undefined ? head : [...head, view.paint.dim(`    ${shown.text}`),
    `    ${' '.repeat(shown.pointer)}${view.paint.bold('^')}`]
}

function meaning(shown: ShownConfig, view: View): readonly string[] {
  const lines = [
    ['nodes', shown.nodes.join(', ')],
    ['times', `keepalive ${seconds(shown.keepaliveMs)}, late after ${seconds(shown.warntimeMs)}, dead after ` +
      `${seconds(shown.deadtimeMs)}, at start after ${seconds(shown.initdeadMs)}`],
    ['failback', failbackText(shown)],
    ...shown.links.map(({ kind, interface: device, address, port }) => ['link',
      `${kind} ${device}${address === null ? '' : ` ${address}`}, port ${port}`]),
    ...shown.groups.map(({ preferredNode, resources }) => ['group',
      `${preferredNode}: ${resources.map(({ script, args }) => [script, ...args].join('::')).join(', ') || 'nothing'}`]),
    ['keys', keysText(shown)],
  ]
  const rowsOf = lines.flatMap(([what = '', text = '']) => wrapped(text, view.columns, `  ${what.padEnd(9)} `, ' '.repeat(12)))
  return ['', view.paint.bold('as it is understood'), ...rowsOf, '', view.paint.bold('without witness and fencing'), ...honesty(shown,
    view)]
}

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}

function failbackText({ autoFailback }: ShownConfig): string {
  if (autoFailback === 'on') return 'a group returns to its preferred node'
  if (autoFailback === 'off') return 'a group stays where it is'
  return 'at' in autoFailback ? `a group returns at ${autoFailback.at}` : `a group returns after ${autoFailback.afterMs / 1000} s of ` +
    `health`
}

function keysText({ auth }: ShownConfig): string {
  const keys = auth.keys.map(({ index, method }) => `${index} (${method})${index === auth.active ? ' signs' : ''}`)
  return keys.length === 0 ? 'none' : keys.join(', ')
}

/** design.md section 2, P2: said of every configuration of this version, hence no warning. */
function honesty({ deadtimeMs, links }: ShownConfig, view: View): readonly string[] {
  const text = `When no packet passes on any link for ${seconds(deadtimeMs)} while both hosts run, both hold every group until packets ` +
    `pass again: neither can know that the other lives. ` +
    (links.length < 2 ? `There is ${links.length === 0 ? 'no' : 'one'} link: a second one over another network makes that rare.`
      : `There are ${links.length} links: that happens only when all of them fail at once.`)
  return wrapped(text, view.columns, '  ', '  ')
}
