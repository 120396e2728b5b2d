/** What to type next when a status is degraded: the commands that look closer or put it right, worst trouble first. */
import type { GroupReport, NodeReport, StatusReport } from '../core/report.ts'

/** `command` is typed as it stands (on `node`, where that is the other one); `why` says what it shows or does. */
export interface Advice { readonly command: string; readonly why: string }

export function adviceFor(report: StatusReport): readonly Advice[] {
  const advice = [
    ...report.groups.flatMap((group) => groupAdvice(group, report)),
    ...unheldAdvice(report),
    ...report.nodes.flatMap((node) => nodeAdvice(node, report)),
    ...outsideAdvice(report),
    ...pauseAdvice(report),
    ...linkAdvice(report),
    ...(report.configDifferences.length > 0
      ? [{ command: 'hactl reload', why: 'on each node, once the files are the same on both' }]
      : []),
  ]
  // The sentence of a problem often ends with its command; twice the same helps nobody.
  const said = (command: string): boolean => report.problems.some((problem) => problem.includes(command))
  return advice.filter(({ command }, index) => !said(command) && advice.findIndex((other) => other.command === command) === index)
}

function groupAdvice(group: GroupReport, report: StatusReport): readonly Advice[] {
  const advice: Advice[] = []
  const uncleanOn = group.state === 'unclean' ? report.node : group.peerState === 'unclean' ? report.peer : undefined
  if (uncleanOn !== undefined) {
    advice.push({
      command: `hactl cleanup ${group.name} --i-have-checked`,
      why: `once you have seen for yourself that nothing of it runs on ${uncleanOn}`,
    })
  }
  if (group.failedHere) {
    advice.push({ command: `hactl why ${group.name}`, why: 'what failed here' })
    advice.push({ command: 'hactl online', why: `once the cause is gone: ${report.node} is used again` })
  }
  if (group.failedOnPeer) {
    advice.push({ command: `ssh ${report.peer} hactl why ${group.name}`, why: 'what failed there' })
    advice.push({ command: `ssh ${report.peer} hactl online`, why: `once the cause is gone: ${report.peer} is used again` })
  }
  if (group.flapHeldMs !== undefined) {
    advice.push({ command: `hactl why ${group.name}`, why: 'what made it move' })
    advice.push({ command: `hactl clear ${group.name}`, why: 'once that is mended: it may move again' })
  }
  for (const { ip, hardwareAddress, lastMs } of group.contested) {
    if (lastMs >= recentMs) continue
    const why = `is it on ${report.peer} as well? If not: find ${hardwareAddress} in the table of the switch`
    advice.push({ command: `ssh ${report.peer} ip -o address show to ${ip}`, why })
  }
  return advice
}

/** As long as core/status.ts counts another host's answer among the problems. */
const recentMs = 60_000

/** Nobody holds it, and only an administrator can say that the silent peer does not. */
function unheldAdvice({ groups, nodes, peer, protection, fencing }: StatusReport): readonly Advice[] {
  const dead = nodes.some(({ self, status }) => !self && status === 'dead')
  const stuck = fencing !== undefined && (fencing.status === 'failed' || (fencing.status === 'idle' && protection === 'fencing'))
  if (!dead || !stuck) return []
  return groups.filter(({ holder, state }) => holder === undefined && state === 'stopped').map(({ name }) => ({
    command: `hactl cleanup ${name} --i-have-checked`, why: `once you have seen for yourself that ${peer} is off: it may start here`,
  }))
}

/** The witness, the fencing device, the ping nodes. */
function outsideAdvice({ witness, fencing, pings = [], groups, peer, nodes }: StatusReport): readonly Advice[] {
  const advice: Advice[] = []
  if (witness?.status === 'unreachable') {
    advice.push({ command: 'etcdctl endpoint health', why: 'on the hosts of the witness: does it run, has it a majority?' })
    const alone = nodes.every(({ self, status }) => self || status === 'dead' || status === 'left')
    if (alone && groups.some(({ holder }) => holder === undefined)) {
      const why = `if the witness stays away and ${peer} is off and stays off: first take witness out of the configuration of both nodes; ` +
        'a reload cannot do it. Initdead passes before anything starts'
      advice.push({ command: 'systemctl restart hactl', why })
    }
  }
  if (fencing?.status === 'failed') advice.push({ command: 'hactl fence --test', why: `does the device that switches ${peer} off answer?` })
  const lost = pings.filter(({ reachable }) => reachable === false).map(({ name }) => name).filter(isAddress)
  return [...advice, ...lost.map((name) => ({ command: `ping -c 3 ${name}`, why: 'is it gone, or the way to it from here?' }))]
}

/** A ping group has a name of its own, which nobody can ping. */
function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || name.includes(':')
}

function nodeAdvice(node: NodeReport, report: StatusReport): readonly Advice[] {
  const advice: Advice[] = []
  const runsHeartbeat = node.dialogue === 'heartbeat'
  // A Heartbeat is in standby for as long as an exchange takes, and has no hactl to end it with.
  if (node.standby !== undefined && !runsHeartbeat) {
    advice.push({ command: node.self ? 'hactl online' : `ssh ${node.name} hactl online`, why: `ends the standby of ${node.name}` })
  }
  if (node.self) return advice
  switch (node.status) {
    case 'dead':
    case 'unknown':
      advice.push({ command: `ssh ${node.name} systemctl status ${runsHeartbeat ? 'heartbeat' : 'hactl'}`, why: 'is it powered, does its daemon run?' })
      advice.push({ command: 'hactl events', why: 'are its packets dropped (another key)?' })
      break
    case 'left':
      advice.push({ command: `ssh ${node.name} systemctl start hactl`, why: runsHeartbeat
        ? 'Heartbeat was stopped there in good order' : `the daemon of ${node.name} was stopped in good order` })
      advice.push({ command: 'hactl events', why: 'if it runs: are its packets dropped?' })
      break
    case 'late':
      advice.push({ command: 'hactl events', why: `is the network or ${node.name} overloaded?` })
      break
    case 'alive':
      if (node.mutualContact === false) {
        advice.push({ command: `ssh ${node.name} hactl status`, why: `does ${node.name} hear ${report.node}?` })
        advice.push({ command: `ssh ${node.name} hactl events`, why: 'does it drop our packets (packets-dropped)?' })
      }
      break
  }
  return advice
}

/** A daemon that was stopped during the pause has left everything running. */
function pauseAdvice({ pause, nodes, node }: StatusReport): readonly Advice[] {
  if (!pause.paused) return []
  const silent = nodes.find(({ self, status }) => !self && (status === 'dead' || status === 'unknown'))?.name
  const why = silent === undefined ? 'automatic moves again'
    : `automatic moves again; first start the daemon of ${silent}: what still runs there, ${node} would take as well`
  return [{ command: 'hactl resume', why }]
}

/** A silent peer explains silent links; then they need no word of their own. */
function linkAdvice(report: StatusReport): readonly Advice[] {
  const heard = report.nodes.some((node) => !node.self && (node.status === 'alive' || node.status === 'late'))
  return report.links
    .filter(({ status }) => status === 'failed' || (status === 'down' && heard))
    .map(({ name }) => {
      const [kind = '', device = ''] = name.split(' ')
      return { command: `ip link show ${device}`, why: `link ${kind} ${device}: cable, switch, firewall (UDP port of ha.cf, 694)` }
    })
}
