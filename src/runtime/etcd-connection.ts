/**
 * Connections to the members of etcd: kept open, with certificates that are read anew when their files change. One request
 * is one POST; its answer is bounded. Says nothing about what an answer means.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import type { Millis } from '../core/time.ts'
import { nowMs } from './clock.ts'
import { errorCode } from './errors.ts'
import { createLookup } from './host-names.ts'
import { createTlsAgent, type TlsFiles } from './tls-agent.ts'

export interface Post { readonly endpoint: string; readonly path: string; readonly body: string; readonly token?: string }
/** `sentMs`: just before it left, never after. */
export interface Posted { readonly sentMs: Millis; readonly status: number; readonly text: string }

export interface Connections {
  /** Rejects with an error of the connection, of the files, or of the signal. */
  post(post: Post, signal: AbortSignal): Promise<Posted>
  close(): void
}

/** To each member. A request that waits for one waits within its own time. */
const maxSockets = 16

export function openConnections(files: TlsFiles, maxReplyBytes: number, onTrouble: (message: string) => void): Connections {
  const lookup = createLookup()
  const sockets = { keepAlive: true, maxSockets, maxFreeSockets: 2, scheduling: 'lifo', lookup } as const
  const plain = new http.Agent(sockets)
  const secured = createTlsAgent(files, (texts) => new https.Agent({ ...sockets, ...texts }), onTrouble)

  async function post(one: Post, signal: AbortSignal): Promise<Posted> {
    const url = new URL(one.path, one.endpoint)
    const agent = url.protocol === 'https:' ? await secured.agent() : plain
    try {
      return await send(url, agent, one, signal, maxReplyBytes)
    } catch (error) {
      // A kept connection may have been closed by the other end just now; that says nothing about etcd.
      if (!isStale(error) || signal.aborted) throw error
      return send(url, agent, one, signal, maxReplyBytes)
    }
  }

  return {
    post,
    close: () => {
      plain.destroy()
      secured.close()
    },
  }
}

class StaleConnection extends Error {}

function isStale(error: unknown): boolean {
  return error instanceof StaleConnection
}

function send(url: URL, agent: http.Agent, { body, token }: Post, signal: AbortSignal, maxReplyBytes: number): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const sentMs = nowMs()
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...(token === undefined ? {} : { authorization: token }) }
    const options = { method: 'POST', agent, headers, signal }
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        parts.push(part)
        if (bytes > maxReplyBytes) request.destroy(new Error(`it answered with more than ${maxReplyBytes} bytes: is it etcd?`))
      })
      response.on('end', () => resolve({ sentMs, status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }))
      response.on('error', reject)
    })
    request.on('error', (error) => reject(request.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(errorCode(error)) ? new StaleConnection(error.message) : error))
    request.end(body)
  })
}
