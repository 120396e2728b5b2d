/** Taking in what the Heartbeat says. Words may come late and in any order: one older than the newest of its kind changes nothing. */
import type { PacketId, Scope } from '../core/packet.ts'
import { common, mirrored, plus } from './classes.ts'
import { isActive, say, setPeer, setState, type PeerView, type Turn } from './dialogue-state.ts'
import { hearCountedDead } from './counted-dead.ts'
import { hearGiven, hearMe, hearStopping } from './exchange-take.ts'
import { hearOther, hearStable, hearTaken } from './exchange-give.ts'
import { forgetKeys, hearAnswer, hearClasses, hearRequest, meetActive, noteSilence } from './key-talk.ts'
import { numbersAbove, ourGroups, ourHolding } from './ours.ts'
import { hearDoneOwed, noteOwed } from './owed.ts'
import { hearPings, hearPingsAnswer } from './pings.ts'
import type { Sign, Word } from './words.ts'

/**
 * Both hold the same for this long without a word of the Heartbeat about its shutdown: it does not know, and never lets go. One that holds
 * not everything has not counted us dead, so it will not begin to shut down either.
 */
const bothWithinMs = 4_000
const bothButNotAllWithinMs = 1_000

/** False: it is of a daemon that is gone, and tells nothing. */
export function hear(turn: Turn, id: PacketId, heard: Word | Sign): boolean {
  const known = turn.state.peer
  if (known === undefined || id.generation > known.generation) meet(turn, id)
  else if (id.generation < known.generation || known.gone) return false
  else if (turn.nowMs - known.heardMs >= deathMs(turn)) returnAfterSilence(turn, id.sequence)
  setPeer(turn, { heardMs: turn.nowMs, newestSequence: Math.max(id.sequence, turn.state.peer?.newestSequence ?? 0) })
  if ('sign' in heard) hearSign(turn, id, heard)
  else hearWord(turn, id, heard)
  noteBoth(turn)
  return true
}

/** A daemon of which nothing is known yet: what its last one held and agreed to is past. */
function meet(turn: Turn, id: PacketId): void {
  const { owed } = turn.state
  const peer: PeerView = {
    generation: id.generation, newestSequence: id.sequence, heardMs: turn.nowMs, nodeStatus: 'up', statusSequence: 0, deadtimeMs: turn.state.peer?.deadtimeMs,
    holds: undefined, resourceSequence: 0, returnedSequence: turn.state.yields ? id.sequence : 0, stable: false, leaving: false, gone: false,
    mode: turn.state.legacyBefore ? 'legacy' : 'unsure', joined: false, activeSinceMs: undefined, silentHeartbeats: 0, nudged: false,
  }
  setState(turn, { peer, exchange: undefined, unanswered: undefined, owed: owed?.generation === id.generation ? owed : undefined, unheeded: 0, askedMs: undefined, takeoverMs: undefined, toldStartingMs: undefined, told: undefined, tellAgainMs: undefined, toldLeaving: false, numbers: {}, keys: {}, askedBefore: turn.state.peer === undefined, unheard: false, unknownKey: undefined, peerPings: undefined, toldPings: undefined })
}

/** The core counts it dead by now, or is about to: a little early is the safer side. */
function deathMs({ state }: Turn): number {
  return 0.95 * (state.spoken?.deadtimeMs ?? state.peer?.deadtimeMs ?? Infinity)
}

/**
 * The same daemon after a silence (heartbeat-3.md 4.6). If it counted us dead as well, it has taken everything, lets go of all of it 2 s
 * after it hears us again, and starts anew. If it heard us all the time, it holds what it held before. So what it holds is unknown, and
 * `starting` makes it tell.
 */
function returnAfterSilence(turn: Turn, returnedSequence: number): void {
  noteOwed(turn)
  setPeer(turn, { holds: undefined, stable: false, leaving: false, joined: false, nudged: false, returnedSequence })
  setState(turn, { exchange: undefined, unanswered: undefined, toldStartingMs: undefined, told: undefined })
  forgetKeys(turn)
  meetActive(turn)
}

function hearSign(turn: Turn, id: PacketId, sign: Sign): void {
  const { peer } = turn.state
  if (peer === undefined) return
  if (sign.sign === 'goodbye') {
    setPeer(turn, { gone: true, holds: 'none', leaving: false, stable: false })
    return setState(turn, { exchange: undefined, unanswered: undefined })
  }
  if (id.sequence <= peer.statusSequence) return
  // Heartbeat begins each daemon with it: this one has begun anew without another generation.
  if (sign.nodeStatus === 'init' && peer.statusSequence > 0) meet(turn, id)
  const active = sign.nodeStatus === 'active'
  setPeer(turn, {
    nodeStatus: sign.nodeStatus, statusSequence: id.sequence, deadtimeMs: sign.deadtimeMs,
    ...(active ? { activeSinceMs: turn.state.peer?.activeSinceMs ?? turn.nowMs } : { joined: true, activeSinceMs: undefined }),
  })
  noteSilence(turn)
  meetActive(turn)
}

