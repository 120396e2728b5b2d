import { spawn } from 'node:child_process'
import type { FloatingAddress } from '../../../src/core/config.ts'
import { openAddresses, type Addresses } from '../../../src/runtime/addresses.ts'
import { rejection, runDriver, sh, sleep, until } from './scenario.ts'

interface Opened { readonly addresses: Addresses; readonly stripped: string[]; readonly linkUps: string[]; readonly restarts: string[] }

async function open(): Promise<Opened> {
  const stripped: string[] = []
  const linkUps: string[] = []
  const restarts: string[] = []
  const addresses = await openAddresses({
    onStripped: (ip, name) => stripped.push(`${ip} ${name}`),
    onLinkUp: (name) => linkUps.push(name),
    onRestarted: (reason) => restarts.push(reason),
  })
  return { addresses, stripped, linkUps, restarts }
}

const v4 = (ip: string, more: Partial<FloatingAddress> = {}): FloatingAddress => ({ ip, family: 'ipv4', ...more })
const v6 = (ip: string, more: Partial<FloatingAddress> = {}): FloatingAddress => ({ ip, family: 'ipv6', ...more })
const many = (count: number): FloatingAddress[] => Array.from({ length: count }, (_, index) => v4(`192.0.${(index >> 8) + 8}.${index & 255}`, { prefixLength: 32, interface: 'eth0' }))

/** As `ip -o addr` prints them: address, broadcast, label, flags. */
const shown = (filter: string): string[] => sh(`ip -o addr show | grep -F '${filter}' || true`).split('\n').filter(Boolean)
  .map((line) => line.replace(/^\d+: /, '').replace(/\s+/g, ' ').replace(/ \\.*$/, '').replace(/\\ .*$/, '').trim())

/** The children of this process whose command line contains the words. */
const children = (words: string): number[] => sh('ps -eo pid=,args=').split('\n').filter((line) => line.includes(words) && !line.includes('ps -eo'))
  .map((line) => Number(line.trim().split(' ')[0]))

