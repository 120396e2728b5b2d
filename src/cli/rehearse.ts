/** `hactl rehearse`: a scenario on the real rules and this configuration, in virtual time. Asks no daemon and changes nothing. */
import type { ClusterConfig } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { messageLine } from '../config/index.ts'
import { readConfig } from '../daemon/read-config.ts'
import { realCore } from '../simulation/core.ts'
import { exampleScenarios, rehearse } from '../simulation/rehearsal.ts'
import { formsOf, readScenario } from '../simulation/rehearsal-words.ts'
import { renderRehearsal } from './render-rehearsal.ts'
import type { Terminal } from './terminal.ts'
import { cell, durationText, table, wrapped } from './text.ts'

export interface RehearseOptions { readonly config: string; readonly scenario: string; readonly scriptMs: Millis; readonly json: boolean }

/**
 * Exit code 0: at the end each group is served by exactly one node and no promise was broken; 1: not so; 2: the words or
 * the configuration cannot be used.
 */
export function runRehearse({ config: path, scenario, scriptMs, json }: RehearseOptions, terminal: Terminal): number {
  const { paint } = terminal.errorView
  const { result } = readConfig(path)
  const { config } = result
  if (config === undefined) {
    for (const error of result.errors) terminal.err(`${paint.red('error')}: ${messageLine(error)} [${error.code}]\n`)
    terminal.err(`hactl: ${path} cannot be used, so nothing can be rehearsed with it\n`)
    return 2
  }
  if (scenario.trim() === '') {
    terminal.out(`${helpLines(path, config, terminal).join('\n')}\n`)
    return 0
  }
  const reading = readScenario(scenario, config)
  if ('problems' in reading) {
    for (const problem of reading.problems) terminal.err(`${paint.red('hactl')}: ${problem}\n`)
    terminal.err('`hactl rehearse` without words shows what can be rehearsed\n')
    return 2
  }
  const rehearsal = rehearse({ core: realCore, config, steps: reading.steps, scriptMs })
  const assumed = `the rules of this version on ${path}; assumed: each start and stop of a script takes ${durationText(scriptMs)} ` +
    '(--script-time)'
  terminal.out(json ? `${JSON.stringify({ scenario, ...rehearsal })}\n` : renderRehearsal(rehearsal, scenario, assumed, terminal.view))
  return rehearsal.ok ? 0 : 1
}

function helpLines(path: string, config: ClusterConfig, { view }: Terminal): readonly string[] {
  const rows = formsOf(config).map(({ words, means }) => ({ cells: [cell(words, view.paint.bold)], note: means }))
  return [
    ...wrapped(`For ${path}, for example:`, view.columns, '', '  '),
    ...exampleScenarios(config).map((example) => `  hactl rehearse "${example}"`),
    '',
    ...wrapped('Parts are separated by commas, and happen one right after the other unless there is a `wait` between them:',
      view.columns, '', ''),
    ...table([''], rows, view.columns, '  '),
  ]
}
