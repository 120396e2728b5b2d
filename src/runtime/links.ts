/**
 * The links: packets out on all of them, packets in from each of them. Nothing here judges a packet, and no trouble of the network or of
 * a device is thrown: it is told by `onChange`.
 */
import type { LinkConfig, LinkName, NetworkLinkConfig, SerialLinkConfig } from '../core/config.ts'
import { openNetworkLinks } from './links-network.ts'
import { linkName, type Outlet } from './links-plan.ts'
import { openSerialLink } from './links-serial.ts'

export { linkName, type Outlet } from './links-plan.ts'

export interface LinkEvents {
  onPacket(link: LinkName, bytes: Buffer): void
  /** A link opens silently at start; after that each change is told once. */
  onChange(link: LinkName, status: 'open' | 'failed', reason: string): void
  /** `outlets()` may be others than before, or the same on an interface that was made anew. */
  onOutlets?(): void
}

export interface Links {
  /** In the order of the configuration; a `ucast` line that names this host is left out. */
  readonly names: readonly LinkName[]
  /** `subnet`: without native calls the sender's subnet, not the interface, says which link a packet belongs to. */
  readonly boundBy: 'interface' | 'subnet'
  /** On every open link, byte for byte the same; never waits. */
  send(bytes: Uint8Array): void
  /** Every way that `send` takes now. */
  outlets(): readonly Outlet[]
  close(): Promise<void>
}

/**
 * Rejects, with a sentence that names the link and what to type, when a port is taken or not permitted. An interface or a device that is
 * not there (yet) is no error: the link is told as failed and opens when it comes.
 */
export async function openLinks(configs: readonly LinkConfig[], events: LinkEvents): Promise<Links> {
  const network = await openNetworkLinks(configs.filter(isNetwork), events)
  const lines = await Promise.all(configs.filter(isSerial).map((config) => openSerialLink(config, events)))
  const opened: ReadonlySet<LinkName> = new Set([...network.names, ...lines.map(({ name }) => name)])
  if (opened.size === 0) {
    await network.close()
    throw new Error('no link is left: every ucast line names this host; add a line that names the peer')
  }
  return {
    names: [...new Set(configs.map(linkName))].filter((name) => opened.has(name)),
    boundBy: network.boundBy,
    send(bytes) {
      network.send(bytes)
      for (const line of lines) line.send(bytes)
    },
    outlets: () => [...network.outlets(), ...lines.flatMap((line) => line.outlets())],
    async close() {
      for (const line of lines) line.close()
      await network.close()
    },
  }
}

function isNetwork(config: LinkConfig): config is NetworkLinkConfig {
  return config.kind !== 'serial'
}

function isSerial(config: LinkConfig): config is SerialLinkConfig {
  return config.kind === 'serial'
}
