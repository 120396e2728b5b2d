import { describe, expect, test } from 'vitest'
import { namespaceTest, runScenario } from './in-namespace.ts'
import { advertisementFrame, arpFrame } from '../../src/runtime/announce-frames.ts'
import { ipBytes, ipKey } from '../../src/runtime/addresses-bytes.ts'
import { claimFilter, claimIn, etherArp, etherIpv6 } from '../../src/runtime/contested-frames.ts'
import { mayTell, openClaimLimit } from '../../src/runtime/contested-limit.ts'
import { loadNative } from '../../src/runtime/native.ts'

const mac = Uint8Array.from([2, 0, 0, 0xab, 0, 9])
const bytesOf = (ip: string): Uint8Array => ipBytes(ip) ?? new Uint8Array()
const changed = (frame: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = Uint8Array.from(frame)
  copy.set(values, at)
  return copy
}
const request = arpFrame('request', mac, bytesOf('192.0.2.100'))
const advertisement = advertisementFrame(mac, bytesOf('2001:db8::100'), false)
const withoutOption = changed(advertisement.subarray(0, 78), 18, 0, 24)
const arpClaim = { key: '192.0.2.100', hardwareAddress: '02:00:00:ab:00:09' }
const advertised = { key: ipKey('2001:db8::100'), hardwareAddress: '02:00:00:ab:00:09' }

const frames: { title: string; frame: Uint8Array; want: ReturnType<typeof claimIn> }[] = [
  { title: 'a gratuitous request claims', frame: request, want: arpClaim },
  { title: 'a reply claims', frame: arpFrame('reply', mac, bytesOf('192.0.2.100')), want: arpClaim },
  { title: 'a request for somebody else claims its sender', frame: changed(request, 38, 10, 0, 0, 1), want: arpClaim },
  { title: 'padding after the frame says nothing', frame: Uint8Array.from([...request, ...new Uint8Array(18)]), want: arpClaim },
  { title: 'a probe asks, and claims nothing', frame: changed(request, 28, 0, 0, 0, 0), want: undefined },
  { title: 'an operation of reverse ARP is no claim', frame: changed(request, 20, 0, 3), want: undefined },
  { title: 'ARP for other hardware is no claim', frame: changed(request, 14, 0, 6), want: undefined },
  { title: 'ARP for longer addresses is no claim', frame: changed(request, 18, 6, 16), want: undefined },
  { title: 'a cut ARP frame is no claim', frame: request.subarray(0, 41), want: undefined },
  { title: 'an empty frame is no claim', frame: new Uint8Array(), want: undefined },
  { title: 'another Ethernet type is no claim', frame: changed(request, 12, 8, 0), want: undefined },
  { title: 'a neighbour advertisement claims its target', frame: advertisement, want: advertised },
  { title: 'without the option the sender of the frame is meant', frame: changed(withoutOption, 6, 2, 0, 0, 1, 2, 3), want: { ...advertised, hardwareAddress: '02:00:00:01:02:03' } },
  { title: 'an option of length zero ends the options', frame: changed(advertisement, 79, 0), want: advertised },
  { title: 'an option that is longer than the packet is not read', frame: changed(changed(advertisement, 79, 9), 6, 2, 0, 0, 1, 2, 3), want: { ...advertised, hardwareAddress: '02:00:00:01:02:03' } },
  { title: 'another option comes first', frame: Uint8Array.from([...changed(advertisement.subarray(0, 78), 18, 0, 40), 14, 1, 0, 0, 0, 0, 0, 0, 2, 1, ...mac]), want: advertised },
  { title: 'a neighbour solicitation is no claim', frame: changed(advertisement, 54, 135), want: undefined },
  { title: 'what a router passed on is no claim', frame: changed(advertisement, 21, 254), want: undefined },
  { title: 'another protocol is no claim', frame: changed(advertisement, 20, 17), want: undefined },
  { title: 'a payload longer than the frame is no claim', frame: changed(advertisement, 18, 1, 0), want: undefined },
  { title: 'a payload too short for a target is no claim', frame: changed(advertisement, 18, 0, 8), want: undefined },
]

describe('what a frame claims', () => {
  for (const { title, frame, want } of frames) test(title, () => expect(claimIn(frame)).toEqual(want))
})

