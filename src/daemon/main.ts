/**
 * `hactl daemon`: opens everything in the order in which a failure costs least, and runs until the core says exit. A start
 * that fails says what is wrong and what to type, and has changed nothing.
 */
import { machineQuestions, startErrors } from '../config/index.ts'
import type { ClusterConfig } from '../core/config.ts'
import { createState } from '../core/create-state.ts'
import type { PersistentState } from '../core/effects.ts'
import type { NodeState } from '../core/state.ts'
import { keyNames } from '../protocol/key-names.ts'
import { openAddresses, type AddressEvents, type Addresses } from '../runtime/addresses.ts'
import { openAnnouncer } from '../runtime/announce.ts'
import { nowMs, wallMs } from '../runtime/clock.ts'
import { watchContests } from '../runtime/contested.ts'
import { openControl } from '../runtime/control-server.ts'
import { errorText, errorTrace } from '../runtime/errors.ts'
import type { Guard } from '../runtime/guard.ts'
import { runningHeartbeat } from '../runtime/heartbeat-process.ts'
import { openHistory } from '../runtime/history.ts'
import { createFencer } from '../runtime/fence.ts'
import { openLinks } from '../runtime/links.ts'
import { openLog } from '../runtime/log.ts'
import { gatherMachineFacts, ownNodeName } from '../runtime/machine-facts.ts'
import { nativeMissingReason } from '../runtime/native.ts'
import { createNotifier } from '../runtime/notify-commands.ts'
import { createOperations, type Notice } from '../runtime/operations.ts'
import { openPings } from '../runtime/pings.ts'
import { createSchedules } from '../runtime/schedules.ts'
import { openServiceNotify, watchdogIntervalMs } from '../runtime/service-notify.ts'
import { openState, type StateFiles } from '../runtime/state-files.ts'
import { openWatchdog } from '../runtime/watchdog.ts'
import { createChronicle, type Chronicle } from './chronicle.ts'
import { scheduleFaults, schedulesOf } from './failback-schedules.ts'
import { openDaemonGuard, succeedEarlierGuard } from './guard.ts'
import { startLoop, type Happening, type Loop } from './loop.ts'
import { perform, type Outside } from './outside.ts'
import { readConfig } from './read-config.ts'
import { startRehearsals, type Rehearsals } from './rehearsal.ts'
import { createReload } from './reload.ts'
import { openDialogue } from './dialogue.ts'
import { inForceKeeper } from './in-force.ts'
import { createRequests } from './requests.ts'
import { startFeeding } from './watchdog-feeding.ts'
import { createWire, keyringOf, type Wire } from './wire.ts'
import { witnessInForce } from './witness.ts'

export interface DaemonOptions { readonly config: string; readonly stateDir: string; readonly control: string }

/** Exit codes: 0 left in order, 1 something outside refused, 2 the configuration is wrong. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { result } = readConfig(options.config)
  const config = result.config
  if (config === undefined) return refuse(result.errors.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`), 2)
  const facts = await gatherMachineFacts(machineQuestions(config))
  const faults = startErrors(result, facts)
  if (faults.length > 0) return refuse(faults.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`), 2)
  const unsound = scheduleFaults(config)
  if (unsound.length > 0) return refuse(unsound, 2)
  const heartbeat = runningHeartbeat()
  if (heartbeat !== undefined) return refuse([besideHeartbeat(heartbeat)], 1)
  try {
    const files = await openState(options.stateDir)
    try {
      return await serveAndClose(options, config, files)
    } finally {
      await files.close()
    }
  } catch (error) {
    return refuse([errorText(error)], 1)
  }
}

function besideHeartbeat(pid: number): string {
  return `Heartbeat runs on this host (pid ${pid}), and two programs must never hold the same addresses. Type: systemctl stop heartbeat ` +
    '(it hands its groups over to its peer), then start hactl again. hactl migrate --check says what will happen'
}

function refuse(messages: readonly string[], exitCode: number): number {
  for (const message of messages) process.stderr.write(`hactl: ${message}\n`)
  process.stderr.write('hactl: the daemon was not started; nothing was changed on this host\n')
  return exitCode
}

/** The core is fed only after everything is open; what happens before waits here. */
interface Gate { loop?: Loop; readonly early: Happening[] }

function pass(gate: Gate, happening: Happening): void {
  if (gate.loop === undefined) gate.early.push(happening)
  else gate.loop.feed(happening)
}