function hearWord(turn: Turn, id: PacketId, word: Word): void {
  const { state } = turn
  switch (word.word) {
    case 'reqnodes':
      // Until it is answered the Heartbeat does not join. One in legacy mode that joins before this node takes its own groups without asking.
      if (state.spoken?.nodeStatus === 'active') answerNodes(turn)
      return
    case 'repnodes':
      return
    case 'starting':
      hearClasses(turn)
      setPeer(turn, { nodeStatus: 'active', ...(id.sequence > (state.peer?.resourceSequence ?? 0) ? { stable: false } : {}) })
      return setState(turn, { told: undefined, toldLeaving: false })
    case 'resource':
      return hearResource(turn, id, word)
    case 'ask':
      // A Heartbeat in legacy mode says it where somebody has typed hb_standby, and does nothing (5.12).
      return state.peer?.mode === 'legacy' ? undefined : hearAsk(turn, id, word)
    case 'ip-request':
      return hearRequest(turn, id.sequence, word)
    case 'ip-answer':
      return hearAnswer(turn, id.sequence, word)
    case 'takeover':
      if (isActive(state)) turn.commands.push({ type: 'command', command: { kind: 'standby-once', scope: scopes[word.holds] } })
      return
    case 'stonith':
      return hearCountedDead(turn, id.sequence, word)
    case 'pings':
      return hearPings(turn, word.seen)
    case 'pings-answer':
      return hearPingsAnswer(turn, word.answer)
  }
}

/** Our status goes before: by it a Heartbeat in legacy mode knows that it is to ask for its groups, and it may have heard none yet. */
function answerNodes(turn: Turn): void {
  const { self, peer } = turn.state.setting
  turn.heartbeatFirst = true
  say(turn, { word: 'repnodes', nodes: [self, peer].map((name) => name.toLowerCase()).sort() })
}

/** rc.d/hb_takeover: what is local to the one who wants it is foreign to the one who gives; any other word means all. */
const scopes = { all: 'all', local: 'foreign', foreign: 'local', none: 'all' } as const satisfies Readonly<Record<string, Scope>>

function hearAsk(turn: Turn, { sequence }: PacketId, { step, holds }: Extract<Word, { word: 'ask' }>): void {
  switch (step) {
    case 'me':
      return hearMe(turn, holds)
    case 'other':
      return hearOther(turn, sequence, holds)
    case 'done':
      hearDoneOwed(turn, holds)
      // Of no exchange: of a Heartbeat that took over by itself, and without meaning (5.11).
      hearGiven(turn, sequence, holds)
      return hearTaken(turn, sequence, holds)
  }
}

function hearResource(turn: Turn, id: PacketId, word: Extract<Word, { word: 'resource' }>): void {
  const { peer } = turn.state
  if (peer === undefined || id.sequence <= peer.resourceSequence) return
  hearClasses(turn)
  const before = peer.holds
  const holds = word.full || word.holds === 'none' ? word.holds : before === undefined ? undefined : plus(before, word.holds)
  const stable = word.stable ?? peer.stable
  setPeer(turn, { nodeStatus: 'active', holds, stable, resourceSequence: id.sequence })
  // It is told once more when it has come to rest (E6).
  if (stable && !peer.stable) setState(turn, { told: undefined })
  if (word.info === 'shutdown') {
    setPeer(turn, { leaving: true })
    return setState(turn, { exchange: undefined, unanswered: undefined })
  }
  if (word.info === 'standby' && !stable && !peer.leaving) return hearStopping(turn, before, word.holds)
  if (word.stable === true) hearStable(turn)
}

/**
 * Both serve a group and the Heartbeat says nothing of letting go: a cut that only it notices, so that it has taken over while we hear it
 * all the time. It would go on like that; the core lets go of what is claimed with a higher number than its own.
 */
function noteBoth(turn: Turn): void {
  const { state, nowMs } = turn
  const { peer } = state
  if (peer?.mode === 'legacy') return
  const theirs = peer?.holds === undefined || peer.leaving || peer.gone ? 'none' : peer.holds
  const both = state.exchange === undefined ? common(mirrored(theirs), ourHolding(state)) : 'none'
  const groups = ourGroups(state, both).filter((group) => group.state === 'held' || group.state === 'starting')
  const isKnown = peer?.holds !== undefined && state.exchange === undefined
  if (groups.length === 0) return setState(turn, { bothSinceMs: undefined, ...(isKnown ? { yields: false } : {}) })
  const { bothSinceMs = nowMs } = state
  setState(turn, { bothSinceMs })
  if (!state.yields && nowMs < bothSinceMs + (theirs === 'all' ? bothWithinMs : bothButNotAllWithinMs)) return
  setState(turn, { numbers: { ...state.numbers, ...numbersAbove(groups) } })
}
