/** Heartbeat's ipfail compares how many ping nodes each node sees (heartbeat-3.md 8.6). A Heartbeat without ipfail never begins with it. */
import { factsOf, say, setState, type Turn } from './dialogue-state.ts'

/** Told that we see more, it gives everything; told that we see as many, it keeps. Seeing less, we say nothing: the core gives. */
export function hearPings(turn: Turn, seen: number): void {
  const ours = factsOf(turn.state)?.pingsSeen
  setState(turn, { peerPings: seen, toldPings: turn.state.toldPings ?? ours })
  if (ours !== undefined && ours >= seen) say(turn, { word: 'pings-answer', answer: ours > seen ? 'you-are-dead' : 'abort-giveup' })
}

/** The answer to what we told tells as much as a number. */
export function hearPingsAnswer(turn: Turn, answer: 'you-are-dead' | 'abort-giveup'): void {
  const { toldPings, peerPings } = turn.state
  if (toldPings === undefined) return
  setState(turn, { peerPings: answer === 'abort-giveup' ? toldPings : Math.max(peerPings ?? 0, toldPings + 1) })
}

export function tellPings(turn: Turn): void {
  const seen = factsOf(turn.state)?.pingsSeen
  const { peerPings, toldPings } = turn.state
  if (peerPings === undefined || seen === undefined || seen === toldPings) return
  say(turn, { word: 'pings', seen })
  setState(turn, { toldPings: seen })
}
