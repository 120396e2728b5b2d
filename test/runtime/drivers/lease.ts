import { spawn } from 'node:child_process'
import type { FloatingAddress } from '../../../src/core/config.ts'
import type { Lease } from '../../../src/core/effects.ts'
import { openAddresses, type Addresses } from '../../../src/runtime/addresses.ts'
import { nowMs } from '../../../src/runtime/clock.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

interface Opened { readonly addresses: Addresses; readonly stripped: string[]; readonly restarts: string[] }

async function open(): Promise<Opened> {
  const stripped: string[] = []
  const restarts: string[] = []
  const addresses = await openAddresses({
    onStripped: (ip) => stripped.push(ip), onLinkUp: () => undefined, onRestarted: (reason) => restarts.push(reason),
  })
  return { addresses, stripped, restarts }
}

const v4 = (ip: string, more: Partial<FloatingAddress> = {}): FloatingAddress => ({ ip, family: 'ipv4', ...more })
const v6 = (ip: string, more: Partial<FloatingAddress> = {}): FloatingAddress => ({ ip, family: 'ipv6', ...more })
const lease = (validSeconds: number, leftMs = 2_000): Lease => ({ validSeconds, notAfterMs: nowMs() + leftMs })
const both = [v4('192.0.2.100'), v6('2001:DB8:0::100')]

/** `192.0.2.100/32`, in the kernel's order. */
const shown = (filter: string): string[] => [...sh('ip -o addr show').matchAll(/inet6? (\S+)/g)].map((found) => found[1] ?? '').filter((ip) => ip.includes(filter))
const lifetimes = (ip: string): string[] => sh(`ip -o addr show | grep -F ' ${ip}/'`).match(/valid_lft \w+/g) ?? []
const children = (words: string): number[] => sh('ps -eo pid=,args=').split('\n').filter((line) => line.includes(words) && !line.includes('ps -eo'))
  .map((line) => Number(line.trim().split(' ')[0]))
const stop = (words: string): void => children(words).forEach((pid) => process.kill(pid, 'SIGSTOP'))
const wake = (words: string): void => children(words).forEach((pid) => process.kill(pid, 'SIGCONT'))

function standStill(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}

const messageOf = (outcome: object): string => ('message' in outcome ? String(outcome.message) : '')

async function goneAfter(ip: string, startMs: number): Promise<number> {
  return (await until(() => shown(ip).length === 0, 6_000)) ? nowMs() - startMs : -1
}

