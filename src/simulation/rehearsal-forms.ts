/**
 * What can be rehearsed: each form is a line of words with names in capitals (NODE, LINK, TIME, WHAT, SCRIPT, ADDRESS),
 * with what it means and what it does to the simulated pair.
 */
import type { AdminCommand } from '../core/admin.ts'
import type { GroupName } from '../core/config.ts'
import type { Scope } from '../core/packet.ts'
import { request, shutDown } from './administrator.ts'
import { startDaemon } from './driver.ts'
import { endService, strip } from './faults.ts'
import { crashAndReboot, crashMachine, killAndRestart, pauseMachine, startMachine } from './hosts.ts'
import { isUp, type Machine, type StageTruth } from './machine.ts'
import { setCut } from './network.ts'
import { startWitness } from './outside-faults.ts'
import { setPing } from './pings.ts'
import type { World } from './world.ts'
import { setWitnessCut } from './witness.ts'

/** What the names of a form stand for, as they were found in the words. */
export interface Found {
  readonly nodes: readonly string[]
  /** Names of simulated links. */
  readonly links: readonly string[]
  readonly timeMs: number
  readonly scope: Scope
  readonly group: GroupName | undefined
  /** A script by its name, or an address. */
  readonly resource: string
}

export interface Form {
  /** Words in small letters are typed as they stand. */
  readonly words: string
  readonly means: string
  readonly needs?: 'witness' | 'fencing' | 'ping'
  readonly act: (world: World, found: Found) => void
}

const requestMs = 60_000
/** RestartSec of the unit. */
const restartMs = 1000
const rebootMs = 30_000

function machineOf(world: World, name: string | undefined): Machine {
  return world.machines.find((machine) => machine.name === name) ?? world.machines[0]
}

function ask(world: World, name: string | undefined, command: AdminCommand): void {
  request(world, machineOf(world, name), command)
}

function setLinks(world: World, names: readonly string[], cut: boolean, from: 0 | 1 | 'both' = 'both'): void {
  for (const link of world.links) if (names.includes(link.name)) setCut(link, from, cut)
}

function setAllLinks(world: World, cut: boolean, from: 0 | 1 | 'both' = 'both'): void {
  setLinks(world, world.links.map(({ name }) => name), cut, from)
}

function setPings(world: World, machine: Machine, reachable: boolean): void {
  for (const name of machine.pings.keys()) setPing(world, machine, name, reachable)
}

function heal(world: World): void {
  setAllLinks(world, false)
  startWitness(world)
  for (const machine of world.machines) {
    setWitnessCut(world, machine, false)
    setPings(world, machine, true)
  }
}

function isolate(world: World, machine: Machine): void {
  setAllLinks(world, true)
  setWitnessCut(world, machine, true)
  setPings(world, machine, false)
}

function truthsOf(machine: Machine, resource: string): readonly StageTruth[] {
  return machine.stages.filter(({ what }) => (what.kind === 'script' ? [what.name, what.resource.script].includes(resource)
    : what.addresses.some(({ ip }) => ip === resource)))
}

/** Where it runs, unless a node was named. */
function whereUp(world: World, { resource, nodes }: Found): { readonly machine: Machine; readonly truth: StageTruth } | undefined {
  const machines = nodes.length > 0 ? [machineOf(world, nodes[0])] : world.machines
  const found = machines.flatMap((machine) => truthsOf(machine, resource).map((truth) => ({ machine, truth })))
  return found.find(({ truth }) => !truth.warm && isUp(truth)) ?? found.find(({ truth }) => isUp(truth)) ?? found[0]
}

function breakScript(world: World, found: Found, action: 'start' | 'stop', untilMs: number): void {
  const machines = found.nodes.length > 0 ? [machineOf(world, found.nodes[0])] : world.machines
  for (const truth of machines.flatMap((machine) => truthsOf(machine, found.resource))) {
    if (action === 'start') truth.startBrokenUntilMs = untilMs
    else truth.stopBrokenUntilMs = untilMs
  }
}

type Act = Form['act']

/** Of forms whose first node is the one that it happens to. */
function on(act: (world: World, machine: Machine, found: Found) => void): Act {
  return (world, found) => act(world, machineOf(world, found.nodes[0]), found)
}

function breaking(action: 'start' | 'stop'): Act {
  return (world, found) => breakScript(world, found, action, Infinity)
}