/** What is open is closed again, newest first, also when the start fails half-way: no child and no socket stays behind. */
async function serveAndClose(options: DaemonOptions, config: ClusterConfig, files: StateFiles): Promise<number> {
  const closing: Closing = []
  try {
    return await serve(options, config, files, closing)
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

type Closing = (() => void | Promise<void>)[]

async function serve(options: DaemonOptions, config: ClusterConfig, files: StateFiles, closing: Closing): Promise<number> {
  const self = ownNodeName()
  const peer = config.nodes.find((name) => name !== self) ?? ''
  const log = openLog(config.logFile === undefined ? {} : { file: config.logFile })
  closing.push(() => log.close())
  const history = openHistory(options.stateDir, { onTrouble: (message) => log.warn('history-failed', message) })
  closing.push(() => history.close())
  const names = { nodeName: self, peerName: peer, environment: config.environment, stateDirectory: options.stateDir, logging: config }
  const notifier = createNotifier({ ...names, commands: config.notify, onNotice: (notice) => log.warn(notice.code, notice.message) })
  closing.push(() => notifier.close())
  const chronicle = createChronicle(log, history, (record) => notifier.notify(record))
  const gate: Gate = { early: [] }
  const feed = (happening: Happening): void => pass(gate, happening)
  const native = nativeMissingReason()
  if (native !== undefined) chronicle.say('warning', 'native-calls-missing', `koffi does not load (${native}): arping, systemd-notify and a filter by subnet serve instead, and another host that claims a floating address is not noticed`)
  // Early: the watchdog of a daemon that died is running.
  const edges = openEdges(config, chronicle, gate, closing)
  for (const warning of files.warnings) chronicle.say('warning', 'persist-failed', warning)
  const keep = inForceKeeper(options.stateDir, (message) => chronicle.say('warning', 'persist-failed', message))
  // Before anything can start: a release after our death goes by it.
  await keep(config)
  const { persistent, place } = await succeedEarlierGuard(files, chronicle)
  const later: { guard?: Guard | undefined } = {}
  const addresses = await openFloating(gate, chronicle, closing, (pid, lives) => place?.program(pid, lives))
  const wire = createWire({
    config, self, peer, generation: files.generation, uuid: files.uuid, floorGeneration: persistent?.peerGeneration, chronicle, feed,
    openDialogue: (used) => openDialogue(used, self, peer), reserveGeneration: () => files.reserveGeneration(),
    onSigningChanged: () => later.guard?.resign(),
  })
  const links = await openLinks(config.links, {
    onPacket: (link, bytes) => wire.take(link, bytes),
    onChange: (link, status, reason) => feed({ type: 'link-changed', link, status, reason }),
    onOutlets: () => later.guard?.relink(),
  })
  closing.push(() => links.close())
  wire.attach(links)
  const operations = createOperations({ ...names, onNotice: ({ code, message }) => chronicle.say('warning', code, message) })
  closing.push(() => operations.close())
  later.guard = await openDaemonGuard({ place, wire, links, addresses, operations, chronicle })
  closing.push(() => later.guard?.close())
  const announcer = openAnnouncer(addresses, (message) => chronicle.say('error', 'announce-failed', message))
  closing.push(() => announcer.close())
  const service = openServiceNotify((message) => chronicle.say('warning', 'notify-failed', message))
  const witness = witnessInForce(config, { self, peer, generation: files.generation, onNotice: (message) => chronicle.say('warning', 'witness-trouble', message) })
  closing.push(() => witness.close())
  const reload = createReload({
    path: options.config, initial: config, log, chronicle, feed, state: () => stateOf(gate),
    reply: (id, answer) => requests.reply(id, answer),
    apply(changed) {
      void keep(changed)
      wire.rekey(changed)
      witness.use(changed)
      notifier.setCommands(changed.notify)
      schedules.set(schedulesOf(changed))
    },
  })
  const requests = createRequests({ history, feed, state: () => gate.loop?.state(), reload, trouble: (message) => chronicle.say('warning', 'control-failed', message) })
  const schedules = createSchedules((group) => feed({ type: 'schedule-due', group }))
  closing.push(() => schedules.close())
  schedules.set(schedulesOf(config))
  const outside: Omit<Outside, 'leave'> = {
    wire, addresses, announcer, operations, ...edges, files, service, requests, chronicle, witness, guard: later.guard, feed, state: () => stateOf(gate),
  }
  return runUntilExit(gate, outside, {
    self, peer, config, files, persistent, links: links.names, beside: wire, control: options.control, reload: () => reload(undefined),
  })
}

/** What looks at the network from outside the pair, and what makes sure that a node is off: ping nodes, fencing, the hardware watchdog. */
function openEdges(config: ClusterConfig, chronicle: Chronicle, gate: Gate, closing: Closing): Pick<Outside, 'fencer' | 'watchdog'> {
  const onNotice = ({ code, message }: Notice): void => chronicle.say('warning', code, message)
  const fencer = createFencer({ devices: config.fenceDevices, onNotice })
  closing.push(() => fencer.close())
  if (config.pings !== undefined) {
    const pings = openPings(config.pings, { onChange: (name, reachable) => pass(gate, { type: 'ping-changed', name, reachable }), onNotice })
    closing.push(() => pings.close())
  }
  if (config.watchdogDevice === undefined) return { fencer }
  const watchdog = openWatchdog({ ...config.watchdogDevice, onNotice })
  closing.push(() => watchdog.close())
  const { timeoutMs } = config.watchdogDevice
  closing.push(startFeeding({ watchdog, timeoutMs, overdueMs: () => gate.loop?.overdueMs() ?? 0 }))
  return { fencer, watchdog }
}

/** The floating addresses of this host, and the watch for another host that claims one. */
async function openFloating(gate: Gate, chronicle: Chronicle, closing: Closing, onProgram: NonNullable<AddressEvents['onProgram']>): Promise<Addresses> {
  const addresses = await openAddresses({
    onStripped: strippedCollector(gate),
    onLinkUp: (name) => pass(gate, { type: 'interface-up', interface: name }),
    onRestarted: (reason) => chronicle.say('warning', 'address-program-restarted', reason),
    onProgram,
  })
  closing.push(() => addresses.close())
  const contests = await watchContests(addresses, {
    onContested: (ip, hardwareAddress, name) => pass(gate, { type: 'address-contested', ip, hardwareAddress, interface: name }),
    onBlind: (reason) => chronicle.say('warning', 'native-calls-missing', `another host that claims a floating address is not noticed: ${reason}`),
  })
  closing.push(() => contests.close())
  return addresses
}

function stateOf(gate: Gate): NodeState {
  if (gate.loop === undefined) throw new Error('the loop has not started')
  return gate.loop.state()
}

/** Whoever flushes an interface strips many addresses at once: one event for each stage, in the next round of the loop. */
function strippedCollector(gate: Gate): (ip: string) => void {
  let ips: string[] = []
  const tell = (): void => {
    const all = new Set(ips)
    ips = []
    for (const group of gate.loop?.state().groups ?? []) {
      group.stages.forEach(({ what }, stage) => {
        const lost = what.kind === 'addresses' ? what.addresses.map((one) => one.ip).filter((ip) => all.has(ip)) : []
        if (lost.length > 0) pass(gate, { type: 'addresses-stripped', group: group.name, stage, ips: lost })
      })
    }
  }
  return (ip) => {
    if (ips.length === 0) setImmediate(tell)
    ips.push(ip)
  }
}

interface Run {
  readonly self: string
  readonly peer: string
  readonly config: ClusterConfig
  readonly files: StateFiles
  readonly persistent: PersistentState | undefined
  readonly links: readonly string[]
  readonly control: string
  readonly beside: Wire
  reload(): void
}

async function runUntilExit(gate: Gate, outside: Omit<Outside, 'leave'>, run: Run): Promise<number> {
  // Without a handler the signal ends the process; one that comes before the loop is heeded when it runs.
  let reloadAsked = false
  process.on('SIGHUP', () => {
    if (gate.loop === undefined) reloadAsked = true
    else run.reload()
  })
  const control = await openControl(run.control, outside.requests)
  const { files } = run
  for (const ended of [...await outside.operations.endEarlier(), ...await outside.fencer.endEarlier()]) outside.chronicle.say('warning', 'resources-found', ended)
  const feeding = setInterval(() => outside.service.watchdog(), watchdogIntervalMs() ?? 2_000_000_000)
  const broken = (error: unknown): never => dieOf(outside.chronicle, error)
  let rehearsals: Rehearsals | undefined
  const exitCode = await new Promise<number>((resolve) => {
    const whole: Outside = { ...outside, leave: resolve }
    const initial = createState({
      self: run.self, peer: run.peer, generation: files.generation, config: run.config, links: run.links,
      ...(run.persistent === undefined ? {} : { persistent: run.persistent }), sameBoot: files.sameBoot,
      keyNames: keyNames(keyringOf(run.config)), nowMs: nowMs(), wallMs: wallMs(),
    })
    gate.loop = startLoop({ initial, perform: (effect) => perform(whole, effect), packetsRead: () => run.beside.packetsRead(), beside: run.beside, broken })
    const shutDown = (): void => run.beside.whenAtRest(() => gate.loop?.feed({ type: 'shutdown-requested' }))
    process.on('SIGTERM', shutDown)
    process.on('SIGINT', shutDown)
    process.on('uncaughtException', broken)
    gate.loop.feed({ type: 'tick' })
    rehearsals = startRehearsals(gate.loop.state, outside.addresses, outside.announcer)
    for (const happening of gate.early) gate.loop.feed(happening)
    if (reloadAsked) run.reload()
  })
  gate.loop?.stop()
  rehearsals?.stop()
  clearInterval(feeding)
  await control.close()
  return exitCode
}

/** Whoever does not know its own state should stop nothing: its guard does what was planned for its death. */
function dieOf(chronicle: Chronicle, error: unknown): never {
  chronicle.say('error', 'daemon-left', `a mistake of our own ends this daemon, and its guard does what was planned for that: ${errorTrace(error)}`)
  chronicle.flush()
  process.exit(1)
}
