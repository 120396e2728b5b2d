/** Times, addresses, schedules: one table each, both sides of every limit. */
import { expect, test } from 'vitest'
import { parseIp, prefixOfNetmask } from '../../src/config/addresses.ts'
import { cronFault } from '../../src/config/cron.ts'
import { classicTime, timeText, yamlTime } from '../../src/config/durations.ts'
import { quoted } from '../../src/config/findings.ts'
import { parseFloatingAddress } from '../../src/config/floating-address.ts'
import { nearest } from '../../src/config/suggestions.ts'

const classicTimes: readonly (readonly [string, number | undefined])[] = [
  ['2', 2000], ['0.5', 500], ['.5', 500], ['10.', 10_000], ['500ms', 500], ['500MS', 500], ['500msec', 500], ['250000us', 250],
  ['250000usec', 250],
  ['0.5ms', 1], ['3.0004', 3000], ['0', 0], ['10s', undefined], ['10min', undefined], ['1e1', undefined], ['-1', undefined], ['abc',
  undefined], ['', undefined],
  ['10 ms', undefined], ['99999999', undefined],
]
for (const [text, want] of classicTimes) {
  test(`ha.cf time ${JSON.stringify(text)}`, () => {
    const parsed = classicTime(text)
    expect(parsed.ok ? parsed.ms : undefined).toBe(want)
  })
}

const yamlTimes: readonly (readonly [string, number | undefined])[] = [
  ['200ms', 200], ['2s', 2000], ['1.5s', 1500], ['5m', 300_000], ['5min', 300_000], ['1h', 3_600_000], ['1d', 86_400_000], ['0.2ms', 1],
  ['2', undefined], ['2 s', undefined], ['s', undefined], ['-2s', undefined], ['2S', undefined], ['100d', undefined], ['1e3s', undefined],
]
for (const [text, want] of yamlTimes) test(`YAML time ${JSON.stringify(text)}`, () => expect(yamlTime(text)).toBe(want))

test('a time is written in its largest whole unit', () => {
  expect([0, 1, 200, 2000, 1500, 300_000, 3_600_000, 86_400_000].map(timeText)).toEqual(['0ms', '1ms', '200ms', '2s', '1500ms', '5m',
    '1h', '1d'])
})

const ips: readonly (readonly [string, string | undefined])[] = [
  ['192.0.2.1', '192.0.2.1'], ['255.255.255.255', '255.255.255.255'], ['192.0.2.256', undefined], ['192.0.2', undefined], ['192.0.2.01',
  undefined], ['192.0.2.1 ', undefined],
  ['2001:DB8::1', '2001:db8::1'], ['2001:db8:0:0:0:0:0:1', '2001:db8::1'], ['::', '::'], ['::1', '::1'], ['fe80::', 'fe80::'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], ['::ffff:192.0.2.1', '::ffff:c000:201'], ['2001:db8::1::2', undefined], [':::',
  undefined], ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined], ['1:2:3:4:5:6:7::8', undefined], ['2001:db8::12345', undefined], ['2001:db8::g', undefined], ['',
  undefined],
]
for (const [text, want] of ips) test(`address ${JSON.stringify(text)}`, () => expect(parseIp(text)?.text).toBe(want))

test('netmasks are contiguous', () => {
  expect(['255.255.255.0', '255.255.255.255', '255.255.254.0', '0.0.0.0', '255.0.255.0', '0.0.0.255'].map(prefixOfNetmask)).toEqual([24,
    32, 23, 0, undefined, undefined])
})