await runDriver({
  async expires() {
    const { addresses, stripped } = await open()
    const startMs = nowMs()
    const added = await addresses.add(both, lease(1))
    const stand = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    const goneMs = [await goneAfter('192.0.2.100', startMs), await goneAfter('2001:db8::100', startMs)]
    const told = await until(() => stripped.length === 2)
    // The look that goes round every five seconds puts nothing back either.
    await sleep(5_500)
    return { added, stand, goneMs, told, stripped: [...stripped].sort(), later: shown('.100').length + shown('::100').length, renewed: await addresses.renew(both, lease(1)) }
  },
  async keeps() {
    const { addresses, stripped } = await open()
    await addresses.add(both, lease(2))
    const results = new Set<string>()
    for (let round = 0; round < 14; round += 1) {
      await sleep(250)
      results.add((await addresses.renew(both, lease(2))).result)
    }
    const stand = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    const told = stripped.length
    const gone = await goneAfter('192.0.2.100', nowMs())
    return { results: [...results], stripped: told, stand, gone: gone > 1_000 }
  },
  async gone() {
    const { addresses } = await open()
    const list = [v4('192.0.2.100'), v4('192.0.2.101'), v6('2001:db8::100')]
    await addresses.add(list, lease(3))
    sh('ip addr del 192.0.2.100/32 dev eth0; ip -6 addr del 2001:db8::100/128 dev eth0')
    await sleep(50)
    const renewal = await addresses.renew(list, lease(60))
    const never = await addresses.renew([v4('192.0.2.109')], lease(60))
    await sleep(100)
    const stand = [...shown('.100/32'), ...shown('::100/')]
    sh('ip link del eth0')
    return { renewal, never, stand, other: await addresses.renew([v4('192.0.2.101')], lease(60)) }
  },
  // The monitor stands still: its table shows what is gone. The renewal brings it back, and that is told when the monitor wakes.
  async 'gone-unseen'() {
    const { addresses, stripped } = await open()
    await addresses.add(both, lease(60))
    await sleep(1_100)
    stop('-o monitor')
    sh('ip addr del 192.0.2.100/32 dev eth0')
    const renewal = await addresses.renew(both, lease(60))
    wake('-o monitor')
    const told = await until(() => stripped.length > 0)
    // Without a monitor the kernel is asked before.
    for (const pid of children('-o monitor')) process.kill(pid, 'SIGKILL')
    await sleep(20)
    sh('ip addr del 192.0.2.100/32 dev eth0')
    const asked = await addresses.renew(both, lease(60))
    return { renewal, told, stripped, asked, stand: shown('192.0.2.100') }
  },
  async 'not-after-before'() {
    const { addresses, stripped } = await open()
    const added = await addresses.add([v4('192.0.2.100'), v4('192.0.2.101')], lease(5, -20))
    const stand = shown('192.0.2.10')
    await addresses.add([v4('192.0.2.102')], lease(100))
    const renewed = await addresses.renew([v4('192.0.2.102')], lease(1000, -20))
    return { added, stand, renewed, left: Number(/\d+/.exec(lifetimes('192.0.2.102')[0] ?? '')?.[0]), stripped }
  },
  // This loop stands still between the writing and the answer: what the child did meanwhile is undone.
  async 'not-after-after'() {
    const { addresses } = await open()
    await addresses.add([v4('192.0.2.109')], lease(60))
    const adding = addresses.add(both, lease(60, 100))
    standStill(300)
    const standing = shown('192.0.2.100')
    const added = await adding
    const left = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    await addresses.add(both, lease(60))
    await sleep(100)
    const renewing = addresses.renew(both, lease(60, 100))
    await new Promise((resolve) => setImmediate(resolve))
    standStill(300)
    const renewed = await renewing
    return { standing, added, left, renewed, after: [...shown('192.0.2.100'), ...shown('2001:db8::100')], other: shown('192.0.2.109') }
  },
  async 'child-stopped'() {
    const { addresses, restarts, stripped } = await open()
    await addresses.add(both, lease(60))
    await sleep(100)
    const [before] = children('-batch')
    stop('-batch')
    const startMs = nowMs()
    const renewed = await addresses.renew(both, lease(60, 300))
    const tookMs = nowMs() - startMs
    const gone = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    await sleep(100)
    const told = [...stripped]
    stop('-batch')
    await addresses.add([v4('192.0.2.101')], lease(60))
    stop('-batch')
    const added = await addresses.add(both, lease(60, 300))
    await sleep(200)
    return {
      renewed, tookMs, gone, added, after: [...shown('192.0.2.100'), ...shown('2001:db8::100')], stripped: told,
      alive: children('-batch').includes(before ?? 0), restarts: restarts.length, again: await addresses.add(both, lease(5)),
    }
  },
  // The answer comes after the end of the lifetime that stood before: whether the address was renewed or made anew is not known.
  async 'child-slow'() {
    const { addresses } = await open()
    await addresses.add([v4('192.0.2.100')], lease(1))
    await addresses.add([v4('192.0.2.101')], lease(60))
    await sleep(600)
    stop('-batch')
    setTimeout(() => wake('-batch'), 700)
    const renewed = await addresses.renew([v4('192.0.2.100'), v4('192.0.2.101')], lease(60, 5_000))
    return { renewed, stand: [...shown('192.0.2.100'), ...shown('192.0.2.101')] }
  },
  async adoption() {
    sh('ip link add eth1 type veth peer name eth9; ip link set eth1 up')
    sh('ip addr add 192.0.2.100/32 dev eth0; ip -6 addr add 2001:db8::100/64 dev eth0 nodad; ip addr add 192.0.2.100/24 dev eth0; ip addr add 192.0.2.100/28 dev eth1')
    const { addresses } = await open()
    const added = await addresses.add(both, lease(100))
    const stand = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    const lives = [...lifetimes('192.0.2.100'), ...lifetimes('2001:db8::100')].map((text) => text.replace(/\d+sec/, (word) => (Number.parseInt(word) > 95 ? 'new' : word)))
    return { added, stand, lives, renewed: await addresses.renew(both, lease(100)), base: shown('192.0.2.1/') }
  },
  // Each with the host prefix: one that expires takes no other along. With the network's own prefix length it does, which is told.
  async secondaries() {
    sh('echo 0 > /proc/sys/net/ipv4/conf/eth0/promote_secondaries')
    const { addresses, stripped } = await open()
    const far = (ip: string): FloatingAddress => v4(ip, { prefixLength: 28, interface: 'eth0' })
    for (const address of [v4('192.0.2.100'), v4('192.0.2.101'), far('198.51.100.5'), far('198.51.100.6')]) await addresses.add([address], lease(1))
    const kept = [v4('192.0.2.101'), far('198.51.100.6')]
    const results: string[] = []
    const endMs = nowMs() + 2_500
    while (nowMs() < endMs) {
      results.push((await addresses.renew(kept, lease(1))).result)
      await sleep(200)
    }
    return { stand: shown('192.0.2.1'), first: results[0], stripped: [...stripped].sort() }
  },
  async syntax() {
    const { addresses, restarts } = await open()
    await addresses.add([v4('192.0.2.100')], lease(60))
    const [before] = children('-batch')
    const messages: string[] = []
    for (const seconds of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 32 - 1, 1e21]) {
      messages.push(messageOf(await addresses.add([v4('192.0.2.101')], lease(seconds))), messageOf(await addresses.renew([v4('192.0.2.100')], lease(seconds))))
    }
    messages.push(messageOf(await addresses.renew([v4('192.0.2.100')], { validSeconds: 5, notAfterMs: Number.NaN })))
    const most = await addresses.renew([v4('192.0.2.100')], lease(2 ** 32 - 2))
    return { messages, most, same: children('-batch')[0] === before, restarts, stand: shown('192.0.2.10') }
  },
  async removed() {
    const { addresses } = await open()
    await addresses.add(both, lease(60))
    await sleep(100)
    stop('-batch')
    const renewing = addresses.renew(both, lease(60, 5_000))
    const removing = addresses.remove(both)
    return { removed: await removing, renewed: await renewing, left: [...shown('192.0.2.100'), ...shown('2001:db8::100')] }
  },
  async holder() {
    const { addresses } = await open()
    await addresses.add(both, lease(1))
    process.stdout.write('ready\n')
    for (;;) {
      await sleep(300)
      process.stdout.write(`${(await addresses.renew(both, lease(1, 200))).result}\n`)
    }
  },
  // A daemon that stands still loses its addresses, and does not bring them back by what it had in hand.
  async 'daemon-stopped'() {
    const holder = spawn(process.execPath, [process.argv[1] ?? '', 'holder'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    holder.stdout.on('data', (text) => (said += String(text)))
    await until(() => said.split('renewed').length > 5)
    const kept = [...shown('192.0.2.100'), ...shown('2001:db8::100')]
    holder.kill('SIGSTOP')
    const goneMs = await goneAfter('100/', nowMs())
    const before = said
    holder.kill('SIGCONT')
    await until(() => said.length > before.length + 20)
    const after = [...new Set(said.slice(before.length).trim().split('\n'))]
    const left = shown('100/')
    holder.kill('SIGKILL')
    return { kept, goneMs, after, left }
  },
  // Killed with a renewal and an add that wait in the pipe of a stopped child: neither comes after the daemon's end.
  async 'waiting-holder'() {
    const { addresses } = await open()
    await addresses.add(both, lease(1))
    await sleep(100)
    stop('ip -force')
    void addresses.renew(both, lease(60, 9_000))
    void addresses.add([v4('192.0.2.105')], lease(60, 9_000))
    await sleep(20)
    process.stdout.write('ready\n')
    await sleep(20_000)
  },
  async 'daemon-killed'() {
    const holder = spawn(process.execPath, [process.argv[1] ?? '', 'waiting-holder'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    holder.kill('SIGKILL')
    const ended = await until(() => children('ip -force').length === 0)
    wake('ip -force')
    const goneMs = await goneAfter('100/', nowMs())
    return { ended, goneMs, left: shown('192.0.2.105') }
  },
  async costs() {
    const { addresses } = await open()
    const many = (count: number): FloatingAddress[] => Array.from({ length: count }, (_, index) => v4(`192.0.${(index >> 8) + 8}.${index & 255}`, { prefixLength: 32, interface: 'eth0' }))
    await addresses.add(many(1000), lease(60))
    await sleep(300)
    const figures: Record<string, number[]> = {}
    for (const count of [1, 100, 1000]) {
      const times: number[] = []
      for (let round = 0; round < 7; round += 1) {
        const startMs = nowMs()
        const { result } = await addresses.renew(many(count), lease(60))
        times.push(result === 'renewed' ? nowMs() - startMs : -1)
        await sleep(60)
      }
      figures[String(count)] = times.sort((a, b) => a - b)
    }
    const spawnStartMs = nowMs()
    sh('ip addr show dev lo')
    return { ...figures, spawnMs: nowMs() - spawnStartMs }
  },
})
