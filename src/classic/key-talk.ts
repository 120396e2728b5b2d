/** What a Heartbeat in legacy mode says of single groups, and how it is known to be in that mode (legacy.ts). */
import type { AdvertisedGroup } from '../core/packet.ts'
import type { Millis } from '../core/time.ts'
import { factsOf, setPeer, setState, type DialogueState, type KeyTalk, type Turn } from './dialogue-state.ts'
import type { SettingGroup } from './dialogue-types.ts'
import { groupCalled } from './keys.ts'
import { numbersAbove } from './ours.ts'
import type { Word } from './words.ts'

/** One with classes answers `starting` at once; so many heartbeats after it, and so long, it would have been asked for what was lost. */
const silentForMs: Millis = 2_500
const silentHeartbeats = 3

const unasked: KeyTalk = { at: 'unasked', sinceMs: -Infinity, sequence: 0, open: 0, askedMs: -Infinity }

export function talkOf({ keys, askedBefore }: DialogueState, name: string): KeyTalk {
  return keys[name] ?? (askedBefore ? { ...unasked, open: 1 } : unasked)
}

export function setTalk(turn: Turn, name: string, change: Partial<KeyTalk>): void {
  const { keys } = turn.state
  setState(turn, { keys: { ...keys, [name]: { ...talkOf(turn.state, name), ...change } } })
}

export function ownGroup(state: DialogueState, name: string): AdvertisedGroup | undefined {
  return factsOf(state)?.groups.find((group) => group.name === name)
}

/** Something of it is, or may be, running here. */
export function isHere(own: AdvertisedGroup): boolean {
  return own.state !== 'stopped'
}

/** It has neither told what it holds nor asked us to, since it was asked. */
export function noteSilence(turn: Turn): void {
  const { peer, toldStartingMs } = turn.state
  if (peer?.mode !== 'unsure' || peer.nodeStatus !== 'active' || !peer.nudged || toldStartingMs === undefined) return
  const heartbeats = peer.silentHeartbeats + 1
  setPeer(turn, { silentHeartbeats: heartbeats })
  if (heartbeats >= silentHeartbeats && turn.nowMs >= toldStartingMs + silentForMs) becomeLegacy(turn)
}

function becomeLegacy(turn: Turn): void {
  const { setting, legacyBefore } = turn.state
  setPeer(turn, { mode: 'legacy' })
  if (!legacyBefore) {
    turn.reports.push({
      type: 'report', level: 'warning', code: 'peer-legacy',
      message: `${setting.peer} runs Heartbeat with auto_failback legacy, or without that directive: it never says what it holds, so each group is taken when it has answered that it gave it up, and it always gets its own groups back when it starts. ` +
        'Nothing there tells whether it could start what it is given. Write auto_failback on, or off, in ha.cf of both nodes',
    })
  }
  setState(turn, { legacyBefore: true, exchange: undefined, unanswered: undefined, owed: undefined })
  meetActive(turn)
}

/** It tells what it holds: whatever it was before. */
export function hearClasses(turn: Turn): void {
  if (turn.state.peer?.mode === 'classes') return
  setPeer(turn, { mode: 'classes' })
  setState(turn, { legacyBefore: false, keys: {} })
}

/** One that was active before it was heard has its own groups, and has asked for them in vain. */
export function meetActive(turn: Turn): void {
  const { peer } = turn.state
  if (peer?.mode !== 'legacy' || peer.nodeStatus !== 'active' || peer.joined) return
  setPeer(turn, { joined: true })
  for (const group of turn.state.setting.groups) {
    const own = ownGroup(turn.state, group.name)
    if (group.preferredNode === turn.state.setting.peer && own !== undefined && isHere(own)) letGo(turn, group, { both: true })
  }
  setState(turn, { yields: false })
}

/** After a silence anything may have been taken, and nothing that was asked or answered stands. */
export function forgetKeys(turn: Turn): void {
  const names = Object.keys(turn.state.keys)
  for (const name of names) setTalk(turn, name, { at: 'unasked', sinceMs: turn.nowMs })
}

export function hearRequest(turn: Turn, sequence: number, { key }: Extract<Word, { word: 'ip-request' }>): void {
  const { state } = turn
  // Typed by hand beside one with classes, it would make two holders of what that says it holds.
  if (state.peer?.mode === 'classes') return
  setPeer(turn, { nodeStatus: 'active', joined: true, activeSinceMs: state.peer?.activeSinceMs ?? turn.nowMs })
  if (state.peer?.mode === 'unsure') becomeLegacy(turn)
  const group = groupCalled(state.setting, key)
  if (group === undefined) return reportUnknown(turn, key)
  if (sequence <= talkOf(turn.state, group.name).sequence) return
  letGo(turn, group, { sequence, key })
}

function reportUnknown(turn: Turn, key: string): void {
  const { setting, unknownKey } = turn.state
  if (unknownKey === key) return
  setState(turn, { unknownKey: key })
  turn.reports.push({
    type: 'report', level: 'warning', code: 'key-unknown',
    message: `${setting.peer} asks for the group ${JSON.stringify(key)}, which is the first resource of no group here; it gets no answer, and does not start it. Make haresources the same on both nodes`,
  })
}

/** `sequence` and `key`: it has asked for it. `both`: it has it already, and keeps it. */
export function letGo(turn: Turn, group: SettingGroup, why: Partial<Pick<KeyTalk, 'sequence' | 'key' | 'both'>> = {}): void {
  const { state, nowMs } = turn
  const own = ownGroup(state, group.name)
  if (own !== undefined) setState(turn, { numbers: { ...state.numbers, ...numbersAbove([own]) } })
  setTalk(turn, group.name, { at: 'letting-go', sinceMs: nowMs, owned: own !== undefined && isHere(own), both: false, ...why })
}

export function hearAnswer(turn: Turn, sequence: number, { key }: Extract<Word, { word: 'ip-answer' }>): void {
  const { state } = turn
  const group = groupCalled(state.setting, key)
  if (state.peer?.mode !== 'legacy' || group === undefined) return
  const talk = talkOf(state, group.name)
  if (sequence <= talk.sequence) return
  const open = Math.max(0, talk.open - 1)
  const need = (talk.need ?? 1) - 1
  if (talk.at !== 'asked') setTalk(turn, group.name, { open })
  else setTalk(turn, group.name, need > 0 ? { open, need, askedMs: -Infinity } : { at: 'free', sinceMs: turn.nowMs, sequence, open })
}
