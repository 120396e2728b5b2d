/**
 * The daemon's log: standard error (with the journal's priorities where the journal reads it) and, if wanted, a file. One line of text
 * for people, or JSON by pino with HACTL_LOG=json. pino's own destination is not used: its flush retries for ever on a full disk, and a
 * stuck reader of a pipe keeps the process from exiting (both measured); log-sink.ts does neither.
 */
import { fstatSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import type { Code } from '../core/codes.ts'
import type { EventRecord, Level } from '../core/records.ts'
import { nowMs, wallMs } from './clock.ts'
import { errorText } from './errors.ts'
import { createSink, type Sink } from './log-sink.ts'
import { descriptorTarget, fileTarget, type Target } from './log-target.ts'

export interface Log {
  record(record: EventRecord): void
  info(code: Code, message: string): void
  warn(code: Code, message: string): void
  error(code: Code, message: string): void
  /** For fatal paths: writes what waits; a stuck reader holds it up for at most 0.2 s. */
  flush(): void
  /** Opens the log file anew, after it was rotated (SIGHUP). */
  reopen(): void
  /** Lines lost because nobody read them or the disk was full. */
  dropped(): number
  close(): void
}

export interface LogOptions {
  /** Besides standard error. */
  readonly file?: string
  /** Default: HACTL_LOG=json in the environment. */
  readonly json?: boolean
  /** Default: what JOURNAL_STREAM says of the descriptor. */
  readonly journal?: boolean
  /** Default 2. */
  readonly descriptor?: number
  /** What may wait for a reader, in each of the two; default 1 MiB. */
  readonly limitBytes?: number
}

type Format = (record: EventRecord) => string

/** Never throws: a log file that cannot be opened is told on standard error. */
export function openLog(options: LogOptions = {}): Log {
  const descriptor = options.descriptor ?? 2
  const journal = options.journal ?? isJournal(descriptor)
  const json = options.json ?? process.env['HACTL_LOG'] === 'json'
  const outputs: { readonly sink: Sink; readonly format: Format }[] = []
  const limitBytes = options.limitBytes ?? 1024 * 1024

  function add(format: Format, target: Target): void {
    const lossLine = (count: number): string =>
      format(recordOf('warning', 'log-lines-dropped', `${count} lines of this log were lost: nobody read them, or the disk was full`))
    outputs.push({ sink: createSink(target, limitBytes, lossLine), format })
  }
  function record(entry: EventRecord): void {
    for (const { sink, format } of outputs) sink.write(format(entry))
  }

  add(json ? formatJson() : journal ? formatJournal : formatText, descriptorTarget(descriptor))
  const { file } = options
  if (file !== undefined) {
    try {
      add(json ? formatJson() : formatText, fileTarget(file))
    } catch (error) {
      const message = `the log file ${file} cannot be opened: ${errorText(error)}; only standard error has the log`
      record(recordOf('warning', 'log-lines-dropped', message))
    }
  }
  return {
    record,
    info: (code, message) => record(recordOf('info', code, message)),
    warn: (code, message) => record(recordOf('warning', code, message)),
    error: (code, message) => record(recordOf('error', code, message)),
    flush: () => outputs.forEach(({ sink }) => sink.flush()),
    reopen: () => outputs.forEach(({ sink }) => sink.reopen()),
    dropped: () => outputs.reduce((sum, { sink }) => sum + sink.lost(), 0),
    close: () => outputs.forEach(({ sink }) => sink.close()),
  }
}

function recordOf(level: Level, code: Code, message: string): EventRecord {
  return { wallMs: wallMs(), nowMs: nowMs(), level, code, message }
}

/** systemd names the device and inode of the stream that it gave us; a shell's redirection after that is another file. */
function isJournal(descriptor: number): boolean {
  const stream = process.env['JOURNAL_STREAM']
  if (stream === undefined) return false
  try {
    const { dev, ino } = fstatSync(descriptor)
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}

/** `2026-11-20 14:03:07.123 warning peer-late: silent for 500 ms`, local time. */
export function formatText(record: EventRecord): string {
  return `${localTime(record.wallMs)} ${record.level} ${formatMessage(record)}\n`
}

const priorities: Readonly<Record<Level, number>> = { info: 6, warning: 4, error: 3 }

/** As sd-daemon(3) has it; the journal keeps the time itself. */
export function formatJournal(record: EventRecord): string {
  return `<${priorities[record.level]}>${formatMessage(record)}\n`
}

function formatMessage(record: EventRecord): string {
  const group = record.group === undefined || record.message.includes(record.group) ? '' : `${record.group}: `
  // One record is one line, whatever a script or a peer put into its text.
  return `${record.code}: ${group}${record.message}`.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
}

function localTime(wall: number): string {
  const local = new Date(wall - new Date(wall).getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 23).replace('T', ' ')
}

const pinoLevels = { info: 'info', warning: 'warn', error: 'error' } as const

/** Our name of pino's level. */
function levelOf(level: string): { level: string } {
  return { level: level === 'warn' ? 'warning' : level }
}

/** One pino, whose destination hands the line back instead of writing it. */
function formatJson(): Format {
  let line = ''
  const logger: Logger = pino(
    { base: null, timestamp: false, messageKey: 'message', formatters: { level: levelOf } },
    { write: (text: string) => { line = text } },
  )
  return (record) => {
    const { level, message, wallMs: wall, ...rest } = record
    logger[pinoLevels[level]]({ time: new Date(wall).toISOString(), ...rest }, message)
    return line
  }
}
