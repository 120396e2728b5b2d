/** Reports and records as a daemon gives them, for the golden tests of what people read. */
import type { EventRecord } from '../../src/core/records.ts'
import type { GroupReport, StatusReport } from '../../src/core/report.ts'
import type { MoveExplanation } from '../../src/core/explain.ts'

/** 2026-11-20 03:12:44.123 UTC; the tests run with TZ=UTC. */
export const nightMs = Date.UTC(2026, 10, 20, 3, 12, 44, 123)

const web: GroupReport = {
  name: '192.0.2.100', preferredNode: 'alpha', holder: 'alpha', state: 'held', peerState: 'stopped', claimNumber: 7, pinned: false,
  failedHere: false, failedOnPeer: false, autoFailback: 'on', reason: 'holds', explanation: 'alpha holds it',
  sinceMs: 187_000, strippedCount: 0, contested: [], permission: 'consent',
  resources: [
    { name: '192.0.2.100', kind: 'addresses', warm: false, status: 'running' },
    { name: 'apache2', kind: 'script', warm: true, status: 'running' },
  ],
}

export const healthy: StatusReport = {
  node: 'alpha', peer: 'beta', health: 'healthy', problems: [], protection: 'none', watchdog: false, phase: 'running',
  nodes: [
    { name: 'alpha', self: true, status: 'alive', generation: 4 },
    { name: 'beta', self: false, status: 'alive', generation: 9, lastHeardMs: 120, mutualContact: true, dialogue: 'hactl',
      deadtimeMs: 10_000 },
  ],
  links: [
    { name: 'bcast eth0', status: 'up', lastHeardMs: 120 },
    { name: 'ucast eth1 198.51.100.2', status: 'up', lastHeardMs: 121 },
  ],
  groups: [web],
  pause: { paused: false, number: 0, sinceWallMs: 0 },
  configDifferences: [],
}

export const peerDead: StatusReport = {
  ...healthy,
  node: 'beta', peer: 'alpha', health: 'degraded',
  problems: ['peer alpha is dead: nothing heard for 12,400 ms on 2 links', 'link bcast eth0 is down',
    'link ucast eth1 198.51.100.2 is down'],
  nodes: [
    { name: 'beta', self: true, status: 'alive', generation: 9 },
    { name: 'alpha', self: false, status: 'dead', generation: 4, lastHeardMs: 12_400, mutualContact: false, dialogue: 'hactl',
      deadtimeMs: 10_000 },
  ],
  links: [
    { name: 'bcast eth0', status: 'down', lastHeardMs: 12_400 },
    { name: 'ucast eth1 198.51.100.2', status: 'down', lastHeardMs: 12_401 },
  ],
  groups: [{ ...web, holder: 'beta', peerState: 'stopped', explanation: 'beta holds it', sinceMs: 2_370 }],
  lastMove: {
    group: '192.0.2.100', move: '192.0.2.100#8', holder: 'beta', reason: 'peer-dead',
    explanation: 'peer alpha is dead: silent for 10,004 ms on 2 links', wallMs: nightMs, durationMs: 14,
  },
}

export const unclean: StatusReport = {
  ...healthy,
  health: 'degraded',
  problems: ['192.0.2.100: nobody holds it: it is unclean on alpha, `stop` of mysql ran into its limit of 60 s'],
  groups: [{
    name: '192.0.2.100', preferredNode: 'alpha', state: 'unclean', peerState: 'stopped', claimNumber: 7, pinned: false, failedHere: true,
      failedOnPeer: false,
    autoFailback: 'off', reason: 'unclean-here', explanation: 'it is unclean on alpha: nobody may start it before its stop succeeds',
      strippedCount: 3, contested: [],
    resources: [
      { name: '192.0.2.100', kind: 'addresses', warm: false, status: 'stopped' },
      {
        name: 'mysql', kind: 'script', warm: false, status: 'unclean',
        message: 'no exit within 60 s: TERM and KILL were sent to its process group; the last line was "Waiting for shutdown"',
      },
    ],
  }],
}

export const standbyAndMore: StatusReport = {
  ...healthy,
  health: 'degraded',
  problems: ['beta is in standby (all)', 'link ucast eth1 198.51.100.2 failed: no such device',
    'the configuration differs from the peer\'s: groups'],
  nodes: [
    { name: 'alpha', self: true, status: 'alive', generation: 4 },
    { name: 'beta', self: false, status: 'alive', standby: 'all', generation: 9, lastHeardMs: 90, mutualContact: false,
      dialogue: 'heartbeat' },
  ],
  links: [{ name: 'bcast eth0', status: 'up', lastHeardMs: 90 }, { name: 'ucast eth1 198.51.100.2', status: 'failed',
    reason: 'no such device' }],
  groups: [{ ...web, holder: 'alpha', preferredNode: 'beta', pinned: true, reason: 'pinned',
    explanation: 'an administrator moved it to alpha' }],
  pause: { paused: true, number: 3, sinceWallMs: nightMs },
  configDifferences: ['groups'],
}

