/**
 * The Heartbeat says that it counts this node dead (`stonith node=...`, heartbeat-3.md 5.6), and this node hears it say so: packets pass in one
 * direction only, or one of both stood still. It takes over at this moment and will not let go, so this node does, at once. What this node
 * says the Heartbeat takes for the end of a partition, stops everything and restarts itself (4.6), unless it comes under another generation.
 */
import { factsOf, setPeer, setState, type Turn } from './dialogue-state.ts'
import { forgetKeys, isHere, letGo } from './key-talk.ts'
import { numbersAbove } from './ours.ts'
import type { Word } from './words.ts'

/** Of a device that could not reset this node: the Heartbeat does not take over, and tries again. */
const failures: readonly string[] = ['bad', 'badhost']

export function hearCountedDead(turn: Turn, sequence: number, { node, result }: Extract<Word, { word: 'stonith' }>): void {
  const { setting, peer } = turn.state
  if (node.toLowerCase() !== setting.self.toLowerCase() || failures.includes(result) || peer === undefined) return
  // What it has said since of what it holds is newer, and it has joined with this node again.
  if (sequence <= peer.resourceSequence && peer.holds !== 'all') return
  // Said in a silence that is over, and sent again: this node has come back from it already.
  if (sequence < peer.returnedSequence) return
  const here = factsOf(turn.state)?.groups.filter(isHere) ?? []
  setPeer(turn, { holds: 'all', stable: false, leaving: false, resourceSequence: Math.max(peer.resourceSequence, sequence), nodeStatus: 'active' })
  setState(turn, { exchange: undefined, unanswered: undefined, owed: undefined, bothSinceMs: undefined, unheard: true, numbers: { ...turn.state.numbers, ...numbersAbove(here) } })
  if (peer.mode === 'legacy') for (const group of setting.groups) letGo(turn, group, { both: true, sequence })
  turn.renews = true
  turn.reports.push({
    type: 'report', level: 'warning', code: 'counted-dead',
    message: `${setting.peer} counts ${setting.self} dead, which hears it, and takes everything over: ${setting.self} lets go at once. What ${setting.self} sends does not arrive there, or came too late: look at the firewalls (UDP) and the links of both`,
  })
}

/** It hears this node again, as one that was just started: both tell what they hold. */
export function beHeard(turn: Turn): void {
  setState(turn, { unheard: false, toldStartingMs: undefined, told: undefined, askedMs: undefined, idleSinceMs: undefined })
  if (turn.state.peer?.mode === 'legacy') forgetKeys(turn)
}
