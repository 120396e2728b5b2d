/** Packets that are not the peer's: garbage, replayed, foreign, unsigned. Each is counted and dropped, and nothing else happens. */
import { expect, test } from 'vitest'
import { waitFor, type Host, type Running } from './hosts.ts'
import { deadtimeMs, ip, keepaliveMs, openPair, patienceMs, type Pair } from './pair.ts'

/** Writes each packet that reaches the port as a line of base64. Runs on the client: broadcasts reach everybody. */
const listen = `const s = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true })
s.on('message', (m) => console.log(m.toString('base64'))); s.bind(694, () => console.error('ready'))`

/** Sends each line of its first argument's file, decoded, to the second argument, all of it again and again. */
const send = `const [file, to, everyMs] = process.argv.slice(1)
const s = require('node:dgram').createSocket('udp4')
const all = require('node:fs').readFileSync(file, 'utf8').split('\\n').filter(Boolean).map((l) => Buffer.from(l, 'base64'))
let i = 0
s.bind(694, () => { s.setBroadcast(true); setInterval(() => s.send(all[i++ % all.length], 694, to), Number(everyMs)) })`

async function capture(pair: Pair, count: number): Promise<string[]> {
  const listener = await pair.lab.client.start('listen', [process.execPath, '-e', listen])
  const packets = (): string[] => listener.log().split('\n').slice(0, -1).filter((line) => line !== 'ready')
  await waitFor('packets on the wire', () => packets().length >= count || undefined, patienceMs)
  listener.kill('SIGKILL')
  await listener.ended
  return packets()
}

async function bombard(from: Host, packets: readonly string[], to: string, everyMs: number): Promise<Running> {
  from.write('/tmp/packets', `${packets.join('\n')}\n`)
  return from.start('send', [process.execPath, '-e', send, '/tmp/packets', to, String(everyMs)])
}

function text(packet: string): string {
  return Buffer.from(packet, 'base64').toString('latin1')
}

function packet(words: string): string {
  return Buffer.from(words, 'latin1').toString('base64')
}

async function expectDropsCounted(pair: Pair, host: Host): Promise<void> {
  const dropped = await pair.untilEvent(host, 'packets-dropped', patienceMs)
  expect(dropped.message).not.toContain('no secrets')
}

test('replayed packets keep nobody alive: the holder is dead, its old packets are still heard, and the survivor takes over', async () => {
  // Enough packets that most are older than what a second link may still bring.
  const pair = await openPair({ timing: { keepaliveMs: 50, deadtimeMs, initdeadMs: 3_000 } })
  await pair.startBoth()
  const packets = (await capture(pair, 120)).filter((one) => text(one).includes('alpha'))
  expect(packets.length).toBeGreaterThan(3)
  await pair.alpha.powerOff()
  const deadMs = Date.now()
  const attack = await bombard(pair.lab.client, packets, '192.0.2.255', 20)
  const heldMs = await pair.untilHeldBy(pair.beta)
  expect(heldMs - deadMs).toBeLessThan(deadtimeMs + 2_000)
  expect((await pair.peerOf(pair.beta)).status).toBe('dead')
  await expectDropsCounted(pair, pair.beta)
  attack.kill('SIGKILL')
})

test('garbage, cut, changed, unsigned and foreign packets change nothing in a healthy pair', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const real = (await capture(pair, 4)).filter((one) => text(one).includes('src=alpha') || text(one).includes('alpha'))[0] ?? ''
  const words = text(real)
  const bad = [
    ...Array.from({ length: 50 }, (_, index) => packet(String.fromCharCode(...Array.from({ length: 1 + index * 20 }, (__, at) => (at * 31 + index * 7) % 256)))),
    packet(''),
    packet(words.slice(0, words.length / 2)),
    packet(words.replaceAll('alpha', 'alphb')),
    packet(words.replaceAll('alpha', 'gamma')),
    packet(words.replace(/auth=[^\n]*\n/, '')),
    packet(words.replace(/auth=\d+ [0-9a-f]{8}/, (match) => `${match.slice(0, -8)}00000000`)),
    packet(words.replace(/seq=[0-9a-f]+/, 'seq=7fffffff')),
    packet(words.replace(/hg=[0-9a-f]+/, 'hg=7fffffff')),
    packet(`###\nt=status\nst=dead\nsrc=alpha\nseq=ffff\nhg=ffffffff\nts=0\nld=0\nttl=3\nauth=1 0000000000000000000000000000000000000000\n%%%\n`),
    packet(`${words}${'x'.repeat(60_000 - words.length)}`),
  ]
  const before = await pair.status(pair.beta)
  const attack = await bombard(pair.lab.client, bad, '192.0.2.255', 1)
  await new Promise((resolve) => setTimeout(resolve, 4 * deadtimeMs))
  for (const host of [pair.alpha, pair.beta]) {
    const status = await pair.status(host)
    expect([status.health, status.problems]).toEqual(['healthy', []])
  }
  attack.kill('SIGKILL')
  const after = await pair.status(pair.beta)
  expect(after.nodes.map((node) => [node.name, node.generation])).toEqual(before.nodes.map((node) => [node.name, node.generation]))
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  await pair.expectHolder(pair.alpha)
  await expectDropsCounted(pair, pair.beta)
  const perMinute = pair.logOf(pair.beta).split('\n').filter((line) => line.includes('packets-dropped')).length
  expect(perMinute, 'one line for each cause and minute, not one for each packet').toBeLessThan(30)
})

test('a node with another key is no peer: it is told apart in the log of both', async () => {
  const pair = await openPair()
  pair.beta.write('/etc/ha.d/authkeys', 'auth 1\n1 sha1 another key\n', 0o600)
  await Promise.all([pair.start(pair.alpha), pair.start(pair.beta)])
  const dropped = await pair.untilEvent(pair.alpha, 'packets-dropped', 20 * keepaliveMs + patienceMs)
  expect(dropped.message).toMatch(/sign|key/i)
  const peer = await pair.peerOf(pair.alpha)
  expect(peer.status).not.toBe('alive')
})
