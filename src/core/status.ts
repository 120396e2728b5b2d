/** The report behind `hactl status`: the state as it stands, and what is wrong with it in words. */
import { inMutualContact, peerIsClassic, peerIsHeard, silentSinceMs } from './contact.ts'
import { isUnclean, peerGroup, peerServes, stateOf } from './group-view.ts'
import { authorityOf, restsOnWitness } from './authority.ts'
import { canFence } from './fenced.ts'
import { rulingFor } from './permission.ts'
import { peerIsRaised } from './raised.ts'
import type { FencingReport, GroupReport, LinkReport, NodeReport, ResourceReport, StatusReport } from './report.ts'
import { isWarm } from './stage.ts'
import type { FencingState, GroupState, NodeState, StageState } from './state.ts'
import type { Millis } from './time.ts'
import { configOf, inMs } from './turn.ts'
import { failbackPolicy, placementAt } from './view.ts'

export function statusReport(state: NodeState, nowMs: Millis): StatusReport {
  const groups = state.groups.map((group) => groupReport(state, group, nowMs))
  const links = state.links.map((link): LinkReport => ({
    name: link.name,
    status: link.status,
    ...(link.lastHeardMs === undefined ? {} : { lastHeardMs: Math.round(nowMs - link.lastHeardMs) }),
    ...(link.reason === undefined ? {} : { reason: link.reason }),
  }))
  const problems = problemsOf(state, groups, nowMs)
  return {
    node: state.self,
    peer: state.peer,
    health: problems.length === 0 ? 'healthy' : 'degraded',
    problems,
    protection: protectionOf(state),
    watchdog: state.config.watchdog,
    ...thirdParties(state, nowMs),
    phase: state.phase,
    nodes: [selfReport(state), peerReport(state, nowMs)],
    links,
    groups,
    pause: state.pause,
    configDifferences: state.configDifferences,
    ...(state.lastMove === undefined ? {} : { lastMove: state.lastMove }),
  }
}

function protectionOf({ config }: NodeState): StatusReport['protection'] {
  if (config.witness !== undefined) return config.fencing === undefined ? 'witness' : 'witness-and-fencing'
  return config.fencing === undefined ? 'none' : 'fencing'
}

function thirdParties(state: NodeState, nowMs: Millis): Partial<StatusReport> {
  const { config, witness, fencing, pings, keyNames } = state
  const { facts } = state.contact
  const { lastSeenMs, message } = witness
  return {
    ...(config.witness === undefined ? {} : { witness: { status: witness.status, ...(lastSeenMs === undefined ? {} : { lastSeenMs: Math.round(nowMs - lastSeenMs) }), ...(message === undefined ? {} : { message }) } }),
    ...(config.fencing === undefined ? {} : { fencing: { status: fencingWord(fencing?.status), ...(fencing?.message === undefined ? {} : { message: fencing.message }) } }),
    ...(pings.length === 0 ? {} : { pings: pings.map(({ name, reachable }) => ({ name, reachable: reachable ?? 'unknown' })) }),
    ...(facts?.pingsSeen === undefined ? {} : { peerPingsSeen: facts.pingsSeen }),
    ...(keyNames.length === 0 ? {} : { keyNames }),
    ...(facts?.keyNames === undefined ? {} : { peerKeyNames: facts.keyNames }),
  }
}

function fencingWord(status: FencingState['status'] | undefined): FencingReport['status'] {
  const words: Readonly<Record<FencingState['status'], FencingReport['status']>> = { waits: 'waits', runs: 'runs', confirmed: 'confirmed', failed: 'failed' }
  return status === undefined ? 'idle' : words[status]
}

