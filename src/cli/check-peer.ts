/**
 * `hactl check --peer`: does the peer have the same configuration? The daemons tell each other digests of its parts, so
 * the daemon here knows.
 */
import { statSync } from 'node:fs'
import type { NodeReport, StatusReport } from '../core/report.ts'
import { callDaemon } from '../runtime/control-client.ts'
import { refuse } from './refusal.ts'
import type { Terminal, View } from './terminal.ts'
import { wrapped } from './text.ts'

/** Here and there. */
type Deadtimes = readonly (number | undefined)[]

/** `unknown`: the peer cannot be asked, and `why` says so. */
export type PeerComparison =
  | { readonly peer: string; readonly result: 'alike' }
  | { readonly peer: string; readonly result: 'differs'; readonly parts: readonly string[]; readonly deadtimesMs: Deadtimes }
  | { readonly peer: string; readonly result: 'unknown'; readonly why: string }

/** A number is the exit code with which no daemon answered; that is said already. */
export async function askAboutPeer(control: string, terminal: Terminal): Promise<PeerComparison | number> {
  const answer = await callDaemon<StatusReport>(control, { command: 'status' })
  return answer.ok ? comparePeer(answer.result) : refuse(answer.error, terminal)
}

export function comparePeer({ peer, nodes, configDifferences }: StatusReport): PeerComparison {
  const theirs = nodes.find(({ self }) => !self)
  const why = theirs === undefined ? `${peer} is not known` : whyNot(theirs)
  if (why !== undefined) return { peer, result: 'unknown', why }
  if (configDifferences.length === 0) return { peer, result: 'alike' }
  const ours = nodes.find(({ self }) => self)
  return { peer, result: 'differs', parts: configDifferences, deadtimesMs: [ours?.deadtimeMs, theirs?.deadtimeMs] }
}

function whyNot({ name, status, dialogue }: NodeReport): string | undefined {
  switch (status) {
    case 'unknown': return `${name} has not been heard yet`
    case 'dead': return `${name} is silent`
    case 'left': return `the daemon of ${name} was stopped`
    case 'alive':
    case 'late': return dialogue === 'heartbeat' ? `${name} runs Heartbeat, which tells nothing of its configuration` : undefined
  }
}

/** What belongs to each part, and what comes of a difference. */
const meanings: Readonly<Record<string, string>> = {
  groups: 'names, order, preferred nodes, resources, their arguments or `warm`: what only one node knows is never taken over by the other',
  timing: 'keepalive, warntime, deadtime or initdead: each node judges by the longer deadtime and holds by the shorter one',
  failback: 'auto_failback: a node goes by its own, so who is preferred may depend on who holds',
  protection: 'lease, pause limit, witness, ping nodes, fencing or flap guard: the two nodes rest on different promises',
}

/** `path`: the configuration that was checked, for a command that shows the difference. */
export function renderComparison(comparison: PeerComparison, path: string, view: View): readonly string[] {
  const { peer, result } = comparison
  const { paint, columns } = view
  const line = (text: string): readonly string[] => wrapped(text, columns, '  ', '    ')
  const heading = ['', paint.bold(`compared with ${peer}`)]
  switch (result) {
    case 'alike': return [...heading, ...line('the two daemons go by the same. A file that was changed since counts after: hactl reload')]
    case 'unknown': return [...heading, ...line(`nothing can be compared: ${comparison.why}`).map(paint.yellow)]
    case 'differs': return [
      ...heading,
      ...comparison.parts.flatMap((part) => line(`different in ${part}${meaningOf(part, comparison.deadtimesMs)}`).map(paint.yellow)),
      ...line('This is what the two daemons go by now. To see how the files differ, then to use them, on both nodes:'),
      `    ${diffCommand(peer, path)}`,
      '    hactl reload',
    ]
  }
}

function meaningOf(part: string, [mineMs, theirsMs]: Deadtimes): string {
  const meaning = meanings[part]
  const figures = part === 'timing' && mineMs !== undefined && theirsMs !== undefined && mineMs !== theirsMs
    ? ` (deadtime is ${mineMs} ms here and ${theirsMs} ms there)` : ''
  return `${figures}${meaning === undefined ? '' : `: ${meaning}`}`
}

/** Classic files may say the same in many ways; as YAML they say it in one. */
function diffCommand(peer: string, path: string): string {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const show = isDirectory ? `hactl import ${path}` : `cat ${path}`
  return `diff <(${show}) <(ssh ${peer} ${show})`
}
