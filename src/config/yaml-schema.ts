/** The YAML form: what may stand where. Relations between the parts are checked for both forms together, in assemble.ts. */
import { z } from 'zod'
import type { StatusPolicy } from '../core/config.ts'
import { quoted } from './findings.ts'
import { isBoolean, isTrue } from './ha-cf-values.ts'
import { flapGuard, lease } from './yaml-protection-schema.ts'
import { autoFailback, duration, flag, mapping, overlayRule, text, textOr, textThat, wholeNumber } from './yaml-values.ts'

const statusPolicy = textOr<Partial<StatusPolicy> | false>(
  (value) => isBoolean(value)
    ? { value: isTrue(value) ? {} : false }
    : { fault: 'status is off, or has interval, timeout, fall and rise: {interval: 2s, timeout: 10s, fall: 2, rise: 1}.' },
  mapping({
    interval: duration.optional(), timeout: duration.optional(), fall: wholeNumber(1, 100).optional(), rise: wholeNumber(1,
      100).optional(),
  }).transform(({ interval, timeout, fall, rise }): Partial<StatusPolicy> => ({
    ...(interval === undefined ? {} : { intervalMs: interval }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(fall === undefined ? {} : { fall }),
    ...(rise === undefined ? {} : { rise }),
  })),
)

/** Values of environment variables and parameters: empty ones and blanks are meant. */
const value = textThat('it is a text', (given) => given.includes('\0') ? { fault: 'it has a NUL in it.' } : { value: given })
/** One word of haresources, or a path: whatever a classic file can hold. */
const word = textThat('it is a text', (given) => given === '' || given.includes('\0') ? { fault: 'it is empty. Write a value, or ' +
  'remove the key.' } : { value: given })
const agents = textThat('resource_agents is hactl or original', (given) => given === 'hactl' || given === 'original' ? { value: given }
  : { fault: `${quoted(given)}: resource_agents is hactl (addresses are served by hactl itself) or original (by Heartbeat's own scripts).` })
const names = z.record(z.string().regex(/^(?!__proto__$)[A-Za-z_]\w*$/, 'a name has letters, digits and _ only.'), value)

const timeouts = { start_timeout: duration.optional(), stop_timeout: duration.optional(), status: statusPolicy.optional() }
const resourceSettings = { ...timeouts, warm: flag.optional(), parameters: names.optional() }

const resourceMapping = mapping({
  resource: word.optional(), script: word.optional(), args: z.array(value).optional(), address: word.optional(), ...resourceSettings,
})

export const resourceSchema = textOr<z.output<typeof resourceMapping>>((given) => given === '' ? { fault: 'a resource is empty.' }
  : { value: { resource: given } }, resourceMapping)

/** Each part is read by itself, so that one mistake hides no other. */
const parts = z.array(z.unknown())
const namedParts = z.record(z.string(), z.unknown())

export const groupSchema = mapping({
  name: word.optional(), preferred_node: word, resources: parts, auto_failback: autoFailback.optional(), ...timeouts,
})

export const linkSchema = mapping({
  bcast: text.optional(), mcast: text.optional(), ucast: text.optional(), address: text.optional(),
  serial: text.optional(), baud: wholeNumber(1, 10_000_000).optional(),
  port: wholeNumber(1, 65_535, 'port-invalid').optional(), ttl: wholeNumber(0, 4).optional(), loop: flag.optional(),
})

/** A command is written as a list of words, or as a text of words between blanks. */
const command = textOr<readonly string[]>(
  (line) => line.trim() === '' ? { fault: 'a command is empty.' } : { value: line.trim().split(/\s+/) },
  z.array(value).min(1, 'a command has at least a program.'),
)

/** What may stand beside classic files too. */
const settingsShape = {
  allow_crc: flag.optional(),
  failure_memory: duration.optional(),
  notify: z.array(command).optional(),
  auto_failback: autoFailback.optional(),
  resources: namedParts.optional(),
  ...timeouts,
  resource_agents: agents.optional(),
  lease: lease.optional(),
  pause_limit: duration.optional(),
  flap_guard: flapGuard.optional(),
  // Read by themselves (yaml-protection.ts).
  witness: z.unknown().optional(),
  ping: z.unknown().optional(),
  fence: z.unknown().optional(),
  watchdog: z.unknown().optional(),
}

export const resourceSettingsSchema = mapping(resourceSettings)
export const groupSettingsSchema = mapping({ auto_failback: autoFailback.optional(), ...timeouts })

const inHaCf: Readonly<Record<string, string>> = {
  nodes: 'in ha.cf (node)', keepalive: 'in ha.cf', deadtime: 'in ha.cf', warntime: 'in ha.cf', initdead: 'in ha.cf', udpport: 'in ha.cf',
  links: 'in ha.cf (bcast, mcast, ucast, serial)', groups: 'in haresources; options of a group stand here under group_options',
  auth: 'in authkeys', logfile: 'in ha.cf', debug: 'in ha.cf', env: 'in ha.cf',
  debugfile: 'in ha.cf', logfacility: 'in ha.cf', use_logd: 'in ha.cf',
}

export const fullSchema = mapping({
  nodes: z.array(word),
  keepalive: duration.optional(), deadtime: duration.optional(), warntime: duration.optional(), initdead: duration.optional(),
  udpport: wholeNumber(1, 65_535, 'port-invalid').optional(),
  links: parts,
  groups: parts,
  auth: mapping({ file: text }, (key) => key === 'keys' || key === 'active' || key === 'key'
    ? 'keys are not written here: this file may be read by everybody. Write auth: {file: /etc/ha.d/authkeys}, with mode 0600.'
      : undefined),
  logfile: word.optional(), debug: wholeNumber(0, 255).optional(), env: names.optional(),
  debugfile: word.optional(), logfacility: word.optional(), use_logd: flag.optional(),
  ...settingsShape,
}, (key) => key === 'group_options' ? 'group_options is for hactl.yaml beside ha.cf; here the options stand in the group itself.'
  : undefined)

export const overlaySchema = mapping({
  ...settingsShape,
  group_options: namedParts.optional(),
}, (key) => {
  const where = inHaCf[key]
  return where === undefined ? undefined : `${key} stands ${where}: ${overlayRule}`
})

export type FullYaml = z.output<typeof fullSchema>
export type OverlayYaml = z.output<typeof overlaySchema>
export type ResourceYaml = z.output<typeof resourceSchema>
export type LinkYaml = z.output<typeof linkSchema>
export type GroupYaml = z.output<typeof groupSchema>
