/** A pair of two Heartbeats becomes a pair of ours, one host at a time, and goes back. */
import { expect } from 'vitest'
import { readFileSync } from 'node:fs'
import { ip, otherIp } from './pair.ts'
import { heartbeatLines, heartbeatOn } from './heartbeat/heartbeat.ts'
import { openMixed, quiet, testMixed } from './heartbeat/mixed.ts'

testMixed('two Heartbeats, then one, then none, then one again: each change is one switchover, and changing the dialogue costs nothing', async () => {
  const mixed = await openMixed({ real: 'alpha' })
  const { pair, real } = mixed
  const [alpha, beta] = [pair.alpha, pair.beta]
  pair.configure(beta, { groups: [`alpha IPaddr2::${ip}/24/eth0`, `beta IPaddr2::${otherIp}/24/eth0`], more: heartbeatLines })
  const other = heartbeatOn(beta)
  await Promise.all([real.start(), other.start()])
  await mixed.untilHeld(alpha, beta)
  await Promise.all([real.untilHolding('local'), other.untilHolding('local')])
  const uuid = readFileSync(beta.path('/var/lib/heartbeat/hb_uuid')).toString('hex')
  await other.stop()
  await mixed.untilHeld(alpha, alpha)

  pair.configure(beta, { groups: [`alpha IPaddr2::${ip}/24/eth0`, `beta IPaddr2::${otherIp}/24/eth0`] })
  await pair.start(beta)
  await mixed.untilHeld(alpha, beta)
  await real.untilHolding('local')
  expect(real.log()).not.toMatch(/changed its uuid|attempted replay/)
  expect(beta.read('/var/lib/hactl/generation').replaceAll('-', '')).toContain(uuid)

  await real.stop()
  await mixed.untilHeld(beta, beta)
  await quiet()
  const hactlMs = Date.now()
  pair.configure(alpha, { groups: [`alpha IPaddr2::${ip}/24/eth0`, `beta IPaddr2::${otherIp}/24/eth0`] })
  await pair.start(alpha)
  await mixed.untilHeld(alpha, beta)
  await pair.untilStatus(beta, 'its peer is one of ours', (status) => status.nodes.some((node) => !node.self && node.dialogue === 'hactl' && node.status === 'alive'))
  await quiet()
  // One of the two groups moved; the other stayed where it was while the dialogue changed.
  expect(pair.lab.unheldMs(otherIp, hactlMs, Date.now())).toBe(0)
  expect((await pair.status(beta)).groups.every(({ holder, preferredNode }) => holder === preferredNode)).toBe(true)

  expect(await pair.stop(alpha)).toBe(0)
  await mixed.untilHeld(beta, beta)
  const backMs = Date.now()
  pair.configure(alpha, { groups: [`alpha IPaddr2::${ip}/24/eth0`, `beta IPaddr2::${otherIp}/24/eth0`], more: heartbeatLines })
  await real.start()
  await mixed.untilHeld(alpha, beta)
  await real.untilHolding('local')
  await quiet()
  expect(pair.lab.unheldMs(otherIp, backMs, Date.now())).toBe(0)
  expect(real.log()).not.toMatch(/attempted replay|returning after partition|Both machines/)
  mixed.expectNeverBoth()
}, 240_000)
