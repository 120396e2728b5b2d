/**
 * A Heartbeat with `auto_failback legacy`, or without the directive, which is the same (heartbeat-3.md 5.12). It never says what it holds. When
 * it becomes active it takes its own groups, by `ip-request` where it sees this node active; it gives what it is asked for, and answers when
 * that has stopped; upon an answer it starts the group, whether or not it has asked. It takes the others when it counts this node dead or
 * hears its goodbye. So, group by group:
 *
 *   - What this node claims it asks for, and starts upon the answer, never without: before that the Heartbeat may have it.
 *   - What the Heartbeat asks for is stopped here, and only then answered. What it is to have (an offer of the core, what this node cannot run)
 *     is given in the same way: an answer to a question that was not put.
 *   - What both may have, after a silence, is asked for as well where it belongs here: it stops it, or says that it has none. What belongs there
 *     the Heartbeat has taken, or is told to take.
 *
 * Packets may come in any order, and its scripts run one after the other, so an answer counts only where it cannot be to an older question, and
 * nothing is asked for while something that was given may still be on its way.
 */
import type { AdvertisedGroup } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { classOf } from './classes.ts'
import { factsOf, maySpeak, peerListens, say, setState, type DialogueState, type KeyTalk, type Turn } from './dialogue-state.ts'
import type { SettingGroup } from './dialogue-types.ts'
import { isHere, letGo, ownGroup, setTalk, talkOf } from './key-talk.ts'
import { keyOf } from './keys.ts'
import { isUnwelcome } from './ours.ts'

/** It asks for its own groups at once. What it has not asked for by then it has taken without asking. */
const asksWithinMs: Millis = 3_000
const askAgainMs: Millis = 60_000
/** What was given is lost or taken by then; what was asked is lost or answered. */
const givenWithinMs: Millis = 5_000
const answeredWithinMs: Millis = 120_000
/** As in exchange-give.ts. */
const idleMs: Millis = 3_000
const idleAtHomeMs: Millis = 60_000

type Act = 'ask' | 'let-go' | 'yield' | 'answer' | undefined

export function settleKeys(turn: Turn): void {
  for (const group of turn.state.setting.groups) {
    noteIdleKey(turn, group)
    for (let act = actOn(turn.state, group, turn.nowMs); act !== undefined; act = actOn(turn.state, group, turn.nowMs)) perform(turn, group, act)
  }
}

function perform(turn: Turn, group: SettingGroup, act: Exclude<Act, undefined>): void {
  const { state, nowMs } = turn
  const talk = talkOf(state, group.name)
  switch (act) {
    case 'ask': {
      const open = 1 + (talk.at === 'asked' || nowMs < talk.askedMs + answeredWithinMs || talk.askedMs === -Infinity ? talk.open : 0)
      say(turn, { word: 'ip-request', key: keyOf(group) })
      return setTalk(turn, group.name, { at: 'asked', sinceMs: nowMs, askedMs: nowMs, open, need: talk.at === 'asked' ? (talk.need ?? 1) : open })
    }
    case 'let-go':
      return letGo(turn, group)
    case 'yield':
      return letGo(turn, group, { both: true })
    case 'answer':
      say(turn, { word: 'ip-answer', key: talk.key ?? keyOf(group), owned: talk.owned === true })
      return setTalk(turn, group.name, { at: 'theirs', sinceMs: nowMs, sequence: Math.max(talk.sequence, state.peer?.newestSequence ?? 0) })
  }
}

function actOn(state: DialogueState, group: SettingGroup, nowMs: Millis): Act {
  const own = ownGroup(state, group.name)
  if (own === undefined || !maySpeak(state)) return undefined
  const talk = talkOf(state, group.name)
  if (talk.at === 'letting-go') return !isHere(own) && !own.claiming ? 'answer' : undefined
  if (isOffered(own, talk) || isIdleSince(state, group, own, talk, nowMs)) return 'let-go'
  if (isTaken(state, group, own, talk, nowMs)) return 'yield'
  return mayAskFor(talk, nowMs) && isAskedFor(state, group, own, talk) ? 'ask' : undefined
}

function isOffered(own: AdvertisedGroup, talk: KeyTalk): boolean {
  return own.offer !== undefined && own.state === 'held' && talk.at === 'free'
}

function mayAskFor(talk: KeyTalk, nowMs: Millis): boolean {
  if (talk.at === 'asked') return nowMs >= talk.askedMs + askAgainMs
  return talk.at !== 'theirs' || nowMs >= talk.sinceMs + givenWithinMs
}

/** It begins without asking where it does not see this node active, and where it finds its group running. */
function isTaken(state: DialogueState, group: SettingGroup, own: AdvertisedGroup, talk: KeyTalk, nowMs: Millis): boolean {
  return talk.at === 'unasked' && isHere(own) && group.preferredNode === state.setting.peer && nowMs >= (state.peer?.activeSinceMs ?? Infinity) + asksWithinMs
}

/** What this node wants, and what it has and the Heartbeat may have as well. */
function isAskedFor(state: DialogueState, group: SettingGroup, own: AdvertisedGroup, talk: KeyTalk): boolean {
  if (own.claiming) return talk.at !== 'free'
  if (talk.at === 'asked') return isHere(own)
  return talk.at === 'unasked' && (own.state === 'held' || own.state === 'starting') && group.preferredNode === state.setting.self
}

/**
 * Nobody has it, or only the Heartbeat may have it, and this node does not want it, or cannot run it. What it has it is told to take in vain;
 * but an answer that was lost with the last daemon of this node may have left even its own groups with nobody.
 */
function isIdle(state: DialogueState, own: AdvertisedGroup, talk: KeyTalk): boolean {
  if (isHere(own) || own.claiming || factsOf(state)?.leaving === true || !peerListens(state)) return false
  return talk.at !== 'theirs' && talk.at !== 'letting-go'
}

function noteIdleKey(turn: Turn, group: SettingGroup): void {
  const { state, nowMs } = turn
  const own = ownGroup(state, group.name)
  const talk = talkOf(state, group.name)
  const idle = own !== undefined && isIdle(state, own, talk)
  if (idle === (talk.idleSinceMs !== undefined)) return
  const { idleSinceMs: _, ...others } = talk
  setState(turn, { keys: { ...state.keys, [group.name]: idle ? { ...others, idleSinceMs: nowMs } : others } })
}

function isIdleSince(state: DialogueState, group: SettingGroup, own: AdvertisedGroup, talk: KeyTalk, nowMs: Millis): boolean {
  const one = classOf(state.setting.self, group)
  const afterMs = one === 'foreign' || isUnwelcome(state, own, one) ? idleMs : idleAtHomeMs
  return talk.idleSinceMs !== undefined && isIdle(state, own, talk) && nowMs >= talk.idleSinceMs + afterMs
}

export function keysDueMs(state: DialogueState): Millis {
  return Math.min(Infinity, ...state.setting.groups.map((group) => dueOf(state, group)))
}

/** The first instant at which there is something to do; what could be done before was done then. */
function dueOf(state: DialogueState, group: SettingGroup): Millis {
  const { askedMs, sinceMs, idleSinceMs = Infinity } = talkOf(state, group.name)
  const candidates = [
    askedMs + askAgainMs, sinceMs + givenWithinMs, (state.peer?.activeSinceMs ?? Infinity) + asksWithinMs, idleSinceMs + idleMs, idleSinceMs + idleAtHomeMs,
  ].filter(Number.isFinite).sort((one, other) => one - other)
  return candidates.find((atMs) => actOn(state, group, atMs) !== undefined) ?? Infinity
}
