/** A node at the start of its daemon: what its last one wrote down, and nothing else. */
import type { CoreConfig } from './config.ts'
import type { PersistentState } from './effects.ts'
import type { PauseState } from './packet.ts'
import { copyContact, copyGroup, copyNode, copyStage, whole } from './shape.ts'
import { stagesOf, type Stage } from './stage.ts'
import type { Contact, GroupState, NodeInit, NodeState, StageState } from './state.ts'

/** Claim numbers are reserved in blocks of this many, so that a takeover waits for no disk. */
export const claimBlock = 100

export function newGroup(config: CoreConfig['groups'][number], persistent: PersistentState | undefined): GroupState {
  const kept = persistent?.groups.find((group) => group.name === config.name)
  const limit = kept?.claimLimit ?? 0
  const group: GroupState = {
    name: config.name,
    stages: stagesOf(config).map((what) => newStage(what, 'unknown')),
    looked: false,
    found: false,
    claimNumber: limit,
    claimLimit: limit,
    pinned: kept?.pinned ?? false,
    failbackDue: false,
    strippedCount: 0,
    peerCleared: false,
    movedMs: [],
    contested: [],
    placement: '',
  }
  return whole(group, copyGroup)
}

function newStage(what: Stage, status: StageState['status']): StageState {
  return whole<StageState>({ what, status, statusFailures: 0, statusSuccesses: 0, failures: 0 }, copyStage)
}

const noPause: PauseState = { paused: false, number: 0, sinceWallMs: 0 }

export function createState(init: NodeInit): NodeState {
  const node: NodeState = {
    self: init.self,
    peer: init.peer,
    config: init.config,
    generation: init.generation,
    sameBoot: init.sameBoot,
    nextSequence: 1,
    phase: 'looking',
    startedMs: init.nowMs,
    begun: false,
    wallOffsetMs: init.wallMs - init.nowMs,
    nextKeepaliveMs: init.nowMs,
    contact: whole<Contact>({ status: 'unknown', sinceMs: init.nowMs, listenFromMs: init.nowMs, sent: [], ...raisedSince(init) }, copyContact),
    links: init.links.map((name) => ({ name, status: 'unknown' })),
    groups: init.config.groups.map((group) => newGroup(group, init.persistent)),
    ...(init.persistent?.standby === undefined ? {} : { standby: init.persistent.standby }),
    pause: init.persistent?.pause ?? noPause,
    requests: [],
    peerRequests: [],
    nextOperationId: 1,
    nextPersistId: 1,
    persisted: init.persistent ?? { pause: noPause, groups: [] },
    configDifferences: [],
    witness: { status: 'unknown', nextLookMs: init.nowMs },
    nextWitnessId: 1,
    nextFenceId: 1,
    pings: (init.config.ping?.names ?? []).map((name) => ({ name })),
    pingBalance: { sign: 0, sinceMs: init.nowMs, settled: false },
    nextRenewalSerial: 1,
    guardOutline: '',
    keyNames: init.keyNames ?? [],
    advertised: { groups: '', others: '' },
  }
  return whole(node, copyNode)
}

/** What the last daemon was told of the peer's addresses binds this one as well. A wall clock that was set meanwhile may make it late, never longer than the pause allows. */
function raisedSince({ persistent, config, nowMs, wallMs }: NodeInit): Pick<Contact, 'peerRaisedUntilMs'> {
  const leftMs = (persistent?.peerRaisedUntilWallMs ?? -Infinity) - wallMs
  return leftMs > 0 ? { peerRaisedUntilMs: nowMs + Math.min(leftMs, 1.2 * config.pauseLimitMs) } : {}
}
