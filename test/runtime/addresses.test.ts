import { describe, expect, test } from 'vitest'
import { inNamespaceAsRoot, namespaceTest, runScenario } from './in-namespace.ts'
import { broadcastAddress, inSubnet, ipKey } from '../../src/runtime/addresses-bytes.ts'
import { parseAddressLine, parseInterfaceLine } from '../../src/runtime/addresses-lines.ts'
import { addCommand } from '../../src/runtime/addresses-place.ts'

const run = (scenario: string): Promise<Record<string, unknown>> => runScenario('addresses.ts', scenario)
const ok = { result: 'ok' }

describe('addresses in the kernel', () => {
  namespaceTest('host prefix where the interface has the subnet, else as configured; labels, broadcast, IPv6 without duplicate detection', async () => {
    const result = await run('shapes')
    expect(result).toMatchObject({ added: ok, removed: ok, left: [] })
    expect(result['stand']).toEqual([
      'eth0 inet 192.0.2.100/32 scope global eth0', 'eth0 inet 192.0.2.101/32 scope global eth0', 'eth0 inet 192.0.2.102/32 scope global eth0:1',
      'eth0 inet 192.0.2.103/32 brd 192.0.2.255 scope global eth0', 'eth0 inet 192.0.2.104/16 brd 192.0.255.255 scope global eth0',
      'eth0 inet 198.51.100.5/28 brd 198.51.100.15 scope global eth0', 'eth0 inet 198.51.100.6/28 brd 198.51.100.15 scope global secondary eth0',
      'eth0 inet6 2001:db8:1::5/64 scope global nodad', 'eth0 inet6 2001:db8::100/128 scope global nodad deprecated',
    ])
    expect(result['lifetimes']).toEqual(['valid_lft forever preferred_lft forever', 'valid_lft forever preferred_lft 0sec'])
    expect(result['observed']).toEqual([...Array<boolean>(9).fill(true), false])
    expect(result['after']).toEqual(Array<boolean>(9).fill(false))
  })
  namespaceTest('what is missing or hostile is named, nothing of it reaches the ip child, and the most specific subnet decides', async () => {
    const result = await run('errors')
    const messages = (result['messages'] as { result: string; message: string }[]).map((outcome) => `${outcome.result}: ${outcome.message}`)
    expect(messages).toEqual([
      'failed: no interface has a subnet containing 203.0.113.5: write 203.0.113.5/24/eth0 (prefix length and interface) in the configuration',
      'failed: interface eth0 has no subnet containing 203.0.113.5: write 203.0.113.5/24/eth0 with the prefix length of its network',
      expect.stringMatching(/^failed: 203.0.113.5: interface eth7 does not exist on this machine; it has .*eth0/),
      'failed: "192.0.2.9; reboot" is not an IPv4 address',
      'failed: "192.0.2.9\\naddr flush dev eth0" is not an IPv4 address',
      'failed: 192.0.2.9: "eth0 label x" cannot be an interface name',
      'failed: 192.0.2.9: the prefix length 99 is not a whole number from 1 to 32',
      'failed: 192.0.2.9: the prefix length 24.5 is not a whole number from 1 to 32',
      'failed: 192.0.2.9: "a b" cannot be a label; use letters and digits',
      'failed: 192.0.2.9: the label eth0:quitelonglabel is longer than the 15 characters that the kernel allows',
      'failed: 192.0.2.9: "#eth0" cannot be an interface name',
      'failed: 192.0.2.9: the broadcast address "1.2.3" is not an IPv4 address',
      'failed: "fe80::1%eth0" is not an IPv6 address',
    ])
    expect(result).toMatchObject({ specific: ok, where: ['eth1 inet 192.0.2.200/32 scope global eth1'], children: 1, base: 1 })
  })
  namespaceTest('one address that the kernel refuses: none of the call stays, and what stood before stays', async () => {
    const result = await run('all-or-none')
    expect((result['outcome'] as { message: string }).message).toMatch(/^ff02::5\/128 cannot be added on eth0: /)
    expect(result['left']).toEqual(['eth0 inet 192.0.2.50/32 scope global eth0'])
  })
  namespaceTest('an address that stands already is adopted, with our lifetime', async () => {
    expect(await run('adoption')).toEqual({ outcome: ok, lifetimes: ['valid_lft forever', 'valid_lft forever'] })
  })
  namespaceTest('removal takes every copy: another prefix length, another interface', async () => {
    expect(await run('copies')).toEqual({ before: 3, outcome: ok, left: [], again: ok })
  })
  namespaceTest('an address stripped by somebody else is told once; our own changes never are', async () => {
    const result = await run('stripped')
    expect(result).toMatchObject({ told: true, restored: ok, list: ['192.0.2.80 eth0', '2001:db8::80 eth0'], flushed: true, back: ok })
    expect(result['stand']).toHaveLength(3)
    expect(result['tookMs']).toBeLessThan(1_000)
  })
  namespaceTest('an interface that is removed and made again: told, refused by name, told again, put back', async () => {
    const result = await run('interface-remade')
    expect(result).toMatchObject({ told: true, toldAgain: true, outcome: ok, up: true, stand: ['eth0 inet 192.0.2.90/32 scope global eth0'] })
    expect(result['refused']).toMatchObject({ message: expect.stringContaining('interface eth0 does not exist') as string })
  })
  namespaceTest('a cable that comes back is told, so that addresses can be announced', async () => {
    expect(await run('link-up')).toEqual({ whileDown: [], up: true, stripped: [] })
  })
  namespaceTest('the ip children are killed: another one serves, adds and removals finish, a loss in between is found', async () => {
    const result = await run('child-killed')
    expect(result).toMatchObject({ told: true, observed: [true], outcome: ok, added: ok, count: 1002, removed: ok, left: 0, found: true })
    expect(result['stripped']).toEqual(['192.0.2.110 eth0'])
  })
  namespaceTest('a frozen ip child is ended soon, and the address goes all the same', async () => {
    const result = await run('child-frozen')
    expect(result).toMatchObject({ removed: ok, left: [] })
    expect(result['tookMs']).toBeLessThan(900)
    expect(result['restarts']).toHaveLength(1)
  })
  namespaceTest('a removal during an add wins', async () => {
    expect(await run('removed-while-added')).toEqual({ added: { result: 'cancelled' }, removed: ok, left: 0 })
  })
  namespaceTest('a thousand addresses cost far less than a process each', async () => {
    const result = await run('thousand') as { add: number[]; remove: number[]; spawnMs: number; count: number }
    expect(result.count).toBe(1002)
    expect(Math.min(...result.add)).toBeLessThan(result.spawnMs * 1000 / 10)
    expect(Math.min(...result.remove)).toBeLessThan(result.spawnMs * 1000 / 10)
  })
  namespaceTest('no ip on the machine is named', async () => {
    expect((await run('no-ip'))['message']).toBe('floating addresses cannot be managed: the program ip was not found; install iproute2')
  })
  inNamespaceAsRoot('no permission is named, for adding and for removing', async () => {
    const result = await run('not-permitted')
    expect(result['added']).toEqual({ result: 'failed', message: '192.0.2.141/32 cannot be added on eth0: not permitted; run the daemon as root or with CAP_NET_ADMIN' })
    expect(result['removed']).toEqual({ result: 'failed', message: '192.0.2.140/32 is still on eth0: not permitted; run the daemon as root or with CAP_NET_ADMIN' })
  })
  namespaceTest('both ip children end with a daemon that is killed', async () => {
    expect(await run('killed')).toEqual({ before: 2, gone: true })
  })
  namespaceTest('closing ends both children', async () => {
    expect(await run('closes')).toEqual({ before: 2, closed: true })
  })
})

