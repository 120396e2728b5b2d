/**
 * The machine's interfaces and addresses, followed by `ip -o monitor address link`: one child for everybody who asks. The child may lose
 * lines (it was down, a netlink buffer was full), so that everything is read again after its start and now and then.
 */
import { execFile, spawn } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { parseAddressLine, parseInterfaceLine, type InterfaceLine, type MachineAddress } from './addresses-lines.ts'

export type InterfaceChange =
  | { readonly type: 'address'; readonly deleted: boolean; readonly address: MachineAddress }
  /** `before`: what had this name until now; another index means another interface. */
  | { readonly type: 'interface'; readonly deleted: boolean; readonly line: InterfaceLine; readonly before: InterfaceState | undefined }
  /** Everything was read anew: what happened before may have been missed. */
  | { readonly type: 'reread' }

export interface InterfaceState extends InterfaceLine {
  /** By `ip/prefix`, in the kernel's order. */
  readonly addresses: Map<string, MachineAddress>
}

/** By name, as last told. Not the kernel's newest word: that may be some milliseconds ahead. */
export type Interfaces = ReadonlyMap<string, InterfaceState>

export interface Monitor {
  /** False while there is no child: listeners then look more often by themselves. */
  following(): boolean
  interfaces(): Interfaces
  close(): void
}

type Listener = (change: InterfaceChange) => void

const firstRetryMs = 100
const lastRetryMs = 5_000
const longestLine = 65_536
/** A child has its netlink socket some milliseconds after its start; what happened before that is read once more. */
const rereadAfterStartMs = 300
const rereadMs = 30_000

interface Shared {
  readonly listeners: Set<Listener>
  interfaces: Map<string, InterfaceState>
  /** The first reading counts even when changes overtook it: without it nothing is known. */
  read: boolean
  /** Counts the child's lines: a reading during which some came may be older than they are. */
  changes: number
  timer: NodeJS.Timeout | undefined
  child: ReturnType<typeof spawn> | undefined
  following: boolean
  retryMs: number
  retry: NodeJS.Timeout | undefined
  rest: string
}

let shared: Shared | undefined

/** Resolves once the interfaces of now are known. Without a working `ip` Node's own list serves, which has running interfaces only. */
export async function openMonitor(listener: Listener): Promise<Monitor> {
  const monitor: Shared = (shared ??= {
    listeners: new Set(), interfaces: new Map(), read: false, changes: 0, timer: undefined, child: undefined,
    following: false, retryMs: firstRetryMs, retry: undefined, rest: '',
  })
  monitor.listeners.add(listener)
  if (monitor.child === undefined && monitor.retry === undefined) start(monitor)
  await read(monitor)
  return {
    following: () => monitor.following,
    interfaces: () => monitor.interfaces,
    close() {
      monitor.listeners.delete(listener)
      if (monitor.listeners.size > 0) return
      if (shared === monitor) shared = undefined
      clearTimeout(monitor.retry)
      clearTimeout(monitor.timer)
      monitor.child?.kill('SIGKILL')
    },
  }
}

/**
 * The arguments that make /bin/sh become `ip`, which dies with the daemon: a monitor has no input whose end it could notice.
 * Detached: an interrupt typed at a terminal is for the daemon, which still needs its children to release the addresses.
 */
const program = 'ip -o monitor address link'
const follow = `command -v setpriv >/dev/null 2>&1 && exec setpriv --pdeathsig KILL ${program}; exec ${program}`

function start(monitor: Shared): void {
  const child = spawn('/bin/sh', ['-c', follow], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  monitor.child = child
  monitor.rest = ''
  monitor.retry = undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => receive(monitor, text))
  child.on('spawn', () => {
    monitor.following = true
    readLater(monitor, rereadAfterStartMs)
  })
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    monitor.child = undefined
    monitor.following = false
    if (monitor.listeners.size === 0) return
    monitor.retry = setTimeout(() => start(monitor), monitor.retryMs)
    monitor.retryMs = Math.min(lastRetryMs, monitor.retryMs * 2)
  }
  child.on('error', end)
  child.on('exit', end)
}

