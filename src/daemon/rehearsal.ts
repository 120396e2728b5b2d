/**
 * A takeover is the rarest thing this daemon does and the one that must be quick, but Node compiles a function when it is
 * first called, and forgets it when it is not called for long: the first takeover would cost milliseconds more than the
 * next. Since `step` is pure, the takeover can be played on a copy of the state, and what comes out is thrown away; the
 * adapters go the same way up to the point where something would change.
 */
import type { FloatingAddress } from '../core/config.ts'
import { nextDeadlineMs } from '../core/deadlines.ts'
import type { NodeState } from '../core/state.ts'
import { step } from '../core/step.ts'
import type { Millis } from '../core/time.ts'
import type { Addresses } from '../runtime/addresses.ts'
import type { Announcer } from '../runtime/announce.ts'
import { addressesOf } from './outside.ts'

/** Some at once, so that the code is more than interpreted; then now and then, so that it is not forgotten. */
const firstMs: readonly Millis[] = [1_000, 1_500, 2_000, 2_500, 3_000, 3_500]
const everyMs: Millis = 60_000
/** A thousand addresses go the same way as the first few. */
const enough = 8
/** The peer's silence takes some thirty turns; the rest is the start of the groups. */
const turnLimit = 200

export interface Rehearsals { stop(): void }

export function startRehearsals(state: () => NodeState, addresses: Addresses, announcer: Announcer): Rehearsals {
  const rehearse = (): void => {
    const taken = rehearseTakeover(state()).slice(0, enough)
    if (taken.length === 0) return
    addresses.rehearse(taken)
    announcer.rehearse(taken)
  }
  const timers = [...firstMs.map((waitMs) => setTimeout(rehearse, waitMs)), setInterval(rehearse, everyMs)]
  return { stop: () => timers.forEach((timer) => clearTimeout(timer)) }
}

/** The floating addresses that this node would add if the peer fell silent now. */
export function rehearseTakeover(state: NodeState): readonly FloatingAddress[] {
  const taken: FloatingAddress[] = []
  let imagined = state
  let nowMs = nextDeadlineMs(state)
  for (let turns = 0; turns < turnLimit && nowMs !== undefined && !isOver(state, imagined); turns += 1) {
    const wallMs = nowMs + imagined.wallOffsetMs
    const turn = step(imagined, { type: 'tick', nowMs, wallMs })
    imagined = turn.state
    const due = [...turn.effects]
    for (let effect = due.shift(); effect !== undefined; effect = due.shift()) {
      if (effect.type !== 'run-operation') continue
      taken.push(...addressesOf(effect.what))
      const next = step(imagined, { type: 'operation-finished', nowMs, wallMs, operationId: effect.operationId, outcome: { result: 'ok' } })
      imagined = next.state
      due.push(...next.effects)
    }
    nowMs = nextDeadlineMs(imagined)
  }
  return taken
}

/** Only a peer that is heard can die; once it has, one turn more starts what is to be started. */
function isOver(state: NodeState, imagined: NodeState): boolean {
  const heard = state.contact.status === 'alive' || state.contact.status === 'late'
  return !heard || (imagined.contact.status === 'dead' && imagined.groups.every((group) => group.operation === undefined))
}
