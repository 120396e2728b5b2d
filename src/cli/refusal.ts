/** What a person is told when the daemon does not answer, or says no, and the exit code for it (design.md section 10). */
import type { ControlError } from '../runtime/control-protocol.ts'
import type { Terminal } from './terminal.ts'

export function refuse(error: ControlError, terminal: Terminal): number {
  return fail(`${error.message}${nextSteps(error.code)}`, exitCodeOf(error.code), terminal)
}

export function fail(message: string, exitCode: number, terminal: Terminal): number {
  terminal.err(`${terminal.errorView.paint.red('hactl')}: ${message}\n`)
  return exitCode
}

function nextSteps(code: string): string {
  if (code !== 'no-daemon') return ''
  return '\n  to start it:       systemctl start hactl   (or: hactl daemon)'
    + '\n  why it ended:      journalctl -u hactl -e'
    + '\n  what it held:      may still run here (ip address); to stop it: hactl release --all'
    + '\n  another socket:    hactl --control SOCKET ...'
}

/** `no-permission` is 3 as well: whoever asked has no daemon to talk to. The daemon's own codes are refusals. */
function exitCodeOf(code: string): number {
  switch (code) {
    case 'no-daemon':
    case 'no-permission': return 3
    case 'no-answer': return 4
    case 'bad-config': return 2
    default: return 1
  }
}
