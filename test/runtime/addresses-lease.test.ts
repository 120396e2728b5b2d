import { describe, expect, test } from 'vitest'
import { namespaceTest, runScenario } from './in-namespace.ts'
import { leaseFault } from '../../src/runtime/addresses-lease.ts'

const run = (scenario: string): Promise<Record<string, unknown>> => runScenario('lease.ts', scenario)
const ok = { result: 'ok' }
const bothStand = ['192.0.2.100/32', '2001:db8::100/128']

describe('an address with a lease', () => {
  namespaceTest('expires by itself, IPv4 and IPv6, is told, and nobody puts it back', async () => {
    const result = await run('expires')
    expect(result).toMatchObject({ added: ok, stand: bothStand, told: true, stripped: ['192.0.2.100', '2001:DB8:0::100'], later: 0 })
    expect(result['renewed']).toEqual({ result: 'gone', ips: ['192.0.2.100', '2001:DB8:0::100'] })
    for (const goneMs of result['goneMs'] as number[]) expect(goneMs).toBeGreaterThan(900)
  })
  namespaceTest('stands as long as it is renewed, and no longer', async () => {
    expect(await run('keeps')).toEqual({ results: ['renewed'], stripped: 0, stand: bothStand, gone: true })
  })
  namespaceTest('is not renewed when it is gone: it is named, stays gone, and the others are renewed; without an interface all are gone', async () => {
    expect(await run('gone')).toEqual({
      renewal: { result: 'gone', ips: ['192.0.2.100', '2001:db8::100'] }, never: { result: 'gone', ips: ['192.0.2.109'] }, stand: [],
      other: { result: 'gone', ips: ['192.0.2.101'] },
    })
  })
  namespaceTest('stripped unseen, while the monitor stands still, is told as stripped all the same; without a monitor the kernel is asked', async () => {
    expect(await run('gone-unseen')).toEqual({
      renewal: { result: 'renewed' }, told: true, stripped: ['192.0.2.100'], asked: { result: 'gone', ips: ['192.0.2.100'] }, stand: [],
    })
  })
  namespaceTest('whose time has passed before the kernel is asked: nothing is added, and what stands keeps its lifetime', async () => {
    const result = await run('not-after-before')
    expect(result['added']).toMatchObject({ result: 'failed', message: expect.stringMatching(/^192\.0\.2\.100\/32 \(and 1 more\) was not added: the time for it had passed before/) as string })
    expect(result['renewed']).toMatchObject({ result: 'failed', message: expect.stringMatching(/^192\.0\.2\.102\/32 was not renewed: .* nothing was changed/) as string })
    expect(result).toMatchObject({ stand: [], stripped: [] })
    expect(result['left']).toBeLessThanOrEqual(100)
  })
  namespaceTest('whose time passes before the answer is heard is removed again, after an add and after a renewal', async () => {
    const result = await run('not-after-after')
    expect(result).toMatchObject({ standing: ['192.0.2.100/32'], left: [], after: [], other: ['192.0.2.109/32'] })
    expect(result['added']).toMatchObject({ result: 'failed', message: expect.stringContaining('was added too late and is removed again') as string })
    expect(result['renewed']).toMatchObject({ result: 'too-late', message: expect.stringContaining('was renewed too late and is removed again') as string })
  })
  namespaceTest('whose ip child is stopped: the child is killed when the time has passed, the addresses are removed, the next add works', async () => {
    const result = await run('child-stopped')
    expect(result).toMatchObject({ renewed: { result: 'too-late' }, gone: [], added: { result: 'failed' }, after: [], stripped: [], alive: false, again: ok })
    expect(result['tookMs']).toBeLessThan(900)
  })
  namespaceTest('renewed so slowly that the kernel may have ended it before is removed and named; the others are renewed', async () => {
    expect(await run('child-slow')).toEqual({ renewed: { result: 'gone', ips: ['192.0.2.100'] }, stand: ['192.0.2.101/32'] })
  })
  namespaceTest('that stands already is adopted with its lifetime, and copies in another shape, which would outlive it, go', async () => {
    expect(await run('adoption')).toEqual({
      added: ok, stand: ['192.0.2.100/32', '2001:db8::100/64'], lives: ['valid_lft new', 'valid_lft new'], renewed: { result: 'renewed' }, base: ['192.0.2.1/24'],
    })
  })
  namespaceTest('takes no other along when it expires, having the host prefix; one with a network of its own does, which is told', async () => {
    expect(await run('secondaries')).toEqual({
      stand: ['192.0.2.1/24', '192.0.2.101/32'], first: 'renewed', stripped: ['192.0.2.100', '198.51.100.5', '198.51.100.6'],
    })
  })
  namespaceTest('and a lifetime that ip would stumble over: named, and the child never sees it', async () => {
    const result = await run('syntax')
    expect(result).toMatchObject({ most: { result: 'renewed' }, same: true, restarts: [], stand: ['192.0.2.100/32'] })
    expect(result['messages']).toHaveLength(15)
    expect(result['messages']).not.toContain('')
  })
  namespaceTest('removed while its renewal waits stays removed', async () => {
    expect(await run('removed')).toEqual({ removed: ok, renewed: { result: 'gone', ips: ['192.0.2.100', '2001:DB8:0::100'] }, left: [] })
  })
  namespaceTest('of a daemon that stands still ends, and stays away when the daemon wakes with renewals in hand', async () => {
    const result = await run('daemon-stopped')
    expect(result).toMatchObject({ kept: bothStand, left: [] })
    expect(result['goneMs']).toBeGreaterThan(0)
    expect(['gone', 'too-late', 'failed']).toEqual(expect.arrayContaining(result['after'] as string[]))
  })
  namespaceTest('of a killed daemon ends, and what waited in the pipe of a stopped child never reaches the kernel', async () => {
    const result = await run('daemon-killed')
    expect(result).toMatchObject({ ended: true, left: [] })
    expect(result['goneMs']).toBeGreaterThanOrEqual(0)
  })
  namespaceTest('is renewed a thousand at a time for far less than a process each', async () => {
    const { 1000: timesMs, spawnMs } = await run('costs') as { 1000: number[]; spawnMs: number }
    expect(Math.min(...timesMs)).toBeGreaterThan(0)
    expect(Math.min(...timesMs)).toBeLessThan(spawnMs * 1000 / 10)
  })
})

test('a lifetime is a whole number of seconds that the kernel can hold', () => {
  expect(leaseFault({ validSeconds: 1, notAfterMs: Infinity })).toBeUndefined()
  expect(leaseFault({ validSeconds: 4_294_967_294, notAfterMs: 0 })).toBeUndefined()
  expect(leaseFault({ validSeconds: 4_294_967_295, notAfterMs: 0 })).toMatch(/^the lifetime 4294967295 is not/)
})
