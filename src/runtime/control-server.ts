/** The control socket: a unix stream socket for root and the group haclient. No client, however hostile, holds up the daemon. */
import { chmod, chown, lstat, mkdir, readFile, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { callDaemon } from './control-client.ts'
import { parseRequest, type ControlRequest } from './control-protocol.ts'
import { createReply, readLine, type ControlReply } from './control-reply.ts'
import { errorCode, errorText } from './errors.ts'

export type { ControlReply } from './control-reply.ts'
export type { ControlRequest } from './control-protocol.ts'

export interface ControlHandlers {
  /** Called once for each client with a sound request; `pid` is answered without it. */
  request(request: Exclude<ControlRequest, { readonly command: 'pid' }>, reply: ControlReply): void
  /** The daemon's own mistake in `request`, or a failing socket: the client has been told, the daemon lives on. */
  trouble?(message: string): void
}

export interface ControlServer {
  readonly path: string
  /** Stops listening, removes the socket; clients that wait for their last bytes get them for at most `graceMs`. */
  close(graceMs?: number): Promise<void>
}

export interface ControlOptions {
  /** Default 5 s. */
  readonly requestLimitMs?: number
  /** Default 100. */
  readonly clientLimit?: number
}

/** `sun_path` of Linux, less its closing zero. */
const pathLimitBytes = 107

/** Rejects with a message for the administrator. A dead daemon's socket is replaced, a living one's never. */
export async function openControl(path: string, handlers: ControlHandlers, options: ControlOptions = {}): Promise<ControlServer> {
  const length = Buffer.byteLength(path)
  if (length > pathLimitBytes) {
    throw new Error(`the control socket's path has ${length} bytes, the kernel takes ${pathLimitBytes}: ${path}; give a shorter --control`)
  }
  await removeDeadSocket(path)
  const clients = new Set<Socket>()
  const server = createServer((socket) => serve(socket, clients, handlers, options))
  await listen(server, path)
  server.on('error', (error) => handlers.trouble?.(`the control socket ${path} failed: ${error.message}`))
  await grant(path)
  return { path, close: (graceMs = 500) => close(server, clients, graceMs) }
}

function serve(socket: Socket, clients: Set<Socket>, handlers: ControlHandlers, options: ControlOptions): void {
  const reply = createReply(socket)
  // A client that breaks off is no trouble of ours; 'close' follows and tells the reply.
  socket.on('error', () => undefined)
  const limit = options.clientLimit ?? 100
  const before = clients.size
  // Those who are told "busy" take up sockets too, for as long as they take to read it.
  if (before >= 2 * limit) {
    socket.destroy()
    return
  }
  clients.add(socket)
  socket.once('close', () => clients.delete(socket))
  if (before >= limit) {
    socket.resume()
    reply.error('busy', `${limit} clients are connected to the daemon already; try again, and look for stuck ones: pgrep -af hactl`)
    return
  }
  readLine(socket, options.requestLimitMs ?? 5_000, (line) => {
    const parsed = parseRequest(line)
    if ('problem' in parsed) return reply.error('bad-request', parsed.problem)
    if (parsed.request.command === 'pid') return reply.result({ pid: process.pid })
    try {
      handlers.request(parsed.request, reply)
    } catch (error) {
      reply.error('internal', `the daemon could not serve this request: ${errorText(error)}`)
      handlers.trouble?.(`a control request (${parsed.request.command}) failed: ${errorText(error)}`)
    }
  }, (message) => reply.error('bad-request', message))
}

async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new Error(`the control socket ${path} cannot be looked at: ${errorText(error)}`, { cause: error })
  })
  if (found === undefined) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch((error: unknown) => {
      throw new Error(`the directory of the socket ${path} cannot be made: ${errorText(error)}; give another --control`, { cause: error })
    })
    return
  }
  if (!found.isSocket()) throw new Error(`${path} exists and is no socket: it is left alone; remove it, or give another --control`)
  const answer = await callDaemon<{ readonly pid?: unknown }>(path, { command: 'pid' }, { silenceLimitMs: 1_000 })
  if (!answer.ok && answer.error.code === 'no-daemon') {
    await unlink(path)
    return
  }
  const pid = answer.ok && typeof answer.result.pid === 'number' ? `pid ${answer.result.pid}` : 'its pid is not known, it does not answer'
  throw new Error(`another daemon (${pid}) listens on ${path}: stop it first (systemctl stop hactl), or give this one another --control`)
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`the control socket ${path} cannot be opened: ${error.message}`, { cause: error })))
    server.listen(path, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

/** Until here only root could connect (the umask takes the write bit), so nobody slips in before the mode is right. */
async function grant(path: string): Promise<void> {
  await chmod(path, 0o660)
  const groups = await readFile('/etc/group', 'utf8').catch(() => '')
  const gid = /^haclient:[^:]*:(\d+):/m.exec(groups)?.[1]
  // Not being root is no reason to refuse: the socket then serves its owner.
  if (gid !== undefined) await chown(path, -1, Number(gid)).catch(() => undefined)
}

async function close(server: Server, clients: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => {
    for (const client of clients) client.destroy()
  }, graceMs)
  for (const client of clients) client.end()
  await closed
  clearTimeout(timer)
}
