/** Building blocks of the YAML schema. Each says the rule in the words of a person, and what to type. */
import { z } from 'zod'
import { cronFault } from './cron.ts'
import { yamlTime } from './durations.ts'
import { quoted } from './findings.ts'
import { isBoolean, isTrue } from './ha-cf-values.ts'
import { didYouMean } from './suggestions.ts'
import type { AutoFailback } from '../core/config.ts'
import type { ConfigCode } from './codes.ts'

/** Separates the messages of several unknown keys of one mapping; each key gets its own place. */
export const messageSeparator = '\u001e'

/** Ends each message about a key that belongs into a classic file. */
export const overlayRule = 'hactl.yaml beside it sets only what the classic files cannot say.'

/** Words that people of other programs try, and what they are called here. */
const synonyms: Readonly<Record<string, string>> = {
  node: 'preferred_node', preferredNode: 'preferred_node', interval: 'keepalive', port: 'udpport', autoFailback: 'auto_failback',
    resource: 'resources', group: 'groups', link: 'links',
  startTimeout: 'start_timeout', stopTimeout: 'stop_timeout', udp_port: 'udpport', log_file: 'logfile', ping_nodes: 'ping',
    monitor: 'status',
  device: 'agent', params: 'parameters', endpoint: 'endpoints', hosts: 'nodes', stonith: 'fence',
}

/** A mapping whose unknown keys are refused by name. */
export function mapping<S extends z.ZodRawShape>(
  shape: S, hint: (key: string) => string | undefined = () => undefined,
): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      return issue.keys.map((key: string) => hint(key) ?? unknownKey(key, known)).join(messageSeparator)
    },
  })
}

function unknownKey(key: string, known: readonly string[]): string {
  const synonym = synonyms[key]
  const suggestion = synonym !== undefined && known.includes(synonym) ? ` Did you mean ${synonym}?` : didYouMean(key, known)
  return `there is no key ${quoted(key)} here.${suggestion === '' ? ` Known are: ${known.join(', ')}.` : suggestion}`
}

/** Reads a text by a function that returns what it means or says what is wrong with it. */
export function textThat<T>(rule: string,
  read: (text: string) => { readonly value: T } | { readonly fault: string; readonly code?: ConfigCode }) {
  return z.unknown().transform((input, context): T => {
    if (typeof input !== 'string') {
      context.issues.push({ code: 'custom', message: `${rule}; this is ${shapeName(input)}.`, params: { code: 'yaml-shape' }, input })
      return z.NEVER
    }
    const result = read(input)
    if ('value' in result) return result.value
    context.issues.push({ code: 'custom', message: result.fault, params: { code: result.code ?? 'value-invalid' }, input })
    return z.NEVER
  })
}

/** A text stands for `whenText` of it; anything else is read by the schema. */
export function textOr<T>(whenText: (text: string) => { readonly value: T } | { readonly fault: string }, schema: z.ZodType<T>) {
  return z.unknown().transform((input, context): T => {
    if (typeof input === 'string') {
      const result = whenText(input)
      if ('value' in result) return result.value
      context.issues.push({ code: 'custom', message: result.fault, params: { code: 'value-invalid' }, input })
      return z.NEVER
    }
    const parsed = schema.safeParse(input)
    if (parsed.success) return parsed.data
    // The caller sets its own path before that of each issue, in place.
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, path: [...issue.path], input } as z.core.$ZodRawIssue)
    return z.NEVER
  })
}

function shapeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return value === '' ? 'empty' : `the text ${quoted(value)}`
  return value === undefined || value === null ? 'missing' : 'a mapping'
}

export const text = textThat('it is a text', (value) =>
  value === '' ? { fault: 'it is empty. Write a value, or remove the key.' }
    : /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value) ? { fault: `${quoted(value)} has control characters or line ends in it.` }
      : { value })

/** Not shown: a password may stand where its file must be named. */
export const path = textThat('it is an absolute path', (given) =>
  /^\/[^\0\n\r]*$/.test(given) ? { value: given } : { fault: 'it is no absolute path. Write the name of a file, from / on.' })

export const duration = textThat('it is a time with its unit (200ms, 2s, 5m)', (value) => {
  const ms = yamlTime(value)
  if (ms !== undefined && ms > 0) return { value: ms }
  const hint = /^\d+(\.\d+)?$/.test(value) && Number(value) > 0 ? ` Write ${value}s for seconds.` : ''
  return { fault: `${quoted(value)} is no time: a number above 0 with its unit, ms, s, m, h or d (200ms, 2s, 5m).${hint}`,
    code: 'time-invalid' }
})

export const flag = textThat('it is true or false', (value) =>
  isBoolean(value) ? { value: isTrue(value) } : { fault: `${quoted(value)}: it is true or false.` })

export function wholeNumber(least: number, most: number, code: ConfigCode = 'value-invalid') {
  return textThat(`it is a number from ${least} to ${most}`, (value) =>
    /^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? { value: Number(value) }
      : { fault: `${quoted(value)}: it is a number from ${least} to ${most}.`, code })
}

const schedule = textThat('it is a schedule (0 3 * * *)', (value) => {
  const fault = cronFault(value)
  return fault === undefined ? { value } : { fault: `the schedule ${quoted(value)} is not one: ${fault}.` }
})

const failbackRule = 'it is on, off, {after: 5m} or {at: "0 3 * * *"}'

export const autoFailback = textOr<AutoFailback>(
  (value) => isBoolean(value) ? { value: isTrue(value) ? 'on' : 'off' } : { fault: `auto_failback ${quoted(value)}: ${failbackRule}.` },
  mapping({ after: duration.optional(), at: schedule.optional() }).transform(({ after, at }, context): AutoFailback => {
    if (after !== undefined && at === undefined) return { afterMs: after }
    if (at !== undefined && after === undefined) return { at }
    context.issues.push({ code: 'custom', message: `auto_failback has ` +
      `${after === undefined ? 'neither after nor at' : 'both after and at'}: ${failbackRule}.`, params: { code: 'value-invalid' },
        input: {} })
    return z.NEVER
  }),
)
