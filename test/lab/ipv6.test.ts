/** Links and ping nodes over IPv6, as ha.cf writes them. */
import { expect, test } from 'vitest'
import { lacksHeartbeat, startHeartbeat } from './heartbeat.ts'
import { waitFor } from './hosts.ts'
import { testWith } from './needs.ts'
import { ip, openPair } from './pair.ts'

const [alpha6, beta6, client6] = [1, 2, 9].map((number) => `2001:db8:1::${number}`)
const links = [`ucast6 eth0 ${alpha6 ?? ''}`, `ucast6 eth0 ${beta6 ?? ''}`, 'mcast6 eth0 ff12::694 694 1 0']

testWith(['ping'], 'a pair over ucast6 and mcast6 with a ping6 node: start, and a takeover for which the ping node must answer', async () => {
  const pair = await openPair({ links, more: [`ping6 ${client6 ?? ''}`] })
  await pair.startBoth()
  const status = await pair.untilStatus(pair.alpha, 'all links up', ({ links: found }) => found.every(({ status: one }) => one === 'up'))
  expect(status.links.map(({ name }) => name)).toEqual([`ucast eth0 ${beta6 ?? ''}`, 'mcast eth0 ff12::694'])
  const check = await pair.hactl(pair.alpha, 'check', '/etc/ha.d')
  expect(check.stdout).not.toContain('error')
  await pair.untilStatus(pair.alpha, 'the ping node answers', ({ pings }) => pings?.every(({ reachable }) => reachable === true) === true)
  await pair.alpha.powerOff()
  await pair.untilHeldBy(pair.beta)
  // Without an answer of the ping node beta would not have taken it.
  expect(pair.lab.overlapMs(ip)).toBe(0)
})

const missing = lacksHeartbeat()

for (const [what, ours, theirs] of [
  ['ucast6', `ucast6 eth0 ${beta6 ?? ''}`, `ucast6 eth0 ${alpha6 ?? ''}`],
  ['mcast6', 'mcast6 eth0 ff12::694 694 1 0', 'mcast6 eth0 ff12::694 694 1 0'],
] as const) {
  test.skipIf(missing.length > 0)(`a real Heartbeat over ${what}: each hears the other${missing.length === 0 ? '' : ` (not here: ${missing.join(', ')})`}`, async () => {
    const pair = await openPair({ links: [ours], timing: { keepaliveMs: 500, deadtimeMs: 5_000, initdeadMs: 10_000 } })
    await startHeartbeat(pair.beta, 'alpha', [theirs])
    await pair.start(pair.alpha)
    const status = await pair.untilStatus(pair.alpha, 'beta alive', ({ nodes }) => nodes.every((node) => node.status === 'alive'), 30_000)
    expect(status.nodes.find(({ self }) => !self)).toMatchObject({ name: 'beta', dialogue: 'heartbeat' })
    await waitFor('alpha in the log of Heartbeat', () => /Status update for node alpha: status/.test(pair.beta.read('/var/log/ha-log')) || undefined, 30_000)
  }, 90_000)
}
