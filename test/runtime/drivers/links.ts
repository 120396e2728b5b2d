import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import type { NetworkLinkConfig } from '../../../src/core/config.ts'
import { openLinks, type Links } from '../../../src/runtime/links.ts'
import { rejection, runDriver, sh, sleep, until } from './scenario.ts'

const port = 694
const bcast: NetworkLinkConfig = { kind: 'bcast', interface: 'eth0', port }
const mcast: NetworkLinkConfig = { kind: 'mcast', interface: 'eth0', address: '239.0.0.42', port, ttl: 1 }
const ucast: NetworkLinkConfig = { kind: 'ucast', interface: 'eth0', address: '192.0.2.2', port }
const self: NetworkLinkConfig = { kind: 'ucast', interface: 'eth0', address: '192.0.2.1', port }
const ucast6: NetworkLinkConfig = { kind: 'ucast', interface: 'eth0', address: '2001:db8::2', port }

/** In all scopes: of the link, where an address needs its interface beside it, and of the site. */
const multicast6: readonly NetworkLinkConfig[] = ['ff12::694', 'ff05::694'].map((address) => ({ kind: 'mcast', interface: 'eth0', address, port, ttl: 1 }))

interface Opened { readonly links: Links; readonly packets: string[]; readonly changes: string[] }

async function open(configs: readonly NetworkLinkConfig[]): Promise<Opened> {
  const packets: string[] = []
  const changes: string[] = []
  const links = await openLinks(configs, {
    onPacket: (link, bytes) => packets.push(`${link}: ${bytes.toString()}`),
    onChange: (link, status, reason) => changes.push(`${link} ${status}: ${reason}`),
  })
  return { links, packets, changes }
}

