/**
 * Ping nodes say which side still sees the network; they never grant anything (design.md section 5). A node that sees none
 * takes nothing over from a silent peer. Where they balance (Heartbeat's ipfail), the node that sees more should hold.
 */
import { peerIsHeard } from './contact.ts'
import { dropHold } from './holds.ts'
import type { NodeState } from './state.ts'
import type { Dues, Millis } from './time.ts'
import { groupNamed, record, setState, type Turn } from './turn.ts'

export function pingsSeen(state: NodeState): number {
  return state.pings.filter(({ reachable }) => reachable === true).length
}

/** True also where none is configured. One that was not asked yet is not seen. */
export function seesAnyPingNode(state: NodeState): boolean {
  return state.pings.length === 0 || pingsSeen(state) > 0
}

export function hearPing(turn: Turn, name: string, reachable: boolean): void {
  const before = turn.state.pings.find((one) => one.name === name)
  if (before === undefined || before.reachable === reachable) return
  setState(turn, { pings: turn.state.pings.map((one) => (one === before ? { name, reachable } : one)) })
  const count = `${pingsSeen(turn.state)} of ${turn.state.pings.length} ping nodes are seen`
  if (reachable) record(turn, 'info', 'ping-up', `ping node ${name} answers; ${count}`)
  else record(turn, 'warning', 'ping-down', `ping node ${name} does not answer; ${count}`)
}

/** Who sees more, as far as both have told. */
export function settleBalance(turn: Turn): void {
  const { state } = turn
  const theirs = peerIsHeard(state) ? state.contact.facts?.pingsSeen : undefined
  const known = state.config.ping?.balances === true && theirs !== undefined && state.pings.every(({ reachable }) => reachable !== undefined)
  const sign = known ? (Math.sign(pingsSeen(state) - theirs) as -1 | 0 | 1) : 0
  if (sign !== state.pingBalance.sign) setState(turn, { pingBalance: { sign, sinceMs: turn.nowMs, settled: false } })
  const { pingBalance } = turn.state
  if (!pingBalance.settled && pingBalance.sign !== 0 && turn.nowMs >= balanceMs(turn.state)) setState(turn, { pingBalance: { ...pingBalance, settled: true } })
}

function balanceMs(state: NodeState): Millis {
  return state.pingBalance.sinceMs + (state.config.ping?.settleMs ?? 0)
}

export function addBalanceDeadlines(state: NodeState, dues: Dues): void {
  if (state.pingBalance.sign !== 0 && !state.pingBalance.settled) dues.push(balanceMs(state))
}

/** `self`: this node sees more, and has for long enough. */
export function seesMore({ pingBalance }: NodeState): 'self' | 'peer' | 'neither' {
  const { sign, settled } = pingBalance
  if (!settled) return 'neither'
  return sign === 1 ? 'self' : 'peer'
}

/** Cut off from everything, and told to let go then: no proof permits a group, for it would be let go at once. */
export function isUnconnected({ config, contact, pings }: NodeState): boolean {
  return config.ping?.releases === true && contact.status === 'dead' && pings.every(({ reachable }) => reachable === false)
}

/** The side that still sees the network may have taken over. */
export function releaseUnconnected(turn: Turn, name: string): void {
  const { state } = turn
  const group = groupNamed(state, name)
  if (group?.hold === undefined || !isUnconnected(state)) return
  dropHold(turn, group, { kind: 'lost', reason: 'no-ping-node', explanation: `${state.self} sees no ping node and ${state.peer} is silent: the network is gone here` })
}
