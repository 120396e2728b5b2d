/** The commands of a scenario that act on a running world; scenario-setting.ts has those that describe the pair. */
import type { AdminCommand } from '../core/admin.ts'
import type { Action, Outcome } from '../core/events.ts'
import type { Scope } from '../core/packet.ts'
import { reload, request, shutDown } from './administrator.ts'
import { killDaemon, startDaemon } from './driver.ts'
import { endService, strip } from './faults.ts'
import { holdersOf } from './holders.ts'
import { crashMachine, pauseMachine, startMachine } from './hosts.ts'
import { isWhole, stagesOfGroup, type Machine, type PauseKind, type StageTruth } from './machine.ts'
import { setCut } from './network.ts'
import { blockChild, fencing, guard, ping, witness } from './scenario-outside.ts'
import { durationMs, failbackOf, timingFrom } from './scenario-words.ts'
import { runUntil, tell, type World } from './world.ts'

type Say = (line: string) => void

const commands: Readonly<Record<string, (world: World, words: readonly string[], say: Say) => void>> = {
  run: (world, [duration = '']) => runUntil(world, world.nowMs + durationMs(duration)),
  start: (world, names) => names.map((name) => machineNamed(world, name)).forEach((machine) => (machine.running ? startDaemon : startMachine)(world, machine)),
  crash: (world, [name]) => crashMachine(world, machineNamed(world, name)),
  // `kill-daemon alpha with-guard`: all of its processes
  'kill-daemon': (world, [name, how]) => killDaemon(world, machineNamed(world, name), how === 'with-guard' ? 'with-guard' : 'alone'),
  stop: (world, [name]) => shutDown(world, machineNamed(world, name), Infinity),
  pause: (world, [name, duration = '', kind = 'stop-signal']) => pauseMachine(world, machineNamed(world, name), kind as PauseKind, durationMs(duration)),
  cut: (world, [link = '', direction]) => cut(world, link, direction, true),
  heal: (world, [link = 'all', direction]) => cut(world, link, direction, false),
  hactl: (world, [name, ...words]) => void request(world, machineNamed(world, name), commandOf(words)),
  reload: (world, [name, ...words]) => reloadAs(world, machineNamed(world, name), words),
  fail: (world, words) => force(world, words, { result: 'failed', exitCode: 1, message: 'the script said no' }),
  hang: (world, words) => force(world, words, { result: 'timed-out', message: 'killed' }),
  break: (world, [action, resource = '', , name]) => setBroken(stageNamed(machineNamed(world, name), resource), action, Infinity),
  mend: (world, [action, resource = '', , name]) => setBroken(stageNamed(machineNamed(world, name), resource), action, 0),
  die: (world, [resource = '', , name]) => endService(world, machineNamed(world, name), stageNamed(machineNamed(world, name), resource)),
  strip: (world, [resource = '', , name]) => strip(world, machineNamed(world, name), stageNamed(machineNamed(world, name), resource)),
  disk: (world, [name, state]) => {
    machineNamed(world, name).disk.full = state === 'full'
  },
  witness: (world, [how = '', ...words]) => {
    const names = words.filter((word) => world.machines.some((machine) => machine.name === word))
    witness(world, how, names.map((name) => machineNamed(world, name)), words.slice(names.length))
  },
  ping: (world, [how, name, ...pings]) => ping(world, how, machineNamed(world, name), pings),
  fencing: (world, [how]) => fencing(world, how),
  guard: (world, [, name]) => guard(world, machineNamed(world, name)),
  block: (world, [, name, duration = '']) => blockChild(world, machineNamed(world, name), duration),
  status: (world, _words, say) => status(world, say),
}

/** Throws for words that nobody knows: a scenario is written by hand. */
export function obey(world: World, command: string, say: Say): void {
  const [word = '', ...words] = command.split(/\s+/)
  const act = commands[word]
  if (act === undefined) throw new Error(`unknown scenario command ${JSON.stringify(command)}; known: ${Object.keys(commands).join(', ')}`)
  act(world, words, say)
}