function receive(monitor: Shared, text: string): void {
  monitor.retryMs = firstRetryMs
  const lines = (monitor.rest + text).split('\n')
  monitor.rest = (lines.pop() ?? '').slice(-longestLine)
  for (const line of lines) {
    const deleted = line.startsWith('Deleted ')
    const body = deleted ? line.slice('Deleted '.length) : line
    const address = parseAddressLine(body)
    if (address !== undefined) {
      if (!deleted && isKnown(monitor.interfaces, address)) continue
      monitor.changes += 1
      rememberAddress(monitor.interfaces, address, deleted)
      tell(monitor, { type: 'address', deleted, address })
    }
    const parsed = address === undefined ? parseInterfaceLine(body) : undefined
    if (parsed === undefined) continue
    monitor.changes += 1
    const before = monitor.interfaces.get(parsed.name)
    rememberInterface(monitor.interfaces, parsed, deleted)
    tell(monitor, { type: 'interface', deleted, line: parsed, before })
  }
}

/** A new lifetime of an address is told as well, a thousand of them several times a second: nobody needs to hear of it. */
function isKnown(interfaces: Interfaces, address: MachineAddress): boolean {
  const known = interfaces.get(address.interface)?.addresses.get(`${address.ip}/${address.prefixLength}`)
  return known !== undefined && known.index === address.index && known.label === address.label && known.duplicate === address.duplicate
}

function rememberAddress(interfaces: Map<string, InterfaceState>, address: MachineAddress, deleted: boolean): void {
  const known = interfaces.get(address.interface)
  const key = `${address.ip}/${address.prefixLength}`
  if (deleted) known?.addresses.delete(key)
  else if (known !== undefined) known.addresses.set(key, address)
  else interfaces.set(address.interface, { index: address.index, name: address.interface, up: true, addresses: new Map([[key, address]]) })
}

function rememberInterface(interfaces: Map<string, InterfaceState>, line: InterfaceLine, deleted: boolean): void {
  let addresses = new Map<string, MachineAddress>()
  // A renamed interface is told under its new name only, and keeps its addresses; one that was made anew has another index.
  for (const [name, known] of interfaces) {
    if (known.index === line.index) addresses = known.addresses
    if (known.index === line.index || name === line.name) interfaces.delete(name)
  }
  if (!deleted) interfaces.set(line.name, { ...line, addresses })
}

function tell(monitor: Shared, change: InterfaceChange): void {
  for (const listener of monitor.listeners) listener(change)
}

function readLater(monitor: Shared, afterMs: number): void {
  clearTimeout(monitor.timer)
  monitor.timer = setTimeout(() => void read(monitor), afterMs)
}

async function read(monitor: Shared): Promise<void> {
  const before = monitor.changes
  const [links, addresses] = await Promise.all([ip('link'), ip('address')])
  if (monitor.listeners.size === 0) return
  const overtaken = monitor.changes !== before && monitor.read
  readLater(monitor, overtaken ? rereadAfterStartMs : rereadMs)
  if (overtaken) return
  monitor.read = true
  monitor.interfaces = links === undefined || addresses === undefined ? interfacesOfNode() : parsed(links, addresses)
  tell(monitor, { type: 'reread' })
}

function parsed(links: string, addresses: string): Map<string, InterfaceState> {
  const found = new Map<string, InterfaceState>()
  for (const text of links.split('\n')) {
    const line = parseInterfaceLine(text)
    if (line !== undefined) found.set(line.name, { ...line, addresses: new Map() })
  }
  for (const text of addresses.split('\n')) {
    const address = parseAddressLine(text)
    if (address !== undefined) rememberAddress(found, address, false)
  }
  return found
}

function ip(object: 'link' | 'address'): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('ip', ['-o', object, 'show'], { maxBuffer: 16 << 20, timeout: 5_000 }, (error, output) => {
      resolve(error === null ? output : undefined)
    })
  })
}

function interfacesOfNode(): Map<string, InterfaceState> {
  const found = new Map<string, InterfaceState>()
  for (const [label, infos] of Object.entries(networkInterfaces())) {
    // An address with a label is listed under `eth0:1`.
    const name = label.replace(/:.*$/, '')
    for (const info of infos ?? []) {
      const family = info.family === 'IPv4' ? 'ipv4' : 'ipv6'
      const prefixLength = Number(info.cidr?.split('/')[1] ?? (family === 'ipv4' ? 32 : 128))
      rememberAddress(found, { index: 0, interface: name, family, ip: info.address, prefixLength, duplicate: false }, false)
    }
  }
  return found
}
