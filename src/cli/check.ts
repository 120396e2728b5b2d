/** `hactl check`: what is wrong with a configuration, line by line, and what it means. */
import { judgeMachine, machineQuestions, type ShownConfig } from '../config/index.ts'
import type { ConfigResult, ConfigSource, Message } from '../config/types.ts'
import { gatherMachineFacts } from '../runtime/machine-facts.ts'
import { askAboutPeer, renderComparison } from './check-peer.ts'
import { defaultConfig } from './options.ts'
import { readConfig } from '../daemon/read-config.ts'
import { sourceLine } from './source-line.ts'
import { processTerminal, type Terminal, type View } from './terminal.ts'
import { wrapped } from './text.ts'

export interface CheckOptions {
  readonly json?: boolean
  readonly config?: string
  /** Where the daemon answers that is asked about its peer; absent: it is not asked. */
  readonly peerControl?: string
}

/** Exit code 0: fine, 1: warnings, or not the same as the peer's, 2: errors (design.md section 9), 3: no daemon to ask about the peer. */
export async function runCheck(path: string | undefined, options: CheckOptions, terminal: Terminal = processTerminal()): Promise<number> {
  const chosen = path ?? options.config ?? defaultConfig()
  const { source, result } = readConfig(chosen)
  const facts = result.config === undefined ? undefined : await gatherMachineFacts(machineQuestions(result.config))
  const warnings = [...result.warnings, ...(facts === undefined ? [] : judgeMachine(result, facts))]
  const peer = options.peerControl === undefined ? undefined : await askAboutPeer(options.peerControl, terminal)
  if (options.json === true) {
    const known = { ok: result.ok, errors: result.errors, warnings, notes: result.notes, config: result.shown ?? null }
    terminal.out(`${JSON.stringify({ ...known, ...(typeof peer === 'object' ? { peer } : {}) }, undefined, 2)}\n`)
  } else terminal.out(`${rendered(chosen, source, result, warnings, terminal.view).join('\n')}\n`)
  if (options.json !== true && typeof peer === 'object') terminal.out(`${renderComparison(peer, chosen, terminal.view).join('\n')}\n`)
  if (!result.ok) return 2
  if (typeof peer === 'number') return peer
  return warnings.length > 0 || (peer !== undefined && peer.result !== 'alike') ? 1 : 0
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
    ...promises(result.notes, view),
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
    ...shown.links.map(({ kind, interface: device, address, port, baud }) => ['link',
      `${kind} ${device}${address === null ? '' : ` ${address}`}, ${baud === undefined ? `port ${port ?? '?'}` : `${baud} baud`}`]),
    ...shown.groups.map(({ preferredNode, resources }) => ['group',
      `${preferredNode}: ${resources.map(({ script, args }) => [script, ...args].join('::')).join(', ') || 'nothing'}`]),
    ['keys', keysText(shown)],
    ...protectionLines(shown),
  ]
  const rowsOf = lines.flatMap(([what = '', text = '']) => wrapped(text, view.columns, `  ${what.padEnd(9)} `, ' '.repeat(12)))
  return ['', view.paint.bold('as it is understood'), ...rowsOf]
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

/** design.md section 2: said of every good configuration, hence no warning. */
function promises(notes: readonly Message[], view: View): readonly string[] {
  if (notes.length === 0) return []
  return ['', view.paint.bold('what it promises'), ...notes.flatMap(({ message }) => wrapped(message, view.columns, '  ', '    '))]
}

function protectionLines({ lease, witness, pingNodes, fencing, watchdog, flapGuard }: ShownConfig): readonly (readonly [string, string])[] {
  return [
    ...(witness === null ? [] : [['witness', `etcd ${witness.endpoints.join(', ')}, keys below ${witness.prefix}; answers within ` +
      `${seconds(witness.timeoutMs)}, grants ${seconds(witness.grantMs)}, renewed every ${seconds(witness.renewMs)}`] as const]),
    ...(pingNodes.length === 0 ? [] : [['ping', pingNodes.join(', ')] as const]),
    ...Object.entries(fencing ?? {}).map(([node, levels]) => ['fencing', `${node}: ${levels.map((agents) => agents.join(' + ')).join(', then ')}`] as const),
    ...(watchdog === null ? [] : [['watchdog', `${watchdog.device}, ${seconds(watchdog.timeoutMs)}`] as const]),
    ...(lease === 'auto' ? [] : [['lease', lease === 'off' ? 'off' : `${lease.seconds} s`] as const]),
    ['flaps', flapGuard === null ? 'never held back' : `${flapGuard.moves} moves within ${seconds(flapGuard.withinMs)} hold a group where it is`],
  ]
}
