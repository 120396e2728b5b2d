/**
 * A small Heartbeat 3.0.6: the state machine of heartbeat-3.md section 5, with the names of rsc.c where they help to compare. Every message
 * is heard by its sender first, before it leaves, so that what it causes leaves earlier. Scripts take `operationMs`; a group counts as
 * running from the beginning of its start to the end of its stop. What the real one would log as a warning or an error stands in `complaints`.
 */
import type { PacketId } from '../../src/core/packet.ts'
import type { Holding, Sign, Word } from '../../src/classic/words.ts'

const none = 0
const local = 1
const foreign = 2
const all = 3
const words: readonly Holding[] = ['none', 'local', 'foreign', 'all']

export interface HeartbeatOptions {
  readonly name: string
  readonly peer: string
  readonly groups: readonly { readonly name: string; readonly preferredNode: string }[]
  readonly autoFailback: boolean
  /** `auto_failback legacy` (5.12): no classes, `ip-request` for each group. */
  readonly legacy?: boolean
  readonly keepaliveMs: number
  readonly deadtimeMs: number
  readonly initdeadMs: number
  operationMs: number
  now(): number
  later(afterMs: number, action: () => void): void
  transmit(id: PacketId, heard: Word | Sign): void
}

type State = 'INIT' | 'STARTING' | 'BOTHSTARTING' | 'RSCRCVD' | 'STABLE' | 'SHUTDOWN'

