/** Which links carry the peer's packets. A link is judged like the peer, by silence for deadtime; it moves nothing by itself. */
import type { LinkName } from './config.ts'
import { judgingDeadtimeMs, peerIsHeard } from './contact.ts'
import type { LinkState, NodeState } from './state.ts'
import type { Millis } from './time.ts'
import { inMs, record, setState, type Turn } from './turn.ts'

function setLink(turn: Turn, name: LinkName, change: (link: LinkState) => LinkState): void {
  setState(turn, { links: turn.state.links.map((link) => (link.name === name ? change(link) : link)) })
}

export function hearOnLink(turn: Turn, name: LinkName): void {
  const link = turn.state.links.find((one) => one.name === name)
  if (link === undefined) return
  if (link.status !== 'up') record(turn, 'info', 'link-up', `link ${name} is up: packets of ${turn.state.peer} arrive on it`)
  setLink(turn, name, ({ reason: _reason, ...kept }) => ({ ...kept, status: 'up', lastHeardMs: turn.nowMs }))
}

export function changeLink(turn: Turn, name: LinkName, status: 'open' | 'failed', reason: string): void {
  if (status === 'failed') {
    record(turn, 'warning', 'link-failed', `link ${name} failed: ${reason}`)
    setLink(turn, name, (link) => ({ ...link, status: 'failed', reason }))
    return
  }
  const link = turn.state.links.find((one) => one.name === name)
  if (link?.status !== 'failed') return
  record(turn, 'info', 'link-open', `link ${name} is open again: ${reason}`)
  setLink(turn, name, ({ reason: _reason, ...kept }) => ({ ...kept, status: 'unknown' }))
  turn.answerOwed = true
}

function silenceLimitMs(link: LinkState, state: NodeState): Millis | undefined {
  if (link.status !== 'up' || link.lastHeardMs === undefined) return undefined
  return Math.max(link.lastHeardMs, state.contact.listenFromMs) + judgingDeadtimeMs(state)
}

export function judgeLinks(turn: Turn): void {
  for (const link of turn.state.links) {
    const limitMs = silenceLimitMs(link, turn.state)
    if (limitMs === undefined || turn.nowMs < limitMs) continue
    const silent = inMs(turn.nowMs - (link.lastHeardMs ?? turn.nowMs))
    const only = peerIsHeard(turn.state) ? `${turn.state.peer} is still heard on another link` : `${turn.state.peer} is heard on no link`
    record(turn, 'warning', 'link-down', `link ${link.name} is down: nothing heard on it for ${silent}; ${only}`)
    setLink(turn, link.name, (one) => ({ ...one, status: 'down' }))
  }
}

export function linkDeadlines(state: NodeState): readonly Millis[] {
  return state.links.map((link) => silenceLimitMs(link, state)).filter((limitMs) => limitMs !== undefined)
}