const networkForms: readonly Form[] = [
  { words: 'lose link LINK', means: 'it, or each link of an interface, is dead', act: (world, { links }) => setLinks(world, links, true) },
  { words: 'heal link LINK', means: 'it carries again', act: (world, { links }) => setLinks(world, links, false) },
  { words: 'partition', means: 'no link carries anything', act: (world) => setAllLinks(world, true) },
  { words: 'cut NODE to NODE', means: 'what the first one sends never arrives', act: on((world, { index }) => setAllLinks(world, true, index)) },
  { words: 'isolate NODE', means: 'no link, no witness, no ping node', act: on(isolate) },
  { words: 'lose ping nodes', means: 'neither node sees a ping node', needs: 'ping',
    act: (world) => world.machines.forEach((machine) => setPings(world, machine, false)) },
  { words: 'lose ping nodes on NODE', means: 'it sees none', needs: 'ping', act: on((world, machine) => setPings(world, machine, false)) },
  { words: 'witness down', means: 'the witness answers nobody', needs: 'witness', act: (world) => { world.witness.down = true } },
  { words: 'witness up', means: 'it answers again', needs: 'witness', act: startWitness },
  { words: 'witness unreachable from NODE', means: 'only that node cannot ask it', needs: 'witness',
    act: on((world, machine) => setWitnessCut(world, machine, true)) },
  { words: 'witness reachable from NODE only', means: 'the other node cannot ask it', needs: 'witness',
    act: on((world, reached) => world.machines.forEach((machine) => setWitnessCut(world, machine, machine !== reached))) },
  { words: 'heal', means: 'links, witness and ping nodes are well again', act: heal },
]

const hostForms: readonly Form[] = [
  { words: 'kill NODE', means: 'the host loses its power', act: on(crashMachine) },
  { words: 'reboot NODE', means: 'no power, and back 30 s later', act: on((world, machine) => crashAndReboot(world, machine, rebootMs)) },
  { words: 'start NODE', means: 'the host, or its daemon, is started',
    act: on((world, machine) => (machine.running ? startDaemon : startMachine)(world, machine)) },
  { words: 'pause NODE TIME', means: 'the whole guest stands still (migration)',
    act: on((world, machine, { timeMs }) => pauseMachine(world, machine, 'guest-pause', timeMs)) },
  { words: 'hang daemon NODE TIME', means: 'SIGSTOP of the daemon; the host lives',
    act: on((world, machine, { timeMs }) => pauseMachine(world, machine, 'stop-signal', timeMs)) },
  { words: 'kill daemon NODE', means: 'kill -9; systemd starts it again 1 s later',
    act: on((world, machine) => killAndRestart(world, machine, restartMs, 'alone')) },
  { words: 'stop daemon NODE', means: 'systemctl stop hactl', act: on((world, machine) => shutDown(world, machine, Infinity)) },
  { words: 'fencing fails', means: 'the fencing device says no', needs: 'fencing', act: (world) => { world.fencingBroken = true } },
  { words: 'fencing works', means: 'it does what it is told', needs: 'fencing', act: (world) => { world.fencingBroken = false } },
]

const serviceForms: readonly Form[] = [
  { words: 'kill service SCRIPT', means: 'it dies where it runs', act: killService },
  { words: 'kill service SCRIPT on NODE', means: 'it dies there', act: killService },
  { words: 'start of SCRIPT fails', means: 'every start fails, on both nodes', act: breaking('start') },
  { words: 'start of SCRIPT fails on NODE', means: 'every start fails there', act: breaking('start') },
  { words: 'stop of SCRIPT fails', means: 'every stop fails, on both nodes', act: breaking('stop') },
  { words: 'stop of SCRIPT fails on NODE', means: 'every stop fails there', act: breaking('stop') },
  { words: 'mend SCRIPT', means: 'its starts and stops succeed again',
    act: (world, found) => { for (const action of ['start', 'stop'] as const) breakScript(world, found, action, 0) } },
  { words: 'strip ADDRESS', means: 'somebody removes it from its interface', act: stripAddress },
]

function killService(world: World, found: Found): void {
  const there = whereUp(world, found)
  if (there !== undefined) endService(world, there.machine, there.truth)
}

function stripAddress(world: World, found: Found): void {
  const there = whereUp(world, found)
  if (there !== undefined) strip(world, there.machine, there.truth)
}

const commandForms: readonly Form[] = [
  { words: 'standby NODE', means: 'hactl standby is typed there', act: standby },
  { words: 'standby NODE SCOPE', means: 'all, local or foreign', act: standby },
  { words: 'online NODE', means: 'hactl online',
    act: (world, { nodes }) => ask(world, nodes[0], { type: 'online', timeoutMs: requestMs }) },
  { words: 'takeover NODE', means: 'hactl takeover', act: takeover },
  { words: 'takeover NODE WHAT', means: 'all, local, foreign or a group', act: takeover },
  { words: 'hactl pause', means: 'no automatic moves', act: (world) => ask(world, undefined, { type: 'pause' }) },
  { words: 'hactl resume', means: 'automatic moves again', act: (world) => ask(world, undefined, { type: 'resume' }) },
  { words: 'cleanup GROUP on NODE', means: 'hactl cleanup GROUP --i-have-checked',
    act: (world, { nodes, group }) => ask(world, nodes[0], { type: 'cleanup', group: group ?? '', timeoutMs: requestMs }) },
]

function standby(world: World, { nodes, scope }: Found): void {
  ask(world, nodes[0], { type: 'standby', scope, once: false, timeoutMs: requestMs })
}

function takeover(world: World, { nodes, scope, group }: Found): void {
  ask(world, nodes[0], { type: 'takeover', target: group === undefined ? scope : { group }, force: false, timeoutMs: requestMs })
}

/** `wait TIME` stands apart: it does nothing to the pair. */
export const forms: readonly Form[] = [...networkForms, ...hostForms, ...serviceForms, ...commandForms]
