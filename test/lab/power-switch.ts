/** What fencing devices of the lab switch: the power of its hosts, for real. It is reached by files, as a real one by a network of its own. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { repository, type Lab } from './hosts.ts'

export type SwitchState =
  | 'works'
  /** Every request fails. */
  | 'broken'
  /** No request is ever answered. */
  | 'silent'

export interface PowerSwitch {
  /** The agent that asks it, and what it must be told. */
  readonly agent: string
  readonly parameters: Readonly<Record<string, string>>
  /** What was asked and done, in order: `off beta`. Questions are not listed. */
  readonly done: readonly string[]
  become(state: SwitchState): void
  close(): void
}

const lookMs = 10

export function openPowerSwitch(lab: Lab): PowerSwitch {
  const directory = `${lab.dir}/power`
  mkdirSync(directory, { recursive: true })
  const done: string[] = []
  let state: SwitchState = 'works'
  let busy = false

  async function serve(): Promise<void> {
    for (const name of readdirSync(directory).filter((one) => one.endsWith('.request')).sort()) {
      const request = `${directory}/${name}`
      const [action = '', plug = ''] = readFileSync(request, 'utf8').trim().split(' ')
      if (state === 'silent') continue
      rmSync(request)
      const answer = state === 'broken' ? '1 the switch is broken' : await obey(action, plug)
      const path = request.replace(/request$/, 'answer')
      writeFileSync(`${path}.new`, `${answer}\n`)
      renameSync(`${path}.new`, path)
    }
  }
  async function obey(action: string, plug: string): Promise<string> {
    const host = lab.hosts.find((one) => one.name === plug)
    if (host === undefined) return `1 there is no outlet ${plug}`
    if (action === 'status' || action === 'monitor') return host.isUp() ? '0 Status: ON' : '2 Status: OFF'
    if (!['off', 'on', 'reboot'].includes(action)) return `1 Unrecognised action ${action}`
    if (action !== 'on') await host.powerOff()
    if (action !== 'off' && !host.isUp()) await host.powerOn()
    done.push(`${action} ${plug}`)
    return `0 Success: ${action} ${plug}`
  }

  const timer = setInterval(() => {
    if (busy) return
    busy = true
    // A host that ends while it asks takes its files with it, and so does the lab.
    void serve().catch(() => undefined).finally(() => { busy = false })
  }, lookMs)
  return {
    agent: `${repository}/test/lab/fence_lab`,
    parameters: { switch: directory.replace(/^\/proc\/\d+\/root/, '') },
    done,
    become: (next) => { state = next },
    close: () => clearInterval(timer),
  }
}
