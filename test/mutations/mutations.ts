/**
 * Mistakes that somebody could make: a check that is dropped, a comparison that is swapped, a release that is forgotten.
 * `from` stands exactly once in its file. `caughtBy` names the test, which passes without the mutation.
 */
export interface Mutation {
  readonly title: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly caughtBy: { readonly file: string; readonly title: string }
  /** Of vitest, where it is not the one of the unit tests. */
  readonly config?: string
}

const witness = 'test/core/witness.test.ts'
const lease = 'test/core/lease.test.ts'
const wills = 'test/core/wills.test.ts'
const fencing = 'test/core/fencing.test.ts'
const leases = 'test/runtime/addresses-lease.test.ts'
const guard = 'test/runtime/guard.test.ts'
const scriptAddresses = 'test/core/script-addresses.test.ts'
const thirdParties = 'test/core/third-parties.test.ts'

export const mutations: readonly Mutation[] = [
  {
    title: 'a grant counts from when it was answered', file: 'src/core/witness.ts',
    from: 'grant: { leaseId, sentMs, lifeMs, number },', to: 'grant: { leaseId, sentMs: turn.nowMs + 0 * sentMs, lifeMs, number },',
    caughtBy: { file: witness, title: 'the life of a grant counts from when its request left' },
  },
  {
    title: 'a holder keeps the group when its authority ends', file: 'src/core/meeting.ts',
    from: 'if (turn.nowMs < authorityOf(turn.state, group).orderlyMs) return', to: 'if (turn.nowMs > 0) return',
    caughtBy: { file: witness, title: 'a holder that cannot reach the witness releases at 0.8 deadtime, and the peer holds after deadtime' },
  },
  {
    title: 'a dead peer needs no grant', file: 'src/core/permission.ts',
    from: '  if (restsOnWitness(state)) return rulingByWitness(state, group, nowMs)\n', to: '',
    caughtBy: { file: witness, title: 'with the witness out of reach of both, nobody holds: P1 before availability (F13)' },
  },
  {
    title: 'the grant is given back before the lifetimes are short', file: 'src/core/witness.ts',
    from: 'if (now === undefined || !areLeasesShort(turn, now)) return', to: 'if (now === undefined) return',
    caughtBy: { file: witness, title: 'contact comes back: lifetimes are cut to what contact allows, then the grant is given back (F5)' },
  },
  {
    title: 'who has a grant and another permission takes the next claim number', file: 'src/core/claims.ts',
    from: "const byGrant = 'permission' in ruling ? numberOfGrant(group)", to: "const byGrant = 'permission' in ruling && ruling.permission === 'witness' ? numberOfGrant(group)",
    caughtBy: { file: witness, title: 'who takes what a peer left long ago has the number of its grant: the next one that the witness gives is higher' },
  },
  {
    title: 'a grant that nobody waits for is kept', file: 'src/core/witness.ts',
    from: 'if (group === undefined) return returnUnwanted(turn, answer)', to: 'if (group === undefined) return',
    caughtBy: { file: witness, title: 'a grant that comes after contact has returned is given back unused (F4)' },
  },
  {
    title: 'a grant does not go before a claim number', file: 'src/core/meeting.ts',
    from: "const granted = hasGrant(turn, group)", to: "const granted = peer?.granted === true",
    caughtBy: { file: witness, title: 'of two holders that meet, the one with the grant keeps, whatever the claim numbers say (F12)' },
  },
  {
    title: 'a goodbye counts as contact', file: 'src/core/authority.ts',
    from: "if (status === 'dead' || status === 'left') return -Infinity", to: "if (status === 'left') return Infinity\n  if (status === 'dead') return -Infinity",
    caughtBy: { file: witness, title: 'a peer that has left is no contact: its partner needs the grant' },
  },
  {
    title: 'a restarted daemon adopts without a grant', file: 'src/core/permission.ts',
    from: "if (!gone && nowMs < adoptionMs(state, group)) return { refused: 'listening' }", to: "if (!gone) return nowMs < adoptionMs(state, group) ? { refused: 'listening' } : { permission: 'deadtime-alone' }",
    caughtBy: { file: witness, title: 'a restarted daemon that hears nobody adopts what it finds only by a new grant (F6)' },
  },
  {
    title: 'lifetimes ignore authority', file: 'src/core/lease.ts',
    from: 'if (endMs === Infinity) return', to: 'if (endMs !== -1) return',
    caughtBy: { file: lease, title: 'no lifetime outlasts authority: at 0.98 deadtime after the last confirmed send the kernel has nothing left' },
  },
  {
    title: 'lifetimes forget how late the kernel is', file: 'src/core/lease-arithmetic.ts',
    from: 'Math.floor((endMs - nowMs - kernelTimerMs - decisionToKernelMs) / 1_000)', to: 'Math.floor((endMs - nowMs) / 1_000)',
    caughtBy: { file: lease, title: 'no lifetime outlasts authority: at 0.98 deadtime after the last confirmed send the kernel has nothing left' },
  },
  {
    title: 'a node that stood still goes on as before', file: 'src/core/contact.ts',
    from: 'return contact.wokeMs !== undefined', to: 'return contact.wokeMs === -1',
    caughtBy: { file: lease, title: 'an address that the kernel took away while this node stood still comes back only after a fresh confirmation' },
  },
  {
    title: 'a pause raises lifetimes without the promise of the peer', file: 'src/core/raised.ts',
    from: '(contact.confirmed?.sequence ?? -1) >= raising.firstSequence && contact.facts?.promisedForMs !== undefined', to: 'raising.firstSequence > 0',
    caughtBy: { file: 'test/core/pause.test.ts', title: 'a peer whose disk is full promises nothing: its next daemon would not know, and would take what stands here' },
  },
  {
    title: 'a promise of the peer counts before it is on its disk', file: 'src/core/raised.ts',
    from: ' && contact.facts?.promisedForMs !== undefined', to: '',
    caughtBy: { file: 'test/core/pause.test.ts', title: 'a peer whose disk is full promises nothing: its next daemon would not know, and would take what stands here' },
  },
  {
    title: 'a pause is answered before the lifetimes are raised', file: 'src/core/replies.ts',
    from: "waitsFor === undefined && status === 'raised'", to: 'waitsFor === undefined',
    caughtBy: { file: 'test/core/pause.test.ts', title: 'whoever reads that the pair is paused may end the daemon: every lifetime has been raised by then' },
  },
  {
    title: 'the end of a pause forgets the long lifetimes', file: 'src/core/lease-shortening.ts',
    from: 'if (short.every((one) => one)) setState', to: 'if (short.length > 0) setState',
    caughtBy: { file: lease, title: 'what is given up comes off the lifetimes before it is told' },
  },
  {
    title: 'a promise of the peer is not kept', file: 'src/core/permission.ts',
    from: 'if (peerIsRaised(state, nowMs)) return', to: 'if (nowMs < 0) return',
    caughtBy: { file: 'test/core/pause.test.ts', title: 'what the peer said of its addresses during a pause ends with the time that it named' },
  },
  {
    title: 'a stale will is believed', file: 'src/core/wills.ts',
    from: 'if (!isNewest || contact.status === \'left\' || (!fresh && !decidedElsewhere)) return', to: "if (!isNewest || contact.status === 'left') return",
    caughtBy: { file: wills, title: 'a will that is read after a pause proves nothing: the next daemon may hold by now (F3)' },
  },
  {
    title: 'a will of any generation is believed', file: 'src/core/wills.ts',
    from: 'const isNewest = id.generation === contact.newest.generation', to: 'const isNewest = true',
    caughtBy: { file: wills, title: 'the will of a daemon whose successor has been heard is no proof: the successor may hold by now' },
  },
  {
    title: 'addresses that are gone permit a group with scripts', file: 'src/core/wills.ts',
    from: 'return addressesOnly && !state', to: 'return !state',
    caughtBy: { file: wills, title: 'a group with a script that may not run twice waits for the word that it has stopped' },
  },
  {
    title: 'a dead daemon without a will is taken over from at once', file: 'src/core/permission.ts',
    from: "if (isDeadByWill(state)) return { refused: 'listening' }\n", to: '',
    caughtBy: { file: wills, title: 'a daemon that is dead and says no more of a group is waited for until deadtime, not less' },
  },
  {
    title: 'the guard is told of an address after it was added', file: 'src/core/guard-plan.ts',
    from: "const busy = group.operation?.stage === index && group.operation.action !== 'status'", to: 'const busy = false',
    caughtBy: { file: wills, title: 'the guard knows of an address before it is added, and of none that is unclean' },
  },
  {
    title: 'the guard stops scripts although nobody could take over', file: 'src/core/guard-plan.ts',
    from: 'stops: peerTakes ? cold : scripted,', to: 'stops: cold,',
    caughtBy: { file: wills, title: 'the plan of the guard: addresses and, where the peer can take over, stops in reverse order; wills that are true afterwards' },
  },
  {
    title: 'both sides fence at once', file: 'src/core/fencing.ts',
    from: '(first ? 0 : judgingDeadtimeMs(state))', to: '(first ? 0 : 0 * judgingDeadtimeMs(state))',
    caughtBy: { file: fencing, title: 'the survivor waits a deadtime more, fences, and acquires only what is confirmed to be off' },
  },
  {
    title: 'a node that was never in contact fences', file: 'src/core/fenced.ts',
    from: ' && state.contact.confirmed !== undefined', to: '',
    caughtBy: { file: fencing, title: 'a node that was never in contact since its start fences nobody; an administrator may vouch for the peer' },
  },
  {
    title: 'a fencing that failed permits a start', file: 'src/core/fencing.ts',
    from: "if (event.result !== 'confirmed') return fail(turn, fencing, event.message)\n", to: '',
    caughtBy: { file: fencing, title: 'an attempt that fails is tried again, then the next level, then all of it a minute later; nothing starts meanwhile' },
  },
  {
    title: 'a holder with fencing lets go when it is not heard', file: 'src/core/permission.ts',
    from: 'if (restsOnWitness(state) || config.fencing !== undefined) return undefined', to: 'if (restsOnWitness(state) || config.fencing === null) return undefined',
    caughtBy: { file: fencing, title: 'a holder never releases for lack of contact where fencing is configured' },
  },
  {
    title: 'the grant alone starts what must not run twice', file: 'src/core/permission.ts',
    from: "return mustFence ? { needs: 'fencing' } : { permission: 'witness' }", to: "return mustFence && nowMs < 0 ? { needs: 'fencing' } : { permission: 'witness' }",
    caughtBy: { file: fencing, title: 'with a witness the grant comes first, and only a group whose scripts may not run twice is fenced for' },
  },
  {
    title: 'a node that sees no network takes over', file: 'src/core/permission.ts',
    from: "if (!seesAnyPingNode(state)) return { refused: 'no-ping-node' }\n", to: '',
    caughtBy: { file: thirdParties, title: 'a node that sees no ping node takes nothing over from a silent peer' },
  },
  {
    title: 'the flap guard never ends', file: 'src/core/flaps.ts',
    from: 'if (group.flapUntilMs !== undefined && turn.nowMs >= group.flapUntilMs) {', to: 'if (group.flapUntilMs !== undefined && turn.nowMs < 0) {',
    caughtBy: { file: thirdParties, title: 'the flap guard ends by itself' },
  },
  {
    title: 'what still runs at the end of authority is let run', file: 'src/core/self-fencing.ts',
    from: "turn.effects.push({ type: 'reset-host' })", to: 'void turn',
    caughtBy: { file: thirdParties, title: 'the watchdog is told to reset the host once' },
  },
  {
    title: 'an unclean group is started elsewhere', file: 'src/core/placement.ts',
    from: "when: (v) => v.there === 'unclean'", to: "when: (v) => v.there === 'unclean' && v.paused",
    caughtBy: { file: 'test/core/placement.test.ts', title: 'unclean-there' },
  },
  {
    title: 'any packet is consent', file: 'src/core/permission.ts',
    from: ' || confirms.sequence < claim.firstSequence', to: '',
    caughtBy: { file: 'test/core/claims.test.ts', title: 'a packet that the peer sent before it heard the claim is no consent' },
  },
  {
    title: 'a holder that is not heard keeps its group', file: 'src/core/permission.ts',
    from: 'return limitMs <= contact.lastHeardMs + 0.3 * deadtimeMs ? limitMs : undefined', to: 'return limitMs < 0 ? limitMs : undefined',
    caughtBy: { file: 'test/core/step.test.ts', title: 'one way: a holder that is not heard lets go before the peer starts' },
  },
  {
    title: 'a switchover whose target fails is not taken back', file: 'src/core/giving-up.ts',
    from: 'setState(turn, { standby: undefined })', to: 'setState(turn, {})',
    caughtBy: { file: 'test/core/standby.test.ts', title: 'the target fails to start it (once: false): answered when the group is back, not before' },
  },
  {
    title: 'a move is decided without a reason', file: 'src/core/holds.ts',
    from: 'reason: ending.reason,\n', to: '',
    caughtBy: { file: 'test/core/explain.test.ts', title: 'every move of a long story has its reason, its number, and the proof that it rests on' },
  },
  {
    title: 'a core that draws lots', file: 'src/core/advertise.ts',
    from: 'const nextMs = state.nextKeepaliveMs + keepaliveMs', to: 'const nextMs = state.nextKeepaliveMs + keepaliveMs * (1 - Math.random() / 10)',
    caughtBy: { file: 'test/simulation/simulation.test.ts', title: 'the same seed gives the same run' },
  },
  {
    title: 'any digest is a good one', file: 'src/protocol/signature.ts',
    from: '!timingSafeEqual(expected, given)', to: 'timingSafeEqual(expected, given) === undefined',
    caughtBy: { file: 'test/protocol/damage.test.ts', title: 'every flipped bit' },
  },
  {
    title: 'generations may go back', file: 'src/protocol/window.ts',
    from: "if (id.generation < Math.max(newest?.generation ?? 0, floorGeneration)) return { window, verdict: 'old-generation' }\n", to: '',
    caughtBy: { file: 'test/protocol/window.test.ts', title: 'below the highest generation that an earlier daemon heard nothing is used, a will neither' },
  },
  {
    title: 'an answer after the not-after time counts', file: 'src/runtime/addresses-batch.ts',
    from: "return nowMs() > notAfterMs ? { result: 'late' } : { result: 'answered', answer }", to: "return { result: 'answered', answer }",
    caughtBy: { file: leases, title: 'whose time passes before the answer is heard is removed again, after an add and after a renewal' },
  },
  {
    title: 'what comes too late is written all the same', file: 'src/runtime/addresses-batch.ts',
    from: 'if (leftMs < 0) return resolve(undefined)\n', to: '',
    caughtBy: { file: leases, title: 'whose time has passed before the kernel is asked: nothing is added, and what stands keeps its lifetime' },
  },
  {
    title: 'a renewal that may have added the address counts', file: 'src/runtime/addresses-renew.ts',
    from: '!errors.has(index) && answeredMs > wanted.expiresMs', to: '!errors.has(index) && answeredMs < 0',
    caughtBy: { file: leases, title: 'renewed so slowly that the kernel may have ended it before is removed and named; the others are renewed' },
  },
  {
    title: 'the guard says gone without having looked', file: 'resources/lib/guard',
    from: 'for ip in "$@"; do case "$left " in *" $ip "*) return 1 ;; esac; done\n}', to: 'return 0\n}',
    caughtBy: { file: guard, title: 'an address that stays keeps back the wills of its group, and of no other' },
  },
  {
    title: 'the guard leaves running scripts alone', file: 'resources/lib/guard',
    from: '  kill -s KILL -- "-$script" 2>/dev/null\n', to: '',
    caughtBy: { file: guard, title: 'first of all, operations under way and the address program are ended' },
  },
  {
    title: 'a fencing agent is believed against its own status', file: 'src/runtime/fence.ts',
    from: "return { result: 'failed', message: `${said.message}, but its status says afterwards that ${node} is on` }", to: 'return said',
    caughtBy: { file: 'test/runtime/fence.test.ts', title: 'an agent that says off while its status says on has confirmed nothing' },
  },
  {
    title: 'the watchdog is starved only when the time is over', file: 'src/core/self-fencing.ts',
    from: 'turn.nowMs < mustStopByMs - watchdogLeastMs) return', to: 'turn.nowMs < mustStopByMs) return',
    caughtBy: { file: thirdParties, title: 'the watchdog acts when the time is over, and not a second later: it is starved its own second before' },
  },
  {
    title: 'a watchdog that starves is switched off at the end', file: 'src/runtime/watchdog.ts',
    from: '    close() {\n      if (starving || closed) return\n', to: '    close() {\n      if (closed) return\n',
    caughtBy: { file: 'test/runtime/watchdog.test.ts', title: 'once it starves nothing is written any more, not even at the end' },
  },
  {
    title: 'the watchdog is fed whatever the core does', file: 'src/daemon/watchdog-feeding.ts',
    from: 'if (overdueMs() < timeoutMs / 2) watchdog.feed()', to: 'if (overdueMs() < Infinity) watchdog.feed()',
    caughtBy: { file: 'test/daemon/watchdog-feeding.test.ts', title: 'the watchdog is fed four times in its time, and not by a daemon that misses its own deadlines' },
  },
  {
    title: 'an address of Heartbeat\'s script outlives its daemon where nobody could take it', file: 'src/core/guard-plan.ts',
    from: 'stops: peerTakes ? cold : scripted,', to: 'stops: peerTakes ? cold : [],',
    caughtBy: { file: scriptAddresses, title: 'where nobody could take the group, its guard stops the address and leaves the service' },
  },
  {
    title: 'the guard says that addresses are gone which a script has still to take away', file: 'src/core/guard-plan.ts',
    from: "...(scripted.length === 0 ? ['addresses-gone'] as const : [])", to: "'addresses-gone' as const",
    caughtBy: { file: scriptAddresses, title: 'the guard of a dead daemon runs its stop in its turn, and says nothing of addresses before all is stopped' },
  },
  {
    title: 'a script that has no status has died', file: 'src/core/outcomes.ts',
    from: "outcome.result === 'unknown' && stage.statusKind !== 'answers'", to: "outcome.result === 'unknown' && stage.statusKind === 'mute'",
    caughtBy: { file: 'test/core/services.test.ts', title: 'a script whose status never said that it runs is not watched, and does not fail for it' },
  },
  {
    title: 'a stop that failed is forgiven to a script that says nothing', file: 'src/runtime/script-sequence.ts',
    from: 'said === undefined || !saysStopped(said)', to: 'said === undefined',
    caughtBy: { file: 'test/runtime/heartbeats-way.test.ts', title: '"could not stop it: still running" after a stop that failed is no word that it has stopped' },
  },
]
