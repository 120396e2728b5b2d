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

test('many names are cut', () => {
  const pair = rig(configuration(['t', 'u', 'v', 'w', 'x', 'y', 'z'].map((name, index) => group(name, 'a', [address(`192.0.2.${index + 100}`)]))))
  pair.start('a')
  pair.start('b')
  pair.run(1_500)
  expect(serviceStatus(pair.hosts.a.state)).toBe('a holds t, u, v, w, x and 2 more; b is alive')
})