function machineNamed(world: World, name: string | undefined): Machine {
  const machine = world.machines.find((one) => one.name === name)
  if (machine === undefined) throw new Error(`a scenario has the nodes alpha and beta, not ${JSON.stringify(name)}`)
  return machine
}

/** By a script's name, or by any address of its stage. */
function stageNamed(machine: Machine, resource: string): StageTruth {
  const truth = machine.stages.find(({ what }) => (what.kind === 'script' ? what.name === resource : what.addresses.some((address) => address.ip === resource)))
  if (truth === undefined) throw new Error(`no group has a resource ${JSON.stringify(resource)}`)
  return truth
}

/** `cut eth0`, `cut all alpha->beta` */
function cut(world: World, name: string, direction: string | undefined, isCut: boolean): void {
  const links = world.links.filter((link) => name === 'all' || link.name === name)
  if (links.length === 0) throw new Error(`no link is called ${JSON.stringify(name)}`)
  const from = direction === undefined ? 'both' : machineNamed(world, direction.split('->')[0]).index
  tell(world, 'network', `${name} ${isCut ? 'cut' : 'heals'}${direction === undefined ? '' : ` ${direction}`}`)
  for (const link of links) setCut(link, from, isCut)
}

function commandOf(words: readonly string[]): AdminCommand {
  const [word = '', ...rest] = words
  const timeoutMs = 60_000
  const option = (name: string): boolean => rest.includes(name)
  const target = rest.find((one) => !one.startsWith('--')) ?? 'all'
  const isScope = (one: string): one is Scope => one === 'all' || one === 'local' || one === 'foreign'
  switch (word) {
    case 'standby':
      return { type: 'standby', scope: isScope(target) ? target : 'all', once: option('--once'), timeoutMs }
    case 'takeover':
      return { type: 'takeover', target: isScope(target) ? target : { group: target }, force: option('--force'), timeoutMs }
    case 'online':
      return { type: 'online', timeoutMs }
    case 'cleanup':
    case 'clear':
      return { type: word, group: target, timeoutMs }
    case 'pause':
    case 'resume':
      return { type: word }
    default:
      throw new Error(`no administrator can type hactl ${words.join(' ')} in a scenario`)
  }
}

function reloadAs(world: World, machine: Machine, words: readonly string[]): void {
  const at = words.indexOf('auto_failback')
  const timing = timingFrom(machine.config.timing, at === -1 ? words : words.slice(0, at))
  machine.config = {
    ...machine.config,
    timing,
    ...(at === -1 ? {} : { autoFailback: failbackOf(words[at + 1] ?? '') }),
    digests: { ...machine.config.digests, timing: String(timing.deadtimeMs) },
  }
  reload(world, machine)
}

/** `fail start apache2 on beta`: the next one only. */
function force(world: World, words: readonly string[], outcome: Outcome): void {
  const [action, resource = '', , name] = words
  stageNamed(machineNamed(world, name), resource).forced.push({ action: action as Action, outcome })
}

function setBroken(truth: StageTruth, action: string | undefined, untilMs: number): void {
  if (action === 'start') truth.startBrokenUntilMs = untilMs
  else truth.stopBrokenUntilMs = untilMs
}

function status(world: World, say: Say): void {
  for (const group of world.options.config.groups) {
    const holders = holdersOf(world, group.name).map((machine) => `${machine.name}${stagesOfGroup(machine, group.name).every(isWhole) ? '' : ' in part'}`)
    const said = world.machines.map((machine) => {
      const report = machine.daemon === undefined ? undefined : world.core.statusReport(machine.daemon.state, machine.daemon.lastMs)
      const own = report?.groups.find((one) => one.name === group.name)
      return own === undefined ? `${machine.name} has no daemon` : `${machine.name} says ${own.state}, ${own.reason}`
    })
    say(`${group.name}: on ${holders.join(' and ') || 'no node'}; ${said.join('; ')}`)
  }
}
