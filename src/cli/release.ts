/**
 * `hactl release --all`: stops what this node holds when there is no daemon to do it (ExecStopPost of the unit). It waits for the
 * daemon's guard first; after a failure of the daemon it does no more than the guard would have done. Typed by a person it stops all:
 * addresses go first, for nobody renews this node's right to them; then scripts stop in reverse order, each within its timeout.
 */
import { readFile } from 'node:fs/promises'
import type { GroupConfig, ResourceConfig } from '../core/config.ts'
import type { PersistentState } from '../core/effects.ts'
import type { Outcome } from '../core/events.ts'
import { isWarm, resourceName, stagesOf } from '../core/stage.ts'
import { openAddresses } from '../runtime/addresses.ts'
import { writeAtomically } from '../runtime/atomic-file.ts'
import { daemonRuns } from '../runtime/control-client.ts'
import { errorCode, errorText } from '../runtime/errors.ts'
import { runningHeartbeat } from '../runtime/heartbeat-process.ts'
import { ownNodeName } from '../runtime/machine-facts.ts'
import { createOperations, type Operations } from '../runtime/operations.ts'
import { formatState, parseState } from '../runtime/persistent-state.ts'
import { lockDirectory, type StateLock } from '../runtime/state-lock.ts'
import { readUncleanNotes, withUnclean } from '../runtime/unclean-notes.ts'
import type { CommonOptions } from './options.ts'
import { groupsToRelease, readInForce } from '../daemon/in-force.ts'
import { readConfig } from '../daemon/read-config.ts'
import { awaitGuards, releaseByGuard } from './release-guard.ts'
import type { Terminal } from './terminal.ts'

/** A daemon ends so before it looks at anything. What one before it left, was released at the end of that one. */
const refusedConfiguration = '2'

interface Release { readonly terminal: Terminal; readonly operations: Operations; readonly spareWarm: boolean; nextOperation: number }

/** Exit code 0: nothing of the groups is left here; 1: refused, or something is left; 2: the configuration cannot be read. */
export async function runRelease({ config, control, stateDir }: CommonOptions, terminal: Terminal): Promise<number> {
  const heartbeat = runningHeartbeat()
  if (heartbeat !== undefined) {
    terminal.err(`hactl: Heartbeat runs on this host (pid ${heartbeat}): what is here is its own, and nothing is released\n`)
    return process.env['SERVICE_RESULT'] === undefined ? 1 : 0
  }
  if (await daemonRuns(control)) {
    terminal.err(`hactl: a daemon runs (it answers at ${control}) and would start it all again. Stop it first: systemctl stop hactl\n`)
    return 1
  }
  let lock: StateLock | undefined
  try {
    lock = await lockUnlessNew(stateDir)
  } catch (error) {
    const denied = errorCode(error) === 'EACCES' || errorCode(error) === 'EPERM'
    terminal.err(`hactl: ${denied ? `no permission to use the state directory ${stateDir}: type it as root` : errorText(error)}\n`)
    return 1
  }
  try {
    return await releaseAll(config, stateDir, terminal)
  } finally {
    lock?.release()
  }
}

async function releaseAll(config: string, stateDir: string, terminal: Terminal): Promise<number> {
  await awaitGuards(stateDir, terminal)
  const state = await readState(stateDir, terminal)
  if (state?.pause.paused === true) {
    terminal.out('the pair is paused: everything stays as it is, for the next daemon to adopt\n')
    return 0
  }
  // Set by systemd for ExecStopPost; absent when a person types it.
  const serviceResult = process.env['SERVICE_RESULT']
  if (serviceResult === 'success') {
    const unclean = withUnclean(state, readUncleanNotes(stateDir)).groups.filter((group) => group.unclean).map(({ name }) => name)
    terminal.out(`the daemon left in good order: ${unclean.length === 0 ? 'nothing is left to release' : `but a stop failed for ${unclean.join(', ')}`}\n`)
    return 0
  }
  if (serviceResult !== undefined && process.env['EXIT_CODE'] === 'exited' && process.env['EXIT_STATUS'] === refusedConfiguration) {
    terminal.out('the daemon was not started, so it has held nothing: nothing is released\n')
    return 0
  }
  const { result } = readConfig(config)
  const byGuard = serviceResult === undefined ? undefined : await releaseByGuard(stateDir, result.config, terminal)
  if (byGuard !== undefined) return byGuard
  const { inForce, problem } = await readInForce(stateDir)
  if (problem !== undefined) terminal.err(`hactl: ${problem}; going by ${config} alone\n`)
  const known = inForce ?? result.config
  if (result.config === undefined) {
    for (const { file, line, column, message } of result.errors) terminal.err(`${file}:${line}:${column}: ${message}\n`)
    if (known !== undefined) terminal.err(`hactl: ${config} cannot be used: releasing what the last daemon had\n`)
  }
  if (known === undefined) {
    terminal.err(`hactl: ${config} cannot be used, so it is not known what to release. Look by hand: ip address show\n`)
    return 2
  }
  const spareWarm = serviceResult !== undefined
  if (spareWarm) terminal.out(`the daemon ended with "${serviceResult}": removing the addresses, stopping every script that is not warm\n`)
  const groups = groupsToRelease(inForce, result.config)
  const { nodes, environment } = known
  const nodeName = ownNodeName()
  const operations = createOperations({
    nodeName, peerName: nodes.find((name) => name !== nodeName) ?? '', environment, stateDirectory: stateDir,
    ...(result.config === undefined ? {} : { logging: result.config }),
    onNotice: ({ message }) => terminal.err(`${message}\n`),
  })
  const release: Release = { terminal, operations, spareWarm, nextOperation: 1 }
  try {
    const gone = await removeAddresses(groups, terminal)
    const stopped = await Promise.all(groups.map((group) => stopScripts(group, release)))
    const unclean = groups.filter((_, index) => stopped[index] === false).map(({ name }) => name)
    const kept = unclean.length === 0 || (await keepUnclean(stateDir, state, unclean, terminal))
    return gone && unclean.length === 0 && kept ? 0 : 1
  } finally {
    operations.close()
  }
}

