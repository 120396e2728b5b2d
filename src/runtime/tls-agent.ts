/** An https agent whose certificates and key are read again when their files change, so that they can be renewed under a running daemon. */
import { readFile, stat } from 'node:fs/promises'
import type * as https from 'node:https'
import { createSecureContext } from 'node:tls'
import type { EtcdConfig } from '../core/config.ts'
import { nowMs } from './clock.ts'
import { errorText } from './errors.ts'

export type TlsFiles = Pick<EtcdConfig, 'caFile' | 'certificateFile' | 'keyFile'>
export interface TlsTexts { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }

export interface TlsAgent {
  /** Rejects only as long as the files have never been good. Then the last good ones serve, and the trouble is told. */
  agent(): Promise<https.Agent>
  close(): void
}

/** The files are looked at this often, beside the requests: a disk that hangs must not hold them up. */
const freshMs = 1_000
/** What is under way with the former certificates may come to its end. */
const lingerMs = 10_000

export function createTlsAgent(files: TlsFiles, make: (texts: TlsTexts) => https.Agent, onTrouble: (message: string) => void): TlsAgent {
  const names = [files.caFile, files.certificateFile, files.keyFile].filter((file) => file !== undefined)
  let current: { readonly agent: https.Agent; readonly stamp: string } | undefined
  let lookedMs = -Infinity
  let looking: Promise<https.Agent> | undefined
  let closed = false

  async function look(): Promise<https.Agent> {
    lookedMs = nowMs()
    const stamp = (await Promise.all(names.map((file) => stat(file)))).map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`).join(', ')
    if (current !== undefined && stamp === current.stamp) return current.agent
    const texts = await readTexts(files)
    try {
      // A certificate without its key, or half a file, is found here and not with the next connection.
      createSecureContext(texts)
    } catch (error) {
      throw new Error(`no usable certificates and key in ${names.join(', ')}: ${errorText(error)}`)
    }
    retire(current?.agent)
    current = { agent: make(texts), stamp }
    if (closed) current.agent.destroy()
    return current.agent
  }

  function startLook(): Promise<https.Agent> {
    looking ??= look().finally(() => { looking = undefined })
    return looking
  }

  return {
    agent: () => {
      if (current === undefined) return startLook()
      if (nowMs() - lookedMs > freshMs) startLook().catch((error: unknown) => onTrouble(`the certificates for etcd cannot be read again, so the earlier ones serve: ${errorText(error)}`))
      return Promise.resolve(current.agent)
    },
    close: () => {
      closed = true
      current?.agent.destroy()
    },
  }
}

async function readTexts(files: TlsFiles): Promise<TlsTexts> {
  const [ca, cert, key] = await Promise.all([files.caFile, files.certificateFile, files.keyFile].map((file) => (file === undefined ? undefined : readFile(file))))
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
}

function retire(agent: https.Agent | undefined): void {
  if (agent !== undefined) setTimeout(() => agent.destroy(), lingerMs).unref()
}
