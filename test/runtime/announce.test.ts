import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { advertisementFrame } from '../../src/runtime/announce-frames.ts'
import { ipBytes } from '../../src/runtime/addresses-bytes.ts'
import { inNamespaceAsRoot, namespaceTest, runScenario } from './in-namespace.ts'
import { loadNative } from '../../src/runtime/native.ts'

const native = { HACTL_NO_NATIVE: '0' }
const programs = { HACTL_NO_NATIVE: '1' }
const convinced = { misled: true, convinced: true, failures: [] }
const run = (scenario: string, env: Readonly<Record<string, string>>): Promise<Record<string, unknown>> => runScenario('announce.ts', scenario, env)
const arping = spawnSync('arping', ['-V']).error === undefined

describe.skipIf(loadNative() === undefined)('announcements with native calls (koffi)', () => {
  namespaceTest('the neighbour believes IPv4 and IPv6 announcements', async () => {
    expect(await run('neighbours', native)).toEqual(convinced)
  })
  namespaceTest('ARP goes out as request and as reply, the advertisement with override, and as a router where the host is one', async () => {
    const result = await run('frames', native)
    expect(result['failures']).toEqual([])
    expect(result['frames']).toEqual([
      'ffffffffffff<mac>08060001080006040001<mac>c0000264000000000000c0000264',
      'ffffffffffff<mac>08060001080006040002<mac>c0000264ffffffffffffc0000264',
      expect.stringMatching(/^333300000001<mac>86dd6000000000203aff20010db8.{24}ff02.{28}8800....20000000/),
      expect.stringMatching(/^333300000001<mac>86dd6000000000203aff20010db8.{24}ff02.{28}8800....a0000000/),
    ])
  })
  namespaceTest('a thousand addresses: the call returns in a fraction of the time that all frames take', async () => {
    const result = await run('thousand', native) as { totals: number[]; calls: number[]; failures: string[] }
    expect(result.failures).toEqual([])
    expect(Math.min(...result.totals)).toBeLessThan(500)
    expect(Math.min(...result.calls)).toBeLessThan(Math.min(...result.totals) / 2)
  })
  namespaceTest('an unknown place, an interface that is down or gone: each is told; an interface made anew works', async () => {
    const result = await run('failures', native)
    expect(result).toMatchObject({ convinced: true, more: 0 })
    expect(result['told']).toEqual([
      '203.0.113.1 cannot be announced: no interface has it',
      '192.0.2.100 and 1 more cannot be announced on eth0: the interface is down',
      '192.0.2.100 cannot be announced on eth0: the interface does not exist',
    ])
  })
  inNamespaceAsRoot('no permission is told', async () => {
    expect(await run('not-permitted', native)).toEqual({ failures: ['192.0.2.100 cannot be announced on eth0: EPERM: run the daemon as root or with CAP_NET_RAW'] })
  })
})

describe('announcements without native calls', () => {
  namespaceTest('many addresses, IPv6, and a missing arping: the kernel announces, and its switches are put back', async () => {
    expect(await run('many-neighbours', programs)).toEqual(convinced)
    expect(await run('switches-restored', programs)).toEqual({ ...convinced, after: ['0', '0'] })
    expect(await run('without-arping', programs)).toEqual(convinced)
  })
  namespaceTest('without any program the failure is told with what to install', async () => {
    const { failures } = await run('without-programs', programs)
    expect(failures).toEqual([
      expect.stringMatching(/^arping was not found; install iputils-arping, and the kernel cannot be made to announce the addresses of eth0: .*; install koffi/),
      expect.stringMatching(/^IPv6 announcements need native calls, and the kernel cannot be made to announce/),
    ])
  })
})

describe.skipIf(!arping)('announcements by arping', () => {
  namespaceTest('the neighbour believes them', async () => {
    expect(await run('by-arping', programs)).toEqual(convinced)
  })
})

test('the checksum of an advertisement, by the rule of RFC 1071 that the sum over everything is all ones', () => {
  const ip = ipBytes('2001:db8:ffff::1234') ?? new Uint8Array()
  const frame = advertisementFrame(Uint8Array.from([2, 0, 0, 0xff, 0xfe, 9]), ip, true)
  const packet = Buffer.from(frame.subarray(14))
  const summed = Buffer.concat([packet.subarray(8, 40), Buffer.from([0, 0, 0, packet.readUInt16BE(4), 0, 0, 0, 58]), packet.subarray(40)])
  let sum = 0
  for (let index = 0; index < summed.length; index += 2) sum += summed.readUInt16BE(index)
  expect((sum & 0xffff) + (sum >> 16)).toBe(0xffff)
})
