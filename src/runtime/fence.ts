/**
 * Fencing: makes sure by outside programs that a node is off, and says whether that was confirmed. When, and what follows from it,
 * stands in the core. Only what a device answers to a request of this very call counts as confirmation.
 */
import { join } from 'node:path'
import type { ClusterConfig, NodeName } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'
import { createEarlierOperations } from './earlier-operations.ts'
import { agentDriver } from './fence-agent.ts'
import type { FenceDriver, FenceSaid } from './fence-device.ts'
import { createFencePrograms } from './fence-program.ts'
import { stonithDriver } from './fence-stonith.ts'
import type { Notice } from './operations.ts'

export interface FencerOptions {
  readonly devices: ClusterConfig['fenceDevices']
  /** Default /run/hactl/fence: best on a tmpfs. */
  readonly outputDirectory?: string
  /** `fence-trouble`. */
  readonly onNotice: (notice: Notice) => void
}

export interface FenceResult { readonly result: 'confirmed' | 'failed' | 'timed-out'; readonly message: string }

export interface DeviceTest { readonly device: string; readonly result: 'ok' | 'failed' | 'timed-out'; readonly message: string }

export interface Fencer {
  /** Never rejects. Every device of the level must confirm, one after the other. Answers within `timeoutMs` plus the time of a KILL. */
  run(node: NodeName, level: number, timeoutMs: Millis): Promise<FenceResult>
  /** Asks each device of the level whether it is there and knows the node. Nothing is switched. */
  test(node: NodeName, level: number, timeoutMs: Millis): Promise<readonly DeviceTest[]>
  /** Before the first event: ends programs that an earlier daemon left running, for they would fence a node that is well by then. */
  endEarlier(): Promise<readonly string[]>
  /** Ends what runs. */
  close(): void
}

/** The look after an `off`, which only ever takes a confirmation back, is not waited for longer. */
const lookMs: Millis = 5_000
/** Switching on again is a favour, and nobody waits for it. */
const powerOnMs: Millis = 60_000

export function createFencer(options: FencerOptions): Fencer {
  const directory = options.outputDirectory ?? '/run/hactl/fence'
  const notice = (message: string): void => options.onNotice({ code: 'fence-trouble', message })
  const earlier = createEarlierOperations(join(directory, 'running'))
  const programs = createFencePrograms(directory, earlier, notice)
  const driversOf = (node: NodeName, level: number): readonly FenceDriver[] => (options.devices?.[node]?.[level] ?? []).map((device) =>
    device.kind === 'fence-agent' ? agentDriver(device, programs) : stonithDriver(device, programs))

  return {
    async run(node, level, timeoutMs) {
      const drivers = driversOf(node, level)
      if (drivers.length === 0) return { result: 'failed', message: `no fencing device is configured for ${node} at level ${level + 1}` }
      const confirmations: string[] = []
      const endMs = nowMs() + timeoutMs
      for (const driver of drivers) {
        // A node with two power supplies stays up when they are switched off and on one after the other.
        const said = await switchOff(driver, drivers.length > 1 ? 'off' : driver.action, node, endMs)
        if (said.result !== 'done') return { result: said.result, message: said.message }
        confirmations.push(said.message)
      }
      if (drivers.length > 1) for (const driver of drivers) if (driver.action === 'reboot') void switchOn(driver, node, notice)
      return { result: 'confirmed', message: confirmations.join('; ') }
    },
    async test(node, level, timeoutMs) {
      const results: DeviceTest[] = []
      for (const driver of driversOf(node, level)) {
        const { result, message } = await driver.reach(node, timeoutMs)
        results.push({ device: driver.name, result: result === 'done' ? 'ok' : result, message })
      }
      return results
    },
    endEarlier: () => earlier.end(),
    close: () => programs.close(),
  }
}

async function switchOff(driver: FenceDriver, action: 'off' | 'reboot', node: NodeName, endMs: Millis): Promise<FenceSaid> {
  const restMs = endMs - nowMs()
  if (restMs <= 0) return { result: 'timed-out', message: `no time was left for ${driver.name}: the devices before it took all of the level's` }
  const said = await driver.act(action, node, restMs)
  if (said.result !== 'done' || action !== 'off') return said
  const power = await driver.power(node, Math.min(Math.max(endMs - nowMs(), 1), lookMs))
  switch (power) {
    case 'on':
      return { result: 'failed', message: `${said.message}, but its status says afterwards that ${node} is on` }
    case 'off':
      return { result: 'done', message: `${said.message}; its status says that ${node} is off` }
    case 'unknown':
      return said
  }
}

async function switchOn(driver: FenceDriver, node: NodeName, notice: (message: string) => void): Promise<void> {
  const said = await driver.act('on', node, powerOnMs)
  if (said.result !== 'done') notice(`${node} was fenced and could not be switched on again: ${said.message}`)
}
