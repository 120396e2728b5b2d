/** The YAML of what stands behind a dead, hung or cut-off node. No message shows a value that could be a password. */
import { z } from 'zod'
import type { FlapGuard, LeasePolicy } from '../core/config.ts'
import { yamlTime } from './durations.ts'
import { quoted } from './findings.ts'
import { defaultFlapGuard } from './protection.ts'
import { duration, flag, mapping, overlayRule, path, text, textOr, textThat, wholeNumber } from './yaml-values.ts'

const leaseRule = 'lease is auto, off, or whole seconds with their unit (5s)'

export const lease = textThat<LeasePolicy>(leaseRule, (given) => {
  if (given === 'auto' || given === 'off') return { value: given }
  const ms = yamlTime(given)
  if (ms === undefined || ms < 1_000 || ms % 1_000 !== 0) return { fault: `${quoted(given)}: ${leaseRule}.` }
  return { value: { seconds: ms / 1_000 } }
})

const flapRule = 'flap_guard is off, or so many moves within a time: {moves: 5, within: 10m}'


export const flapGuard = textOr<FlapGuard | 'off'>(
  (given) => /^(off|no|false)$/i.test(given) ? { value: 'off' } : /^(on|yes|true)$/i.test(given) ? { value: defaultFlapGuard }
    : { fault: `${quoted(given)}: ${flapRule}.` },
  mapping({ moves: wholeNumber(2, 1_000).optional(), within: duration.optional() }).transform(({ moves, within }): FlapGuard => ({
    moves: moves ?? defaultFlapGuard.moves, withinMs: within ?? defaultFlapGuard.withinMs,
  })),
)

const endpointRule = 'an endpoint is written with its port: https://192.0.2.50:2379'

/** Whoever writes a password into a URL should not read it again in a message. */
const endpoint = textThat(endpointRule, (given) => {
  if (given.includes('@')) return { fault: 'a user or password stands in the URL: write user and password_file beside endpoints.' }
  const match = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})\/?$/.exec(given)
  const port = Number(match?.[1] ?? 0)
  if (port < 1 || port > 65_535) return { fault: `${quoted(given)}: ${endpointRule}.` }
  return { value: given.replace(/\/$/, '') }
})

const prefix = textThat('it is a prefix of keys, as in /hactl/NAME', (given) =>
  /^\/[^\s\p{Cc}]{1,400}$/u.test(given) && !given.endsWith('/') ? { value: given }
    : { fault: `${quoted(given)}: it starts with / and does not end with it, without blanks, as in /hactl/NAME.` })

const oneOrMore = <T>(item: z.ZodType<T>): z.ZodType<readonly T[]> => z.unknown().transform((given, context): readonly T[] => {
  const parsed = z.array(item).min(1, 'the list is empty. Write at least one.').safeParse(typeof given === 'string' ? [given] : given)
  if (parsed.success) return parsed.data
  const fromText = typeof given === 'string'
  for (const issue of parsed.error.issues) {
    context.issues.push({ ...issue, path: fromText ? [] : [...issue.path], input: given } as z.core.$ZodRawIssue)
  }
  return z.NEVER
})

/** Said by hand where it is missing, so that the message can show the whole form. */
export const witnessSchema = mapping({
  etcd: z.unknown().optional(), timeout: duration.optional(), grant: duration.optional(), renew: duration.optional(),
})

export const etcdSchema = mapping({
  endpoints: oneOrMore(endpoint), prefix: prefix.optional(),
  ca: path.optional(), cert: path.optional(), key: path.optional(), user: text.optional(), password_file: path.optional(),
}, (key) => key === 'password' ? 'a password is not written here: this file may be read by everybody. Write user and password_file.'
  : undefined)

const pingTimes = { interval: duration.optional(), settle: duration.optional(), release: flag.optional() }

export const pingSchema = mapping({
  nodes: oneOrMore(text).optional(), groups: z.record(z.string(), oneOrMore(text)).optional(),
  deadping: duration.optional(), balance: flag.optional(), ...pingTimes,
})

const pingInHaCf: Readonly<Record<string, string>> = {
  nodes: 'ping', groups: 'ping_group', deadping: 'deadping', balance: 'respawn hacluster /usr/lib/heartbeat/ipfail',
}

export const pingOverlaySchema = mapping(pingTimes, (key) => {
  const directive = pingInHaCf[key]
  return directive === undefined ? undefined : `${key} stands in ha.cf (${directive}): ${overlayRule}`
})

const watchdogTimeout = { timeout: duration.optional() }
export const watchdogSchema = mapping({ device: path.optional(), ...watchdogTimeout })
export const watchdogOverlaySchema = mapping(watchdogTimeout, (key) => key === 'device' ? `device stands in ha.cf (watchdog): ${overlayRule}`
  : undefined)

const agent = textThat('it is the name of a program', (given) =>
  /^(\/[\w.@+-]+)*\/?[A-Za-z0-9][\w.@+-]*$/.test(given) ? { value: given }
    : { fault: `${quoted(given)}: it is a name, as in fence_ipmilan, or an absolute path.` })

const plugin = textThat('it is the name of a stonith plugin', (given) =>
  /^[A-Za-z0-9][\w.+-]*(\/[\w+-][\w.+-]*)?$/.test(given) ? { value: given }
    : { fault: `${quoted(given)}: it is a name as stonith -L lists them, as in external/ipmi.` })

/** Agents read lines of name=value, so that a line end would begin another option. */
const parameter = textThat('it is a text', (given) =>
  /[\0\n\r]/.test(given) ? { fault: 'it has a line end or a NUL in it, which no agent takes.' } : { value: given })

export const deviceSchema = mapping({
  agent: agent.optional(), stonith: plugin.optional(),
  parameters: z.record(z.string().regex(/^(?!__proto__$)[A-Za-z_][\w-]*$/, 'a name has letters, digits, _ and - only.'), parameter).optional(),
  parameters_file: path.optional(), words: z.array(parameter).optional(),
  timeout: duration.optional(), retries: wholeNumber(0, 100).optional(), delay: duration.optional(),
})
