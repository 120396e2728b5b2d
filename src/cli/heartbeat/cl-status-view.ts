/** Our status in Heartbeat's terms: its nodes, links, words for a status, and what a node holds (heartbeat-3.md sections 4.1 and 5.1). */
import type { ConfigResult } from '../../config/types.ts'
import type { NodeReport, StatusReport } from '../../core/report.ts'
import type { Facts } from './cl-status-answers.ts'

export interface ClusterNode { readonly name: string; readonly type: 'normal' | 'ping'; readonly links: readonly string[] }
export type HeartbeatHolding = 'none' | 'local' | 'foreign' | 'all' | 'transition'

/** Nodes and ping nodes in the order of the configuration; empty where it cannot be read. */
export function declaredNames({ shown, places }: Pick<ConfigResult, 'shown' | 'places'>): readonly string[] {
  if (shown === undefined) return []
  const nodes = shown.nodes.map((name) => ({ name, line: places.nodes.line }))
  const pings = shown.pingNodes.map((name, at) => ({ name, line: places.pings[at]?.line ?? Infinity }))
  return [...nodes, ...pings].sort((one, other) => one.line - other.line).map(({ name }) => name)
}

/** As Heartbeat lists them: who was named last comes first. A ping node has one link, which is called as itself. */
export function nodesOf({ report, names }: Facts): readonly ClusterNode[] {
  const links = interfacesOf(report)
  const pings = (report.pings ?? []).map(({ name }): ClusterNode => ({ name, type: 'ping', links: [name] }))
  const nodes = [report.node, report.peer].map((name): ClusterNode => ({ name, type: 'normal', links }))
  const rank = ({ name }: ClusterNode): number => names.indexOf(name)
  return [...nodes, ...pings].sort((one, other) => rank(other) - rank(one))
}

/** Several links over one interface have one name, as in Heartbeat. */
function interfacesOf({ links }: StatusReport): readonly string[] {
  return [...new Set(links.map(({ name }) => interfaceOf(name)))]
}

function interfaceOf(link: string): string {
  return link.split(' ').at(1) ?? link
}

export function statusOf(node: ClusterNode, report: StatusReport): 'active' | 'up' | 'init' | 'dead' | 'ping' {
  if (node.type === 'ping') return report.pings?.find(({ name }) => name === node.name)?.reachable === true ? 'ping' : 'dead'
  const found = report.nodes.find(({ name }) => name === node.name)
  return found === undefined ? 'init' : found.self ? (report.phase === 'looking' || report.phase === 'joining' ? 'up' : 'active') : peerStatus(found)
}

function peerStatus({ status }: NodeReport): 'active' | 'init' | 'dead' {
  switch (status) {
    case 'alive':
    case 'late': return 'active'
    case 'unknown': return 'init'
    case 'dead':
    case 'left': return 'dead'
  }
}

/** A node's own links count as up, as long as the node lives. */
export function linkStatus(node: ClusterNode, link: string, report: StatusReport): 'up' | 'dead' {
  if (node.type === 'ping') return statusOf(node, report) === 'ping' ? 'up' : 'dead'
  if (node.name === report.node) return 'up'
  return report.links.some(({ name, status }) => interfaceOf(name) === link && status === 'up') ? 'up' : 'dead'
}

/** `local`: the groups that prefer this node. A class without groups belongs to its node, or to who is left. */
export function holdingOf(report: StatusReport): HeartbeatHolding {
  if (report.phase !== 'running' || report.groups.some(({ state }) => state === 'starting' || state === 'stopping' || state === 'unknown')) return 'transition'
  const self = report.nodes.find((node) => node.self)
  const peerAlive = report.nodes.some((node) => !node.self && peerStatus(node) === 'active')
  const holds = (local: boolean): boolean => {
    const groups = report.groups.filter(({ preferredNode }) => (preferredNode === report.node) === local)
    if (groups.length > 0) return groups.some(({ state }) => state === 'held' || state === 'unclean')
    const leaves = self?.standby === 'all' || self?.standby === (local ? 'local' : 'foreign')
    return !leaves && (local || !peerAlive)
  }
  const [local, foreign] = [holds(true), holds(false)]
  return local && foreign ? 'all' : local ? 'local' : foreign ? 'foreign' : 'none'
}
