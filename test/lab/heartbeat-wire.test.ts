/** A real Heartbeat and our daemon over every kind of link and with every kind of key. */
import { expect } from 'vitest'
import { joinMs, openMixed, quiet, testMixed } from './heartbeat/mixed.ts'

const secret = 'the lab has no secrets'
const ways = [
  { link: 'ucast', links: ['ucast eth0 192.0.2.1', 'ucast eth0 192.0.2.2'], key: `1 md5 ${secret.replaceAll(' ', '')}` },
  { link: 'mcast', links: ['mcast eth0 225.0.0.1 694 1 0'], key: `1 sha1 ${secret.replaceAll(' ', '')}` },
  { link: 'bcast', links: ['bcast eth0'], key: '1 crc', yaml: 'allow_crc: true\n' },
] as const

for (const { link, links, key, ...more } of ways) {
  testMixed(`over ${link}, signed by ${key.split(' ')[1]}: they join, and the Heartbeat gives what it has and takes it back`, async () => {
    const mixed = await openMixed({ real: 'alpha', links, ...more })
    const { pair, real } = mixed
    for (const host of [pair.alpha, pair.beta]) host.write('/etc/ha.d/authkeys', `auth 1\n${key}\n`, 0o600)
    await Promise.all([real.start(), pair.start(pair.beta)])
    await mixed.untilHeld(pair.alpha, pair.beta)
    await real.untilHolding('local')
    await real.standby('local')
    await mixed.untilHeld(pair.beta, pair.beta)
    await real.takeover('local')
    await mixed.untilHeld(pair.alpha, pair.beta)
    await quiet()
    expect(real.log()).not.toMatch(/authentication|lost packet|hist queue|badly formed/i)
    mixed.expectNeverBoth()
  }, joinMs + 60_000)
}