/** The kernel's interpreter, as far as the filter goes: a load beyond the end drops the frame. */
function passes(filter: Uint8Array, frame: Uint8Array): boolean {
  const program = Buffer.from(filter)
  const packet = Buffer.from(frame)
  let accumulator = 0
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, ifTrue, ifFalse, value] = [program.readUInt16LE(at * 8), program[at * 8 + 2] ?? 0, program[at * 8 + 3] ?? 0, program.readUInt32LE(at * 8 + 4)]
    if (code === 0x06) return value > 0
    if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse
    else {
      const size = code === 0x20 ? 4 : 1
      if (value + size > packet.length) return false
      accumulator = packet.readUIntBE(value, size)
    }
  }
  throw new Error('the program has no end')
}

describe('the filter in the kernel', () => {
  const arp = claimFilter(etherArp, ['192.0.2.99', '192.0.2.100'])
  const ipv6 = claimFilter(etherIpv6, [ipKey('2001:db8::99'), ipKey('2001:db8::100')])
  test('lets pass the claims to our addresses', () => {
    expect([passes(arp, request), passes(ipv6, advertisement)]).toEqual([true, true])
  })
  test('lets pass nothing else', () => {
    const others = [arpFrame('request', mac, bytesOf('192.0.2.101')), request.subarray(0, 30)]
    expect(others.map((frame) => passes(arp, frame))).toEqual([false, false])
    const others6 = [advertisementFrame(mac, bytesOf('2001:db8::101'), false), changed(advertisement, 20, 17), changed(advertisement, 54, 135), advertisement.subarray(0, 60)]
    expect(others6.map((frame) => passes(ipv6, frame))).toEqual([false, false, false, false])
  })
  test('holds a thousand addresses, and with more than the kernel takes lets every claim pass', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    const thousand = claimFilter(etherArp, [...many(1000), '192.0.2.100'])
    expect([thousand.length / 8 < 4096, passes(thousand, request), passes(thousand, arpFrame('reply', mac, bytesOf('192.0.2.7')))]).toEqual([true, true, false])
    const tooMany = claimFilter(etherArp, many(5000))
    expect([tooMany.length / 8, passes(tooMany, request)]).toEqual([1, true])
    expect(passes(claimFilter(etherIpv6, many(5000)), changed(advertisement, 54, 135))).toBe(false)
  })
})

test('a claim is told once in ten seconds, and a flood of hardware addresses is bounded', () => {
  const limit = openClaimLimit()
  expect([mayTell(limit, 'a', '1', 0), mayTell(limit, 'a', '1', 9_999), mayTell(limit, 'a', '2', 9_999), mayTell(limit, 'b', '1', 9_999), mayTell(limit, 'a', '1', 10_000)])
    .toEqual([true, false, true, true, true])
  const told = Array.from({ length: 1000 }, (_, index) => mayTell(limit, 'c', String(index), 15_000)).filter(Boolean)
  expect(told).toHaveLength(61)
  expect(limit.toldMs.size).toBe(64)
  expect(mayTell(limit, 'c', 'new', 25_000)).toBe(true)
})

const run = (scenario: string, env: Readonly<Record<string, string>> = { HACTL_NO_NATIVE: '0' }): Promise<Record<string, unknown>> => runScenario('contested.ts', scenario, env)

describe.skipIf(loadNative() === undefined)('another host that claims a floating address', () => {
  namespaceTest('is told with its hardware address and the interface: ARP request, ARP reply, advertisement', async () => {
    const { told, mac: theirs } = await run('claims') as { told: string[]; mac: string }
    expect(told).toEqual([`192.0.2.100 ${theirs} eth0`, '192.0.2.101 02:00:00:00:00:09 eth0', `2001:DB8:0::100 ${theirs} eth0`])
  })
  namespaceTest('that has the address itself, and answers for it, is told', async () => {
    const { told, mac: theirs } = await run('answers') as { told: string[]; mac: string }
    expect(told).toEqual([`192.0.2.100 ${theirs} eth0`])
  })
  namespaceTest('is no other than this one when the frame is our own, came before we had the address, after we gave it up, or to another interface', async () => {
    expect(await run('none')).toEqual({ told: [], socketsLeft: 0 })
  })
  namespaceTest('watching costs next to nothing', async () => {
    const { watching, without } = await run('idle') as { watching: number; without: number }
    expect(watching - without).toBeLessThan(0.01)
  })
})

describe('without native calls', () => {
  namespaceTest('nothing is watched, and nothing fails', async () => {
    expect(await run('blind', { HACTL_NO_NATIVE: '1' })).toEqual({ told: [], blind: [] })
  })
})
