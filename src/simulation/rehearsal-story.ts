/** What is told of a rehearsal: the nodes' own records, and of the world only what no record says. */
import type { Level } from '../core/records.ts'
import type { StoryLine } from './world.ts'

export interface RehearsalLine {
  /** From the first step. */
  readonly afterMs: number
  /** A node's record, a step of the scenario, what clients see, or what happens to a node beside its records. */
  readonly kind: 'record' | 'step' | 'service' | 'world'
  readonly node?: string
  readonly text: string
  readonly level?: Level
  readonly code?: string
  readonly group?: string
}

/** Follows from the lines beside it, or is told by the step itself. */
const untold: ReadonlySet<string> = new Set([
  'placement-changed', 'admin-requested', 'admin-replied', 'daemon-started', 'daemon-ready', 'config-agrees', 'link-open',
])

/** Links that fall silent or speak again together with the peer need no lines of their own. */
const withPeer: Readonly<Record<string, readonly string[]>> = { 'link-down': ['peer-dead', 'peer-died'], 'link-up': ['peer-alive'] }
const togetherMs = 500

export function storyOf(lines: readonly StoryLine[], beganMs: number): readonly RehearsalLine[] {
  return lines.flatMap((line) => {
    const told = tellLine(line)
    if (told === undefined || isOfPeer(line, lines)) return []
    return [{ afterMs: Math.round((line.trueMs - beganMs) * 10) / 10, ...told }]
  })
}

/** Only what is told can be news. */
export function isTold(line: StoryLine): boolean {
  return tellLine(line) !== undefined
}

function isOfPeer({ code, who, trueMs }: StoryLine, lines: readonly StoryLine[]): boolean {
  const codes = withPeer[code] ?? []
  return codes.length > 0 && lines.some((other) => {
    return other.who === who && codes.includes(other.code) && Math.abs(other.trueMs - trueMs) <= togetherMs
  })
}

function tellLine({ who, text, code, record }: StoryLine): Omit<RehearsalLine, 'afterMs'> | undefined {
  if (record !== undefined) {
    if (untold.has(record.code)) return undefined
    const { level, message, group } = record
    return { kind: 'record', node: who, text: message, level, code: record.code, ...(group === undefined ? {} : { group }) }
  }
  if (code === 'step' || code === 'service') return { kind: code, text }
  if (code === 'reply') return { kind: 'world', node: who, text: `hactl answers: ${text.replace(/^reply to request \d+: /, '')}` }
  const words = worldWords(text)
  return words === undefined ? undefined : { kind: 'world', node: who, text: words }
}

/** The simulator's own lines that a reader needs: what the kernel, the guard or the watchdog does, when a host is back. */
function worldWords(text: string): string | undefined {
  if (text.startsWith('the lease of ')) return text
  if (text === 'the guard acts') return 'its daemon is dead: the guard removes the addresses'
  if (text === 'machine boots') return 'the host boots'
  if (text === 'machine loses power') return 'the host is off'
  if (text === 'goes on') return 'it runs again'
  if (text === 'the watchdog is fed no more' || text === 'the watchdog is fed again') return text
  return /^daemon starts/.test(text) ? 'its daemon starts' : undefined
}
