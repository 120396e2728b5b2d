/** What `hactl migrate --check` prints: the parts in the order in which the administrator meets them. */
import { migrationParts, type MigrationFinding } from '../config/index.ts'
import type { ConfigResult, ConfigSource } from '../config/types.ts'
import { sourceLine } from './source-line.ts'
import type { View } from './terminal.ts'
import { wrapped } from './text.ts'

export interface ShownMigration {
  readonly findings: readonly MigrationFinding[]
  readonly node: string
  readonly config: string
  readonly source: ConfigSource
  readonly result: ConfigResult
}

const headings: Readonly<Record<MigrationFinding['part'], string>> = {
  stops: 'hactl would not start',
  now: 'now',
  steps: 'what will happen',
  changes: 'what changes',
  meanwhile: 'while one host runs hactl and the other Heartbeat',
  'no-effect': 'what has no effect any more (leave it there until both hosts run hactl)',
}

export function renderMigration({ findings, node, config, source, result }: ShownMigration, view: View): readonly string[] {
  const { paint } = view
  const marked = findings.filter(({ level, part }) => level === 'warning' && part !== 'no-effect').length
  const idle = findings.filter(({ part }) => part === 'no-effect').length
  const counts = [...(marked === 0 ? [] : [`${marked} ${marked === 1 ? 'thing' : 'things'} to look at before (!)`]), ...(idle === 0 ? [] : [`${idle} ${idle === 1 ? 'line' : 'lines'} without effect`])]
  const verdict = findings.some(({ level }) => level === 'error') ? paint.red('hactl would not start here')
    : counts.length > 0 ? paint.yellow(`nothing stops the move; ${counts.join(', ')}`) : paint.green('nothing stops the move')
  const parts = migrationParts.flatMap((part) => {
    const own = findings.filter((one) => one.part === part)
    return own.length === 0 ? [] : ['', paint.bold(headings[part]), ...(part === 'no-effect' ? withoutEffect(own, view) : own.flatMap((one) => lines(one, source, result, view)))]
  })
  return [`${paint.bold(`${config} on ${node}`)}: ${verdict}`, ...parts]
}

function lines(finding: MigrationFinding, source: ConfigSource, result: ConfigResult, view: View): readonly string[] {
  const { level, code, message, place, part } = finding
  const first = level === 'note' ? part === 'steps' ? '  > ' : '    ' : '  ! '
  const paint = level === 'error' ? view.paint.red : level === 'warning' ? view.paint.yellow : (text: string) => text
  const where = place === undefined ? '' : `${place.file}:${place.line}: `
  const text = wrapped(`${where}${message} [${code}]`, view.columns, first, '    ').map(paint)
  // A mistake in a file is shown as `hactl check` shows it.
  const mistake = result.errors.find((one) => level === 'error' && one.message === message)
  const shown = mistake === undefined ? undefined : sourceLine(mistake, source, result)
  return shown === undefined ? text : [...text, view.paint.dim(`      ${shown.text}`), `      ${' '.repeat(shown.pointer)}^`]
}

/** Most ha.cf have many of them, and none matters. */
function withoutEffect(findings: readonly MigrationFinding[], view: View): readonly string[] {
  return findings.flatMap(({ place, message }) => wrapped(`${place === undefined ? '' : `${place.file}:${place.line}: `}${message}`, view.columns, '    ', '      '))
}
