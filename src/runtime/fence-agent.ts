/** The protocol of the fence agents (FenceAgentAPI): options as name=value lines on standard input, exit codes 0, 1 and 2. */
import { readFileSync } from 'node:fs'
import type { FenceDevice, NodeName } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { errorText } from './errors.ts'
import { judged, secretsOf, type FenceDriver, type Power } from './fence-device.ts'
import type { FenceAnswer, FencePrograms } from './fence-program.ts'

const nameForm = /^[A-Za-z0-9_-]+$/
const reachable = [0, 2]

type Parameters = FenceDevice['parameters']

export function agentDriver(device: FenceDevice, programs: FencePrograms): FenceDriver {
  const { agent } = device
  const name = agent.split('/').at(-1) ?? agent
  const parameters = parametersOf(device)
  const named = (action: string, node: NodeName): string => `${name} ${action} for ${node}`

  function ask(action: string, node: NodeName, timeoutMs: Millis): Promise<FenceAnswer> {
    const fault = typeof parameters === 'string' ? parameters : unfit(parameters)
    if (typeof parameters === 'string' || fault !== undefined) return Promise.resolve({ end: 'failed', message: `${named(action, node)}: ${fault ?? ''}` })
    const input = inputOf(parameters, action, node)
    return programs.run({ program: agent, args: [], input, named: named(action, node), secrets: secretsOf(parameters), timeoutMs })
  }
  async function power(node: NodeName, timeoutMs: Millis): Promise<Power> {
    const answer = await ask('status', node, timeoutMs)
    if (answer.end !== 'exited' || !reachable.includes(answer.exitCode)) return 'unknown'
    // Some agents use 2 for wrong arguments, some answer 0 to a question that they do not know: the word must agree where there is one.
    const found = answer.exitCode === 0 ? 'on' : 'off'
    return answer.text.trim() === '' || new RegExp(`status:\\s*${found}\\b`, 'i').test(answer.text) ? found : 'unknown'
  }

  return {
    name, power,
    action: typeof parameters !== 'string' && parameters['action'] === 'reboot' ? 'reboot' : 'off',
    act: async (action, node, timeoutMs) => judged(named(action, node), await ask(action, node, timeoutMs)),
    async reach(node, timeoutMs) {
      // 2: the device is there, and its only outlet is off.
      const said = judged(named('monitor', node), await ask('monitor', node, timeoutMs), reachable)
      if (said.result !== 'done') return said
      const found = await power(node, timeoutMs)
      return { result: 'done', message: `${name} answers${found === 'unknown' ? `, and does not tell whether ${node} is on` : `: ${node} is ${found}`}` }
    },
  }
}

/** A file of its own keeps what others must not read; it has the same lines as the agent's input. A sentence says why it cannot be read. */
function parametersOf({ parameters, parameterFile }: FenceDevice): Parameters | string {
  if (parameterFile === undefined) return parameters
  try {
    const lines = readFileSync(parameterFile, 'utf8').split('\n').filter((line) => line.includes('=') && !line.startsWith('#'))
    const own = lines.map((line): [string, string] => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()])
    return { ...parameters, ...Object.fromEntries(own) }
  } catch (error) {
    return `its parameter file cannot be read: ${errorText(error)}`
  }
}

function unfit(parameters: Parameters): string | undefined {
  const odd = Object.entries(parameters).find(([key, value]) => !nameForm.test(key) || /[\n\r\0]/.test(value))?.[0]
  if (odd === undefined) return undefined
  return `the parameter ${JSON.stringify(odd)} cannot be passed: a name has letters, digits, - and _, a value is one line`
}

/** The last of several lines of one name counts. Agents that need no node or no outlet pass over the line. */
function inputOf(parameters: Parameters, action: string, node: NodeName): string {
  const own = Object.entries(parameters).filter(([name]) => name !== 'action')
  const given = new Set(own.map(([name]) => name))
  const lines: (readonly [string, string])[] = [['action', action], ...own]
  if (!given.has('nodename')) lines.push(['nodename', node])
  if (!given.has('plug') && !given.has('port')) lines.push(['plug', node])
  return lines.map(([name, value]) => `${name}=${value}\n`).join('')
}
