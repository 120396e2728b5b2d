/** `cl_status`: what Heartbeat's own says, word for word, from the daemon's status (heartbeat-3.md section 9.1). */
import type { StatusReport } from '../../core/report.ts'
import { readConfig } from '../../daemon/read-config.ts'
import { callDaemon } from '../../runtime/control-client.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'
import { answer, type Answer, notRunning } from './cl-status-answers.ts'
import { parametersOf } from './cl-status-parameters.ts'
import { declaredNames } from './cl-status-view.ts'
import { isSubcommand, readWords, usage } from './cl-status-words.ts'
import { errorLine } from './stamp.ts'

/** Heartbeat's own gives up then (exit code 12). */
const patienceMs = 5_000
const badParameter = 11
const noAnswer = 12
const unknownTrouble = 13

interface Options { readonly control: string; readonly config: string }

export async function runClStatus(words: readonly string[], { control, config }: Options, terminal: Terminal): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '-h') return tell({ exitCode: 0, out: usage }, terminal)
  if (!isSubcommand(name)) return tell({ exitCode: badParameter, errors: [`${name}: invalid sub-command.`] }, terminal)
  const asked = readWords(name, rest)
  terminal.err(asked.complaints.map((line) => `${line}\n`).join(''))
  const called = await callDaemon<StatusReport>(control, { command: 'status' }, { silenceLimitMs: patienceMs })
  if (!called.ok) {
    if (called.error.code === 'no-answer') return tell({ exitCode: noAnswer, errors: [called.error.message] }, terminal)
    // A daemon that may not be asked is no stopped one.
    if (called.error.code === 'no-permission') return tell({ exitCode: unknownTrouble, errors: ['Cannot signon with heartbeat', `REASON: ${called.error.message}`] }, terminal)
    const reason = called.error.code === 'no-daemon' ? "hb_api_signon: Can't initiate connection to heartbeat" : called.error.message
    return tell(notRunning(asked, reason), terminal)
  }
  const { source, result } = readConfig(config)
  const parameters = parametersOf(source.files.find(({ name: file }) => file === 'ha.cf')?.text ?? '', result.shown, version)
  return tell(answer(asked, { report: called.result, names: declaredNames(result), parameters, version: `${version} (hactl)` }), terminal)
}

function tell({ exitCode, out, plainError, errors }: Answer, terminal: Terminal): number {
  if (out !== undefined) terminal.out(out)
  if (plainError !== undefined) terminal.err(`${plainError}\n`)
  for (const error of errors ?? []) terminal.err(errorLine(error))
  return exitCode
}
