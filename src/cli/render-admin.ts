/** What `standby`, `online`, `takeover`, `pause`, `resume` and `cleanup` say: each step as it happens, then how it ended. */
import type { AdminMove, AdminReply, Progress } from '../core/admin.ts'
import type { Paint, View } from './terminal.ts'
import { exactText, wrapped } from './text.ts'

/** One line of a long operation; `sinceStartMs` is what the person at the terminal waited so far. */
export function renderProgress(progress: Progress, sinceStartMs: number, view: View): string {
  const first = `  ${`+${(sinceStartMs / 1000).toFixed(3)} s`.padStart(10)}  `
  const group = progress.group === undefined || progress.message.includes(progress.group) ? '' : `${progress.group}: `
  return `${wrapped(`${group}${progress.message}`, view.columns, first, ' '.repeat(first.length)).join('\n')}\n`
}

export function renderReply(reply: AdminReply, view: View): string {
  const word = reply.result === 'timed-out' ? 'timed out' : reply.result
  const [head = '', ...rest] = wrapped(reply.message, view.columns, `${word}: `, '  ')
  // A group without a holder is worth a word when that was not what was asked for.
  const moves = reply.moves.filter(({ holder }) => holder !== undefined || reply.result !== 'done')
  const painted = head.replace(word, colourOf(reply.result, view.paint)(word))
  return `${[painted, ...rest, ...moves.flatMap((move) => moveLines(move, view))].join('\n')}\n`
}

function moveLines(move: AdminMove, { columns }: View): readonly string[] {
  const holder = move.holder === undefined ? 'nobody holds it' : `held by ${move.holder}`
  const noticed = move.unheldMs === undefined ? '' : `; clients noticed: no node held it for at most ${exactText(move.unheldMs)}`
  return wrapped(`${move.group}: ${holder}${noticed}`, columns, '  ', '    ')
}

function colourOf(result: AdminReply['result'], paint: Paint): (text: string) => string {
  switch (result) {
    case 'done': return paint.green
    case 'refused':
    case 'failed':
    case 'timed-out': return paint.red
  }
}

/** Exit codes of design.md section 10. */
export function exitCodeOf(reply: AdminReply): number {
  switch (reply.result) {
    case 'done': return 0
    case 'refused':
    case 'failed': return 1
    case 'timed-out': return 4
  }
}