const floating: readonly (readonly [string, object | undefined])[] = [
  ['192.0.2.100', { ip: '192.0.2.100', family: 'ipv4' }],
  ['192.0.2.100/24', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24 }],
  ['192.0.2.100/255.255.255.0', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24 }],
  ['192.0.2.100/24/eth0', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0' }],
  ['192.0.2.100/24/eth0/', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0' }],
  ['192.0.2.100/24/eth0:1', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0', label: '1' }],
  ['192.0.2.100/24/eth0/192.0.2.255', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0',
  broadcast: '192.0.2.255' }],
  ['192.0.2.100/24/192.0.2.255', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, broadcast: '192.0.2.255' }],
  ['192.0.2.100/24/192.0.2.255/eth0', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'eth0', broadcast: '192.0.2.255' }],
  ['192.0.2.100/24//192.0.2.255', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, broadcast: '192.0.2.255' }],
  ['192.0.2.100//eth0', { ip: '192.0.2.100', family: 'ipv4', interface: 'eth0' }],
  ['192.0.2.100/24/bond0.100:1/192.0.2.255', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'bond0.100', label: '1', broadcast: '192.0.2.255' }],
  ['192.0.2.100/24/2eth0', undefined], ['192.0.2.100/24:eth0', undefined], ['192.0.2.100%eth0', undefined], ['192.0.2.100/24/eth0/eth1', undefined],
  ['192.0.2.100/eth0:0', { ip: '192.0.2.100', family: 'ipv4', interface: 'eth0', label: '0' }],
  ['192.0.2.100/24/enp0s31f6:0', { ip: '192.0.2.100', family: 'ipv4', prefixLength: 24, interface: 'enp0s31f6', label: '0' }],
  ['2001:db8::1/64/eth0', { ip: '2001:db8::1', family: 'ipv6', prefixLength: 64, interface: 'eth0' }],
  ['2001:DB8:0::1/128', { ip: '2001:db8::1', family: 'ipv6', prefixLength: 128 }],
  ['2001:db8::1/64/eth0:1', { ip: '2001:db8::1', family: 'ipv6', prefixLength: 64, interface: 'eth0' }],
  ['192.0.2.100/33', undefined], ['192.0.2.100/0', undefined], ['2001:db8::1/129', undefined], ['192.0.2.100/255.0.255.0', undefined],
  ['224.0.0.1/24', undefined],
  ['0.0.0.0', undefined], ['192.0.2.100/24/eth0/192.0.2.255/x', undefined], ['192.0.2.100/24/an-interface-far-too-long', undefined],
  ['192.0.2.100/24/enp0s31f6:toolong', undefined], ['2001:db8::1/64/eth0/192.0.2.255', undefined], ['192.0.2.100/24/eth0/192.0.2.300',
  undefined], ['ff02::1/64', undefined],
]
for (const [text, want] of floating) {
  test(`floating address ${text}`, () => {
    const parsed = parseFloatingAddress(text)
    expect(parsed.ok ? parsed.address : undefined).toEqual(want)
  })
}

test('what Heartbeat would read otherwise is said', () => {
  const notes = (text: string) => { const parsed = parseFloatingAddress(text); return parsed.ok ? parsed.notes.join() : 'refused' }
  expect(notes('192.0.2.100/24/eth0/192.0.2.255')).toBe('')
  expect(notes('192.0.2.100/24/192.0.2.255/eth0')).toMatch(/ignores "eth0".*Write 192\.0\.2\.100\/MASK\/eth0\/192\.0\.2\.255/)
  expect(notes('192.0.2.100//eth0')).toMatch(/reads "eth0" as a mask/)
})

test('schedules have five fields within their ranges', () => {
  for (const good of ['0 3 * * *', '*/5 * * * *', '0 0-6 1,15 jan-mar sun', '59 23 31 12 7']) expect(cronFault(good),
    good).toBeUndefined()
  for (const bad of ['', '0 3 * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '5-1 * * * *', '*/0 * * * *',
    'a * * * *', '* * * * * *', '5/2 * * * *']) {
    expect(cronFault(bad), bad).toBeDefined()
  }
})

test('the nearest word is near', () => {
  expect(nearest('deadtyme', ['keepalive', 'deadtime'])).toBe('deadtime')
  expect(nearest('warmtime', ['warntime', 'deadtime'])).toBe('warntime')
  expect(nearest('kepealive', ['keepalive'])).toBe('keepalive')
  expect(nearest('foo', ['keepalive', 'node'])).toBeUndefined()
  expect(nearest('x'.repeat(1000), ['keepalive'])).toBeUndefined()
})

test('a value in a message cannot move a cursor, and is short', () => {
  expect(quoted('a\tb\u001b[2J\u202ec')).toBe('"a\\tb\\u001b[2J\\u202ec"')
  expect(quoted('x'.repeat(100)).length).toBeLessThan(64)
})
