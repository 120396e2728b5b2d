/** What stands against two holders, as `hactl status` says it: one line for the pair, one below a group where it is not plain. */
import type { FencingReport, GroupReport, StatusReport, WitnessReport } from '../core/report.ts'
import { permissionWords } from './permission-words.ts'
import type { View } from './terminal.ts'
import { durationText, wrapped } from './text.ts'

/** Below all tables. Dim while all is well: whoever is paged looks for what is not. */
export function protectionLines(report: StatusReport, { columns, paint }: View): readonly string[] {
  const parts = [...witnessWords(report.witness), ...fencingWords(report), ...(report.watchdog ? ['watchdog on'] : [])]
  const nothing = report.protection === 'none' ? ['no witness, no fencing'] : []
  const text = `${[...nothing, ...parts].join(', ')}: ${ruleOf(report)}`
  const lines = wrapped(text, columns, '  ', '    ').map(isTroubled(report) ? paint.yellow : paint.dim)
  return [...lines, ...pingLines(report).map(paint.dim)]
}

function isTroubled({ witness, fencing }: StatusReport): boolean {
  return witness?.status === 'unreachable' || fencing?.status === 'failed'
}

function witnessWords(witness: WitnessReport | undefined): readonly string[] {
  if (witness === undefined) return []
  const { status, lastSeenMs } = witness
  switch (status) {
    case 'reachable': return [lastSeenMs === undefined ? 'witness answers' : `witness answers (${durationText(lastSeenMs)} ago)`]
    case 'unreachable':
      return [lastSeenMs === undefined ? 'witness has NEVER ANSWERED' : `witness UNREACHABLE for ${durationText(lastSeenMs)}`]
    case 'unknown': return ['witness not asked yet']
  }
}

function fencingWords({ fencing, peer }: StatusReport): readonly string[] {
  return fencing === undefined ? [] : [fencingWord(fencing.status, peer)]
}

function fencingWord(status: FencingReport['status'], peer: string): string {
  switch (status) {
    case 'idle': return 'fencing configured'
    case 'waits': return `fencing of ${peer} is about to begin`
    case 'runs': return `fencing of ${peer} is running`
    case 'confirmed': return `${peer} is fenced: it is off`
    case 'failed': return `fencing of ${peer} FAILED`
  }
}

/** What becomes of the groups of a peer that falls silent. A real Heartbeat asks no witness, so none protects from it. */
function ruleOf({ protection, pings, nodes }: StatusReport): string {
  const classic = nodes.some(({ dialogue }) => dialogue === 'heartbeat')
  const inForce = !classic || protection === 'none' ? protection : protection === 'witness' ? 'none' : 'fencing'
  switch (inForce) {
    case 'none': {
      const seen = pings === undefined ? '' : ', by a node that sees a ping node'
      return `a silent peer is taken for dead after deadtime alone${seen}`
    }
    case 'witness':
    case 'witness-and-fencing': return 'what a silent peer held is taken only with the grant of the witness'
    case 'fencing': return 'what a silent peer held is taken only after it was switched off'
  }
}

function pingLines({ pings, peerPingsSeen, peer }: StatusReport): readonly string[] {
  if (pings === undefined) return []
  const seen = pings.filter(({ reachable }) => reachable === true).length
  const unknown = pings.filter(({ reachable }) => reachable === 'unknown').length
  const asked = unknown === 0 ? '' : `, ${unknown} not asked yet`
  const theirs = peerPingsSeen === undefined ? '' : `; ${peerPingsSeen} by ${peer}`
  return [`  ping nodes seen: ${seen} of ${pings.length} here${asked}${theirs}`]
}

/** What the group rests on here: worth a line only while the peer does not answer for it. */
export function restsOn(group: GroupReport, { node, peer, nodes, witness }: StatusReport): readonly string[] {
  const { permission, authorityRestMs, grantRestMs } = group
  const inContact = nodes.some(({ self, status, mutualContact }) => !self && status === 'alive' && mutualContact !== false)
  if (permission === undefined || inContact) return []
  const taken = permission === 'consent' ? [] : [`${node} took it by ${permissionWords[permission]}`]
  if (authorityRestMs === undefined) return taken
  const isRenewed = grantRestMs !== undefined && witness?.status !== 'unreachable'
  if (isRenewed) return [...taken, 'held by the grant of the witness, which is renewed']
  const another = `unless the witness ${grantRestMs === undefined ? 'grants it' : 'renews its grant'} or ${peer} answers`
  return [...taken, `it must be let go in ${durationText(authorityRestMs)}, ${another}`]
}

/** Another host that answers for an address: what a person needs to find it. */
export function contestedNotes({ contested }: GroupReport): readonly string[] {
  return contested.map(({ ip, hardwareAddress, interface: device, count, lastMs }) => {
    const times = count === 1 ? 'once' : `${count} times`
    return `another host answers for ${ip}: ${hardwareAddress} on ${device}, reported ${times}, last ${durationText(lastMs)} ago`
  })
}
