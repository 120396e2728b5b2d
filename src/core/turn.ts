/**
 * One turn of the core: the state as it stands so far, the effects so far. Only `step` makes a turn, and it lives no
 * longer than one call, so `step` stays a function of its arguments; the rules below read and replace `turn.state`.
 */
import type { Code } from './codes.ts'
import type { GroupConfig, GroupName } from './config.ts'
import type { Effect } from './effects.ts'
import type { EventRecord, Level } from './records.ts'
import { changed, copyContact, copyGroup, copyNode, copyStage, type Change } from './shape.ts'
import type { Contact, GroupState, NodeState, StageState } from './state.ts'
import type { Millis, WallMillis } from './time.ts'

export interface Turn {
  readonly nowMs: Millis
  readonly wallMs: WallMillis
  readonly bootMs?: Millis
  /** As the turn found it. */
  readonly before: NodeState
  state: NodeState
  readonly effects: Effect[]
  /** The peer asked for an answer at once, or a packet must leave for another reason than changed facts. */
  answerOwed: boolean
  /** This turn's packet asks the peer to answer at once. */
  answerWanted: boolean
}

export function setState(turn: Turn, change: Change<NodeState>): void {
  turn.state = changed(turn.state, change, copyNode)
}

export function setContact(turn: Turn, change: Change<Contact>): void {
  setState(turn, { contact: changed(turn.state.contact, change, copyContact) })
}

export function setGroup(turn: Turn, name: GroupName, change: Change<GroupState>): void {
  const before = groupNamed(turn.state, name)
  if (before === undefined) return
  const after = changed(before, change, copyGroup)
  if (after !== before) setState(turn, { groups: turn.state.groups.map((group) => (group === before ? after : group)) })
}

export function setStage(turn: Turn, name: GroupName, index: number, change: Change<StageState>): void {
  const group = groupNamed(turn.state, name)
  const before = group?.stages[index]
  if (group === undefined || before === undefined) return
  const after = changed(before, change, copyStage)
  if (after !== before) setGroup(turn, name, { stages: group.stages.map((stage) => (stage === before ? after : stage)) })
}

export function groupNamed(state: NodeState, name: GroupName): GroupState | undefined {
  for (const group of state.groups) if (group.name === name) return group
  return undefined
}

export function configOf(state: NodeState, name: GroupName): GroupConfig | undefined {
  for (const group of state.config.groups) if (group.name === name) return group
  return undefined
}

export interface RecordDetails {
  readonly group?: GroupName
  readonly reason?: string
  readonly figures?: EventRecord['figures']
}

/** Writes an event record; a record of a group belongs to the group's present move. */
export function record(turn: Turn, level: Level, code: Code, message: string, details: RecordDetails = {}): void {
  const move = details.group === undefined ? undefined : groupNamed(turn.state, details.group)?.move
  turn.effects.push({
    type: 'record',
    record: {
      wallMs: turn.wallMs,
      nowMs: turn.nowMs,
      level,
      code,
      message,
      ...(details.group === undefined ? {} : { group: details.group }),
      ...(move === undefined ? {} : { move }),
      ...(details.reason === undefined ? {} : { reason: details.reason }),
      ...(details.figures === undefined ? {} : { figures: details.figures }),
    },
  })
}

/** Whole milliseconds for people: `1,004 ms`. */
export function inMs(durationMs: Millis): string {
  return `${String(Math.round(durationMs)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')} ms`
}
