/** `hactl fence --test`: do the devices answer that would fence the peer? It asks them as the daemon would, and switches nothing. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterConfig } from '../core/config.ts'
import { readConfig } from '../daemon/read-config.ts'
import { createFencer, type DeviceTest, type Fencer } from '../runtime/fence.ts'
import { ownNodeName } from '../runtime/machine-facts.ts'
import type { CommonOptions } from './options.ts'
import { fail } from './refusal.ts'
import type { Terminal } from './terminal.ts'

/** A level of the configuration has its own; this is for one whose policy is missing. */
const defaultTimeoutMs = 20_000

/** Exit code 0: every device answers. 1: one does not, or there is none. 2: the configuration has errors, or this host is no node of it. */
export async function runFenceTest(options: CommonOptions, terminal: Terminal): Promise<number> {
  const { result } = readConfig(options.config)
  if (!result.ok || result.config === undefined) return fail(`${options.config} has errors; type: hactl check ${options.config}`, 2, terminal)
  return testFencing(result.config, ownNodeName(), terminal)
}

export async function testFencing(config: ClusterConfig, self: string, terminal: Terminal): Promise<number> {
  const peer = config.nodes.find((name) => name !== self)
  if (!config.nodes.includes(self) || peer === undefined) return fail(`this host is called ${self} and is neither ${config.nodes.join(' nor ')}`, 2, terminal)
  if ((config.fenceDevices?.[peer] ?? []).length === 0) return fail(`no fencing device is configured for ${peer}: nothing makes sure that it is off`, 1, terminal)
  // A directory of its own: a daemon that fences at this moment is not disturbed.
  const directory = mkdtempSync(join(tmpdir(), 'hactl-fence-'))
  const onNotice = ({ message }: { readonly message: string }): void => terminal.err(`hactl: ${message}\n`)
  const fencer = createFencer({ devices: config.fenceDevices, outputDirectory: join(directory, 'run'), onNotice })
  try {
    const bad = await testLevels(config, peer, fencer, terminal)
    const verdict = bad === 0 ? `all devices that fence ${peer} answer` : `${bad} of the devices that fence ${peer} would not do it now`
    terminal.out(`${verdict}; nothing was switched\nthose that fence ${self} are tested on ${peer}: type it there, too\n`)
    return bad === 0 ? 0 : 1
  } finally {
    fencer.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One line for each device as it answers; gives the number of those that do not. */
async function testLevels(config: ClusterConfig, peer: string, fencer: Fencer, terminal: Terminal): Promise<number> {
  let bad = 0
  for (const level of (config.fenceDevices?.[peer] ?? []).keys()) {
    const policy = config.fencing?.levels[peer]?.[level]
    for (const test of await fencer.test(peer, level, policy?.timeoutMs ?? defaultTimeoutMs)) {
      if (test.result !== 'ok') bad += 1
      terminal.out(`${lineOf(test, `level ${level + 1}${policy === undefined ? '' : ` (${policy.name})`}`, terminal)}\n`)
    }
  }
  return bad
}

function lineOf({ result, message }: DeviceTest, level: string, { view }: Terminal): string {
  return `${level}  ${result === 'ok' ? view.paint.green('ok') : view.paint.red(result)}  ${message}`
}
