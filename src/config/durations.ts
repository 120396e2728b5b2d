/** Times as the two forms write them. Heartbeat's own has seconds as the default unit; YAML always carries the unit. */
import type { Millis } from '../core/time.ts'

export type ParsedTime =
  | { readonly ok: true; readonly ms: Millis; /** Characters after the unit that Heartbeat ignores. */ readonly ignored: string }
  | { readonly ok: false; readonly hint: string }

const timeRule = 'A time is a number of seconds (2, 0.5) or carries ms or us (500ms).'

/** The longest time that means anything here: 24 days, below what a timer can hold. */
const mostMs = 2_073_600_000

/**
 * heartbeat-3.md section 7.1: a number, then nothing (seconds), `ms` or `us` in any case and with anything behind them
 * (`msec`, `usec`). Heartbeat rounds to milliseconds and reads `1.2.3` up to the second dot.
 */
export function classicTime(text: string, longestMs: Millis = mostMs): ParsedTime {
  const match = /^(\d+\.?\d*|\.\d+)(\.[\d.]*)?(.*)$/s.exec(text)
  if (match === null) return { ok: false, hint: timeRule + unitHint(text) }
  const [, digits = '', dots = '', unit = ''] = match
  const scale = /^ms/i.test(unit) ? 1 : /^us/i.test(unit) ? 0.001 : unit === '' ? 1000 : undefined
  if (scale === undefined) return { ok: false, hint: timeRule + unitHint(text) }
  const exactMs = Number(digits) * scale
  if (exactMs > longestMs) return { ok: false, hint: 'The longest time is 24 days.' }
  const behind = /^(ms|us)(ec)?$/i.test(unit) || unit === '' ? '' : unit.slice(2)
  return { ok: true, ms: Math.round(exactMs), ignored: dots + behind }
}

function unitHint(text: string): string {
  const match = /^(\d+\.?\d*|\.\d+)(s|sec|secs|seconds?|m|min|minutes?|h)$/i.exec(text)
  if (match === null) return ''
  const [, digits = '0', unit = ''] = match
  const seconds = Number(digits) * (/^m/i.test(unit) ? 60 : /^h/i.test(unit) ? 3600 : 1)
  return ` Write ${seconds} for ${text}: seconds are written without a unit here.`
}

const yamlUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `200ms`, `2s`, `1.5s`, `5m`, `1h`, `1d`; undefined for anything else, also for a number without its unit. */
export function yamlTime(text: string): Millis | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)$/.exec(text)
  if (match === null) return undefined
  const [, digits = '', unit = ''] = match
  const exactMs = Number(digits) * (yamlUnitsMs[unit] ?? Number.NaN)
  if (!(exactMs <= mostMs)) return undefined
  return exactMs > 0 ? Math.max(1, Math.round(exactMs)) : 0
}

/** The shortest writing that `yamlTime` reads back to the same milliseconds. */
export function timeText(ms: Millis): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const unitMs = yamlUnitsMs[unit] ?? 1
    if (ms !== 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`
  }
  return `${ms}ms`
}
