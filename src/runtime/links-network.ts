/** The links over UDP: each one's sockets are kept alive while interfaces come and go. No trouble of the network is thrown. */
import type { LinkName, NetworkLinkConfig } from '../core/config.ts'
import { ipKey } from './addresses-bytes.ts'
import { openMonitor, type InterfaceChange, type Monitor } from './links-monitor.ts'
import type { LinkEvents, Links } from './links.ts'
import { fromInterface, linkName, outletsOf, planLink, type LinkPlan } from './links-plan.ts'
import { codeOf, openLinkSocket, type LinkSocket } from './links-socket.ts'
import { loadNative, type NativeCalls } from './native.ts'

interface OpenLink {
  readonly name: LinkName
  readonly config: NetworkLinkConfig
  sockets: readonly LinkSocket[]
  plan: LinkPlan
  interfaceIndex: number | undefined
  status: 'open' | 'failed'
  /** Consecutive send errors. One alone is noise (a full queue); three keepalives in a row are not. */
  sendErrors: number
  /** Set when a send error shows that the socket's interface is gone. */
  stale: boolean
}

interface LinkSet {
  readonly links: readonly OpenLink[]
  readonly events: LinkEvents
  readonly native: NativeCalls | undefined
  readonly selfAddresses: ReadonlyMap<string, readonly string[]>
  readonly monitor: Monitor
  closed: boolean
  refreshing: Promise<void> | undefined
  again: boolean
}

const settleMs = 10
const checkFollowedMs = 5_000
const checkUnfollowedMs = 1_000
const sendErrorsToFail = 3
/** The interface under the socket was removed or made again. */
const goneCodes: ReadonlySet<string> = new Set(['ENODEV', 'ENXIO', 'EBADF', 'EADDRNOTAVAIL'])

/**
 * Rejects, with a sentence that names the link and what to type, when a port is taken or not permitted. An interface that is not there
 * (yet) is no error: the link is told as failed and opens when the interface comes.
 */
export async function openNetworkLinks(configs: readonly NetworkLinkConfig[], events: LinkEvents): Promise<Links> {
  const wake: { call?: (change: InterfaceChange) => void } = {}
  const monitor = await openMonitor((change) => wake.call?.(change))
  const set = linkSet(configs, events, monitor)
  try {
    for (const link of set.links) await refreshLink(set, link, true)
  } catch (error) {
    closeAll(set)
    throw error
  }
  let settle: NodeJS.Timeout | undefined
  wake.call = (change) => {
    if (set.closed || settle !== undefined || !concerns(set, change)) return
    settle = setTimeout(() => {
      settle = undefined
      refresh(set)
    }, settleMs)
  }
  let checkedAt = performance.now()
  const check = setInterval(() => {
    const followed = monitor.following() && set.links.every((link) => link.status === 'open')
    if (performance.now() - checkedAt < (followed ? checkFollowedMs : checkUnfollowedMs) - settleMs) return
    checkedAt = performance.now()
    refresh(set)
  }, checkUnfollowedMs)
  return {
    names: set.links.map((link) => link.name),
    boundBy: set.native !== undefined && set.links.every(boundToInterface) ? 'interface' : 'subnet',
    send(bytes) {
      for (const link of set.links) sendOn(set, link, bytes)
    },
    outlets: () => set.links.flatMap(({ config, plan, sockets }) => (sockets.length > 0 ? outletsOf(config, plan) : [])),
    async close() {
      clearTimeout(settle)
      clearInterval(check)
      await set.refreshing
      closeAll(set)
    },
  }
}

function boundToInterface(link: OpenLink): boolean {
  return link.sockets.every((socket) => socket.boundToInterface)
}

