/** Configurations as texts, and what the real Heartbeat said of real ones (test/data/config). */
import { readFileSync } from 'node:fs'
import { type ConfigResult, type ConfigSource, loadConfig } from '../../src/config/index.ts'

export const goodHaCf = 'logfile /var/log/ha-log\nkeepalive 1\ndeadtime 10\ninitdead 20\nbcast eth0\nauto_failback on\nnode ' +
  'node1\nnode node2\n'
export const goodHaresources = 'node1 192.0.2.100/24/eth0 apache2\n'
export const goodAuthkeys = 'auth 1\n1 sha1 a-test-key\n'

export const goodYaml = `nodes: [node1, node2]
keepalive: 1s
deadtime: 10s
initdead: 20s
auto_failback: on
links: [{bcast: eth0}]
groups: [{preferred_node: node1, resources: [192.0.2.100/24/eth0, apache2]}]
auth: {file: authkeys}
`

export interface Texts {
  readonly haCf?: string | undefined
  readonly haresources?: string | undefined
  readonly authkeys?: string | undefined
  readonly yaml?: string
  readonly mode?: number
  readonly uid?: number
}

/** Classic files: what is not given is good, what is undefined is not there. */
export function classic(texts: Texts = {}): ConfigSource {
  const all = { haCf: goodHaCf, haresources: goodHaresources, authkeys: goodAuthkeys, ...texts }
  const files = [['ha.cf', all.haCf], ['haresources', all.haresources], ['authkeys', all.authkeys], ['hactl.yaml', texts.yaml]] as const
  return {
    files: files.flatMap(([name, text]) => text === undefined ? []
      : [{ name, path: `/etc/ha.d/${name}`, text, mode: name === 'authkeys' ? texts.mode ?? 0o600 : 0o644, uid: texts.uid ?? 0 }]),
  }
}

export function yamlSource(text: string, authkeys: string | undefined = goodAuthkeys): ConfigSource {
  return {
    files: [
      { name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text },
      ...(authkeys === undefined ? [] : [{ name: 'authkeys', path: '/etc/hactl/authkeys', text: authkeys, mode: 0o600 }]),
    ],
  }
}

export function codesOf(
  { errors, warnings }: ConfigResult,
): { readonly errors: readonly string[]; readonly warnings: readonly string[] } {
  return { errors: errors.map(({ code }) => code), warnings: warnings.map(({ code }) => code) }
}

/** Of a configuration that must be good. */
export function configOf(source: ConfigSource) {
  const result = loadConfig(source, { ownUid: 0 })
  if (result.config === undefined) throw new Error(result.errors.map(({ message }) => message).join('\n'))
  return result.config
}

export function groupsOf(result: ConfigResult): readonly (readonly string[])[] {
  return (result.shown?.groups ?? []).map(({ preferredNode, resources }) => [preferredNode, ...resources.map(({ script,
    args }) => [script, ...args].join('::'))])
}

export interface RealFiles {
  readonly name: string
  readonly files: { readonly 'ha.cf'?: string; readonly haresources?: string; readonly authkeys?: string }
  readonly haCf?: { readonly verdict: string; readonly deadtimeMs?: number }
  readonly haresources?: {
    readonly verdict: string
    readonly nodes: readonly string[]
    readonly groups: readonly (readonly string[])[]
    /** Which of the groups Heartbeat never starts, or starts others with, when it is asked for them. */
    readonly mixed?: readonly number[]
  }
  readonly authkeys?: { readonly verdict: string; readonly methods: Readonly<Record<string, string>>; readonly outboundIndex?: number }
  /** Of all files at once; what is missing was supplied: no groups, a good key. */
  readonly together?: string
}

export interface Probe {
  readonly name: string
  readonly file: 'ha.cf' | 'haresources' | 'authkeys'
  /** Null: the file is not there. */
  readonly content: string | null
  readonly verdict: string
  readonly mode?: string
  readonly otherFiles?: Readonly<Record<string, string>>
  readonly deadtimeMs?: number
  readonly methods?: Readonly<Record<string, string>>
  readonly outboundIndex?: number
  readonly outboundKey?: string
  readonly groups?: readonly (readonly string[])[]
  readonly mixed?: readonly number[]
}

/** One line below a good ha.cf, or a whole file, made for this comparison and in nobody's collection. */
export interface Fresh {
  readonly file: 'ha.cf' | 'haresources' | 'authkeys'
  readonly line?: string
  readonly text?: string
  readonly accepted?: boolean
  readonly groups?: readonly (readonly string[])[]
}

export function readSamples<T>(name: 'files' | 'probes' | 'fresh'): readonly T[] {
  const text = readFileSync(`test/data/config/${name}.jsonl`, 'utf8')
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T)
}