/** One group on each node, and one on its way. */
export const activeActive: StatusReport = {
  ...healthy,
  groups: [
    web,
    {
      ...web, name: 'files', preferredNode: 'beta', holder: 'beta', state: 'stopped', peerState: 'held', reason: 'peer-holds',
        explanation: 'beta holds it',
      resources: [{ name: '192.0.2.101 and 999 more', kind: 'addresses', warm: false, status: 'stopped' }, { name: 'samba',
        kind: 'script', warm: false, status: 'stopped' }],
    },
    {
      ...web, name: 'mail', holder: 'alpha', state: 'starting', peerState: 'stopped', reason: 'holds', sinceMs: 12,
      resources: [{ name: '192.0.2.102', kind: 'addresses', warm: false, status: 'running' }, { name: 'postfix', kind: 'script',
        warm: false, status: 'starting' }],
    },
  ],
}

/** Names as long as they come: nothing may be cut, and no line be longer than the terminal. */
export const longNames: StatusReport = {
  ...healthy,
  node: 'database-frontend-01.production.example.com', peer: 'database-frontend-02.production.example.com',
  phase: 'joining',
  nodes: [
    { name: 'database-frontend-01.production.example.com', self: true, status: 'unknown', generation: 4 },
    { name: 'database-frontend-02.production.example.com', self: false, status: 'unknown' },
  ],
  groups: [{
    ...web, name: '2001:db8:1234:5678:9abc:def0:1234:5678', preferredNode: 'database-frontend-01.production.example.com',
    holder: 'database-frontend-02.production.example.com', state: 'stopped', peerState: 'held', reason: 'failback-waits',
    explanation: 'it returns to database-frontend-01.production.example.com when its auto_failback condition is met',
  }],
}

/** Everything that design.md section 5 knows stands behind the pair, and all is well. */
export const guarded: StatusReport = {
  ...healthy,
  protection: 'witness-and-fencing', watchdog: true,
  witness: { status: 'reachable', lastSeenMs: 4_020 }, fencing: { status: 'idle' },
  pings: [{ name: '192.0.2.254', reachable: true }, { name: 'uplinks', reachable: true }], peerPingsSeen: 2,
  groups: [{ ...web, authorityRestMs: 7_900, leaseRestMs: 8_000 }],
}

/** The peer is gone and the witness as well: the holder has a moment left, the other group nobody. */
export const witnessLost: StatusReport = {
  ...peerDead,
  protection: 'witness',
  problems: ['files is not held by beta, and alpha is not heard: alpha is dead', ...peerDead.problems,
    'the witness does not answer (connect ECONNREFUSED 192.0.2.50:2379): should a node be lost now, nobody may hold'],
  witness: { status: 'unreachable', lastSeenMs: 184_000, message: 'connect ECONNREFUSED 192.0.2.50:2379' },
  groups: [
    { ...peerDead.groups[0]!, permission: 'witness', authorityRestMs: 1_300, grantRestMs: 1_900, leaseRestMs: 900 },
    { ...unheld('files'), reason: 'peer-dead', explanation: 'alpha is dead' },
  ],
}

/** Neither the device nor anybody else can say that the peer is off. */
export const fencingFailed: StatusReport = {
  ...peerDead,
  protection: 'fencing',
  problems: ['192.0.2.100 is not held by beta, and alpha is not heard: alpha is dead', ...peerDead.problems,
    'alpha could not be fenced (fence_ipmilan: connection timed out): nothing of it is started here. If you have seen that it is off: '
    + 'hactl cleanup GROUP --i-have-checked', 'ping node 192.0.2.254 does not answer'],
  fencing: { status: 'failed', message: 'fence_ipmilan: connection timed out' },
  pings: [{ name: '192.0.2.254', reachable: false }, { name: 'uplinks', reachable: 'unknown' }],
  groups: [{ ...unheld('192.0.2.100'), reason: 'peer-dead', explanation: 'alpha is dead' }],
}

