import { expect, test } from 'vitest'
import { rehearseTakeover } from '../../src/daemon/rehearsal.ts'
import { address, configuration, group, rig, script } from '../core/two-nodes.ts'

const config = configuration([group('web', 'a', [address('192.0.2.100'), script('apache2'), address('192.0.2.101')])])

function settled(): ReturnType<typeof rig> {
  const pair = rig(config)
  pair.start('a')
  pair.start('b')
  pair.run(1_000)
  return pair
}

test('the node that holds nothing plays its whole takeover, and its state is as before', () => {
  const { state } = settled().hosts.b
  const before = JSON.stringify(state)
  expect(rehearseTakeover(state).map(({ ip }) => ip)).toEqual(['192.0.2.100', '192.0.2.101'])
  expect(JSON.stringify(state)).toBe(before)
})

test('the holder has nothing to take, and a node without a peer has nothing to rehearse', () => {
  expect(rehearseTakeover(settled().hosts.a.state)).toEqual([])
  const alone = rig(config)
  alone.start('a')
  alone.run(100)
  expect(rehearseTakeover(alone.hosts.a.state)).toEqual([])
})
