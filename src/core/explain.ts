/** `hactl why`: the last move of a group, put together from the event records (promise P7). */
import type { GroupName } from './config.ts'
import type { EventRecord } from './records.ts'
import type { Millis, WallMillis } from './time.ts'

export interface MoveExplanation {
  readonly group: GroupName
  readonly move: string
  /** The decision's reason code and sentence. */
  readonly reason: string
  readonly explanation: string
  readonly decidedWallMs: WallMillis
  /** From the decision to `held` or `released`; absent while it goes on, or when it failed. */
  readonly durationMs?: Millis
  readonly evidence: Readonly<Record<string, number | string | boolean>>
  /** All records of the move, and of the peer and links in the ten seconds before it; oldest first. */
  readonly timeline: readonly EventRecord[]
}

const evidenceBeforeMs = 10_000
const decisions: readonly string[] = ['group-acquiring', 'group-adopted', 'permission-lost', 'group-releasing']
/** What a decision may follow by minutes: fencing takes its time. */
const causes: readonly string[] = ['peer-dead', 'peer-died', 'peer-left', 'peer-deaf']
const longestCauseMs = 300_000
const ends: readonly string[] = ['group-held', 'group-released']

/** `records` oldest first. Without `group`: the newest move of any. */
export function explainMove(records: readonly EventRecord[], group?: GroupName): MoveExplanation | undefined {
  const decision = records.findLast((one) => decisions.includes(one.code) && one.move !== undefined && (group === undefined || one.group === group))
  if (decision?.move === undefined || decision.group === undefined) return undefined
  const cause = records.findLast((one) => causes.includes(one.code) && one.wallMs <= decision.wallMs && one.wallMs >= decision.wallMs - longestCauseMs)
  const from = (cause?.wallMs ?? decision.wallMs) - evidenceBeforeMs
  const timeline = records.filter((one) => one.move === decision.move || isEvidence(one, decision, from))
  const end = timeline.find((one) => ends.includes(one.code) && one.nowMs >= decision.nowMs && one.move === decision.move)
  return {
    group: decision.group,
    move: decision.move,
    reason: decision.reason ?? '',
    explanation: decision.message,
    decidedWallMs: decision.wallMs,
    ...(end === undefined ? {} : { durationMs: Math.round((end.nowMs - decision.nowMs) * 10) / 10 }),
    evidence: decision.figures ?? {},
    timeline,
  }
}

/** What came just before: of the peer and the links, and of an earlier move of the same group (two holders, then a failback). */
function isEvidence(one: EventRecord, decision: EventRecord, fromWallMs: WallMillis): boolean {
  return (one.group === undefined || one.group === decision.group) && one.wallMs >= fromWallMs && one.wallMs <= decision.wallMs
}
