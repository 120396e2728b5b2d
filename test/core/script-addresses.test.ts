/** `resource_agents: original`: floating addresses that Heartbeat's own scripts serve are script stages, but for what a dead daemon leaves. */
import { expect, test } from 'vitest'
import type { ResourceConfig } from '../../src/core/config.ts'
import { address, codes, configuration, group, groupOf, pairOf, replyOf, script, standbyAll, type Host } from './two-nodes.ts'

function scriptAddress(ip: string): ResourceConfig {
  return script('IPaddr2', { args: [`${ip}/24/eth0`], scriptAddress: { ip, family: 'ipv4' } })
}

const web = group('web', 'a', [scriptAddress('192.0.2.100'), script('apache2')])

function planned(host: Host, name = 'web') {
  const found = host.plan?.groups.find((one) => one.name === name)
  return { stops: found?.stops.map(({ script: called }) => called), wills: found?.wills, addresses: found?.addresses.length }
}

test('it is started, asked and stopped as any script, in its place in the list', () => {
  const pair = pairOf(configuration([web]))
  pair.run(3_000)
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.a).stages.map(({ what, status, lease }) => [what.kind, status, lease])).toEqual([['script', 'running', undefined], ['script', 'running', undefined]])
  pair.ask('a', standbyAll)
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  const stopped = pair.hosts.a.records.filter(({ code }) => code === 'resource-stopped').map(({ message }) => message.split(' ')[0])
  expect(stopped).toEqual(['apache2', 'IPaddr2::192.0.2.100/24/eth0'])
})

test('the guard of a dead daemon runs its stop in its turn, and says nothing of addresses before all is stopped', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  expect(planned(pair.hosts.a)).toEqual({ stops: ['apache2', 'IPaddr2'], wills: ['stopped'], addresses: 0 })
  // What is not here is not here: both wills are true of it.
  expect(planned(pair.hosts.b)).toEqual({ stops: [], wills: ['addresses-gone', 'stopped'], addresses: 0 })
})

test('where nobody could take the group, its guard stops the address and leaves the service', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  pair.kill('b')
  pair.run(5_000)
  expect(planned(pair.hosts.a)).toEqual({ stops: ['IPaddr2'], wills: [], addresses: 0 })
})

test('of a group of which a stop has failed, too, the address must not outlive the daemon', () => {
  const pair = pairOf(configuration([web]))
  pair.run(2_000)
  pair.outcomes.set('a stop apache2', { result: 'failed', message: 'no' })
  pair.ask('a', standbyAll)
  pair.run(1_000)
  expect(codes(pair.hosts.a)).toContain('group-unclean')
  expect(planned(pair.hosts.a)).toEqual({ stops: ['IPaddr2'], wills: [], addresses: 0 })
})

test('a reload that changes who serves the address is refused where it runs, and taken where it does not', () => {
  const ours = configuration([group('web', 'a', [address('192.0.2.100'), script('apache2')])])
  const theirs = configuration([web])
  const pair = pairOf(ours)
  pair.run(1_000)
  pair.reload('a', theirs)
  expect(replyOf(pair.hosts.a)).toMatchObject({ result: 'refused', message: expect.stringMatching(/resources of web changed while it runs on a: type hactl standby/) as string })
  pair.reload('b', theirs)
  expect(replyOf(pair.hosts.b).result).toBe('done')
  // As the refusal says: the group goes to the node that has the new one, this node reads it, and the group returns.
  pair.ask('a', standbyAll)
  pair.run(2_000)
  expect(pair.held('web')).toBe('b')
  pair.reload('a', theirs)
  expect(replyOf(pair.hosts.a).result).toBe('done')
  pair.ask('a', { type: 'online', timeoutMs: 60_000 })
  pair.run(2_000)
  expect(pair.held('web')).toBe('a')
  expect(groupOf(pair.hosts.a).stages.map(({ what }) => what.kind)).toEqual(['script', 'script'])
})
