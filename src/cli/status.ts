/** `hactl status`: once, or with --watch again and again. Exit code 0 healthy, 1 degraded, 3 no daemon. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusReport } from '../core/report.ts'
import { callDaemon } from '../runtime/control-client.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import { renderStatus } from './render-status.ts'
import type { Terminal } from './terminal.ts'

interface StatusOptions extends CommonOptions { readonly json: boolean; readonly watch: boolean }

const watchIntervalMs = 1000
/** Back to the first line, and each line and the rest of the screen cleared behind the text: no flicker. */
const home = '\x1b[H'
const clearBelow = '\x1b[J'

export async function runStatus(options: StatusOptions, terminal: Terminal): Promise<number> {
  if (!options.watch) return showOnce(options, terminal)
  const redraw = terminal.interactive && !options.json
  if (redraw) terminal.out('\x1b[2J')
  for (;;) {
    if (redraw) terminal.out(home)
    await showOnce(options, redraw ? clearing(terminal) : terminal)
    if (redraw) terminal.out(clearBelow)
    await sleep(watchIntervalMs)
  }
}

async function showOnce(options: StatusOptions, terminal: Terminal): Promise<number> {
  const answer = await callDaemon<StatusReport>(options.control, { command: 'status' })
  if (!answer.ok) return refuse(answer.error, terminal)
  const report = answer.result
  terminal.out(options.json ? `${JSON.stringify(report)}\n` : renderStatus(report, terminal.view))
  return report.health === 'healthy' ? 0 : 1
}

function clearing(terminal: Terminal): Terminal {
  const out = (text: string): void => terminal.out(text.replaceAll('\n', '\x1b[K\n'))
  return { ...terminal, out, err: out }
}