function linkSet(configs: readonly NetworkLinkConfig[], events: LinkEvents, monitor: Monitor): LinkSet {
  const known = [...monitor.interfaces().values()].flatMap((found) => [...found.addresses.values()])
  const own = new Set(known.map((address) => ipKey(address.ip)))
  const selfAddresses = new Map<string, string[]>()
  const links = new Map<LinkName, OpenLink>()
  for (const config of configs) {
    const { address } = config
    if (config.kind === 'ucast' && address !== undefined && own.has(ipKey(address))) {
      selfAddresses.set(config.interface, [...(selfAddresses.get(config.interface) ?? []), address])
      continue
    }
    const name = linkName(config)
    const plan: LinkPlan = { status: 'unready', reason: '' }
    links.set(name, { name, config, sockets: [], plan, interfaceIndex: undefined, status: 'open', sendErrors: 0, stale: false })
  }
  return {
    links: [...links.values()], events, native: loadNative(), selfAddresses, monitor, closed: false, refreshing: undefined, again: false,
  }
}

function closeAll(set: LinkSet): void {
  set.closed = true
  set.monitor.close()
  for (const link of set.links) closeSockets(link)
}

function closeSockets(link: OpenLink): void {
  for (const socket of link.sockets) socket.close()
  link.sockets = []
}

/** A host prefix is a floating address: a thousand of them are none of a link's business, unless it listens on one. */
function concerns(set: LinkSet, change: InterfaceChange): boolean {
  if (change.type === 'reread') return true
  if (change.type === 'interface') return set.links.some((link) => link.config.interface === change.line.name)
  const { address } = change
  const host = address.prefixLength === (address.family === 'ipv4' ? 32 : 128)
  return set.links.some((link) => link.config.interface === address.interface
    && (!host || link.plan.status === 'unready' || link.plan.paths.some((path) => path.bind === address.ip)))
}

/** One look at a time; a wake-up during one leads to another. */
function refresh(set: LinkSet): void {
  if (set.closed) return
  if (set.refreshing !== undefined) {
    set.again = true
    return
  }
  set.refreshing = (async () => {
    for (const link of set.links) if (!set.closed) await refreshLink(set, link, false)
  })().finally(() => {
    set.refreshing = undefined
    if (!set.again) return
    set.again = false
    refresh(set)
  })
}

async function refreshLink(set: LinkSet, link: OpenLink, atStart: boolean): Promise<void> {
  const name = link.config.interface
  const found = set.monitor.interfaces().get(name)
  const plan = planLink(link.config, set.monitor.interfaces(), set.selfAddresses.get(name) ?? [])
  const index = set.native === undefined ? found?.index : set.native.interfaceIndex(name)
  const remade = link.stale || index !== link.interfaceIndex
  if (remade || membershipChanged(link.plan, plan)) closeSockets(link)
  const replaced = link.sockets.length === 0 || JSON.stringify(plan) !== JSON.stringify(link.plan)
  Object.assign(link, { plan, interfaceIndex: index, stale: false })
  // The sockets stay: on an interface that only was down for a moment they hear again at once.
  if (plan.status === 'unready') return change(set, link, 'failed', plan.reason)
  try {
    if (replaced) {
      link.sockets = await replaceSockets(set, link, plan)
      link.sendErrors = 0
      set.events.onOutlets?.()
    }
    if (found?.up === false) change(set, link, 'failed', `interface ${name} is down or has no cable`)
    else if (link.sendErrors < sendErrorsToFail) change(set, link, 'open', `listening on ${bound(plan)}`)
  } catch (error) {
    closeSockets(link)
    const code = codeOf(error)
    const reason = openingFailed(link, code)
    if (atStart && ['EADDRINUSE', 'EACCES'].includes(code)) throw Object.assign(new Error(reason, { cause: error }), { code })
    change(set, link, 'failed', reason)
  }
}

function bound(plan: Extract<LinkPlan, { status: 'ready' }>): string {
  return plan.paths.map((path) => path.bind).join(' and ')
}

/** A membership names its interface by an address; no other part of a multicast socket can be changed afterwards either. */
function membershipChanged(before: LinkPlan, now: LinkPlan): boolean {
  return before.status === 'ready' && now.status === 'ready' && before.memberOf !== now.memberOf
}

