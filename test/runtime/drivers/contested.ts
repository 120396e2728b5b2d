import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { advertisementFrame, arpFrame } from '../../../src/runtime/announce-frames.ts'
import { ipBytes } from '../../../src/runtime/addresses-bytes.ts'
import { openAddresses, type Addresses } from '../../../src/runtime/addresses.ts'
import { watchContests } from '../../../src/runtime/contested.ts'
import { loadNative } from '../../../src/runtime/native.ts'
import type { FloatingAddress } from '../../../src/core/config.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

const v4 = (ip: string, more: Partial<FloatingAddress> = {}): FloatingAddress => ({ ip, family: 'ipv4', ...more })
const v6 = (ip: string): FloatingAddress => ({ ip, family: 'ipv6' })
const bytesOf = (ip: string): Uint8Array => ipBytes(ip) ?? new Uint8Array()
const other = Uint8Array.from([2, 0, 0, 0, 0, 9])
const lookedMs = 2_200

interface Opened { readonly addresses: Addresses; readonly told: string[]; readonly blind: string[]; close(): void }

async function open(): Promise<Opened> {
  const told: string[] = []
  const blind: string[] = []
  const addresses = await openAddresses({ onStripped: () => undefined, onLinkUp: () => undefined, onRestarted: () => undefined })
  const watch = await watchContests(addresses, { onContested: (ip, mac, name) => told.push(`${ip} ${mac} ${name}`), onBlind: (reason) => blind.push(reason) })
  return { addresses, told, blind, close: () => watch.close() }
}

const macOf = (words: string): string => /link\/ether (\S+)/.exec(sh(`ip ${words} -o link show`))?.[1] ?? ''

/** As if it came from the other host: sent into the other end of the cable, by a process in its namespace. */
function sendFromBeta(frames: readonly Uint8Array[], name = 'eth0'): Promise<void> {
  const hex = frames.map((frame) => Buffer.from(frame).toString('hex')).join(',')
  return new Promise((resolve, reject) => {
    execFile('ip', ['netns', 'exec', 'beta', process.execPath, process.argv[1] ?? '', 'sender'], { env: { ...process.env, FRAMES: hex, NAME: name } }, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

const packetSockets = (): number => readFileSync('/proc/net/packet', 'latin1').trim().split('\n').length - 1

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The share of a core that this process uses while nothing happens. */
async function shareOver(durationMs: number): Promise<number> {
  const [beforeMs, startMs] = [cpuMs(), performance.now()]
  await sleep(durationMs)
  return (cpuMs() - beforeMs) / (performance.now() - startMs)
}

await runDriver({
  async sender() {
    const native = loadNative()
    const opened = native?.openPacketSocket()
    const index = native?.interfaceIndex(process.env['NAME'] ?? '')
    if (native === undefined || opened === undefined || 'code' in opened || index === undefined) throw new Error('no packet socket')
    for (const frame of (process.env['FRAMES'] ?? '').split(',')) {
      const code = native.sendFrame(opened.fd, Buffer.from(frame, 'hex'), index)
      if (code !== undefined) throw new Error(code)
    }
    return Promise.resolve({})
  },
  async claims() {
    const { addresses, told } = await open()
    await addresses.add([v4('192.0.2.100'), v4('192.0.2.101'), v6('2001:DB8:0::100')])
    await sleep(lookedMs)
    const mac = macOf('-n beta')
    const theirs = Uint8Array.from(mac.split(':'), (word) => Number.parseInt(word, 16))
    const frames = [arpFrame('request', theirs, bytesOf('192.0.2.100')), arpFrame('reply', other, bytesOf('192.0.2.101')), advertisementFrame(theirs, bytesOf('2001:db8::100'), false)]
    await sendFromBeta([...frames, ...frames, arpFrame('request', other, bytesOf('192.0.2.150'))])
    await until(() => told.length >= 3)
    await sleep(lookedMs)
    return { told: [...told].sort(), mac }
  },
  // Somebody configures the address on another host, and that host speaks with it.
  async answers() {
    const { addresses, told } = await open()
    await addresses.add([v4('192.0.2.100')])
    await sleep(lookedMs)
    // A datagram to somebody unknown makes its kernel ask for him.
    const speak = "const s = require('dgram').createSocket('udp4'); s.bind(0, '192.0.2.100', () => s.send('x', 9, '192.0.2.77', () => s.close()))"
    sh(`ip -n beta addr add 192.0.2.100/24 dev eth0; ip netns exec beta ${process.execPath} -e "${speak}"`)
    await until(() => told.length > 0)
    return { told, mac: macOf('-n beta') }
  },
  async none() {
    sh('ip link add eth1 type veth peer name eth1 netns beta; ip link set eth1 up; ip -n beta link set eth1 up')
    const { addresses, told, close } = await open()
    const own = Uint8Array.from(macOf('').split(':'), (word) => Number.parseInt(word, 16))
    const address = v4('192.0.2.100')
    const claim = arpFrame('request', other, bytesOf('192.0.2.100'))
    await addresses.add([v4('192.0.2.101')])
    await sleep(lookedMs)
    // The former holder's last word, a moment before we take over.
    await sendFromBeta([claim])
    await addresses.add([address])
    await sleep(lookedMs)
    await sendFromBeta([arpFrame('reply', own, bytesOf('192.0.2.100'))])
    await sendFromBeta([claim], 'eth1')
    await sleep(lookedMs)
    // The other one had it for a moment between two looks.
    await addresses.remove([address])
    await sendFromBeta([claim])
    await addresses.add([address])
    await sleep(lookedMs)
    await addresses.remove([address, v4('192.0.2.101')])
    await sleep(lookedMs)
    const socketsLeft = packetSockets()
    close()
    return { told, socketsLeft }
  },
  // With the watch and without it: what else goes on (looks, rereads) is the same.
  async idle() {
    const { addresses, close } = await open()
    const many = Array.from({ length: 1000 }, (_, index) => v4(`192.0.${(index >> 8) + 8}.${index & 255}`, { prefixLength: 32, interface: 'eth0' }))
    await addresses.add(process.env['MANY'] === '1' ? many : [v4('192.0.2.100'), v6('2001:db8::100')])
    await sleep(2_000)
    const durationMs = Number(process.env['IDLE_MS'] ?? 3_000)
    const watching = await shareOver(durationMs)
    close()
    return { watching, without: await shareOver(durationMs) }
  },
  async blind() {
    const { addresses, told, blind } = await open()
    await addresses.add([v4('192.0.2.100')])
    await sleep(lookedMs)
    return { told, blind }
  },
})
