import { expect, test } from 'vitest'
import type { StatusReport } from '../../src/core/report.ts'
import { adviceFor } from '../../src/cli/advice.ts'
import { fencingFailed, healthy, peerDead, standbyAndMore, troubled, unclean, witnessLost } from './reports.ts'

function commands(report: StatusReport): readonly string[] {
  return adviceFor(report).map(({ command }) => command)
}

const [alpha, beta] = healthy.nodes
const withPeer = (status: 'left' | 'late' | 'alive', mutualContact = true): StatusReport =>
  ({ ...healthy, nodes: [alpha!, { ...beta!, status, mutualContact }] })

const cases: { title: string; report: StatusReport; types: readonly string[] }[] = [
  { title: 'nothing when all is well', report: healthy, types: [] },
  { title: 'a dead peer is looked at; its silent links need no word of their own', report: peerDead,
    types: ['ssh alpha systemctl status hactl', 'hactl events'] },
  { title: 'a peer that left is started', report: withPeer('left'), types: ['ssh beta systemctl start hactl', 'hactl events'] },
  { title: 'a late peer', report: withPeer('late'), types: ['hactl events'] },
  { title: 'a peer that does not hear this node', report: withPeer('alive', false),
    types: ['ssh beta hactl status', 'ssh beta hactl events'] },
  {
    title: 'an unclean group: cleanup before anything else', report: unclean,
    types: ['hactl cleanup 192.0.2.100 --i-have-checked', 'hactl why 192.0.2.100', 'hactl online'],
  },
  {
    title: 'not again what a problem says already', report: { ...unclean,
      problems: ['it is unclean: hactl cleanup 192.0.2.100 --i-have-checked; see hactl online'] },
    types: ['hactl why 192.0.2.100'],
  },
  {
    title: 'a group that failed on the peer: see why there, then use it again', report: { ...healthy, groups: [{ ...healthy.groups[0]!,
      failedOnPeer: true }] },
    types: ['ssh beta hactl why 192.0.2.100', 'ssh beta hactl online'],
  },
  {
    title: 'standby, pause, a failed link, files that differ: each has its command, once', report: standbyAndMore,
    types: ['ssh beta hactl status', 'ssh beta hactl events', 'hactl resume', 'ip link show eth1', 'hactl reload'],
  },
  {
    title: 'a witness that is away: look at it; where it alone keeps a group from being held, how to do without', report: witnessLost,
    types: ['ssh alpha systemctl status hactl', 'hactl events', 'etcdctl endpoint health', 'systemctl restart hactl'],
  },
  {
    title: 'fencing that failed: cleanup by name, then the device; a ping node that is lost', report: fencingFailed,
    types: ['hactl cleanup 192.0.2.100 --i-have-checked', 'ssh alpha systemctl status hactl', 'hactl events', 'hactl fence --test',
      'ping -c 3 192.0.2.254'],
  },
  { title: 'a name of a ping group is not pinged', report: { ...healthy, pings: [{ name: 'uplinks', reachable: false }] }, types: [] },
  {
    title: 'an address that another host answers for, now; a group that moved too often', report: troubled,
    types: ['hactl why 192.0.2.100', 'ssh beta ip -o address show to 192.0.2.100', 'hactl resume'],
  },
]
cases.push({
  title: 'a peer that runs Heartbeat has no hactl that could end its standby, or that could be looked at', report: {
    ...healthy, nodes: [alpha!, { ...beta!, status: 'dead', dialogue: 'heartbeat', standby: 'foreign' }],
  },
  types: ['ssh beta systemctl status heartbeat', 'hactl events'],
})
for (const { title, report, types } of cases) {
  test(`adviceFor: ${title}`, () => expect(commands(report)).toEqual(types))
}

test('who ends a pause while the peer is silent learns what this node would then take', () => {
  const paused = { ...peerDead, pause: { paused: true, number: 1, sinceWallMs: 0 } }
  expect(adviceFor(paused).find(({ command }) => command === 'hactl resume')?.why).toContain('first start the daemon of alpha')
})
