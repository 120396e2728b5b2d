/** Cables, partitions, interfaces and addresses: what happens to the network, and to the pair in it. */
import { expect, test } from 'vitest'
import { sleep, waitFor } from './hosts.ts'
import { testWith } from './needs.ts'
import { deadtimeMs, ip, keepaliveMs, openPair, patienceMs } from './pair.ts'

testWith(['nft'], 'one of two links is lost: nothing moves, status names the link, and it comes back', async () => {
  const pair = await openPair({ secondLink: true })
  await pair.startBoth()
  await pair.lab.cutBothWays('alpha', 'beta', 1)
  const cut = await pair.untilStatus(pair.alpha, 'one link down', ({ links }) => links.some((link) => link.status === 'down'))
  expect(cut.links.map((link) => [link.name, link.status])).toEqual([['bcast eth0', 'up'], ['bcast eth1', 'down']])
  expect([cut.health, cut.nodes.every((node) => node.status === 'alive')]).toEqual(['degraded', true])
  expect(cut.problems.join('\n')).toContain('eth1')
  await sleep(2 * deadtimeMs)
  await pair.expectHolder(pair.alpha)
  await pair.lab.heal()
  await pair.untilStatus(pair.alpha, 'healthy again', ({ health }) => health === 'healthy')
  await pair.lab.cutBothWays('alpha', 'beta', 0)
  await pair.untilStatus(pair.beta, 'the other link down', ({ links }) => links[0]?.status === 'down' && links[1]?.status === 'up')
  await sleep(2 * deadtimeMs)
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  await pair.expectHolder(pair.alpha)
})

testWith(['nft'], 'full partition and healing: one of the two holders releases within moments, the other announces itself anew', async () => {
  // Without failback: it would move the group once more, and that is another story.
  const pair = await openPair({ autoFailback: 'off' })
  await pair.startBoth()
  const probe = await pair.lab.probe(ip)
  await probe.firstAnswerOf('alpha', 0)
  await pair.lab.cutBothWays('alpha', 'beta')
  // Without witness or fencing nobody can know better (promise P2): both hold it until packets pass again.
  await waitFor('two holders', async () => (await pair.lab.holders(ip)).length === 2 || undefined, deadtimeMs + patienceMs, 50)
  await sleep(500)
  // The worst case for the client: its neighbour entry names the node that will let go (the lower claim number, alpha).
  const mac = (await pair.alpha.must('cat /sys/class/net/eth0/address')).trim()
  await pair.lab.client.must(`ip neigh replace ${ip} lladdr ${mac} dev eth0 nud reachable`)
  const healMs = Date.now()
  await pair.lab.heal()
  const single = await waitFor('one holder', async () => {
    const holders = await pair.lab.holders(ip)
    return holders.length === 1 ? holders[0] : undefined
  }, patienceMs, 10)
  const endMs = Math.max(...pair.lab.tenures(ip).map((tenure) => tenure.toMs ?? 0))
  expect(endMs - healMs, 'released within a keepalive, and what this machine adds').toBeLessThan(keepaliveMs + 800)
  await probe.firstAnswerOf(single, healMs)
  await sleep(1_500)
  const gap = await probe.longestGap(healMs)
  expect(gap.ms, 'the client is not left with the wrong neighbour').toBeLessThan(1_000)
  expect(probe.answers(Date.now() - 500).every((answer) => answer.host === single)).toBe(true)
  expect(pair.lab.overlapMs(ip, endMs + 1)).toBe(0)
  expect(single).toBe('beta')
  const event = await pair.untilEvent(pair.alpha, 'two-holders-over')
  const told = Number(event.figures?.['overlapMs'])
  expect(Math.abs(told - pair.lab.overlapMs(ip)), `the overlap is told as ${told} ms`).toBeLessThan(300)
  await pair.untilStatus(pair.alpha, 'healthy', ({ health }) => health === 'healthy')
})

testWith(['nft'], 'a one-way cut: two nodes that can still speak one way do not both keep the address', async () => {
  const pair = await openPair()
  await pair.startBoth()
  await pair.lab.cutOneWay('alpha', 'beta')
  await pair.untilHeldBy(pair.beta, ip, 3 * deadtimeMs + patienceMs)
  expect(pair.lab.overlapMs(ip), 'P2: bounded by a part of deadtime').toBeLessThan(deadtimeMs)
  await pair.lab.heal()
  await pair.untilStatus(pair.alpha, 'healthy', ({ health }) => health === 'healthy')
  await waitFor('one holder', async () => (await pair.lab.holders(ip)).length === 1 || undefined)
})

test('the interface goes down and comes back: the peer takes over, and there is one holder in the end', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const probe = await pair.lab.probe(ip)
  await probe.firstAnswerOf('alpha', 0)
  const downMs = Date.now()
  await pair.alpha.must('ip link set eth0 down')
  await probe.firstAnswerOf('beta', downMs)
  expect(await pair.why(pair.beta)).toMatchObject({ reason: 'peer-dead' })
  await sleep(500)
  await pair.alpha.must('ip link set eth0 up')
  for (const host of [pair.alpha, pair.beta]) {
    await pair.untilStatus(host, 'healthy after the interface is back', ({ health }) => health === 'healthy', 15_000)
  }
  const holders = await pair.lab.holders(ip)
  expect(holders).toHaveLength(1)
  await probe.firstAnswerOf(holders[0] ?? '', Date.now())
})

test('the cable of the only link is pulled and put back: the same', async () => {
  const pair = await openPair()
  await pair.startBoth()
  await pair.lab.cable('alpha', 'down')
  await waitFor('the survivor takes over', async () => (await pair.lab.holders(ip)).includes('beta') || undefined, deadtimeMs + patienceMs)
  await pair.lab.cable('alpha', 'up')
  await pair.untilStatus(pair.beta, 'healthy', ({ health }) => health === 'healthy', 15_000)
  await waitFor('one holder', async () => (await pair.lab.holders(ip)).length === 1 || undefined)
})

test('an address that somebody else removes is put back and counted, without a failover', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const strippedMs = Date.now()
  await pair.alpha.must(`ip address del $(ip -o address show to ${ip} | awk '{ print $4 }') dev eth0`)
  await pair.untilHeldBy(pair.alpha)
  const again = pair.lab.tenures(ip).findLast((tenure) => tenure.host === 'alpha')
  expect((again?.fromMs ?? Infinity) - strippedMs).toBeLessThan(3_000)
  await pair.untilEvent(pair.alpha, 'address-stripped')
  expect((await pair.group(pair.alpha)).strippedCount).toBe(1)
  await sleep(deadtimeMs)
  expect(pair.lab.tenures(ip).every((tenure) => tenure.host === 'alpha')).toBe(true)
})

testWith(['nft'], '20 % loss in both directions moves nothing', async () => {
  const pair = await openPair()
  await pair.startBoth()
  await pair.lab.lose('alpha', 'beta', 20)
  await sleep(8 * deadtimeMs)
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  await pair.expectHolder(pair.alpha)
})

for (const [kind, lines] of [
  ['unicast', ['ucast eth0 192.0.2.1', 'ucast eth0 192.0.2.2']],
  ['multicast', ['mcast eth0 225.0.0.1 694 1 0']],
] as const) {
  test(`a pair over ${kind}: start and takeover`, async () => {
    const pair = await openPair({ links: lines })
    await pair.startBoth()
    await pair.expectHolder(pair.alpha)
    await pair.alpha.powerOff()
    await pair.untilHeldBy(pair.beta)
  })
}