/** A state directory that does not exist yet has no daemon either. */
async function lockUnlessNew(stateDir: string): Promise<StateLock | undefined> {
  try {
    return await lockDirectory(stateDir)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readState(stateDir: string, terminal: Terminal): Promise<PersistentState | undefined> {
  const path = `${stateDir}/state.json`
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') terminal.err(`${path} cannot be read, so it is taken for not paused: ${errorText(error)}\n`)
    return undefined
  })
  if (text === undefined) return undefined
  const parsed = parseState(text)
  if ('state' in parsed) return parsed.state
  terminal.err(`${path} is damaged (${parsed.problem}), so it is taken for not paused\n`)
  return undefined
}

async function removeAddresses(groups: readonly GroupConfig[], terminal: Terminal): Promise<boolean> {
  const floating = groups.flatMap(({ resources }) => resources.flatMap(({ address }) => address ?? []))
  if (floating.length === 0) return true
  try {
    const ignore = (): void => undefined
    const addresses = await openAddresses({ onStripped: ignore, onLinkUp: ignore, onRestarted: ignore })
    try {
      const present = (await addresses.observe(floating)).flatMap((there, index) => (there ? [floating[index]?.ip ?? ''] : []))
      const outcome = await addresses.remove(floating)
      if (outcome.result === 'ok') {
        terminal.out(present.length === 0 ? 'none of the floating addresses is here\n' : `removed: ${present.join(', ')}\n`)
        return true
      }
      terminal.err(`hactl: ${describe(outcome)}. Remove it by hand: ip address show\n`)
    } finally {
      await addresses.close()
    }
  } catch (error) {
    terminal.err(`hactl: ${errorText(error)}. Remove them by hand: ${floating.map(({ ip }) => ip).join(', ')}\n`)
  }
  return false
}

/** False when a stop failed: then the scripts before it in the list are left alone, as they may be needed by it. */
async function stopScripts(group: GroupConfig, release: Release): Promise<boolean> {
  for (const stage of stagesOf(group).toReversed()) {
    if (stage.kind !== 'script') continue
    const name = `${group.name}: ${resourceName(stage.resource)}`
    if (release.spareWarm && isWarm(stage)) {
      release.terminal.out(`${name} is warm: it goes on running\n`)
      continue
    }
    if (stage.resource.status !== undefined) {
      const found = await run(release, group, stage.resource, 'status', stage.resource.status.timeoutMs)
      if (found.result === 'not-running') continue
    }
    const outcome = await run(release, group, stage.resource, 'stop', stage.resource.stopTimeoutMs)
    if (outcome.result !== 'ok' && outcome.result !== 'not-running') {
      release.terminal.err(`hactl: ${name}: stop ${describe(outcome)}\n`)
      return false
    }
    release.terminal.out(`${name} is stopped\n`)
  }
  return true
}

async function run(
  release: Release, group: GroupConfig, resource: ResourceConfig, action: 'stop' | 'status', timeoutMs: number,
): Promise<Outcome> {
  release.nextOperation += 1
  return release.operations.run({ operationId: release.nextOperation, group: group.name, resource, action, timeoutMs })
}

function describe(outcome: Outcome): string {
  switch (outcome.result) {
    case 'ok': return 'is done'
    case 'not-running': return 'says that it does not run'
    case 'unknown': return `says nothing: ${outcome.message}`
    case 'failed':
    case 'not-runnable':
    case 'timed-out': return `failed: ${outcome.message}`
    case 'cancelled': return 'was cancelled'
  }
}

/** The next daemon must not let the peer start what could not be stopped here (promise P6). */
async function keepUnclean(
  stateDir: string, state: PersistentState | undefined, names: readonly string[], terminal: Terminal,
): Promise<boolean> {
  try {
    await writeAtomically(`${stateDir}/state.json`, formatState(withUnclean(state, names)), 0o600)
    for (const name of names) {
      terminal.err(`hactl: ${name} counts as unclean here. Once nothing of it runs: hactl cleanup ${name} --i-have-checked\n`)
    }
    return true
  } catch (error) {
    const lost = `the next daemon will not know that ${names.join(', ')} did not stop`
    terminal.err(`hactl: ${stateDir}/state.json cannot be written: ${errorText(error)}; ${lost}\n`)
    return false
  }
}
