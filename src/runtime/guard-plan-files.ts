/** A plan for the guard as the files that its script reads (resources/lib/guard has their form): lines and words, never code. */
import { isIP, isIPv4, SocketAddress } from 'node:net'
import type { FloatingAddress, GroupName, ResourceConfig } from '../core/config.ts'
import type { GuardedGroup, GuardPlan } from '../core/guard-plan.ts'
import type { Will } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import type { NotFound } from './locate-script.ts'
import type { StopCall } from './operations.ts'
import { graceMs } from './run-script.ts'

export interface PlanSources {
  /** A signed will of exactly so many bytes; undefined where there is none (the peer is a real Heartbeat), or it does not fit. */
  sign(will: Will, bytes: number): Uint8Array | undefined
  /** What `ip -batch` is to be told to take these away. */
  removals(addresses: readonly FloatingAddress[]): readonly string[]
  stopCall(group: GroupName, resource: ResourceConfig): StopCall | NotFound
  /** The name of a file with this text beside the plans: most stops are the same in every plan. */
  keepStops(text: string): string
}

export type PlanFiles = Readonly<Record<string, string | Uint8Array>>

/** A will with the longest names fits into the last of them. */
const willSizes = [512, 1_024, 2_048]

export function planFiles(plan: GuardPlan, sources: PlanSources): PlanFiles {
  if (plan.asleep) return { plan: 'asleep\n', limit: '0\n' }
  const gone = plan.groups.filter(({ wills }) => wills.includes('addresses-gone'))
  const stopped = plan.groups.filter(({ wills }) => wills.includes('stopped'))
  const wills = signAll([
    { says: 'daemon-dead' },
    ...gone.map(({ name }): Will => ({ says: 'addresses-gone', group: name })),
    ...stopped.map(({ name }): Will => ({ says: 'stopped', group: name })),
  ], sources)
  const lines = plan.groups.map((group) => {
    const known = group.addresses.every(({ ip }) => isIP(ip) !== 0)
    const number = (says: 'addresses-gone' | 'stopped'): string => {
      // Without a look at its addresses nothing of a group is known to be gone.
      return (known ? wills.numbers.get(keyOf({ says, group: group.name })) : undefined) ?? '-'
    }
    const stops = group.stops.length > 0 ? sources.keepStops(stopLines(group, sources)) : '-'
    const ips = known ? group.addresses.map(kernelText) : []
    return ['group', groupWord(group.name), number('addresses-gone'), number('stopped'), stops, ...ips].join(' ')
  })
  const addresses = plan.groups.flatMap((group) => group.addresses)
  return {
    plan: ['awake', `wills ${wills.bytes} ${wills.quick}`, ...lines, ''].join('\n'),
    removal: [...(addresses.length === 0 ? [] : sources.removals(addresses)), 'addr show', 'link show dev lo', ''].join('\n'),
    wills: wills.blocks,
    limit: `${limitOf(plan)}\n`,
  }
}

interface SignedWills {
  readonly bytes: number
  /** How many, from the first on, are true as soon as all addresses are gone. */
  readonly quick: number
  readonly blocks: Uint8Array
  readonly numbers: ReadonlyMap<string, string>
}

function signAll(wills: readonly Will[], { sign }: PlanSources): SignedWills {
  const tried = willSizes.map((bytes) => ({ bytes, signed: wills.flatMap((will) => {
    const block = sign(will, bytes)
    return block === undefined ? [] : [{ will, block }]
  }) }))
  const { bytes, signed } = tried.find((one) => one.signed.length === wills.length) ?? tried.at(-1) ?? { bytes: 0, signed: [] }
  // Without the first one the numbers would be others.
  const usable = signed[0]?.will.says === 'daemon-dead' ? signed : []
  return {
    bytes,
    quick: usable.filter(({ will }) => will.says !== 'stopped').length,
    blocks: Buffer.concat(usable.map(({ block }) => block)),
    numbers: new Map(usable.map(({ will }, number) => [keyOf(will), String(number)])),
  }
}

export function keyOf(will: Will): string {
  return will.says === 'daemon-dead' ? will.says : `${will.says} ${will.group}`
}

/** As `ip` prints it. */
function kernelText({ ip, family }: FloatingAddress): string {
  return isIPv4(ip) ? ip : new SocketAddress({ address: ip, family }).address
}

/** A group's name without blanks and line ends; `groupOfWord` reads it back. */
function groupWord(name: GroupName): string {
  return encodeURIComponent(Buffer.from(name).toString()).replace(/%3A/g, ':').replace(/%2F/g, '/')
}

/** Undefined for what is no such word. */
export function groupOfWord(word: string): GroupName | undefined {
  try {
    return decodeURIComponent(word)
  } catch {
    return undefined
  }
}

function stopLines({ name, stops }: GuardedGroup, { stopCall }: PlanSources): string {
  return stops.map((resource) => {
    const call = stopCall(name, resource)
    if (call.kind === 'not-found') return `lost ${oneLine(call.message)}\n`
    const { program, args, environment, timeoutMs, accepted, typed } = call
    const variables = Object.entries(environment).map(([variable, value]) => `word ${variable}=${value}`)
    const lines = [...variables, `program ${program}`, ...args.map((arg) => `word ${arg}`)]
    const unfit = unfitReason(Object.keys(environment), lines)
    if (unfit !== undefined) return `lost ${oneLine(typed)} cannot be run by the guard: ${unfit}\n`
    return [`stop ${timeoutMs / 1_000} ${accepted.join(',')} ${oneLine(typed)}`, ...lines, 'run', ''].join('\n')
  }).join('')
}

/** A line is a word there, and the shell itself exports the variables. */
function unfitReason(variables: readonly string[], lines: readonly string[]): string | undefined {
  if (lines.some((line) => /[\n\0]/.test(line))) return 'one of its words has a line end'
  const odd = variables.find((variable) => !/^[A-Za-z_]\w*$/.test(variable))
  return odd === undefined ? undefined : `a shell has no variable ${oneLine(odd)}`
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
}

/** After so long a guard that is still there hangs: groups are stopped beside each other, the resources of each one after the other. */
function limitOf(plan: GuardPlan): Millis {
  const sums = plan.groups.map(({ stops }) => stops.reduce((sum, { stopTimeoutMs }) => sum + stopTimeoutMs + graceMs, 0))
  return Math.max(0, ...sums) + settleLimitMs
}

/** For everything but the stops. */
export const settleLimitMs: Millis = 10_000