/** The same program in the other namespace: it answers every packet on every link, with the link that brought it. */
async function startPeer(): Promise<void> {
  const peer = spawn('nsenter', ['--net=/run/netns/beta', process.execPath, process.argv[1] ?? '', 'peer'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => peer.stdout.once('data', resolve))
}

async function peer(): Promise<void> {
  const toAlpha = (link: NetworkLinkConfig): NetworkLinkConfig => (link.address?.endsWith('2') === true && link.kind === 'ucast'
    ? { ...link, address: link.address.replace(/2$/, '1') } : link)
  const links = await openLinks([bcast, mcast, ucast, ucast6].map(toAlpha), {
    onPacket(link, bytes) {
      if (!bytes.toString().startsWith('answer')) links.send(Buffer.from(`answer to ${bytes.toString()} of ${link}`))
    },
    onChange: () => undefined,
  })
  process.stdout.write('ready\n')
  await sleep(24_000)
}

function answered(opened: Opened, link: string, text: string): boolean {
  const from = link.replace(/\.2$/, '.1').replace(/::2$/, '::1')
  return opened.packets.includes(`${link}: answer to ${text} of ${from}`)
}

await runDriver({
  peer,
  // Every link brings its own packet, and shows it as its own although all four share an interface and a port.
  async conversation() {
    await startPeer()
    const opened = await open([bcast, mcast, self, ucast, ucast6])
    const names = opened.links.names
    const answers = (): string[] => [...new Set(opened.packets.filter((packet) => packet.includes('answer')))].sort()
    // Sent more than once: a cable that is a few milliseconds old may lose the first packet.
    const heard = await until(async () => {
      opened.links.send(Buffer.from('one'))
      await sleep(20)
      return names.every((name) => answered(opened, name, 'one')) && answers().length >= names.length ** 2
    })
    await opened.links.close()
    return { names, heard, boundBy: opened.links.boundBy, answers: answers(), changes: opened.changes }
  },
  async 'interface-down-up'() {
    await startPeer()
    const opened = await open([bcast, mcast, ucast])
    sh('ip link set eth0 down')
    const failed = await until(() => opened.changes.length === 3)
    for (let round = 0; round < 5; round += 1) opened.links.send(Buffer.from('nowhere'))
    sh('ip link set eth0 up')
    const reopened = await until(() => opened.changes.length >= 6)
    opened.links.send(Buffer.from('back'))
    const heard = await until(() => {
      opened.links.send(Buffer.from('back'))
      return opened.links.names.every((name) => answered(opened, name, 'back'))
    })
    return { failed, reopened, heard, changes: opened.changes }
  },
  async 'interface-remade'() {
    const opened = await open([bcast, ucast])
    sh('ip link del eth0')
    const failed = await until(() => opened.changes.length === 2)
    sh(`ip link add eth0 type veth peer name eth0 netns beta; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up
      ip -n beta addr add 192.0.2.2/24 dev eth0; ip -n beta link set eth0 up`)
    const reopened = await until(() => opened.changes.length >= 4)
    await startPeer()
    const heard = await until(() => {
      opened.links.send(Buffer.from('again'))
      return opened.links.names.every((name) => answered(opened, name, 'again'))
    })
    return { failed, reopened, heard, changes: opened.changes }
  },
  // The address is replaced by another one: the broadcast address is computed anew, and nobody has to restart anything.
  async 'address-changed'() {
    const opened = await open([bcast])
    sh('ip addr flush dev eth0; ip addr add 198.51.100.1/25 dev eth0; ip -n beta addr add 198.51.100.2/25 dev eth0')
    const listening = await until(() => sh('ss -uan').includes('198.51.100.127'))
    const receiver = spawn('nsenter', ['--net=/run/netns/beta', process.execPath, process.argv[1] ?? '', 'receiver'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    receiver.stdout.on('data', (data: Buffer) => { output += data.toString() })
    const heard = await until(() => {
      opened.links.send(Buffer.from('moved'))
      return output.includes('198.51.100.1 moved')
    })
    return { listening, heard, changes: opened.changes }
  },
  // Only IPv6: unicast to a unique local and to a link-local address, multicast of the link and of the site.
  async ipv6() {
    sh(`ip addr flush dev eth0; ip addr add fd00::1/64 dev eth0 nodad; ip addr add fe80::1/64 dev eth0 nodad
      ip -n beta addr flush dev eth0; ip -n beta addr add fd00::2/64 dev eth0 nodad; ip -n beta addr add fe80::2/64 dev eth0 nodad`)
    const unicast = ['fd00::1', 'fd00::2', 'fe80::1', 'fe80::2'].map((address): NetworkLinkConfig => ({ kind: 'ucast', interface: 'eth0', address, port }))
    const other = spawn('nsenter', ['--net=/run/netns/beta', process.execPath, process.argv[1] ?? '', 'peer6'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => other.stdout.once('data', resolve))
    const opened = await open([...unicast, ...multicast6])
    const answers = (): string[] => [...new Set(opened.packets)].sort()
    const heard = await until(async () => {
      opened.links.send(Buffer.from('one'))
      await sleep(20)
      return answers().length >= opened.links.names.length ** 2
    })
    await opened.links.close()
    return { names: opened.links.names, heard, answers: answers(), changes: opened.changes }
  },
  async peer6() {
    const unicast = ['fd00::1', 'fd00::2', 'fe80::1', 'fe80::2'].map((address): NetworkLinkConfig => ({ kind: 'ucast', interface: 'eth0', address, port }))
    const links = await openLinks([...unicast, ...multicast6], {
      onPacket(link, bytes) {
        if (bytes.toString() === 'one') links.send(Buffer.from(`answer to one of ${link}`))
      },
      onChange: () => undefined,
    })
    process.stdout.write('ready\n')
    await sleep(24_000)
  },
  async receiver() {
    const socket = createSocket('udp4')
    socket.on('message', (bytes, from) => process.stdout.write(`${from.address} ${bytes.toString()}\n`))
    socket.bind(port)
    await sleep(5_000)
  },
  // A thousand floating addresses come and go: no socket is opened anew, no change is told.
  async 'floating-addresses'() {
    const opened = await open([bcast, ucast])
    const before = sh('ss -uanp')
    sh('for i in $(seq 1 200); do echo addr add 192.0.2.$i/32 dev eth0; done | ip -force -batch - >/dev/null 2>&1; true')
    await sleep(300)
    return { same: before === sh('ss -uanp'), changes: opened.changes }
  },
  async 'port-taken'() {
    const other = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => other.bind(port, resolve))
    return { ucast: await rejection(open([ucast])), bcast: await rejection(open([bcast])), mcast: await rejection(open([mcast])) }
  },
  async 'not-permitted'() {
    process.setgid?.(65534)
    process.setuid?.(65534)
    return { message: await rejection(open([bcast])) }
  },
  async 'no-interface-yet'() {
    const opened = await open([{ ...bcast, interface: 'eth7' }])
    const atStart = [...opened.changes]
    sh('ip link add eth7 type veth peer name eth8; ip link set eth8 up; ip addr add 198.51.100.1/24 dev eth7; ip link set eth7 up')
    const opens = await until(() => opened.changes.length === 2)
    return { atStart, opens, changes: opened.changes }
  },
  async 'only-self'() {
    return { message: await rejection(open([self])) }
  },
  // A packet beyond the limit of UDP is the one error that needs no firewall and no broken route.
  async 'send-errors'() {
    const opened = await open([ucast])
    const oversized = Buffer.alloc(70_000)
    for (let round = 0; round < 4; round += 1) {
      opened.links.send(oversized)
      await sleep(10)
    }
    const failed = [...opened.changes]
    opened.links.send(Buffer.from('x'))
    const recovered = await until(() => opened.changes.length === 2)
    return { failed, recovered, changes: opened.changes }
  },
  // Two interfaces in two networks: a packet of one must not look like a packet of the other.
  async 'two-interfaces'() {
    sh(`ip link add eth1 type veth peer name eth1 netns beta; ip addr add 198.51.100.1/24 dev eth1; ip link set eth1 up
      ip -n beta addr add 198.51.100.2/24 dev eth1; ip -n beta link set eth1 up`)
    const opened = await open([mcast, { ...mcast, interface: 'eth1' }, bcast, { ...bcast, interface: 'eth1' }])
    const child = spawn('nsenter', ['--net=/run/netns/beta', process.execPath, process.argv[1] ?? '', 'sender'], { stdio: 'inherit' })
    await new Promise((resolve) => child.once('exit', resolve))
    await until(() => opened.packets.length >= 4)
    await sleep(50)
    return { packets: [...opened.packets].sort(), changes: opened.changes }
  },
  async sender() {
    for (const name of ['eth0', 'eth1']) {
      const { links } = await open([{ ...mcast, interface: name }, { ...bcast, interface: name }])
      links.send(Buffer.from(`from ${name}`))
      await sleep(100)
      await links.close()
    }
  },
})