export interface Heartbeat {
  readonly running: Set<string>
  readonly complaints: string[]
  readonly isUp: () => boolean
  readonly holds: () => Holding
  readonly isStable: () => boolean
  /** Its scripts run: whatever it is told now it does beside them, as the real one does. */
  readonly isBusy: () => boolean
  /** Groups are started again by the next daemon only if it takes them; a kill leaves them running, a crash of the host does not. */
  start(generation: number): void
  kill(): void
  crash(): void
  shutDown(): void
  /** An administrator runs req_resource there. */
  request(key: string): void
  standby(holding: Holding): void
  takeover(holding: Holding): void
  /** ipfail tells what it sees. */
  tellPings(seen: number): void
  hear(generation: number, heard: Word | Sign): void
}

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const running = new Set<string>()
  const complaints: string[] = []
  /** Of the daemon that runs; timers of an earlier one find another. */
  let life = 0
  let up = false
  let generation = 0
  let sequence = 0
  let nodeStatus: 'init' | 'up' | 'active' = 'init'
  let listens = false
  let state: State = 'INIT'
  let iHold = none
  let otherHolds = none
  let otherIsStable = false
  let takeoverInProgress = false
  let needsFailback = false
  let goingStandby: 'NOT' | 'ME' | 'OTHER' | 'DONE' = 'NOT'
  let standbyUntilMs = 0
  let standbyType = none
  let localTakeoverMs = 0
  let children = 0
  let queue: (() => void)[] = []
  let wantsShutdown = false
  let shuttingDown = false
  let restarts = false
  let repnodesHeard = false
  let startedMs = 0
  let commUp = false
  let peerStatus: 'unknown' | 'alive' | 'dead' = 'unknown'
  let peerGeneration = 0
  let peerActive = false
  let peerHeardMs = 0
  let peerDeadtimeMs = options.deadtimeMs

  const encode = (holding: Holding): number => words.indexOf(holding)
  const decode = (bits: number): Holding => words[bits] ?? 'none'
  const ours = (): readonly string[] => options.groups.filter((group) => group.preferredNode === options.name).map(({ name }) => name)
  const others = (): readonly string[] => options.groups.filter((group) => group.preferredNode !== options.name).map(({ name }) => name)
  const keysOf = (bits: number): readonly string[] => [...(bits & local ? ours() : []), ...(bits & foreign ? others() : [])]

  function later(afterMs: number, action: () => void): void {
    const mine = life
    options.later(afterMs, () => { if (life === mine && up) action() })
  }

  function send(heard: Word | Sign): void {
    sequence += 1
    const id = { generation, sequence }
    if ('word' in heard) hearOwn(heard)
    else if (heard.sign === 'goodbye') processShutdone(true)
    options.transmit(id, heard)
  }

  function sendHeld(stable: boolean, info?: string): void {
    send({ word: 'resource', holds: decode(iHold), full: true, stable, ...(info === undefined ? {} : { info }) })
  }

  function isStable(): boolean {
    if (options.legacy === true) return children === 0
    if (shuttingDown && state === 'INIT') return true
    return otherIsStable && !takeoverInProgress && goingStandby === 'NOT' && standbyUntilMs === 0 && children === 0 && ['STABLE', 'SHUTDOWN', 'INIT'].includes(state)
  }

  /** A child: its operations one after the other, then `finish`. */
  function child(operations: readonly (() => void)[], finish: () => void): void {
    children += 1
    const run = (index: number): void => {
      const operation = operations[index]
      if (operation === undefined) {
        finish()
        children -= 1
        startNext()
        shutdownIfNeeded()
        return
      }
      operation()
      later(options.operationMs, () => run(index + 1))
    }
    later(1, () => run(0))
  }

  /** rc.d/ip-request */
  function giveAndAnswer(key: string): void {
    const owned = running.has(key)
    child(owned ? [give(key)] : [() => undefined], () => send({ word: 'ip-answer', key, owned }))
  }

  const take = (key: string) => (): void => { running.add(key) }
  const give = (key: string) => (): void => { later(options.operationMs * 0.9, () => running.delete(key)) }

  function enqueue(task: () => void): void {
    queue.push(task)
    startNext()
  }

  function startNext(): void {
    if (children > 0) return
    queue.shift()?.()
  }

  /** req_resource of each key: where no other node is active it takes them without asking. */
  function requestByKeys(): void {
    const alone = !peerActive
    children += 1
    later(5, () => {
      for (const key of ours()) {
        if (running.has(key)) continue
        if (alone) enqueue(() => child([take(key)], () => undefined))
        else send({ word: 'ip-request', key })
      }
      children -= 1
      startNext()
      shutdownIfNeeded()
    })
  }

  function requestOurs(anyway: boolean): void {
    if (shuttingDown) return
    if (options.legacy === true) return requestByKeys()
    if (((otherHolds & foreign) !== 0 || (iHold & local) !== 0) && !anyway && goingStandby === 'NOT') return
    iHold |= local
    children += 1
    later(5, () => {
      for (const key of ours()) if (!running.has(key)) enqueue(() => child([take(key)], () => undefined))
      sendHeld(true, 'req_our_resources()')
      children -= 1
      startNext()
      shutdownIfNeeded()
    })
  }

  function takeoverFromPeer(): void {
    if (shuttingDown) return shutdownIfNeeded()
    if (options.legacy === true) {
      enqueue(() => child(others().map(take), () => undefined))
      return requestOurs(true)
    }
    enqueue(() => child(others().map(take), () => send({ word: 'resource', holds: 'foreign', full: false, info: 'mach_down' })))
    iHold |= foreign
    otherHolds = none
    otherIsStable = true
    takeoverInProgress = true
    requestOurs(true)
  }

  function recoverDead(): void {
    standbyUntilMs = 0
    goingStandby = 'NOT'
    if (shuttingDown) {
      if (state !== 'SHUTDOWN' && state !== 'STABLE') giveUp()
      return
    }
    needsFailback = true
    send({ word: 'stonith', node: options.peer, result: peerGeneration > 0 && otherHolds === none ? 'unneeded' : 'n_stnth' })
    if (options.legacy === true) return takeoverFromPeer()
    if (peerGeneration > 0 && otherHolds === none) {
      if ((iHold & local) === 0) requestOurs(true)
      if ((iHold & foreign) === 0) takeoverFromPeer()
    } else takeoverFromPeer()
  }

  function autoFailback(): void {
    if ((iHold & foreign) === 0 || !needsFailback || !options.autoFailback) {
      needsFailback = false
      shutdownIfNeeded()
      return
    }
    if (goingStandby === 'NOT' && (!otherIsStable || state !== 'STABLE' || takeoverInProgress || children > 0)) return later(1_000, autoFailback)
    needsFailback = false
    if (goingStandby !== 'NOT') return complain('Auto failback ignored.')
    standbyType = foreign
    send({ word: 'ask', holds: 'foreign', step: 'me' })
  }

  function complain(message: string): void {
    complaints.push(`${Math.round(options.now())} ${message}`)
  }

  function hearOwn(word: Word): void {
    if (word.word === 'resource') processResource(word, true)
    if (word.word === 'ask') askForResources(word, true)
  }

  function processStarting(): void {
    let next = state
    if (state === 'STARTING') next = 'BOTHSTARTING'
    else if (state === 'INIT' || state === 'BOTHSTARTING') return complain(`Received 'starting' message in state ${state}`)
    otherIsStable = false
    if (takeoverInProgress) complain('T_STARTING received during takeover.')
    sendHeld(state === 'STABLE')
    state = next
    afterResources()
  }

  function processResource(word: Extract<Word, { word: 'resource' }>, own: boolean): void {
    shutdownIfNeeded()
    const n = encode(word.holds)
    const update = (before: number): number => (word.full ? n : n === none ? none : n | before)
    let next: State = state
    if (state === 'STARTING' || state === 'BOTHSTARTING') next = 'RSCRCVD'
    else if (state === 'INIT') return complain('resource message received in state INIT')
    if (!own) {
      otherHolds = update(otherHolds)
      if (word.stable === true && !otherIsStable) {
        otherIsStable = true
        sendHeld(state === 'STABLE')
        autoFailback()
      } else if (word.stable === false) otherIsStable = false
      if (state !== 'STABLE' && state !== 'SHUTDOWN' && otherIsStable) {
        requestOurs(false)
        next = 'STABLE'
        sendHeld(true)
        autoFailback()
      }
    } else {
      iHold = update(iHold)
      if (word.info === 'mach_down') {
        takeoverInProgress = false
        iHold |= foreign
        needsFailback = true
        otherIsStable = true
      } else if (word.info === 'shutdown') next = 'SHUTDOWN'
    }
    // Where the shutdown began meanwhile the real one forgets that again, and is at rest by its own word while it stops: too rare to play.
    if (!shuttingDown) state = next
    afterResources()
  }

  function processShutdone(own: boolean): void {
    if (own) {
      state = 'SHUTDOWN'
      iHold = none
      return
    }
    if (options.legacy === true) return takeoverFromPeer()
    otherIsStable = true
    otherHolds = none
    if (iHold !== all && !shuttingDown) {
      goingStandby = 'DONE'
      goStandbyTake(iHold === foreign ? local : iHold === local ? foreign : all)
      needsFailback = true
      takeoverFromPeer()
    }
    afterResources()
  }

  function afterResources(): void {
    if (state === 'RSCRCVD' && localTakeoverMs === 0) localTakeoverMs = options.now() + 10_000
    audit()
    shutdownIfNeeded()
  }

  function audit(): void {
    if (options.legacy === true) return
    if ((iHold & local) !== 0 && (otherHolds & foreign) !== 0) complain('Both machines own our resources!')
    if ((otherHolds & local) !== 0 && (iHold & foreign) !== 0) complain('Both machines own foreign resources!')
    if (!isStable() || shuttingDown || state === 'SHUTDOWN') return
    if ((iHold & local) === 0 && (otherHolds & foreign) === 0) complain('No one owns our local resources!')
    if ((otherHolds & local) === 0 && (iHold & foreign) === 0) complain('No one owns foreign resources!')
  }

  function askForResources(word: Extract<Word, { word: 'ask' }>, own: boolean): void {
    // 'Standby mode only implemented when nice_failback on'
    if (options.legacy === true) return
    if (state === 'SHUTDOWN') return
    const rtype = encode(word.holds)
    const nowMs = options.now()
    if (standbyUntilMs !== 0 && nowMs < standbyUntilMs && word.step === 'me') return complain('Standby in progress- new request ignored')
    const ignored = (): void => complain(`Ignored standby message '${word.step}' from ${own ? 'me' : 'peer'} in state ${goingStandby}`)
    switch (goingStandby) {
      case 'NOT':
        if (!otherIsStable) return complain(`standby message [${word.step}] ignored.  Other side is in flux.`)
        if (state !== 'STABLE') return complain(`standby message [${word.step}] ignored.  local resources in flux.`)
        standbyType = rtype
        if (word.step !== 'me') return ignored()
        otherIsStable = false
        if (own) {
          standbyUntilMs = nowMs + 10_000
          goingStandby = 'ME'
        } else {
          goingStandby = 'OTHER'
          send({ word: 'ask', holds: decode(standbyType), step: 'other' })
          standbyUntilMs = nowMs + 3_600_000
        }
        break
      case 'ME':
        if (!own) {
          standbyType = rtype
          standbyUntilMs = nowMs + 3_600_000
          if (word.step !== 'other') return ignored()
          goStandbyGive(rtype)
        } else if (word.step === 'done') {
          goingStandby = 'DONE'
          iHold &= ~standbyType
          standbyUntilMs = nowMs + 3_600_000
        } else ignored()
        break
      case 'OTHER':
        standbyType = rtype
        if (word.step === 'done' && !own) {
          standbyUntilMs = nowMs + 3_600_000
          goStandbyTake(rtype)
          goingStandby = 'DONE'
        } else if (!own || word.step !== 'other') ignored()
        break
      case 'DONE':
        standbyType = rtype
        if (word.step !== 'done') return ignored()
        standbyUntilMs = 0
        goingStandby = 'NOT'
        if (own) iHold |= rtype === local ? foreign : rtype === foreign ? local : rtype
        sendHeld(true)
    }
    shutdownIfNeeded()
  }

  function goStandbyGive(bits: number): void {
    otherIsStable = false
    iHold &= ~bits
    sendHeld(false, 'standby')
    child(keysOf(bits).map(give), () => send({ word: 'ask', holds: decode(standbyType), step: 'done' }))
  }

  function goStandbyTake(bits: number): void {
    const acts = bits === foreign ? local : bits === local ? foreign : bits
    if (acts === none) {
      complain('no resources to acquire')
      return child([], () => undefined)
    }
    child(keysOf(acts).map(take), () => send({ word: 'ask', holds: decode(bits), step: 'done' }))
  }

  function shutdownIfNeeded(): void {
    if (wantsShutdown) giveUp()
  }

  function giveUp(): void {
    if (shuttingDown) return
    if (!isStable()) {
      wantsShutdown = true
      return
    }
    wantsShutdown = false
    shuttingDown = true
    iHold = none
    state = 'SHUTDOWN'
    if (options.legacy !== true) sendHeld(false, 'shutdown')
    child(keysOf(all).map(give), () => {
      send({ sign: 'goodbye' })
      later(restarts ? 100 : 2_000, () => {
        up = false
        life += 1
        const next = generation + 1
        if (restarts) options.later(options.deadtimeMs + 1_000, () => { if (!up) self.start(next) })
      })
    })
  }

  function becomeActive(): void {
    nodeStatus = 'active'
    sendStatus()
    listens = true
    if (options.legacy === true) return peerStatus === 'dead' ? recoverDead() : requestOurs(false)
    send({ word: 'starting' })
    state = 'STARTING'
    if (peerStatus === 'dead') recoverDead()
  }

  function sendStatus(): void {
    send({ sign: 'status', nodeStatus, deadtimeMs: options.deadtimeMs })
  }

  function keepAlive(): void {
    sendStatus()
    later(options.keepaliveMs, keepAlive)
  }

  /** Every 250 ms in the real one. */
  function look(): void {
    const nowMs = options.now()
    const limitMs = commUp ? peerDeadtimeMs : options.initdeadMs
    if (peerStatus !== 'dead' && nowMs - Math.max(peerHeardMs, startedMs) > limitMs) {
      peerStatus = 'dead'
      peerActive = false
      if (commUp && listens) recoverDead()
    }
    if (!commUp && peerStatus !== 'unknown') {
      commUp = true
      if (peerStatus === 'alive') askNodes()
    }
    if (commUp && nodeStatus === 'up' && (peerStatus === 'dead' || repnodesHeard)) becomeActive()
    if (state === 'RSCRCVD' && localTakeoverMs !== 0 && nowMs > localTakeoverMs) {
      state = 'STABLE'
      requestOurs(false)
      sendHeld(true)
    }
    later(250, look)
  }

  function askNodes(): void {
    if (repnodesHeard || nodeStatus !== 'up' || peerStatus !== 'alive') return
    send({ word: 'reqnodes' })
    later(1_000, askNodes)
  }

  const self: Heartbeat = {
    running,
    complaints,
    isUp: () => up,
    holds: () => decode(iHold),
    isStable,
    isBusy: () => up && (children > 0 || queue.length > 0 || goingStandby !== 'NOT'),
    start(next) {
      life += 1
      up = true
      generation = next
      sequence = 0
      nodeStatus = 'init'
      listens = false
      state = 'INIT'
      iHold = otherHolds = none
      otherIsStable = takeoverInProgress = needsFailback = wantsShutdown = shuttingDown = restarts = repnodesHeard = commUp = false
      goingStandby = 'NOT'
      standbyUntilMs = localTakeoverMs = children = 0
      queue = []
      startedMs = options.now()
      peerStatus = 'unknown'
      peerActive = false
      peerGeneration = 0
      peerHeardMs = 0
      peerDeadtimeMs = options.deadtimeMs
      sendStatus()
      nodeStatus = 'up'
      sendStatus()
      later(options.keepaliveMs, keepAlive)
      later(250, look)
    },
    kill() {
      up = false
      life += 1
    },
    crash() {
      self.kill()
      running.clear()
    },
    shutDown: () => giveUp(),
    request: (key) => { if (up && listens) send({ word: 'ip-request', key }) },
    standby: (holding) => { if (up && listens) send({ word: 'ask', holds: holding, step: 'me' }) },
    takeover: (holding) => send({ word: 'takeover', holds: holding }),
    tellPings: (seen) => send({ word: 'pings', seen }),
    hear(theirGeneration, heard) {
      if (!up || theirGeneration < peerGeneration) return
      if (standbyUntilMs !== 0 && options.now() >= standbyUntilMs) {
        complain('No reply to standby request.  Standby request cancelled.')
        standbyUntilMs = 0
        otherIsStable = true
        goingStandby = 'NOT'
        shutdownIfNeeded()
      }
      if ('sign' in heard && heard.sign === 'status') {
        const restarted = theirGeneration > peerGeneration
        if (!restarted && peerStatus === 'dead' && commUp) {
          complain('Cluster node returning after partition.')
          restarts = true
          later(2_000, () => giveUp())
        }
        peerGeneration = theirGeneration
        peerStatus = 'alive'
        peerActive = heard.nodeStatus === 'active'
        peerHeardMs = options.now()
        peerDeadtimeMs = heard.deadtimeMs
        return
      }
      if (theirGeneration !== peerGeneration) return
      if ('sign' in heard) return listens ? processShutdone(false) : undefined
      if (heard.word === 'reqnodes') return send({ word: 'repnodes', nodes: [options.name, options.peer].sort() })
      if (heard.word === 'repnodes') { repnodesHeard = true; return }
      if (heard.word === 'takeover') {
        const mapped: Readonly<Record<Holding, Holding>> = { all: 'all', local: 'foreign', foreign: 'local', none: 'all' }
        enqueue(() => child([() => undefined], () => self.standby(mapped[heard.holds])))
        return
      }
      if (!listens) return
      if (heard.word === 'ip-request') return enqueue(() => giveAndAnswer(heard.key))
      if (heard.word === 'ip-answer') {
        if (!shuttingDown) enqueue(() => child([take(heard.key)], () => undefined))
        return
      }
      if (options.legacy === true) {
        if (heard.word === 'ask') complain(`${heard.word} in legacy mode`)
        return
      }
      if (heard.word === 'starting') processStarting()
      else if (heard.word === 'resource') processResource(heard, false)
      else if (heard.word === 'ask') askForResources(heard, false)
      else if (heard.word === 'pings-answer' && heard.answer === 'you-are-dead') later(2 * options.keepaliveMs, () => self.standby('all'))
    },
  }
  return self
}
