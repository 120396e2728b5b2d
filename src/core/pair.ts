/** What the pair agrees on beside its groups: the pause, the configuration, and what one asks of the other. */
import type { Facts, Packet } from './packet.ts'
import { clearFlaps } from './flaps.ts'
import { isUnclean } from './group-view.ts'
import { cleanHere } from './requests.ts'
import { groupNamed, record, setState, type Turn } from './turn.ts'

export function hearFacts(turn: Turn, packet: Packet): void {
  const { facts } = packet
  if (facts === undefined) return
  if (facts.answerWanted) turn.answerOwed = true
  hearPause(turn, facts)
  hearDigests(turn, facts)
  for (const request of facts.requests) {
    const group = groupNamed(turn.state, request.group)
    if (group === undefined) continue
    if (request.kind === 'clear') clearFlaps(turn, group.name, `an administrator on ${packet.from}`)
    else if (isUnclean(group)) cleanHere(turn, group, `an administrator on ${packet.from}`)
  }
}

/** The higher number is newer; with the same number a pause wins over none, so that both end with the same. */
function hearPause(turn: Turn, facts: Facts): void {
  const mine = turn.state.pause
  const theirs = facts.pause
  const newer = theirs.number > mine.number || (theirs.number === mine.number && theirs.paused && !mine.paused)
  if (!newer) return
  setState(turn, { pause: theirs })
  if (theirs.paused === mine.paused) return
  record(turn, 'info', theirs.paused ? 'pause-on' : 'pause-off', theirs.paused ? `${turn.state.peer} paused the pair: no automatic moves anywhere` : `${turn.state.peer} resumed the pair`)
}

/** A peer with another configuration stays a peer; the parts that differ are named (field-notes 1.6). */
function hearDigests(turn: Turn, facts: Facts): void {
  // A real Heartbeat says nothing of its files.
  if (facts.classic === true) return setState(turn, { configDifferences: [] })
  const mine = turn.state.config.digests
  const parts = [...new Set([...Object.keys(mine), ...Object.keys(facts.digests)])].sort()
  const differences = parts.filter((part) => mine[part] !== facts.digests[part])
  const before = turn.state.configDifferences
  if (differences.join() === before.join()) return
  setState(turn, { configDifferences: differences })
  if (differences.length === 0) record(turn, 'info', 'config-agrees', `the configuration of ${turn.state.peer} agrees with ours again`)
  else record(turn, 'warning', 'config-differs', `the configuration of ${turn.state.peer} differs from ours in: ${differences.join(', ')}. It stays our peer; make the files alike on both nodes and type hactl reload`, { figures: { parts: differences.join(' ') } })
}
