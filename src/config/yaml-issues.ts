/** Turns what the schema found into messages with places. */
import type { z } from 'zod'
import { type ConfigCode, configCodes } from './codes.ts'
import type { Findings } from './findings.ts'
import type { YamlFile } from './yaml-document.ts'
import { messageSeparator, overlayRule } from './yaml-values.ts'

/** `at`: where the value stands that the schema was held against. */
export function reportIssues(file: YamlFile, at: readonly PropertyKey[], issues: readonly z.core.$ZodIssue[], findings: Findings): void {
  for (const issue of issues) {
    const path = [...at, ...issue.path]
    const where = path.length === 0 ? '' : `${pathText(path)}: `
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split(messageSeparator)
      for (const [index, key] of issue.keys.entries()) {
        const message = messages[index] ?? ''
        findings.error(file.placeOfKey([...path, key]), codeOfKey(path, message), where + withoutSecrets(path, message))
      }
    } else if (!exists(file.value, path)) {
      findings.error(file.placeOf(path), 'key-missing', `${pathText(path)} is missing. ${missingHint(path)}`)
    } else if (issue.code === 'invalid_type') {
      findings.error(file.placeOf(path), 'yaml-shape', `${where}it must be ${expected(issue.expected)}.`)
    } else findings.error(file.placeOf(path), codeOf(issue), where + withoutSecrets(path, issue.message))
  }
}

function codeOfKey(path: readonly PropertyKey[], message: string): ConfigCode {
  if (path[0] === 'auth' && message.startsWith('keys are not')) return 'auth-inline'
  return message.endsWith(overlayRule) ? 'overlay-key' : 'key-unknown'
}

/** Whatever stands under `auth` could be a key. */
function withoutSecrets(path: readonly PropertyKey[], message: string): string {
  if (path[0] !== 'auth' || message.startsWith('keys are not')) return message
  return 'only file stands here: the path of the key file, as in auth: {file: /etc/ha.d/authkeys}'
}

function codeOf(issue: z.core.$ZodIssue): ConfigCode {
  const given: unknown = issue.code === 'custom' ? issue.params?.['code'] : undefined
  if (typeof given === 'string' && isCode(given)) return given
  return 'value-invalid'
}

function isCode(text: string): text is ConfigCode {
  return Object.hasOwn(configCodes, text)
}

function exists(value: unknown, path: readonly PropertyKey[]): boolean {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false
    current = (current as Record<PropertyKey, unknown>)[key]
  }
  return true
}

const hints: Readonly<Record<string, string>> = {
  nodes: 'Name both nodes, as uname -n prints them: nodes: [node1, node2]',
  links: 'Add at least one: links: [{bcast: eth0}]',
  groups: 'Add at least one: groups: [{preferred_node: node1, resources: [192.0.2.100/24/eth0]}]',
  auth: 'Name the key file: auth: {file: /etc/ha.d/authkeys}',
  file: 'Name the key file: auth: {file: /etc/ha.d/authkeys}',
  resources: 'List them: resources: [192.0.2.100/24/eth0, apache2]',
}

function missingHint(path: readonly PropertyKey[]): string {
  return hints[String(path.at(-1))] ?? 'Add it.'
}

function expected(type: string): string {
  if (type === 'array') return 'a list'
  if (type === 'object' || type === 'record') return 'a mapping'
  return 'a text'
}

/** `groups[0].resources[2].warm`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key + 1}]` : `.${String(key)}`)).join('').replace(/^\./, '')
}

/** What a mapping gave although another part of it is wrong. */
export type Understood<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Errors are reported; each part that is right by itself is used all the same, so that more can be said of it. */
export function understand<S extends z.ZodObject>(
  schema: S, value: unknown, path: readonly PropertyKey[], file: YamlFile, findings: Findings,
): Understood<z.output<S>> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  reportIssues(file, path, result.error.issues, findings)
  if (typeof value !== 'object' || value === null) return {}
  const parts = Object.entries(schema.shape).map(([key, part]) => {
    const given: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
    return [key, given === undefined ? undefined : (part as z.ZodType).safeParse(given).data] as const
  })
  return Object.fromEntries(parts) as Understood<z.output<S>>
}
