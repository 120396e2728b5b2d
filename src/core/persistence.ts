/** What must survive the daemon (design.md section 5 "Restart"): written when it changes, one write at a time, again after a refusal. */
import type { PersistentState } from './effects.ts'
import { isUnclean } from './group-view.ts'
import { claimBlock } from './create-state.ts'
import { isSame } from './same.ts'
import type { GroupState, NodeState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { record, setGroup, setState, type Turn } from './turn.ts'

const retryAfterMs: Millis = 10_000
/** A disk that has not answered for this long counts as one that refuses: service does not wait for it. */
const answerWithinMs: Millis = 10_000
/** A new block of claim numbers is reserved when fewer than this many are left. */
const lowWater = 20

function persistentGroup(state: NodeState, group: GroupState): PersistentState['groups'][number] {
  // Before the look nothing is known to be clean that the last daemon left unclean.
  const unclean = group.looked ? isUnclean(group) : state.persisted.groups.some((one) => one.name === group.name && one.unclean)
  return { name: group.name, claimLimit: group.claimLimit, unclean, pinned: group.pinned }
}

function peerGenerationOf({ contact, persisted }: NodeState): Pick<PersistentState, 'peerGeneration'> {
  const highest = Math.max(contact.newest?.generation ?? 0, persisted.peerGeneration ?? 0)
  return highest === 0 ? {} : { peerGeneration: highest }
}

/** What was written stands while it covers the promise, so that not every keepalive is a write. */
function peerRaisedOf({ contact, persisted, wallOffsetMs, config }: NodeState): Pick<PersistentState, 'peerRaisedUntilWallMs'> {
  if (contact.peerRaisedUntilMs === undefined) return {}
  const untilWallMs = Math.ceil(contact.peerRaisedUntilMs + wallOffsetMs)
  const before = persisted.peerRaisedUntilWallMs
  const covers = before !== undefined && before >= untilWallMs && before <= untilWallMs + 0.2 * config.pauseLimitMs
  return { peerRaisedUntilWallMs: covers ? before : Math.ceil(untilWallMs + 0.1 * config.pauseLimitMs) }
}

export function persistentStateOf(state: NodeState): PersistentState {
  return {
    ...(state.standby === undefined ? {} : { standby: state.standby }),
    pause: state.pause,
    groups: state.groups.map((group) => persistentGroup(state, group)),
    ...peerGenerationOf(state),
    ...peerRaisedOf(state),
  }
}

/** Everything that must survive is on the disk, or the disk has refused it. */
export function isSaved(state: NodeState): boolean {
  if (state.persistError !== undefined) return true
  return state.writing === undefined && isSame(persistentStateOf(state), state.persisted)
}

/** Numbers above the reserved ones wait for the disk, unless the disk refuses: then service goes before order. */
export function numberIsSafe(state: NodeState, group: GroupState): boolean {
  if (state.persistError !== undefined) return true
  const kept = state.persisted.groups.find((one) => one.name === group.name)
  return group.claimNumber + 1 <= (kept?.claimLimit ?? 0)
}

export function persistChanges(turn: Turn): void {
  for (const group of turn.state.groups) {
    const used = Math.max(group.claimNumber, group.hold?.number ?? 0)
    if (group.claimLimit - used < lowWater) setGroup(turn, group.name, { claimLimit: used + claimBlock })
  }
  const { state } = turn
  if (state.writing !== undefined || turn.nowMs < (state.retryPersistMs ?? -Infinity)) return
  const wanted = persistentStateOf(state)
  if (isSame(wanted, state.persisted)) {
    // What the disk has is what is wanted again: nothing is left to fail.
    if (state.retryPersistMs !== undefined) setState(turn, { retryPersistMs: undefined, persistError: undefined })
    return
  }
  turn.effects.push({ type: 'persist', persistId: state.nextPersistId, state: wanted })
  setState(turn, { nextPersistId: state.nextPersistId + 1, writing: { persistId: state.nextPersistId, sinceMs: turn.nowMs, state: wanted }, retryPersistMs: undefined })
}

export function addPersistDeadlines({ writing, retryPersistMs }: NodeState, dues: Dues): void {
  dues.push(retryPersistMs)
  if (writing !== undefined) dues.push(writing.sinceMs + answerWithinMs)
}

export function expireWrite(turn: Turn): void {
  const { writing } = turn.state
  if (writing === undefined || turn.nowMs < writing.sinceMs + answerWithinMs) return
  finishPersist(turn, writing.persistId, `the disk has not answered for ${answerWithinMs / 1000} s`)
}

export function finishPersist(turn: Turn, persistId: number, error: string | undefined): void {
  const { writing, persistError } = turn.state
  if (writing === undefined || writing.persistId !== persistId) return
  setState(turn, { writing: undefined })
  if (error === undefined) {
    setState(turn, { persisted: writing.state, persistError: undefined })
    return
  }
  setState(turn, { persistError: error, retryPersistMs: turn.nowMs + retryAfterMs })
  if (persistError !== error) record(turn, 'error', 'persist-failed', `the state of this node cannot be written: ${error}. Standby, pause and claim numbers would not survive a restart of the daemon; it is tried again every 10 s`)
}
