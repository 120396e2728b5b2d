/** A null-modem cable between two hosts (a pair of pseudo-terminals): what the pair is spared when the network goes, and a real Heartbeat at its other end. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { inspectDatagram } from '../../src/protocol/inspection.ts'
import { createFrameScanner } from '../../src/runtime/serial-frames.ts'
import { lacksHeartbeat, startHeartbeat } from './heartbeat.ts'
import { sleep, waitFor, type Running } from './hosts.ts'
import { lacks, testWith } from './needs.ts'
import { deadtimeMs, ip, openPair, type Pair } from './pair.ts'

/** Its ends are /run/line on both hosts; what passes is in /tmp/from-alpha and /tmp/from-beta of the client. */
async function layCable(pair: Pair): Promise<Running> {
  const cable = await pair.lab.client.start(`cable-${Date.now()}`, ['socat', '-d', '-d', '-r', '/tmp/from-alpha', '-R', '/tmp/from-beta', 'pty,raw,echo=0', 'pty,raw,echo=0'])
  const ends = await waitFor('both ends of the cable', () => {
    const found = [...cable.log().matchAll(/PTY is (\S+)/g)].map(([, name = '']) => name)
    return found.length === 2 ? found : undefined
  })
  for (const [index, host] of [pair.alpha, pair.beta].entries()) await host.must(`ln -sf ${ends[index] ?? ''} /run/line`)
  return cable
}

function linkStatus(links: readonly { readonly name: string; readonly status: string }[], name: string): string | undefined {
  return links.find((link) => link.name === name)?.status
}

testWith(['nft', 'socat', 'stty'], 'with a serial line beside the network a partition moves nothing, and a cable that is pulled is told', async () => {
  const pair = await openPair({ links: ['bcast eth0', 'baud 115200', 'serial /run/line'] })
  const cable = await layCable(pair)
  await pair.startBoth()
  await pair.untilStatus(pair.alpha, 'both links up', ({ links }) => links.every(({ status }) => status === 'up'))
  await pair.lab.cutBothWays('alpha', 'beta')
  const cut = await pair.untilStatus(pair.beta, 'the network down', ({ links }) => linkStatus(links, 'bcast eth0') === 'down')
  expect(linkStatus(cut.links, 'serial /run/line')).toBe('up')
  expect(cut.nodes.every(({ status }) => status === 'alive')).toBe(true)
  await sleep(2 * deadtimeMs)
  await pair.expectHolder(pair.alpha)
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  // A move over the line alone.
  expect((await pair.hactl(pair.alpha, 'standby', '--once')).code).toBe(0)
  await pair.untilHeldBy(pair.beta)
  expect(pair.lab.overlapMs(ip)).toBe(0)
  await pair.lab.heal()
  await pair.untilStatus(pair.alpha, 'the network up', ({ links }) => linkStatus(links, 'bcast eth0') === 'up')
  cable.kill('SIGKILL')
  await pair.untilEvent(pair.alpha, 'link-failed')
  await layCable(pair)
  await pair.untilEvent(pair.alpha, 'link-open')
  await pair.untilStatus(pair.alpha, 'both links up', ({ links }) => links.every(({ status }) => status === 'up'))
})

testWith(['socat', 'stty'], 'over a serial line alone the last will of a dead daemon arrives', async () => {
  const pair = await openPair({ links: ['baud 115200', 'serial /run/line'], timing: { keepaliveMs: 500, deadtimeMs: 20_000, initdeadMs: 20_000 } })
  await layCable(pair)
  await pair.startBoth()
  await pair.untilStatus(pair.beta, 'both ours', ({ nodes }) => nodes.every(({ dialogue }) => dialogue !== 'heartbeat'))
  await sleep(1_000)
  const diedMs = Date.now()
  pair.daemon(pair.alpha).kill('SIGKILL')
  const heldMs = await pair.untilHeldBy(pair.beta)
  expect(heldMs - diedMs, 'long before deadtime').toBeLessThan(10_000)
  expect(pair.lab.overlapMs(ip)).toBe(0)
})

const missing = [...lacks('socat', 'stty'), ...lacksHeartbeat()]

test.skipIf(missing.length > 0)(`a real Heartbeat at the other end of the line: each hears the other${missing.length === 0 ? '' : ` (not here: ${missing.join(', ')})`}`, async () => {
  const pair = await openPair({ links: ['baud 19200', 'serial /run/line'], timing: { keepaliveMs: 500, deadtimeMs: 5_000, initdeadMs: 10_000 } })
  await layCable(pair)
  await startHeartbeat(pair.beta, 'alpha', ['baud 19200', 'serial /run/line'])
  await pair.start(pair.alpha)
  const status = await pair.untilStatus(pair.alpha, 'beta alive', ({ nodes }) => nodes.every((node) => node.status === 'alive'), 30_000)
  expect(status.nodes.find(({ self }) => !self)).toMatchObject({ name: 'beta', dialogue: 'heartbeat' })
  expect(linkStatus(status.links, 'serial /run/line')).toBe('up')
  const log = await waitFor('the line up in the log of Heartbeat', () => {
    const text = pair.beta.read('/var/log/ha-log')
    return /Link alpha:\S+ up/.test(text) && /Status update for node alpha: status/.test(text) ? text : undefined
  }, 30_000)
  expect(log).toMatch(/Starting serial heartbeat on tty \/run\/line \(19200 baud\)/)
  await sleep(6_000)
  await pair.stop(pair.alpha)
  // The bytes that went over the line, as frames of both: with the first of them something of the beginning may be missing.
  const keyring = { active: 1, allowCrc: false, keys: [{ index: 1, method: 'sha1' as const, key: 'the' }] }
  for (const [from, atLeast] of [['alpha', 5], ['beta', 5]] as const) {
    const frames = createFrameScanner().take(readFileSync(pair.lab.client.path(`/tmp/from-${from}`)))
    const inspections = frames.map((frame) => inspectDatagram(frame, keyring))
    expect(inspections.length).toBeGreaterThan(atLeast)
    expect(inspections.map(({ verdict, framing }) => `${verdict} ${framing ?? '?'}`)).toEqual(frames.map(() => 'valid classic'))
  }
  // It has nothing to say against what it read; what a busy machine drops is asked for again.
  expect(pair.beta.read('/var/log/ha-log').split('\n').filter((line) => !line.includes('lost packet') && /(ERROR|CRIT|WARN).*(auth|message|packet|string|TTY|serial)/i.test(line))).toEqual([])
}, 90_000)
