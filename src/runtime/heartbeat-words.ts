/** What a Heartbeat that runs on this host says of itself and of its peer, by its own program cl_status, which asks it over a local socket and sends nothing. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { HeartbeatSays } from '../config/migration.ts'

const program = ['/usr/libexec/heartbeat/heartbeat', '/usr/lib/heartbeat/heartbeat', '/usr/lib64/heartbeat/heartbeat']
/** cl_status gives up by itself after 5 s. */
const askingMs = 6_000

/** Undefined: it is not installed where a package puts it. */
export function heartbeatProgram(): string | undefined {
  return program.find((path) => existsSync(path))
}

export async function heartbeatVersion(path: string): Promise<string | undefined> {
  return /^(\d[\w.-]*)/m.exec(await say(path, ['-V']))?.[1]
}

/** Undefined: it does not answer, or cl_status is not there. */
export async function askHeartbeat(peer: string): Promise<HeartbeatSays | undefined> {
  const [holding, peerStatus, names] = await Promise.all([say(clStatus, ['rscstatus']), say(clStatus, ['nodestatus', peer]), say(clStatus, ['listhblinks', peer])])
  if (holding === '' || peerStatus === '') return undefined
  const links = await Promise.all(names.split(/\s+/).filter((name) => name !== '').map(async (name) => ({ name, status: await say(clStatus, ['hblinkstatus', peer, name]) })))
  return { holding, peerStatus, links: links.filter(({ status }) => status !== '') }
}

/** The real one, and not a link of that name to hactl. */
const clStatus = '/usr/bin/cl_status'

/** What it prints, without blanks at the ends; nothing where it cannot be run. */
function say(command: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, [...words], { timeout: askingMs, killSignal: 'SIGKILL', encoding: 'utf8' }, (_error, stdout) => resolve(stdout.trim()))
  })
}
