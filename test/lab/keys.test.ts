/** A key change on a running pair. */
import { copyFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { waitFor } from './hosts.ts'
import { ip, openPair, patienceMs } from './pair.ts'

test('a key change by hactl keys rotate: three steps, and no packet is dropped', async () => {
  const pair = await openPair()
  await pair.startBoth()
  const rotate = () => pair.hactl(pair.alpha, 'keys', 'rotate')
  for (const step of ['step 1 of 3', 'step 2 of 3', 'step 3 of 3']) {
    const taken = await waitFor(step, async () => {
      const ran = await rotate()
      return ran.code === 0 ? ran.stdout : undefined
    }, patienceMs, 200)
    expect(taken).toContain(step)
    expect((await rotate()).code, 'not before both have read it').toBe(1)
    expect((await pair.hactl(pair.alpha, 'reload')).code).toBe(0)
    copyFileSync(pair.alpha.path('/etc/ha.d/authkeys'), pair.beta.path('/etc/ha.d/authkeys'))
    expect((await pair.hactl(pair.beta, 'reload')).code).toBe(0)
  }
  await waitFor('the last word', async () => (await rotate()).stdout.startsWith('done') || undefined, patienceMs, 200)
  for (const host of pair.lab.hosts) {
    expect((await pair.events(host)).filter(({ code }) => code === 'packets-dropped')).toEqual([])
    expect((await pair.status(host)).health).toBe('healthy')
  }
  expect(pair.lab.tenures(ip)).toHaveLength(1)
  expect(pair.alpha.read('/etc/ha.d/authkeys')).toMatch(/^auth 2\n2 sha1 [0-9a-f]{64}\n$/)
})