/** A group that moved too often, whose address a third machine answers for, while the pair is paused. */
export const troubled: StatusReport = {
  ...guarded,
  health: 'degraded',
  problems: ['192.0.2.100 of 192.0.2.100 is answered for by another host as well: 52:54:00:12:34:56 on eth0',
    '192.0.2.100 has moved too often: it stays where it is for 540,000 ms (hactl clear 192.0.2.100 ends that)',
    'the pair is paused: no automatic moves'],
  groups: [{
    ...web, reason: 'flap-guard', explanation: 'it has moved too often and stays on alpha until hactl clear, or until that is a while ago',
    flapHeldMs: 540_000, leaseRestMs: 598_000,
    contested: [
      { ip: '192.0.2.100', hardwareAddress: '52:54:00:12:34:56', interface: 'eth0', count: 3, lastMs: 4_000 },
      { ip: '192.0.2.100', hardwareAddress: '52:54:00:ab:cd:ef', interface: 'eth0', count: 1, lastMs: 7_200_000 },
    ],
  }],
  pause: { paused: true, number: 3, sinceWallMs: nightMs },
}

function unheld(name: string): GroupReport {
  const { holder: _holder, sinceMs: _sinceMs, permission: _permission, ...group } = web
  return { ...group, name, state: 'stopped', resources: group.resources.map((resource) => ({ ...resource, status: 'stopped' })) }
}

export const records: readonly EventRecord[] = [
  { wallMs: nightMs - 86_400_000, nowMs: 0, level: 'info', code: 'daemon-started', message: 'daemon of beta started, generation 9',
    figures: { generation: 9 } },
  { wallMs: nightMs - 5_000, nowMs: 895_000, level: 'warning', code: 'peer-late',
    message: 'peer alpha is late: nothing heard for 5,001 ms', figures: { silentMs: 5001 } },
  {
    wallMs: nightMs, nowMs: 899_999.8, level: 'warning', code: 'peer-dead', message: 'alpha is dead: silent for 10,004 ms',
      figures: { silentMs: 10_004, links: 2, deadtimeMs: 10_000 },
  },
  { wallMs: nightMs, nowMs: 900_000, level: 'info', code: 'group-acquiring', group: '192.0.2.100', move: '192.0.2.100#8',
    message: 'beta acquires 192.0.2.100: alpha is dead: silent for 10,004 ms; deadtime alone permits it', reason: 'peer-dead',
      figures: { claimNumber: 8 } },
  { wallMs: nightMs + 2, nowMs: 900_002, level: 'info', code: 'resource-started', group: '192.0.2.100', move: '192.0.2.100#8',
    message: 'resource 192.0.2.100 is started', figures: { tookMs: 2 } },
  { wallMs: nightMs + 9, nowMs: 900_009, level: 'error', code: 'resource-slow', group: '192.0.2.100', move: '192.0.2.100#8',
    message: 'apache2 is slow' },
  { wallMs: nightMs + 14, nowMs: 900_014, level: 'info', code: 'group-held', group: '192.0.2.100', move: '192.0.2.100#8',
    message: 'beta holds 192.0.2.100', figures: { tookMs: 14, unheldMs: 10_018 } },
]

export const explanation: MoveExplanation = {
  group: '192.0.2.100', move: '192.0.2.100#8', reason: 'peer-dead', decidedWallMs: nightMs, durationMs: 14.2,
  explanation: 'beta acquires 192.0.2.100: alpha is dead: silent for 10,004 ms; deadtime alone permits it',
  evidence: { claimNumber: 8, permission: 'deadtime-alone', silentMs: 10_004, links: 2, linksUp: 0 },
  timeline: records.slice(1),
}

const lostRecord = { wallMs: nightMs, nowMs: 1_003_800, group: 'db', move: 'db#1' }

/** A holder that neither its peer nor the witness answers. */
export const authorityEnded: MoveExplanation = {
  group: 'db', move: 'db#1', reason: 'authority-ended', decidedWallMs: nightMs, durationMs: 1_005.2,
  explanation: 'beta releases db: alpha has confirmed nothing of ours for 4,000 ms, and the witness gave no grant (no answer in time)',
  evidence: { claimNumber: 1 },
  timeline: [
    { ...lostRecord, wallMs: nightMs - 500, nowMs: 1_003_300, level: 'warning', code: 'witness-unreachable', message: 'the witness does not answer: no answer in time' },
    { ...lostRecord, level: 'warning', code: 'permission-lost', reason: 'authority-ended',
      message: 'beta releases db: alpha has confirmed nothing of ours for 4,000 ms, and the witness gave no grant (no answer in time)' },
    { ...lostRecord, wallMs: nightMs + 900, nowMs: 1_004_700, level: 'error', code: 'not-stopped-in-time',
      message: 'mysql of db still runs on beta, which has no permission any more: alpha may start it from now on. No watchdog is configured, so this node cannot make sure of it' },
    { ...lostRecord, wallMs: nightMs + 1_005, nowMs: 1_004_805.2, level: 'info', code: 'group-released', message: 'beta has released db, in 1,005 ms' },
  ],
}