/** On what the group rests here, and for how long without another word. */
function rightsOf(state: NodeState, group: GroupState, nowMs: Millis): Partial<GroupReport> {
  const authorityMs = group.hold === undefined ? Infinity : authorityOf(state, group).orderlyMs - nowMs
  const leases = group.stages.flatMap(({ lease }) => (lease === undefined || lease.untilMs === -Infinity ? [] : [lease.untilMs - nowMs]))
  const { grant, flapUntilMs, hold } = group
  return {
    ...(hold === undefined ? {} : { permission: hold.permission }),
    ...(Number.isFinite(authorityMs) ? { authorityRestMs: Math.round(authorityMs) } : {}),
    ...(grant === undefined ? {} : { grantRestMs: Math.round(grant.sentMs + grant.lifeMs - nowMs) }),
    ...(leases.length === 0 ? {} : { leaseRestMs: Math.round(Math.min(...leases)) }),
    ...(flapUntilMs === undefined ? {} : { flapHeldMs: Math.round(flapUntilMs - nowMs) }),
  }
}

function selfReport(state: NodeState): NodeReport {
  return {
    name: state.self,
    self: true,
    status: state.phase === 'looking' || state.phase === 'joining' ? 'unknown' : 'alive',
    ...(state.standby === undefined ? {} : { standby: state.standby }),
    generation: state.generation,
    deadtimeMs: state.config.timing.deadtimeMs,
  }
}

function peerReport(state: NodeState, nowMs: Millis): NodeReport {
  const { contact } = state
  const standby = contact.facts?.standby
  return {
    name: state.peer,
    self: false,
    status: contact.status,
    ...(standby === undefined ? {} : { standby }),
    ...(contact.newest === undefined ? {} : { generation: contact.newest.generation, dialogue: peerIsClassic(state) ? 'heartbeat' : 'hactl' }),
    ...(contact.lastHeardMs === undefined ? {} : { lastHeardMs: Math.round(nowMs - contact.lastHeardMs) }),
    mutualContact: inMutualContact(state, nowMs),
    ...(contact.peerDeadtimeMs === undefined ? {} : { deadtimeMs: contact.peerDeadtimeMs }),
  }
}

function groupReport(state: NodeState, group: GroupState, nowMs: Millis): GroupReport {
  const config = configOf(state, group.name)
  const theirs = peerGroup(state, group.name)
  const heard = peerIsHeard(state)
  const placement = placementAt(state, group, nowMs)
  const holder = group.hold !== undefined ? state.self : heard && peerServes(state, group.name) ? state.peer : undefined
  return {
    name: group.name,
    preferredNode: config?.preferredNode ?? state.self,
    ...(holder === undefined ? {} : { holder }),
    state: stateOf(group),
    ...(theirs === undefined || !heard ? {} : { peerState: theirs.state }),
    claimNumber: group.hold?.number ?? group.claimNumber,
    pinned: group.pinned || (heard && theirs?.pinned === true),
    failedHere: group.failed !== undefined,
    failedOnPeer: heard && (theirs?.failed ?? false),
    autoFailback: config === undefined ? 'off' : failbackPolicy(state, config),
    reason: placement.reason,
    explanation: placement.explanation,
    ...(group.hold === undefined ? {} : { sinceMs: Math.round(nowMs - (group.hold.heldSinceMs ?? group.hold.sinceMs)) }),
    resources: group.stages.map((stage, index) => resourceReport(group, stage, index)),
    strippedCount: group.strippedCount,
    contested: group.contested.map(({ lastMs, ...one }) => ({ ...one, lastMs: Math.round(nowMs - lastMs) })),
    ...rightsOf(state, group, nowMs),
  }
}

function resourceReport(group: GroupState, stage: StageState, index: number): ResourceReport {
  const running = group.operation?.stage === index ? group.operation.action : undefined
  const moving = running === 'start' ? 'starting' : running === 'stop' ? 'stopping' : undefined
  const resting = stage.status === 'suspect' ? 'failed' : stage.status
  return {
    name: stage.what.name,
    kind: stage.what.kind,
    warm: isWarm(stage.what),
    status: moving ?? resting,
    ...(stage.message === undefined ? {} : { message: stage.message }),
  }
}

