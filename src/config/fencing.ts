/** Fencing of both forms: which devices make sure that a node is off, and what about them cannot be relied on. */
import type { FenceDevice, FenceLevel, FencingPolicy, NodeName } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { parseIp } from './addresses.ts'
import type { Draft, DraftFence, DraftFenceDevice } from './draft.ts'
import { type Findings, quoted } from './findings.ts'
import type { Place, SourceFile } from './types.ts'

export const defaultFence = { timeoutMs: 60_000, retries: 2, delayMs: 0 } as const

export interface Fencing {
  readonly fencing: FencingPolicy
  readonly fenceDevices: Readonly<Record<NodeName, readonly (readonly FenceDevice[])[]>>
}

export function fencingOf({ protection: { fences } }: Draft): Fencing | undefined {
  if (fences.length === 0) return undefined
  const byTarget = <T>(value: (fence: DraftFence) => T): Readonly<Record<NodeName, T>> =>
    Object.fromEntries(fences.map((fence) => [fence.target.value, value(fence)]))
  return {
    fencing: { levels: byTarget(({ levels }) => levels.map(levelOf)), delaysMs: byTarget(delayOf) },
    fenceDevices: byTarget(({ levels }) => levels.map((devices) => devices.map(({ device }) => device))),
  }
}

/** All devices of a level must confirm, so that the slowest sets its time. */
function levelOf(devices: readonly DraftFenceDevice[]): FenceLevel {
  return {
    name: devices.map(({ device }) => device.agent.startsWith('/') ? device.agent.split('/').at(-1) ?? '' : device.agent).join(' + '),
    timeoutMs: Math.max(...devices.map(({ timeoutMs }) => timeoutMs)),
    retries: Math.max(...devices.map(({ retries }) => retries)),
  }
}

/** The delay is of the node, not of a device: the longest that is written counts. */
function delayOf({ levels }: DraftFence): Millis {
  return Math.max(0, ...levels.flat().map(({ delayMs }) => delayMs))
}

/** Agents that confirm what did not happen, or need what is gone when they are needed. */
const unsafe: Readonly<Record<string, string>> = {
  null: 'it confirms without doing anything: both nodes then run the groups',
  fence_dummy: 'it confirms without doing anything: both nodes then run the groups',
  ssh: 'it asks the node itself to go down, which fails just when that node hangs or is cut off',
  'external/ssh': 'it asks the node itself to go down, which fails just when that node hangs or is cut off',
  meatware: 'it waits for a person to confirm: until then nobody holds the groups',
  suicide: 'a node can reset only itself with it, never its peer',
}

export function checkFences({ protection: { fences, witness } }: Draft, nodes: readonly NodeName[], findings: Findings): void {
  for (const { target, levels } of fences) {
    if (nodes.length === 2 && !nodes.includes(target.value)) {
      findings.error(target.place, 'node-unknown',
        `fence names ${quoted(target.value)}, which is no node of this pair (${nodes.map(quoted).join(', ')}). Each key is the node that is ` +
        `fenced.`)
    }
    for (const { device } of levels.flat()) {
      const why = unsafe[device.agent.split('/').at(-1) === 'fence_dummy' ? 'fence_dummy' : device.agent]
      if (why !== undefined) findings.warning(target.place, 'fence-unsafe',
        `${quoted(device.agent)} fences ${target.value}: ${why}. It is for tests; name the agent of a power switch or management board.`)
    }
  }
  const [first] = fences
  const missing = nodes.filter((node) => !fences.some(({ target }) => target.value === node))
  if (first === undefined || missing.length === 0 || nodes.length !== 2) return
  findings.warning(first.target.place, 'fence-one-sided',
    `nothing fences ${missing.join(', ')}: ` + (witness === undefined
      ? 'when that node falls silent, its peer cannot make sure that it is off, and takes over only with a last will or an administrator\'s word.'
      : 'when that node falls silent, its peer has the grant of the witness alone.') +
    ` Write how it is fenced too.`)
}

/** By its name; what names a file or program is none. */
export function isSecretParameter(name: string): boolean {
  return /pass|secret|token|community|credential|(^|[_-])key|(^|[_-])pw/i.test(name) && !/[_-](file|path|script)$/i.test(name)
}

/** Positional parameters of ha.cf have no names: only what is surely harmless is ever shown. */
function isHarmlessWord(word: string, nodes: readonly NodeName[]): boolean {
  return nodes.includes(word.toLowerCase()) || parseIp(word) !== undefined || /^(\d{1,5}|\/\S*|lan|lanplus)$/.test(word)
}

export function hasSecret({ parameters, words }: FenceDevice, nodes: readonly NodeName[]): boolean {
  return Object.keys(parameters).some(isSecretParameter) || (words ?? []).some((word) => !isHarmlessWord(word, nodes))
}

const othersRead = 0o044

/** Passwords in a file that everybody reads. */
export function checkReadable(
  { path, mode }: SourceFile, place: Place, levels: readonly (readonly DraftFenceDevice[])[], nodes: readonly NodeName[], findings: Findings,
): void {
  if (mode === undefined || (mode & othersRead) === 0 || !levels.flat().some(({ device }) => hasSecret(device, nodes))) return
  findings.warning(place, 'secret-readable',
    `${path} has mode ${(mode & 0o7777).toString(8).padStart(4, '0')} and perhaps a password of a fencing device in it: whoever reads it can ` +
    `switch a node off. Type: chmod 600 ${path}, or name a file of mode 0600 (parameters_file, or stonith TYPE FILE).`)
}
