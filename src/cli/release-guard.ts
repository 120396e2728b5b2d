/**
 * What the guard of a dead daemon leaves for `hactl release`: to wait for it, to say what it did, or to do in its place what it can do no
 * more because it was killed together with its daemon.
 */
import type { ClusterConfig } from '../core/config.ts'
import { errorText } from '../runtime/errors.ts'
import { actsOf, awaitGuard, guardDirectories, stateOfGuard } from '../runtime/guard-directory.ts'
import { actInItsPlace } from '../runtime/guard-process.ts'
import { openGuardSockets } from '../runtime/guard-sockets.ts'
import { openLinks } from '../runtime/links.ts'
import { readUncleanNotes } from '../runtime/unclean-notes.ts'
import type { Terminal } from './terminal.ts'

/** Waits for its end, however long its stops take. */
export async function awaitGuards(stateDir: string, terminal: Terminal): Promise<void> {
  for (const directory of guardDirectories(stateDir)) {
    const trouble = await awaitGuard(directory)
    if (trouble !== undefined) terminal.err(`hactl: ${trouble}\n`)
  }
}

/**
 * After a failure of the daemon: no more is done than its guard would have done. The exit code, or undefined where there is no plan: the
 * daemon died before it had one.
 */
export async function releaseByGuard(stateDir: string, config: ClusterConfig | undefined, terminal: Terminal): Promise<number | undefined> {
  const directory = guardDirectories(stateDir).find((one) => stateOfGuard(one) !== 'none')
  if (directory === undefined) return undefined
  if (stateOfGuard(directory) === 'planned') await act(directory, config, terminal)
  const acts = actsOf(directory)
  if (stateOfGuard(directory) === 'planned') {
    terminal.out('the daemon had nothing planned for its death: everything stays as it is, for the next one to adopt\n')
    return 0
  }
  for (const { message } of acts) terminal.out(`guard: ${message}\n`)
  const unclean = readUncleanNotes(stateDir)
  for (const name of unclean) {
    terminal.err(`hactl: ${name} counts as unclean here. Once nothing of it runs: hactl cleanup ${name} --i-have-checked\n`)
  }
  const stays = acts.some(({ message }) => /^(these addresses stay|it is not known whether)/.test(message))
  if (stays) terminal.err('hactl: remove the floating addresses by hand: ip address show\n')
  return stays || unclean.length > 0 ? 1 : 0
}

/** With the ways to the peer if they can be had: its wills are true still. */
async function act(directory: string, config: ClusterConfig | undefined, terminal: Terminal): Promise<void> {
  terminal.out('the guard died with its daemon: doing in its place what was planned\n')
  const ignore = (): void => undefined
  const opening = config === undefined ? undefined : openLinks(config.links, { onPacket: ignore, onChange: ignore })
  const links = await opening?.catch(() => undefined)
  const { sockets } = await openGuardSockets(links?.outlets() ?? [])
  try {
    await actInItsPlace(directory, sockets, standardError)
  } catch (error) {
    terminal.err(`hactl: /bin/sh cannot be run: ${errorText(error)}\n`)
  } finally {
    for (const socket of sockets) socket.close()
    await links?.close()
  }
}

const standardError = 2