/** Worst first. Each sentence says what to do where there is something to do. */
function problemsOf(state: NodeState, groups: readonly GroupReport[], nowMs: Millis): readonly string[] {
  const { contact, peer, self } = state
  const problems: string[] = []
  for (const group of groups) {
    const own = state.groups.find((one) => one.name === group.name)
    if (group.state !== 'unknown' && group.peerState === 'held' && group.holder === self) problems.push(`${group.name} is held by BOTH nodes`)
    if (own !== undefined && isUnclean(own)) problems.push(`${group.name} is unclean on ${self}: a stop failed (check by hand, then: hactl cleanup ${group.name} --i-have-checked)`)
    if (group.peerState === 'unclean') problems.push(`${group.name} is unclean on ${peer}: a stop failed there (check by hand, then: hactl cleanup ${group.name} --i-have-checked)`)
    if (group.holder === undefined) problems.push(unheldProblem(state, group, nowMs))
    if (group.failedHere) problems.push(`${group.name} failed on ${self}: ${own?.failed?.message ?? ''} (hactl online makes this node usable again)`)
    if (group.failedOnPeer && !peerIsClassic(state)) problems.push(`${group.name} failed on ${peer} (on ${peer} type: hactl why ${group.name})`)
    for (const resource of group.resources) if (resource.status === 'failed') problems.push(`${resource.name} of ${group.name} is not well: ${resource.message ?? 'its status is bad'}`)
  }
  if (!peerIsHeard(state)) problems.push(silentPeerProblem(state, groups, nowMs))
  else if (!inMutualContact(state, nowMs)) problems.push(`${peer} is heard but does not hear ${self}: look at the firewall (UDP) and the links of both`)
  if (peerIsHeard(state) && peerIsClassic(state)) problems.push(`${peer} runs Heartbeat, not hactl: two may hold a group as promise P2 says, whatever is configured here`)
  for (const link of state.links) {
    if ((link.status === 'down' && contact.status !== 'left') || link.status === 'failed') problems.push(`link ${link.name} is ${link.status}${link.reason === undefined ? '' : `: ${link.reason}`}`)
    if (link.status === 'unknown' && peerIsHeard(state) && nowMs - state.startedMs > state.config.timing.deadtimeMs) problems.push(`link ${link.name} has never carried a packet of ${peer}`)
  }
  problems.push(...thirdPartyProblems(state, groups, nowMs))
  if (state.standby !== undefined) problems.push(`${self} is in standby (${state.standby}); hactl online ends it`)
  if (contact.facts?.standby !== undefined && peerIsHeard(state) && !peerIsClassic(state)) problems.push(`${peer} is in standby (${contact.facts.standby}); hactl online there ends it`)
  if (state.pause.paused) problems.push('the pair is paused: no automatic moves')
  if (state.configDifferences.length > 0) problems.push(`the configuration differs from that of ${peer} in: ${state.configDifferences.join(', ')}`)
  if (state.persistError !== undefined) problems.push(`the state cannot be written: ${state.persistError}`)
  return problems
}

const recentMs = 60_000

