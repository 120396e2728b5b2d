/** `hactl events`: the newest records, oldest first; with --follow also those to come. */
import type { EventRecord } from '../core/records.ts'
import { callDaemon } from '../runtime/control-client.ts'
import type { CommonOptions } from './options.ts'
import { refuse } from './refusal.ts'
import { renderEvent } from './render-events.ts'
import type { Terminal } from './terminal.ts'

interface EventsOptions extends CommonOptions { readonly follow: boolean; readonly json: boolean }

/** As many as a person scrolls through; programs that want all read the history file. */
const newestRecords = 1000

export async function runEvents({ follow, json, control }: EventsOptions, terminal: Terminal): Promise<number> {
  let previousWallMs: number | undefined
  const onRecord = (record: EventRecord): void => {
    terminal.out(json ? `${JSON.stringify(record)}\n` : renderEvent(record, previousWallMs, terminal.view))
    previousWallMs = record.wallMs
  }
  const silenceLimitMs = follow ? 0 : 10_000
  const answer = await callDaemon(control, { command: 'events', follow, limit: newestRecords }, { onRecord, silenceLimitMs })
  return answer.ok ? 0 : refuse(answer.error, terminal)
}
