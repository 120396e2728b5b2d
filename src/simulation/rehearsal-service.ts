/** What clients of each group see in a rehearsal: which node serves it, and for how long nobody or both did. */
import { guestStandsStill, isUp, isWhole, stagesOfGroup, truthOf, type Machine, type StageTruth } from './machine.ts'
import type { World } from './world.ts'

/**
 * `by-both`: an address is on both nodes. `in-part`: something of the group is up on one node, and something is missing.
 * `twice`: scripts that run on both nodes and may not, whoever has the address.
 */
export interface GroupService {
  readonly group: string
  readonly served: 'by-one' | 'in-part' | 'by-nobody' | 'by-both'
  readonly nodes: readonly string[]
  readonly twice: readonly string[]
}

/** A group that is there in part counts as served by nobody. */
export interface ServiceTimes { readonly nobodyMs: number; readonly bothMs: number; readonly twiceMs: number }

export interface ServiceWatch {
  readonly now: () => readonly GroupService[]
  /** Looks at the world; gives the groups whose service has changed since the last look. */
  readonly look: () => readonly GroupService[]
  /** From the first look until now. */
  readonly times: (group: string) => ServiceTimes
}

export function watchService(world: World): ServiceWatch {
  const groups = world.options.config.groups.map(({ name }) => name)
  const spans: { readonly service: GroupService; readonly sinceMs: number }[] = []
  let services = groups.map((group) => serviceOf(world, group))
  const begin = (changed: readonly GroupService[]): void => changed.forEach((service) => void spans.push({ service, sinceMs: world.nowMs }))
  begin(services)
  const look = (): readonly GroupService[] => {
    const before = services
    services = groups.map((group) => serviceOf(world, group))
    const changed = services.filter((service, index) => text(service) !== text(before[index]))
    begin(changed)
    return changed
  }
  const times = (group: string): ServiceTimes => {
    const own = spans.filter(({ service }) => service.group === group)
    const sum = (counts: (service: GroupService) => boolean): number => own.reduce((total, { service, sinceMs }, index) => {
      return counts(service) ? total + (own[index + 1]?.sinceMs ?? world.nowMs) - sinceMs : total
    }, 0)
    return {
      nobodyMs: sum(({ served }) => served === 'by-nobody' || served === 'in-part'),
      bothMs: sum(({ served }) => served === 'by-both'),
      twiceMs: sum(({ twice }) => twice.length > 0),
    }
  }
  return { now: () => services, look, times }
}

function text(service: GroupService | undefined): string {
  return service === undefined ? '' : [service.served, ...service.nodes, '', ...service.twice].join(' ')
}

/** A guest that stands still answers nobody; a stopped daemon's addresses and services answer all the same. */
function answers(machine: Machine): boolean {
  return machine.running && !guestStandsStill(machine)
}

function serviceOf(world: World, group: string): GroupService {
  const awake = world.machines.filter(answers)
  const [first, second] = awake
  const shared = first === undefined || second === undefined ? []
    : stagesOfGroup(first, group).filter((truth) => isOnBoth(truth, truthOf(second, group, truth.index)))
  const twice = shared.filter(({ what }) => what.kind === 'script').map(({ what }) => what.name)
  if (shared.length > twice.length) return { group, served: 'by-both', nodes: awake.map(({ name }) => name), twice }
  const whole = awake.find((machine) => stagesOfGroup(machine, group).every(isWhole))
  if (whole !== undefined) return { group, served: 'by-one', nodes: [whole.name], twice }
  const part = awake.find((machine) => stagesOfGroup(machine, group).some((truth) => !truth.warm && isUp(truth)))
  return part === undefined ? { group, served: 'by-nobody', nodes: [], twice } : { group, served: 'in-part', nodes: [part.name], twice }
}

function isOnBoth(one: StageTruth, other: StageTruth | undefined): boolean {
  if (other === undefined || one.warm) return false
  return one.what.kind === 'script' ? one.running && other.running : [...one.configured].some((ip) => other.configured.has(ip))
}