test('subnets, broadcast addresses and spellings', () => {
  expect(inSubnet('192.0.2.200', '192.0.2.130', 25)).toBe(true)
  expect(inSubnet('192.0.2.100', '192.0.2.130', 25)).toBe(false)
  expect(inSubnet('2001:db8::5', '2001:DB8::1', 64)).toBe(true)
  expect(inSubnet('2001:db8::5', '192.0.2.1', 1)).toBe(false)
  expect(broadcastAddress('192.0.2.130', 25)).toBe('192.0.2.255')
  expect(broadcastAddress('10.1.2.3', 9)).toBe('10.127.255.255')
  expect(ipKey('2001:DB8:0:0::0.0.0.1')).toBe(ipKey('2001:db8::1'))
  expect(ipKey('::')).toBe('0'.repeat(32))
})

test('the lines of ip: labels, peers, flags, interface names with a parent', () => {
  expect(parseAddressLine('3: eth0    inet 192.0.2.100/32 brd 192.0.2.255 scope global secondary eth0:1\\       valid_lft forever')).toEqual(
    { index: 3, interface: 'eth0', family: 'ipv4', ip: '192.0.2.100', prefixLength: 32, label: 'eth0:1', duplicate: false })
  expect(parseAddressLine('7: ppp0    inet 10.0.0.1 peer 10.0.0.2/32 scope global ppp0\\  valid_lft forever')).toMatchObject({ ip: '10.0.0.1', prefixLength: 32 })
  expect(parseAddressLine('3: eth0    inet6 2001:db8::5/64 scope global dadfailed tentative \\       valid_lft forever')).toMatchObject({ duplicate: true })
  expect(parseAddressLine('3: eth0@if2: <BROADCAST,UP> mtu 1500')).toBeUndefined()
  expect(parseInterfaceLine('12: eth0.7@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500')).toEqual({ index: 12, name: 'eth0.7', up: true })
  expect(parseInterfaceLine('12: eth0: <NO-CARRIER,BROADCAST,UP> mtu 1500')).toEqual({ index: 12, name: 'eth0', up: false })
})

test('the add command has room for a lifetime', () => {
  const place = { ip: '192.0.2.100', family: 'ipv4', prefixLength: 32, interface: 'eth0', label: 'eth0:1' } as const
  expect(addCommand(place, 'change', 3)).toBe('addr change 192.0.2.100/32 dev eth0 label eth0:1 valid_lft 3 preferred_lft 3')
})