/** Sockets whose local address stays keep what already waits in their buffers. */
async function replaceSockets(set: LinkSet, link: OpenLink, plan: Extract<LinkPlan, { status: 'ready' }>): Promise<readonly LinkSocket[]> {
  const kept = link.sockets.filter((socket) => plan.paths.some((path) => JSON.stringify(path) === JSON.stringify(socket.path)))
  for (const socket of link.sockets) if (!kept.includes(socket)) socket.close()
  link.sockets = kept
  for (const path of plan.paths) {
    if (kept.some((socket) => socket.path.bind === path.bind)) continue
    const request = {
      config: link.config, path, family: plan.family, reuse: sharedAddress(set, link, path.bind),
      ...(plan.memberOf === undefined ? {} : { memberOf: plan.memberOf }),
      onMessage: (bytes: Buffer, from: { readonly address: string }) => {
        if (!exact && !fromInterface(from.address, link.config, set.monitor.interfaces())) return
        set.events.onPacket(receiver(set, link, from.address).name, bytes)
      },
      onError: () => { link.stale = true },
    }
    let exact = true
    const socket = await openLinkSocket(request, set.native)
    exact = socket.boundToInterface
    link.sockets = [...link.sockets, socket]
  }
  return link.sockets
}

/**
 * Two of our own links may listen on one address: two `ucast` lines of one interface, or, without native calls, a multicast group on two
 * interfaces. Sharing an address with anybody else would lose packets, so it is asked for only then.
 */
function sharedAddress(set: LinkSet, link: OpenLink, address: string): boolean {
  return set.links.some((other) => {
    if (other === link || other.config.port !== link.config.port) return false
    if (set.native !== undefined && other.config.interface !== link.config.interface) return false
    const plan = planLink(other.config, set.monitor.interfaces(), set.selfAddresses.get(other.config.interface) ?? [])
    return plan.status === 'ready' && plan.paths.some((path) => path.bind === address)
  })
}

/** The kernel gives a unicast packet to one socket only: with two `ucast` lines on one address the sender says which link it was. */
function receiver(set: LinkSet, link: OpenLink, source: string): OpenLink {
  const { kind, address, port } = link.config
  if (kind !== 'ucast' || address === undefined || ipKey(address) === ipKey(source)) return link
  return set.links.find(({ config }) => config.kind === 'ucast' && config.interface === link.config.interface && config.port === port
    && ipKey(config.address ?? '') === ipKey(source)) ?? link
}

function change(set: LinkSet, link: OpenLink, status: 'open' | 'failed', reason: string): void {
  if (link.status === status) return
  link.status = status
  set.events.onChange(link.name, status, reason)
}

function sendOn(set: LinkSet, link: OpenLink, bytes: Uint8Array): void {
  for (const socket of link.sockets) {
    for (const target of socket.path.targets) {
      socket.send(bytes, target, (code) => {
        if (!set.closed && link.sockets.includes(socket)) sent(set, link, target, code)
      })
    }
  }
}

function sent(set: LinkSet, link: OpenLink, target: string, code: string | undefined): void {
  if (code !== undefined && goneCodes.has(code) && !link.stale) {
    link.stale = true
    refresh(set)
  }
  // Nothing leaves an interface that is down; that has been told already.
  if (set.monitor.interfaces().get(link.config.interface)?.up === false) return
  const failing = link.sendErrors >= sendErrorsToFail
  link.sendErrors = code === undefined ? 0 : link.sendErrors + 1
  if (code === undefined && failing) return change(set, link, 'open', 'packets leave again')
  if (code === undefined || link.sendErrors < sendErrorsToFail) return
  const hint = code === 'EPERM' ? ' (a firewall rule of this host refuses them: nft list ruleset)' : ''
  change(set, link, 'failed', `packets to ${target} cannot be sent: ${code}${hint}`)
}

function openingFailed(link: OpenLink, code: string): string {
  const port = link.config.port
  const start = `link ${link.name}: UDP port ${port}`
  if (code === 'EADDRINUSE') return `${start} is taken; see: ss -ulpn 'sport = :${port}'`
  if (code === 'EACCES' || code === 'EPERM') {
    return `${start} is not permitted; run the daemon as root or with CAP_NET_BIND_SERVICE and CAP_NET_RAW`
  }
  return `${start} cannot be opened: ${code}`
}
