/**
 * The dialogue with a real Heartbeat 3.0.6 as the peer, a translator (heartbeat-3.md sections 3.6, 5, 8.6, 11). What the Heartbeat says
 * reaches the core as packets of one of our own daemons (view.ts); what the core says is put into the Heartbeat's words. Theory of
 * operation:
 *
 *   1. Something heard changes what is known of the Heartbeat (hear.ts); a packet of the core, what is known of ourselves (ours.ts).
 *   2. Then the rules below say what follows from what is known: they look at the state only, so that a timer, a word and a packet
 *      all lead to the same.
 *   3. Whatever was heard is fed to the core, as a packet that says all that is known by now: it counts as heard, and as a
 *      confirmation of everything that we have said (design.md section 5 "Classic peers").
 *
 * Pure: the same inputs give the same outputs. The clock is that of the inputs.
 */
import type { Packet } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { setState, type DialogueState, type Turn } from './dialogue-state.ts'
import type { DialogueInput, DialogueOutput, DialogueSetting } from './dialogue-types.ts'
import { beHeard } from './counted-dead.ts'
import { giveDueMs, noteIdle, settleGive } from './exchange-give.ts'
import { settleTake, takeDueMs } from './exchange-take.ts'
import { hear } from './hear.ts'
import { keysDueMs, settleKeys } from './legacy.ts'
import { noteOwed, owedMs, settleOwed } from './owed.ts'
import { tellPings } from './pings.ts'
import { startingDueMs, tellDueMs, tellHolding, tellLeaving, tellStarting, tellTakeover } from './tell.ts'
import { packetOf } from './view.ts'

export type { DialogueState } from './dialogue-state.ts'

export function createDialogue(setting: DialogueSetting): DialogueState {
  return {
    setting, spoken: undefined, peer: undefined, exchange: undefined, unanswered: undefined, owed: undefined, unheeded: 0, askedMs: undefined, takeoverMs: undefined, idleSinceMs: undefined, bothSinceMs: undefined, yields: false, unheard: false,
    toldStartingMs: undefined, told: undefined, tellAgainMs: undefined, toldLeaving: false, numbers: {}, keys: {}, askedBefore: true, legacyBefore: false, unknownKey: undefined, peerPings: undefined, toldPings: undefined,
  }
}

/** `hactl reload` has changed the groups. */
export function withGroups(state: DialogueState, groups: DialogueSetting['groups']): DialogueState {
  return { ...state, setting: { ...state.setting, groups } }
}

/**
 * A group changes hands and the Heartbeat waits for us, or is about to ask: a shutdown waits for the end of it, as Heartbeat's own does. One
 * that hears our goodbye in the midst of it starts what it still stops.
 */
export function isExchanging({ exchange, takeoverMs }: DialogueState, nowMs: Millis): boolean {
  return (exchange !== undefined && exchange.step !== 'wanted') || (takeoverMs !== undefined && nowMs < takeoverMs + asksWithinMs)
}

/** Upon `takeover` a script of the Heartbeat asks. */
const asksWithinMs: Millis = 3_000

export interface DialogueStep { readonly state: DialogueState; readonly outputs: readonly DialogueOutput[] }

export function dialogueStep(state: DialogueState, input: DialogueInput): DialogueStep {
  const turn: Turn = { nowMs: input.nowMs, state, says: [], heartbeatFirst: false, commands: [], reports: [], renews: false }
  const feeds = takeIn(turn, input)
  settle(turn)
  const { peer } = turn.state
  const packet = feeds && peer !== undefined ? packetOf(turn.state, { generation: peer.generation, sequence: peer.newestSequence }) : undefined
  const fed: readonly DialogueOutput[] = packet === undefined ? [] : [{ type: 'feed', packet }]
  const said = turn.says.map((word): DialogueOutput => ({ type: 'say', word }))
  return { state: turn.state, outputs: [...turn.reports, ...(turn.heartbeatFirst ? [{ type: 'heartbeat' } as const] : []), ...said, ...fed, ...turn.commands, ...(turn.renews ? [{ type: 'renew' } as const] : [])] }
}

function takeIn(turn: Turn, input: DialogueInput): boolean {
  switch (input.type) {
    case 'tick':
      return false
    case 'heard':
      return hear(turn, input.id, input.heard)
    case 'spoke':
      noteSpoken(turn, input.packet)
      return false
    case 'acknowledged':
      if (turn.state.unheard) beHeard(turn)
      return false
    case 'renewed':
      if (turn.state.unheard) return false
      noteOwed(turn)
      setState(turn, { ...createDialogue(turn.state.setting), spoken: turn.state.spoken, owed: turn.state.owed, yields: true, legacyBefore: turn.state.legacyBefore })
      return false
  }
}

/** A will or a packet without facts is not the core's own word about itself. */
function noteSpoken(turn: Turn, packet: Packet): void {
  if (packet.facts !== undefined) setState(turn, { spoken: packet })
}

function settle(turn: Turn): void {
  if (turn.state.spoken === undefined || turn.state.spoken.kind === 'goodbye') return
  tellStarting(turn)
  if (turn.state.peer?.mode === 'legacy') return settleKeys(turn)
  settleTake(turn)
  noteIdle(turn)
  settleOwed(turn)
  settleGive(turn)
  // It may have found out just now.
  settleOwed(turn)
  tellTakeover(turn)
  tellPings(turn)
  tellHolding(turn)
  tellLeaving(turn)
}

/** When the clock alone changes something: before it a tick does nothing, at it something. */
export function dialogueDueMs(state: DialogueState): Millis | undefined {
  if (state.spoken === undefined || state.spoken.kind === 'goodbye') return undefined
  const dueMs = state.peer?.mode === 'legacy' ? Math.min(keysDueMs(state), startingDueMs(state)) : Math.min(takeDueMs(state), giveDueMs(state), owedMs(state), tellDueMs(state))
  return dueMs === Infinity ? undefined : dueMs
}
