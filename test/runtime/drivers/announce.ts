import { mkdirSync, symlinkSync } from 'node:fs'
import type { FloatingAddress } from '../../../src/core/config.ts'
import { openAnnouncer } from '../../../src/runtime/announce.ts'
import { receiveFrames } from './receiver.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

const v4 = (ip: string): FloatingAddress => ({ ip, family: 'ipv4' })
const v6 = (ip: string): FloatingAddress => ({ ip, family: 'ipv6' })
const wrongMac = '02:00:00:00:00:99'

function open(name = 'eth0'): { announce(list: readonly FloatingAddress[]): void; failures: string[] } {
  const failures: string[] = []
  const announcer = openAnnouncer({ interfaceOf: (address) => (address.ip === '203.0.113.1' ? undefined : name) }, (message) => failures.push(message))
  return { announce: (list) => announcer.announce(list), failures }
}

const mac = (): string => /link\/ether (\S+)/.exec(sh('ip -o link show eth0'))?.[1] ?? ''
const hex = (text: string): string => text.replaceAll(':', '')

/** What the other host believes: an entry of the neighbour table that only a right packet changes. */
function mislead(ips: readonly string[]): void {
  for (const ip of ips) sh(`ip -n beta neigh replace ${ip} lladdr ${wrongMac} nud stale dev eth0`)
}
const believes = (ip: string): string => /lladdr (\S+)/.exec(sh(`ip -n beta neigh show ${ip} dev eth0`))?.[1] ?? ''

async function convinces(list: readonly FloatingAddress[]): Promise<Record<string, unknown>> {
  const { announce, failures } = open()
  for (const { ip } of list) sh(`ip addr add ${ip}/${ip.includes(':') ? '128 nodad' : '32'} dev eth0`)
  const ips = list.map(({ ip }) => ip)
  // The kernel takes no IPv6 packet on a cable that is a second old: until then the link-local address is tentative.
  if (list.some(({ family }) => family === 'ipv6')) await until(() => !/tentative/.test(sh('ip -n beta -6 addr show dev eth0; ip -6 addr show dev eth0')), 10_000)
  mislead(ips)
  const misled = ips.every((ip) => believes(ip) === wrongMac)
  announce(list)
  const convinced = await until(() => ips.every((ip) => believes(ip) === mac()))
  return { misled, convinced, failures }
}

await runDriver({
  neighbours: () => convinces([v4('192.0.2.100'), v4('192.0.2.101'), v6('2001:db8::100')]),
  'by-arping': () => convinces([v4('192.0.2.100'), v4('192.0.2.101')]),
  'many-neighbours': () => convinces(Array.from({ length: 40 }, (_, index) => v4(`192.0.2.${index + 100}`))),
  async 'without-arping'() {
    mkdirSync('/run/programs')
    for (const program of ['ip', 'grep']) symlinkSync(sh(`command -v ${program}`).trim(), `/run/programs/${program}`)
    process.env['PATH'] = '/run/programs'
    return convinces([v4('192.0.2.100')])
  },
  async 'without-programs'() {
    process.env['PATH'] = '/nonexistent'
    const { announce, failures } = open()
    announce([v4('192.0.2.100')])
    await until(() => failures.length > 0)
    announce([v6('2001:db8::100')])
    await until(() => failures.length > 1)
    return { failures }
  },
  // The switches that make the kernel announce are the administrator's: they are as before afterwards.
  async 'switches-restored'() {
    const result = await convinces([v6('2001:db8::100')])
    await sleep(100)
    return { ...result, after: sh('cat /proc/sys/net/ipv4/conf/eth0/arp_notify /proc/sys/net/ipv6/conf/eth0/ndisc_notify').trim().split('\n') }
  },
  async frames() {
    const receive = receiveFrames('eth0')
    const { announce, failures } = open()
    await sleep(50)
    receive()
    announce([v4('192.0.2.100'), v6('2001:db8::100')])
    sh('echo 1 > /proc/sys/net/ipv6/conf/eth0/forwarding')
    announce([v6('2001:db8::100')])
    const own = receive().map((frame) => frame.toString('hex')).filter((frame) => frame.slice(12, 24) === hex(mac()) && (frame.includes('c0000264') || frame.includes('20010db8000000000000000000000100')))
    return { frames: own.map((frame) => frame.replaceAll(hex(mac()), '<mac>')), failures }
  },
  async thousand() {
    const receive = receiveFrames('eth0')
    const { announce, failures } = open()
    announce([v4('192.0.2.1')])
    const list = Array.from({ length: 1000 }, (_, index) => v4(`10.0.${index >> 8}.${index & 255}`))
    const totals: number[] = []
    const calls: number[] = []
    for (let round = 0; round < 5; round += 1) {
      receive()
      const startMs = performance.now()
      announce(list)
      calls.push(performance.now() - startMs)
      let frames = 0
      while (frames < 2000 && performance.now() < startMs + 5_000) {
        frames += receive().filter((frame) => frame.readUInt16BE(12) === 0x0806).length
        await new Promise((resolve) => setImmediate(resolve))
      }
      totals.push(performance.now() - startMs)
    }
    return { totals, calls, failures }
  },
  async failures() {
    const { announce, failures } = open()
    announce([v4('203.0.113.1')])
    sh('ip link set eth0 down')
    announce([v4('192.0.2.100'), v4('192.0.2.101')])
    sh('ip link del eth0')
    announce([v4('192.0.2.100')])
    sh('ip link add eth0 type veth peer name eth0 netns beta; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip -n beta addr add 192.0.2.2/24 dev eth0; ip -n beta link set eth0 up')
    const told = [...failures]
    mislead(['192.0.2.100'])
    announce([v4('192.0.2.100')])
    const convinced = await until(() => believes('192.0.2.100') === mac())
    return { told, convinced, more: failures.length - told.length }
  },
  async 'not-permitted'() {
    process.setgid?.(65534)
    process.setuid?.(65534)
    const { announce, failures } = open()
    announce([v4('192.0.2.100')])
    return { failures }
  },
})
