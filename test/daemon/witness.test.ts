import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/index.ts'
import type { ClusterConfig } from '../../src/core/config.ts'
import { witnessInForce } from '../../src/daemon/witness.ts'

function configWith(more: Partial<ClusterConfig>): ClusterConfig {
  const file = (name: string, text: string) => ({ name, path: `/etc/ha.d/${name}`, text, mode: 0o600, uid: 0 })
  const { config } = loadConfig({ files: [file('ha.cf', 'node alpha beta\nbcast eth0\n'), file('haresources', 'alpha 192.0.2.100\n'), file('authkeys', 'auth 1\n1 sha1 a long enough secret\n')] })
  if (config === undefined) throw new Error('no configuration')
  return { ...config, ...more }
}

test('the witness in force is that of the configuration, from the reload on', async () => {
  const witness = witnessInForce(configWith({}), { self: 'alpha', peer: 'beta', generation: 1, onNotice: () => undefined })
  onTestFinished(() => witness.close())
  const look = async (): Promise<string> => {
    const said = await witness.ask(undefined, { type: 'look' })
    return said.result === 'unreachable' ? said.message : said.result
  }
  expect(await look()).toBe('no witness is configured')
  const timing = { timeoutMs: 500, grantMs: 3_000, renewMs: 500 }
  // Nothing listens on the discard port of loopback.
  witness.use(configWith({ witness: timing, etcd: { endpoints: ['http://127.0.0.1:9'], prefix: '/x' } }))
  expect(await look()).toBe('http://127.0.0.1:9: connection refused: no etcd listens there')
  witness.use(configWith({}))
  expect(await look()).toBe('no witness is configured')
})

test('a thousand groups that ask at once are each answered, though nobody listens', async () => {
  const witness = witnessInForce(configWith({ witness: { timeoutMs: 300, grantMs: 3_000, renewMs: 500 }, etcd: { endpoints: ['http://127.0.0.1:9'], prefix: '/x' } }), { self: 'alpha', peer: 'beta', generation: 1, onNotice: () => undefined })
  onTestFinished(() => witness.close())
  const said = await Promise.all(Array.from({ length: 1_000 }, (_, index) => witness.ask(`group ${index}`, { type: 'acquire', number: 0 })))
  expect(new Set(said.map(({ result }) => result))).toEqual(new Set(['unreachable']))
})