await runDriver({
  async shapes() {
    const { addresses } = await open()
    const list = [
      v4('192.0.2.100'), v4('192.0.2.101', { prefixLength: 24 }), v4('192.0.2.102', { prefixLength: 24, interface: 'eth0', label: '1' }),
      v4('192.0.2.103', { prefixLength: 24, interface: 'eth0', broadcast: '192.0.2.255' }), v4('198.51.100.5', { prefixLength: 28, interface: 'eth0' }),
      v4('198.51.100.6', { prefixLength: 28, interface: 'eth0' }), v4('192.0.2.104', { prefixLength: 16, interface: 'eth0' }), v6('2001:DB8:0::100'), v6('2001:db8:1::5', { prefixLength: 64, interface: 'eth0' }),
    ]
    const added = await addresses.add(list)
    const stand = [...shown('192.0.2.10'), ...shown('198.51'), ...shown('2001:db8:1::5'), ...shown('2001:db8::100')]
    const lifetimes = sh("ip -o -6 addr show dev eth0 | grep -E '::100|::5' | grep -o 'valid_lft.*'").trim().split('\n').map((line) => line.trim())
    const observed = await addresses.observe([...list, v4('192.0.2.200')])
    const removed = await addresses.remove(list)
    const after = await addresses.observe(list)
    return { added, stand, lifetimes, observed, removed, after, left: [...shown('192.0.2.10'), ...shown('198.51')] }
  },
  async errors() {
    sh('ip link add eth1 type veth peer name eth9; ip addr add 192.0.2.130/25 dev eth1; ip link set eth1 up; ip link set eth9 up')
    const { addresses } = await open()
    const messages = []
    for (const address of [
      v4('203.0.113.5'), v4('203.0.113.5', { interface: 'eth0' }), v4('203.0.113.5', { prefixLength: 24, interface: 'eth7' }),
      v4('192.0.2.9; reboot'), v4('192.0.2.9\naddr flush dev eth0'), v4('192.0.2.9', { interface: 'eth0 label x', prefixLength: 24 }), v4('192.0.2.9', { prefixLength: 99 }),
      v4('192.0.2.9', { prefixLength: 24.5 }), v4('192.0.2.9', { interface: 'eth0', label: 'a b' }), v4('192.0.2.9', { interface: 'eth0', label: 'quitelonglabel' }),
      v4('192.0.2.9', { interface: '#eth0', prefixLength: 24 }), v4('192.0.2.9', { broadcast: '1.2.3' }), v6('fe80::1%eth0'),
    ]) messages.push(await addresses.add([address]))
    // The most specific subnet wins, and the child has lived through all of it.
    const specific = await addresses.add([v4('192.0.2.200')])
    return { messages, specific, where: shown('192.0.2.200'), children: children('-batch').length, base: shown('192.0.2.1/').length }
  },
  // The kernel itself refuses an IPv6 multicast address: the others of the same call must not stay, but what was there before does.
  async 'all-or-none'() {
    const { addresses } = await open()
    sh('ip addr add 192.0.2.50/32 dev eth0')
    const outcome = await addresses.add([v4('192.0.2.50'), v4('192.0.2.51'), v6('ff02::5', { prefixLength: 128, interface: 'eth0' }), v4('192.0.2.52')])
    return { outcome, left: shown('192.0.2.5') }
  },
  async adoption() {
    sh('ip addr add 192.0.2.60/32 dev eth0 valid_lft 100 preferred_lft 100; ip -6 addr add 2001:db8::60/128 dev eth0 nodad valid_lft 100 preferred_lft 100')
    const { addresses } = await open()
    const outcome = await addresses.add([v4('192.0.2.60'), v6('2001:db8::60')])
    return { outcome, lifetimes: sh("ip -o addr show | grep -F ::60/; ip -o addr show | grep -F .60/").match(/valid_lft \w+/g) }
  },
  async copies() {
    sh('ip link add eth1 type veth peer name eth9; ip link set eth1 up')
    const { addresses } = await open()
    await addresses.add([v4('192.0.2.70')])
    sh('ip addr add 192.0.2.70/24 dev eth0; ip addr add 192.0.2.70/28 dev eth1')
    const before = shown('192.0.2.70').length
    const outcome = await addresses.remove([v4('192.0.2.70')])
    return { before, outcome, left: shown('192.0.2.70'), again: await addresses.remove([v4('192.0.2.70')]) }
  },
  async stripped() {
    const { addresses, stripped } = await open()
    await addresses.add([v4('192.0.2.80'), v4('192.0.2.81'), v6('2001:db8::80')])
    const startMs = performance.now()
    sh('ip addr del 192.0.2.80/32 dev eth0; ip -6 addr del 2001:db8::80/128 dev eth0')
    const told = await until(() => stripped.length === 2)
    const tookMs = performance.now() - startMs
    const restored = await addresses.add([v4('192.0.2.80'), v6('2001:db8::80')])
    // What we remove ourselves, and what we put back at once, is no loss.
    for (let round = 0; round < 20; round += 1) {
      await addresses.remove([v4('192.0.2.81')])
      await addresses.add([v4('192.0.2.81')])
    }
    await sleep(200)
    const list = [...stripped].sort()
    // networkd at its worst: the interface's own address goes as well, and still it comes back where it was.
    sh('ip addr flush dev eth0')
    const flushed = await until(() => stripped.length >= 5)
    const back = await addresses.add([v4('192.0.2.80'), v4('192.0.2.81'), v6('2001:db8::80')])
    return { told, tookMs, restored, list, flushed, back, stand: [...shown('192.0.2.8'), ...shown('2001:db8::80')] }
  },
  // The interface goes away for a while: putting it back fails until it is there again, and is asked for again then.
  async 'interface-remade'() {
    const { addresses, stripped, linkUps } = await open()
    const address = v4('192.0.2.90', { prefixLength: 24, interface: 'eth0' })
    await addresses.add([address])
    sh('ip link del eth0')
    const told = await until(() => stripped.length === 1)
    await until(async () => (await addresses.add([address])).result === 'failed')
    const refused = await addresses.add([address])
    sh('ip link add eth0 type veth peer name eth0 netns beta; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip -n beta link set eth0 up')
    const toldAgain = await until(() => stripped.length === 2)
    const outcome = await addresses.add([address])
    const up = await until(() => linkUps.includes('eth0'))
    return { told, refused, toldAgain, outcome, up, stand: shown('192.0.2.90') }
  },
  async 'link-up'() {
    const { addresses, stripped, linkUps } = await open()
    await addresses.add([v4('192.0.2.95')])
    sh('ip link set eth0 down')
    await sleep(100)
    const whileDown = [...linkUps]
    sh('ip link set eth0 up')
    return { whileDown, up: await until(() => linkUps.includes('eth0')), stripped }
  },
  async 'child-killed'() {
    const { addresses, stripped, restarts } = await open()
    await addresses.add([v4('192.0.2.110')])
    for (const pid of children('-batch')) process.kill(pid, 'SIGKILL')
    const told = await until(() => restarts.length === 1)
    const observed = await addresses.observe([v4('192.0.2.110')])
    const outcome = await addresses.add([v4('192.0.2.111')])
    // Killed with work in hand: the thousand all stand, or none does.
    const adding = addresses.add(many(1000))
    for (const pid of children('-batch')) process.kill(pid, 'SIGKILL')
    const added = await adding
    const count = shown('/32').length
    for (const pid of children('-batch')) process.kill(pid, 'SIGKILL')
    const removed = await addresses.remove(many(1000))
    // The monitor dies and somebody strips an address before another one is there.
    for (const pid of children('-o monitor')) process.kill(pid, 'SIGKILL')
    await sleep(20)
    sh('ip addr del 192.0.2.110/32 dev eth0')
    const found = await until(() => stripped.length === 1)
    return { told, observed, outcome, added, count, removed, left: shown('192.0.8.').length, found, stripped }
  },
  // Frozen, the child answers nothing: it is ended, and the address goes all the same.
  async 'child-frozen'() {
    const { addresses, restarts } = await open()
    await addresses.add([v4('192.0.2.115')])
    for (const pid of children('-batch')) process.kill(pid, 'SIGSTOP')
    const startMs = performance.now()
    const removed = await addresses.remove([v4('192.0.2.115')])
    return { removed, tookMs: performance.now() - startMs, left: shown('192.0.2.115'), restarts }
  },
  // A removal during an add wins, whatever the order in which the kernel saw both.
  async 'removed-while-added'() {
    const { addresses } = await open()
    const adding = addresses.add(many(500))
    const removing = addresses.remove(many(500))
    return { added: await adding, removed: await removing, left: shown('192.0.8.').length + shown('192.0.9.').length }
  },
  async thousand() {
    const { addresses } = await open()
    await addresses.add([v4('192.0.2.120')])
    const time = async (work: () => Promise<unknown>): Promise<number> => {
      const startMs = performance.now()
      await work()
      return performance.now() - startMs
    }
    const figures: Record<string, number[]> = { add: [], add100: [], remove: [], observe: [] }
    for (let round = 0; round < 5; round += 1) {
      figures['add']?.push(await time(() => addresses.add(many(1000))))
      figures['observe']?.push(await time(() => addresses.observe(many(1000))))
      figures['remove']?.push(await time(() => addresses.remove(many(1000))))
      figures['add100']?.push(await time(() => addresses.add(many(100))))
      await addresses.remove(many(100))
    }
    const one = await time(() => addresses.add([v4('192.0.2.121')]))
    const spawnMs = await time(async () => sh('ip addr show dev lo'))
    await addresses.add(many(1000))
    return { ...figures, one, spawnMs, count: shown('/32').length }
  },
  async 'no-ip'() {
    process.env['PATH'] = '/nonexistent'
    return { message: await rejection(open()) }
  },
  async 'not-permitted'() {
    sh('ip addr add 192.0.2.140/32 dev eth0')
    process.setgid?.(65534)
    process.setuid?.(65534)
    const { addresses } = await open()
    return { added: await addresses.add([v4('192.0.2.141')]), removed: await addresses.remove([v4('192.0.2.140')]) }
  },
  // Killed, the daemon leaves no child behind that would hold a namespace or a lock.
  async killed() {
    const holder = spawn(process.execPath, [process.argv[1] ?? '', 'holder'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    const before = children('-o monitor').length + children('-batch').length
    holder.kill('SIGKILL')
    return { before, gone: await until(() => children('-o monitor').length + children('-batch').length === 0) }
  },
  async holder() {
    await open()
    process.stdout.write('ready\n')
    await sleep(20_000)
  },
  async closes() {
    const { addresses } = await open()
    const before = children('-o monitor').length + children('-batch').length
    await addresses.close()
    const closed = await until(() => children('-o monitor').length + children('-batch').length === 0)
    return { before, closed }
  },
})
