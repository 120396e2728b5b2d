/**
 * cluster-glue's `stonith`: `-T off|reset NODE` acts, `-l` lists the nodes that the device controls, `-S` asks whether it is there. The
 * parameters go in as the one line of a file (`-F`), in the order that `-n` tells, because name=value would be seen by everybody.
 */
import type { FenceDevice, NodeName } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'
import { judged, type FenceDriver, type FenceSaid } from './fence-device.ts'
import type { FenceAnswer, FencePrograms } from './fence-program.ts'
import { settingOf } from './fence-stonith-setting.ts'

export function stonithDriver(device: FenceDevice, programs: FencePrograms): FenceDriver {
  const { agent } = device
  const name = `stonith ${agent}`
  const failed = (message: string): FenceAnswer => ({ end: 'failed', message })
  const unknown = failed(`stonith knows no device type ${agent}, or it lacks a program here; type: stonith -L; stonith -t ${agent} -n`)

  async function ask(named: string, args: readonly string[], timeoutMs: Millis): Promise<FenceAnswer> {
    const endMs = nowMs() + timeoutMs
    const words = await programs.run({ program: 'stonith', args: ['-t', agent, '-n'], input: '', named: `${name} -n`, secrets: [], timeoutMs })
    if (words.end !== 'exited') return words
    if (words.exitCode !== 0) return unknown
    const setting = settingOf(device, namesIn(words.text))
    if (typeof setting === 'string') return failed(`${named}: ${setting}; type: stonith -t ${agent} -h`)
    const answer = await programs.run({
      program: 'stonith', args: ['-t', agent, ...setting.args, ...args], input: setting.input, environment: setting.environment, named,
      secrets: setting.secrets, timeoutMs: endMs - nowMs(),
    })
    // Of an external plugin that does not exist it says that it has no parameters, and then explains its own use.
    return answer.end === 'exited' && answer.exitCode === 1 && /^usage:$/m.test(answer.text) ? unknown : answer
  }

  /** The null device confirms the end of any node: only one that names the node itself is believed. */
  async function controls(node: NodeName, timeoutMs: Millis): Promise<FenceSaid> {
    const answer = await ask(`${name} -l for ${node}`, ['-l'], timeoutMs)
    const said = judged(`${name} -l for ${node}`, answer)
    if (said.result !== 'done' || answer.end !== 'exited') return said
    const hosts = answer.text.toLowerCase().split(/\s+/).filter((host) => host !== '')
    if (hosts.includes(node.toLowerCase())) return said
    return { result: 'failed', message: `${name} does not control ${node}: its hosts are ${hosts.join(', ') || 'none'}` }
  }

  return {
    name,
    // A reset as in Heartbeat, unless `action: off` is said, which not every plugin can do.
    action: device.parameters['action'] === 'off' ? 'off' : 'reboot',
    async act(action, node, timeoutMs) {
      const endMs = nowMs() + timeoutMs
      const known = await controls(node, timeoutMs)
      if (known.result !== 'done') return known
      const word = action === 'reboot' ? 'reset' : action
      return judged(`${name} ${word} for ${node}`, await ask(`${name} ${word} for ${node}`, ['-T', word, node], endMs - nowMs()))
    },
    // Its -S is about the device, not about the node.
    power: () => Promise.resolve('unknown'),
    async reach(node, timeoutMs) {
      const known = await controls(node, timeoutMs)
      if (known.result !== 'done') return known
      const said = judged(`${name} -S for ${node}`, await ask(`${name} -S for ${node}`, ['-S'], timeoutMs))
      return said.result === 'done' ? { result: 'done', message: `${name} answers and controls ${node}` } : said
    },
  }
}

/** Warnings may stand above the line of names. */
function namesIn(text: string): readonly string[] {
  const line = text.split('\n').findLast((one) => one.trim() !== '') ?? ''
  const names = line.split(/\s+/).filter((word) => word !== '')
  return names.every((word) => /^[\w-]+$/.test(word)) ? names : []
}
