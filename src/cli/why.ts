/** `hactl why`: the last move (of a group), as the daemon's history has it. Exit code 1 when there was none. */
import type { MoveExplanation } from '../core/explain.ts'
import { callDaemon } from '../runtime/control-client.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import { renderWhy } from './render-why.ts'
import type { Terminal } from './terminal.ts'

interface WhyOptions extends CommonOptions { readonly group: string | undefined; readonly json: boolean }

export async function runWhy({ group, json, control }: WhyOptions, terminal: Terminal): Promise<number> {
  const answer = await callDaemon<MoveExplanation | null>(control, { command: 'why', ...(group === undefined ? {} : { group }) })
  if (!answer.ok) return refuse(answer.error, terminal)
  const why = answer.result
  if (why === null) {
    if (json) terminal.out('null\n')
    const ofGroup = group === undefined ? '' : ` of a group ${group}`
    terminal.err(`hactl: the history knows no move${ofGroup}. \`hactl status\` lists the groups.\n`)
    return 1
  }
  terminal.out(json ? `${JSON.stringify(why)}\n` : renderWhy(why, terminal.view))
  return 0
}