function thirdPartyProblems(state: NodeState, groups: readonly GroupReport[], nowMs: Millis): readonly string[] {
  const { witness, fencing, pings, peer, config } = state
  const problems: string[] = []
  for (const group of groups) {
    for (const one of group.contested) if (one.lastMs < recentMs) problems.push(`${one.ip} of ${group.name} is answered for by another host as well: ${one.hardwareAddress} on ${one.interface}`)
    if (group.flapHeldMs !== undefined) problems.push(`${group.name} has moved too often: it stays where it is for ${Math.ceil(group.flapHeldMs / 60_000)} minutes (hactl clear ${group.name} ends that)`)
  }
  if (config.witness !== undefined && witness.status === 'unreachable') problems.push(`the witness does not answer (${witness.message ?? ''}): ${peerIsHeard(state) ? 'should a node be lost now, nobody may hold' : 'what is not held by consent, nobody may hold'}`)
  if (config.witness !== undefined && peerIsHeard(state) && !restsOnWitness(state)) problems.push(`${peer} runs Heartbeat, which asks no witness: it protects nothing for now`)
  if (fencing?.status === 'failed') problems.push(`${peer} could not be fenced (${fencing.message ?? ''}): nothing of it is started here. If you have seen that it is off: hactl cleanup GROUP --i-have-checked`)
  if (config.fencing !== undefined && config.witness === undefined && state.contact.status === 'dead' && !canFence(state) && groups.some((group) => group.holder === undefined)) {
    problems.push(`${peer} is dead and this daemon never was in contact with it, so it does not fence it. If you have seen that it is off: hactl cleanup GROUP --i-have-checked`)
  }
  if (peerIsRaised(state, nowMs) && !peerIsHeard(state) && groups.some((group) => group.holder === undefined)) {
    problems.push(`${peer} said during the pause that its addresses outlast its daemon: nothing of it is taken for ${inMs((state.contact.peerRaisedUntilMs ?? nowMs) - nowMs)}. If you have seen that it is off: hactl cleanup GROUP --i-have-checked`)
  }
  for (const { name, reachable } of pings) if (reachable === false) problems.push(`ping node ${name} does not answer`)
  if (state.resetting !== undefined) problems.push('this host is about to be reset by its watchdog')
  return problems
}

/** What a peer that is not heard holds, nobody here knows; one that left has told that it holds nothing. */
function unheldProblem(state: NodeState, group: GroupReport, nowMs: Millis): string {
  const { self, peer, contact } = state
  if (group.state === 'stopping') return `${group.name} is held by nobody: ${self} is still stopping it`
  if (group.peerState === 'stopping') return `${group.name} is held by nobody: ${peer} is still stopping it`
  const words: Readonly<Record<typeof contact.status, string>> = {
    alive: 'held by nobody', late: 'held by nobody', left: 'held by nobody',
    dead: `not held by ${self}, and ${peer} is not heard`, unknown: `not held by ${self}`,
  }
  return `${group.name} is ${words[contact.status]}: ${group.explanation}${missingProof(state, group, nowMs)}`
}

/** What keeps this node from taking a group that it should have. */
function missingProof(state: NodeState, group: GroupReport, nowMs: Millis): string {
  const own = state.groups.find((one) => one.name === group.name)
  if (own === undefined || peerIsHeard(state)) return ''
  const ruling = rulingFor(state, own, nowMs)
  if ('permission' in ruling) return ''
  if ('needs' in ruling) {
    if (ruling.needs === 'grant') return own.keyHolder === undefined ? `; the witness gives no grant${state.witness.message === undefined ? '' : ` (${state.witness.message})`}` : `; the witness has given it to ${own.keyHolder}`
    return ruling.needs === 'fencing' ? `; ${state.peer} is not fenced yet` : ''
  }
  const words: Readonly<Record<typeof ruling.refused, string>> = {
    'peer-unclean': '', 'peer-raised': '', listening: '; it is listened for first',
    'no-ping-node': '; no ping node is seen', 'peer-busy': `; ${state.peer} still has something of it`,
  }
  return words[ruling.refused]
}

function silentPeerProblem(state: NodeState, groups: readonly GroupReport[], nowMs: Millis): string {
  const { self, peer, contact } = state
  if (contact.status === 'unknown') return `${peer} was not heard yet`
  if (contact.status === 'left') return `${peer} has left; nobody could take over from ${self}`
  const silence = `${contact.lastHeardMs === undefined ? 'never heard, for' : 'silent for'} ${inMs(nowMs - silentSinceMs(contact))}`
  if (contact.deaf === true) return `${peer} is heard but does not hear ${self}: look at the firewall (UDP) and the links of both`
  const doubt = protectionOf(state) === 'none' && groups.some((group) => group.holder === self) ? `. If ${peer} runs all the same, both may hold what ${self} holds` : ''
  return `${peer} is dead: ${silence}; nobody could take over from ${self}${doubt}`
}
