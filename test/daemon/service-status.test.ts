import { expect, test } from 'vitest'
import { serviceStatus } from '../../src/daemon/service-status.ts'
import { address, configuration, group, rig, script } from '../core/two-nodes.ts'

test('the line of systemctl status follows the node', () => {
  const pair = rig(configuration([group('web', 'a', [address('192.0.2.100'), script('apache2')])]))
  const said = (host: 'a' | 'b'): string => serviceStatus(pair.hosts[host].state)
  pair.start('a')
  pair.run(500)
  expect(said('a')).toBe('a holds nothing; b has not been heard yet')
  pair.start('b')
  pair.run(1_000)
  expect([said('a'), said('b')]).toEqual(['a holds web; b is alive', 'b holds nothing; a is alive'])
  pair.outcomes.set('a stop apache2', { result: 'failed', message: 'no' })
  pair.ask('a', { type: 'standby', scope: 'all', once: false, timeoutMs: 60_000 })
  pair.run(1_000)
  expect(said('a')).toBe('UNCLEAN: web; a holds nothing; in standby; b is alive')
  pair.kill('b')
  pair.run(2_000)
  expect(said('a')).toBe('UNCLEAN: web; a holds nothing; in standby; b is dead')
})

test('what stands behind the pair is named where it fails', () => {
  const fencing = { levels: { a: [{ name: 'ipmi', timeoutMs: 10_000, retries: 0 }], b: [{ name: 'ipmi', timeoutMs: 10_000, retries: 0 }] },
    delaysMs: {} }
  const pair = rig(configuration([group('web', 'a', [address('192.0.2.100')])], { fencing }))
  const said = (): string => serviceStatus(pair.hosts.a.state)
  pair.start('a')
  pair.start('b')
  pair.run(1_000)
  pair.give('a', { type: 'address-contested', ip: '192.0.2.100', hardwareAddress: '52:54:00:12:34:56', interface: 'eth0' })
  expect(said()).toBe('CONTESTED: 192.0.2.100 by 52:54:00:12:34:56; a holds web; b is alive')
  pair.run(601_000)
  expect(said()).toBe('a holds web; b is alive')
  pair.fences.b = 'never'
  pair.kill('b')
  pair.run(2_000)
  expect(said()).toBe('a holds web; b is being fenced; b is dead')
  pair.give('a', { type: 'fence-finished', fenceId: pair.hosts.a.state.fencing?.fenceId, result: 'failed', message: 'no' })
  expect(said()).toBe('FENCING OF b FAILED; a holds web; b is dead')
})

test('a witness that does not answer is named', () => {
  const pair = rig(configuration([group('web', 'a', [address('192.0.2.100')])], { witness: { timeoutMs: 300, grantMs: 3_000, renewMs: 500 } }))
  pair.witness.reachableFrom.delete('a')
  pair.start('a')
  pair.start('b')
  pair.run(3_000)
  expect(serviceStatus(pair.hosts.a.state)).toContain('; witness unreachable; b is alive')
})

test('many names are cut', () => {
  const pair = rig(configuration(['t', 'u', 'v', 'w', 'x', 'y', 'z'].map((name, index) => group(name, 'a', [address(`192.0.2.${index + 100}`)]))))
  pair.start('a')
  pair.start('b')
  pair.run(1_500)
  expect(serviceStatus(pair.hosts.a.state)).toBe('a holds t, u, v, w, x and 2 more; b is alive')
})
