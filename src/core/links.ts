/** Which links carry the peer's packets. A link is judged like the peer, by silence for deadtime; it moves nothing by itself. */
import type { LinkName } from './config.ts'
import { judgingDeadtimeMs, peerIsHeard } from './contact.ts'
import { changed, copyLink, type Change } from './shape.ts'
import type { LinkState, NodeState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { inMs, record, setState, type Turn } from './turn.ts'

function setLink(turn: Turn, name: LinkName, change: Change<LinkState>): void {
  setState(turn, { links: turn.state.links.map((link) => (link.name === name ? changed(link, change, copyLink) : link)) })
}

export function hearOnLink(turn: Turn, name: LinkName): void {
  const link = turn.state.links.find((one) => one.name === name)
  if (link === undefined) return
  if (link.status !== 'up') record(turn, 'info', 'link-up', `link ${name} is up: packets of ${turn.state.peer} arrive on it`)
  setLink(turn, name, { status: 'up', lastHeardMs: turn.nowMs, reason: undefined })
}

export function changeLink(turn: Turn, name: LinkName, status: 'open' | 'failed', reason: string): void {
  if (status === 'failed') {
    record(turn, 'warning', 'link-failed', `link ${name} failed: ${reason}`)
    setLink(turn, name, { status: 'failed', reason })
    return
  }
  const link = turn.state.links.find((one) => one.name === name)
  if (link?.status !== 'failed') return
  record(turn, 'info', 'link-open', `link ${name} is open again: ${reason}`)
  setLink(turn, name, { status: 'unknown', reason: undefined })
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
    setLink(turn, link.name, { status: 'down' })
  }
}

export function addLinkDeadlines(state: NodeState, dues: Dues): void {
  for (const link of state.links) dues.push(silenceLimitMs(link, state))
}
