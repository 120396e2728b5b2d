/** A run as text for a reader: records of both nodes merged with the facts of the world, and the options that made it. */
import type { SimulationOptions } from './options.ts'
import type { StoryLine } from './world.ts'

export function storyText(line: StoryLine): string {
  return `${(line.trueMs / 1000).toFixed(3).padStart(10)}  ${line.who.padEnd(7)}  ${line.text}`
}

/** Keeps the last lines only; a run of ten minutes has thousands. */
export function lastLines(count: number): { readonly tell: (line: StoryLine) => void; readonly lines: () => readonly StoryLine[] } {
  const kept: StoryLine[] = []
  return {
    tell: (line) => {
      kept.push(line)
      if (kept.length > 2 * count) kept.splice(0, count)
    },
    lines: () => kept.slice(-count),
  }
}

export function optionsText(options: SimulationOptions): string {
  const { config } = options
  const { timing } = config
  const groups = config.groups.map((group) => {
    const resources = group.resources.map((resource) => (resource.address === undefined ? `${resource.script}${resource.warm ? ' (warm)' : ''}` : resource.address.ip))
    const own = group.autoFailback === undefined ? '' : `, auto_failback ${JSON.stringify(group.autoFailback)}`
    return `  group ${group.name}: ${group.preferredNode} ${resources.join(' ')}${own}`
  })
  const faults = Object.entries(options.faults).filter(([, meanMs]) => meanMs > 0).map(([name, meanMs]) => `${name} ${Math.round(meanMs / 1000)} s`)
  return [
    `  timing: keepalive ${timing.keepaliveMs}, warntime ${timing.warntimeMs}, deadtime ${timing.deadtimeMs}, initdead ${timing.initdeadMs} ms; auto_failback ${JSON.stringify(config.autoFailback)}; failure memory ${config.failureMemoryMs} ms`,
    `  links: ${options.links.join(', ')}; clock rates ${options.clockRates.map((rate) => rate.toFixed(4)).join(' ')}; timers up to ${options.timerLateMs} ms late${options.usesWire ? '; packets over the real wire format' : ''}`,
    ...protectionText(options),
    `  network: ${JSON.stringify(options.network)}`,
    `  operations: ${JSON.stringify(options.operations)}`,
    `  faults (mean distance): ${faults.join(', ') || 'none'}; the administrator ${options.settles ? 'settles' : 'leaves things as they are'} at the end`,
    ...groups,
  ].join('\n')
}

function protectionText({ config, witness, fencing, watchdogMs, adapter }: SimulationOptions): readonly string[] {
  const { lease, ping, flapGuard } = config
  const lines = [
    config.witness === undefined ? '' : `witness ${JSON.stringify(config.witness)} (requests: ${JSON.stringify(witness)})`,
    config.fencing === undefined ? '' : `fencing ${JSON.stringify(config.fencing)} (fails: ${fencing.failProbability})`,
    ping === undefined ? '' : `ping ${JSON.stringify(ping)}`,
    flapGuard === undefined ? '' : `flap guard ${JSON.stringify(flapGuard)}`,
  ]
  return [`  lease ${JSON.stringify(lease)}${config.watchdog ? `, watchdog ${watchdogMs} ms` : ''}${adapter.systemdReleases ? ', systemd' : ''}`, ...lines.filter((line) => line !== '').map((line) => `  ${line}`)]
}
